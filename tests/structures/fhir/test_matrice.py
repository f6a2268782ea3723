"""Contact × confidentiality × profile through the real API: whatever the way to a resource, a consumer reads what its
profile allows of its contacts, today's levels and not those of an older version."""

import re
from itertools import product

import pytest
from django.test import Client

from structures.fhir.exposition import exposer
from tests.factories import repertoire as r
from tests.factories.consommateurs import porteur

pytestmark = pytest.mark.django_db

LUS = {0: "1", 1: "123", 2: "12"}
TRACES = re.compile(r"Contact \d|010000\d\d|unite@essai\.mssante\.fr")


def contact(niveau: str) -> dict:
    """A contact of this level with a telecom of each level that it may have."""
    telecoms = [{"canal": "2", "valeur": f"010000{niveau}{n}", "confidentialite": n} for n in "123" if n >= niveau]
    return {"nom": f"Contact {niveau}", "fonction": "01", "confidentialite": niveau, "telecoms": telecoms}


def vus(niveaux: str) -> set[str]:
    return {f"Contact {n}" for n in niveaux} | {f"010000{n}{t}" for n, t in product(niveaux, niveaux) if t >= n}


def test_contact_confidentialite_profil_par_l_api() -> None:
    contacts = {"contacts": {"pose": {n: contact(n) for n in "123"}}}
    boite = {"boites_mssante": {"ajoute": ["unite@essai.mssante.fr"]}}
    eg = r.etablissement("handicap", **contacts)
    ouverte, sensible = r.uo(eg, **contacts, **boite), r.uo(eg, unite_sensible=True, **contacts, **boite)
    exposer()
    org, uo, cachee = (f.identifiant.replace("/", "-") for f in (eg, ouverte, sensible))
    adresses = {
        f"/fhir/Organization/{org}": "eg",
        f"/fhir/Organization?_id={org}": "eg",
        f"/fhir/Organization/{org}?_elements=contact": "eg",
        f"/fhir/Organization/{org}/_history": "eg",
        f"/fhir/Organization/{org}/_history/1": "eg",
        f"/fhir/HealthcareService/{uo}": "uo",
        f"/fhir/HealthcareService?_id={uo}": "uo",
        f"/fhir/HealthcareService/{uo}/_history/1": "uo",
        f"/fhir/HealthcareService/{cachee}": "sensible",
        f"/fhir/HealthcareService?_id={cachee}&_include=HealthcareService:organization": "tout, moins l’ouverte",
        f"/fhir/Organization?_id={org}&_revinclude=HealthcareService:organization": "tout",
        "/fhir/_history?_count=50": "tout",
        f"/fhir/Organization?_id={org}&_summary=count": "rien",
    }
    for profil, niveaux in LUS.items():
        entetes = porteur(profil=profil)
        mssante = {"unite@essai.mssante.fr"} if profil else set()
        toute = vus(niveaux) | {"unite@essai.mssante.fr"} if profil == 1 else set()
        attendus = {
            "eg": vus(niveaux),
            "uo": vus(niveaux) | mssante,
            "sensible": toute,
            "tout": vus(niveaux) | mssante | toute,
            "tout, moins l’ouverte": vus(niveaux) | toute,
            "rien": set(),
        }
        for adresse, quoi in adresses.items():
            reponse = Client().get(adresse, headers=entetes)
            assert reponse.status_code == 200, adresse
            assert set(TRACES.findall(reponse.content.decode())) == attendus[quoi], (profil, adresse)
        forme = "application/x-www-form-urlencoded"
        cherchee = Client().post("/fhir/HealthcareService/_search", f"_id={uo}", content_type=forme, headers=entetes)
        assert set(TRACES.findall(cherchee.content.decode())) == attendus["uo"]


def test_un_type_que_l_on_ne_lit_pas_ne_vient_pas_avec_un_autre() -> None:
    """Asked for in the address or brought by an include, it is refused; the feed leaves it out."""
    eg = r.etablissement("handicap")
    unite = r.uo(eg)
    exposer()
    org, uo = (f.identifiant.replace("/", "-") for f in (eg, unite))
    entetes = porteur("system/Organization.read")
    avec_elle = f"/fhir/Organization?_id={org}&_revinclude=HealthcareService:organization"
    for refusee in (avec_elle, f"/fhir/HealthcareService/{uo}", "/fhir/HealthcareService/_history"):
        assert Client().get(refusee, headers=entetes).status_code == 403, refusee
    suivi = Client().get("/fhir/_history?_count=50", headers=entetes).json()
    assert {e["resource"]["resourceType"] for e in suivi["entry"]} == {"Organization"}


def test_un_contact_devenu_confidentiel_ne_se_lit_plus_dans_l_historique() -> None:
    eg = r.etablissement("handicap", contacts={"pose": {"a": contact("1")}})
    exposer()
    r.publier(eg, {"contacts": {"pose": {"a": contact("3") | {"nom": "Contact 1"}}}})
    exposer()
    premiere = {"Contact 1", "01000011", "01000012", "01000013"}
    for profil in LUS:
        entetes = porteur(profil=profil)
        attendus = {"_history/1": premiere, "_history": premiere | {"01000033"}} if profil == 1 else {}
        for fin in ("_history/1", "_history"):
            page = Client().get(f"/fhir/Organization/{eg.identifiant}/{fin}", headers=entetes).content.decode()
            assert set(TRACES.findall(page)) == attendus.get(fin, set()), (profil, fin)
