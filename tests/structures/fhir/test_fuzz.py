"""Whatever is asked, the answer is FHIR, and never a failure. FHIR_FUZZ=20000 asks longer."""

import json
import os

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from structures.fhir.demande import COLONNES_DE_TRI
from structures.fhir.grandeurs import PREFIXES
from structures.fhir.parametres import PARAMETRES, TYPES
from tests.factories.consommateurs import porteur

from .banc import Registre, code, lieu, offre, organisation

CONNUS = sorted({nom for parametres in PARAMETRES.values() for nom in parametres})
MODIFICATEURS = ["", ":exact", ":contains", ":missing", ":not", ":of-type", ":Organization", ":iterate", ":x", ":", "."]
CONTROLES = ["_count", "_sort", "_summary", "_elements", "_total", "_include", "_revinclude", "_include:iterate",
             "_revinclude:iterate", "_cursor", "_format", "_pretty", "_since", "_at"]  # fmt: skip

textes = st.text(max_size=30) | st.sampled_from(
    ["\x00", "a" * 10_000, "é" * 5000, "'; --", "\\", "%", "_", "*", "\ud7ff", "𝒳"]
)
chaines = st.lists(st.sampled_from(CONNUS), min_size=1, max_size=6).map(".".join)
noms = st.builds(str.__add__, st.sampled_from(CONNUS) | chaines, st.sampled_from(MODIFICATEURS)) | st.sampled_from(
    CONTROLES
)
dates = (
    st.datetimes().map(lambda d: d.isoformat())
    | st.dates().map(str)
    | st.sampled_from(["9999", "0000", "0001-01-01Z", "2026-02-30"])
)
nombres = st.floats().map(str) | st.integers().map(str) | st.sampled_from(["1e99", "9" * 5000, "-0", "٣", "1_0"])
liens = st.builds(
    "{}:{}:{}".format, st.sampled_from([*TYPES, "Patient"]), st.sampled_from(CONNUS), st.sampled_from([*TYPES, ""])
)
mots = st.sampled_from(
    ["true", "false", "count", "text", "accurate", "estimate", "json", "xml", "*", *COLONNES_DE_TRI, "-name"]
)
atomes = st.one_of(
    textes, dates, nombres, liens, mots, st.builds(str.__add__, st.sampled_from(PREFIXES), dates | nombres)
)
valeurs = st.one_of(
    atomes,
    st.lists(atomes, min_size=2, max_size=5).map("|".join),
    st.lists(atomes, min_size=2, max_size=4).map(",".join),
    st.lists(nombres, min_size=2, max_size=4).map("|".join),
)
questions = st.lists(st.tuples(noms | textes, valeurs), max_size=5)
morceaux = st.sampled_from([*TYPES, "Patient", "_history", "_search", "o1", "u1", "1", "metadata", "$export"]) | textes
chemins = st.one_of(
    st.sampled_from(
        [*TYPES, *(f"{t}/_search" for t in TYPES), "_history", "Organization/o1", "Organization/o1/_history"]
    ),
    st.lists(morceaux, max_size=5).map("/".join),
)
entetes = st.dictionaries(
    st.sampled_from(["Accept", "Accept-Encoding", "Prefer", "If-None-Match", "If-Modified-Since", "Range", "Cookie"]),
    st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=20)
    | st.sampled_from(["application/fhir+json", "*/*", "gzip", "handling=strict", 'W/"1"', "bytes=0-1"]),
    max_size=2,
)  # fmt: skip


@pytest.fixture
def outil(registre: Registre) -> Client:
    registre.exposer(
        organisation("o1", "Hôpital", type=code("https://s", "101")),
        organisation("o2", partOf={"reference": "Organization/o1"}),
        offre("u1", "o2", specialty=code("https://s", "022")), lieu("l1", 48.8, 2.3),
    )  # fmt: skip
    return Client(headers=porteur(profil=0, quota_minute=10**6, quota_jour=10**6))


def verifier(reponse) -> None:
    assert reponse.status_code < 500
    if reponse.status_code == 304:
        assert reponse.content == b""
    elif reponse.headers.get("Content-Encoding") != "gzip" and reponse.content:
        assert "json" in reponse.headers["Content-Type"], reponse.headers
        lu = json.loads(reponse.content)
        attendus = {"OperationOutcome"} if reponse.status_code >= 400 else {"Bundle", "CapabilityStatement", *TYPES}
        assert lu["resourceType"] in attendus


@settings(
    max_examples=int(os.environ.get("FHIR_FUZZ", "60")),
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    methode=st.sampled_from(["get", "get", "get", "post", "head"]), chemin=chemins, question=questions, entetes=entetes
)
def test_rien_ne_la_fait_tomber(outil: Client, methode, chemin, question, entetes):
    adresse = f"/fhir/{chemin}"
    if methode == "post":
        adresse = adresse if adresse.endswith("_search") else "/fhir/Organization/_search"
        corps = "&".join(f"{nom}={valeur}" for nom, valeur in question)
        formulaire = "application/x-www-form-urlencoded"
        verifier(outil.post(adresse, corps.encode("utf-8", "replace"), content_type=formulaire, headers=entetes))
    else:
        verifier(getattr(outil, methode)(adresse, question, headers=entetes))
