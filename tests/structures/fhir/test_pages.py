"""Pages stay right while what they cut changes; the feed misses nothing."""

import json
import random
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from structures.models import Ressource, RessourceVersion

from .banc import Registre, lire, offre, organisation


def pages(client: Client, adresse: str) -> Iterator[dict]:
    """Each page, its next one asked for only when the reader comes to it."""
    suite: str | None = f"/fhir/{adresse}"
    while suite:
        reponse = client.get(suite)
        assert reponse.status_code == 200, reponse.content
        bundle = lire(reponse)
        yield bundle
        liens = {lien["relation"]: lien["url"] for lien in bundle["link"]}
        suite = liens.get("next")
        if suite:
            decoupee = urlsplit(suite)
            suite = f"{decoupee.path}?{decoupee.query}"


def ids(bundle: dict) -> list[str]:
    return [e["resource"]["id"] for e in bundle.get("entry", [])]


def peupler(registre: Registre, nombre: int = 30) -> set[str]:
    """By fives, so that many have the same date, and the same names."""
    noms, ids_ = random.Random(6), [f"o{i:02}" for i in range(nombre)]
    for debut in range(0, nombre, 5):
        registre.exposer(*(organisation(i, f"Nom {noms.randrange(5)}") for i in ids_[debut : debut + 5]))
    return set(ids_)


def test_rien_ne_bouge(registre: Registre, consommateur: Client):
    attendus = peupler(registre, 12)
    for tri in ("", "_id", "-_id", "name", "-name", "_lastUpdated", "-_lastUpdated", "name,-_lastUpdated"):
        en_une_fois = next(pages(consommateur, f"Organization?_count=100&_sort={tri}"))
        assert sorted(ids(en_une_fois)) == sorted(attendus)
        for taille in (5, 12):
            lues = [i for page in pages(consommateur, f"Organization?_count={taille}&_sort={tri}") for i in ids(page)]
            assert lues == ids(en_une_fois), (tri, taille)
        noms = [e["resource"]["name"] for e in en_une_fois["entry"]]
        dates = [e["resource"]["meta"]["lastUpdated"] for e in en_une_fois["entry"]]
        if cles := {"name": noms, "_lastUpdated": dates}.get(tri.removeprefix("-")):
            assert cles == sorted(cles, reverse=tri.startswith("-"))


@pytest.mark.parametrize("tri", ["_id", "-name", "_lastUpdated", "-_lastUpdated"])
def test_tout_bouge(registre: Registre, consommateur: Client, tri):
    """Between two pages one comes, one goes, three change name. Who stays is seen, last as it is now; twice only if it
    changed after having been seen, and never in the order of the identifiers."""
    hasard = random.Random(tri)
    restent = peupler(registre)
    vues: dict[str, list[int]] = {}  # the versions seen
    for tour, page in enumerate(pages(consommateur, f"Organization?_count=4&_sort={tri}")):
        assert tour < 40
        for entree in page.get("entry", []):
            vues.setdefault(entree["resource"]["id"], []).append(int(entree["resource"]["meta"]["versionId"]))
        if tour < 9:
            partante = hasard.choice(sorted(restent))
            restent.discard(partante)
            registre.retirer("Organization", partante)
            registre.exposer(
                *(organisation(i, f"Nom {hasard.randrange(10)} bis") for i in hasard.sample(sorted(restent), 3))
            )
            registre.exposer(organisation(f"n{hasard.randrange(100):02}", f"Nom {hasard.randrange(10)}"))
    assert restent <= vues.keys()
    if "_id" in tri:
        assert {len(versions) for versions in vues.values()} == {1}
    else:
        assert all(versions == sorted(set(versions)) for versions in vues.values())
        finales = dict(Ressource.objects.filter(identifiant__in=restent).values_list("identifiant", "version"))
        assert {i: vues[i][-1] for i in restent} == finales


def test_un_curseur_ne_sert_que_sa_question(registre: Registre, consommateur: Client):
    peupler(registre, 3)
    suite = lire(consommateur.get("/fhir/Organization?_count=1"))["link"][1]["url"].partition("_cursor=")[2]
    assert consommateur.get(f"/fhir/Organization?_count=1&_cursor={suite}").status_code == 200
    for autre in (f"Organization?_count=2&_cursor={suite}", f"Location?_count=1&_cursor={suite}",
                  f"Organization?_count=1&_cursor={suite}x", f"_history?_count=1&_cursor={suite}"):  # fmt: skip
        reponse = consommateur.get(f"/fhir/{autre}")
        assert (reponse.status_code, lire(reponse)["issue"][0]["code"]) == (400, "invalid"), autre


def test_le_total_se_dit_quand_on_le_demande_ou_qu_on_le_sait(registre: Registre, consommateur: Client):
    peupler(registre, 5)

    def total(question: str) -> int | None:
        return lire(consommateur.get(f"/fhir/Organization?{question}")).get("total")

    assert [total(q) for q in ("_count=2", "_count=2&_total=none")] == [None, None]
    assert [total(q) for q in ("_count=2&_total=accurate", "_count=5", "_count=0")] == [5, 5, 5]
    assert total("_count=2&_total=estimate") >= 2
    # A next page whose chain leads to nothing any more.
    registre.exposer(organisation("p", "Alpha"), *(offre(f"u{i}", "p") for i in range(3)))
    chaine = "/fhir/HealthcareService?organization.name=Alpha&_count=2&_total=estimate"
    suite = lire(consommateur.get(chaine))["link"][1]["url"].removeprefix("http://testserver")
    registre.exposer(organisation("p", "Beta"))
    assert "entry" not in lire(consommateur.get(suite))


def test_autant_de_requetes_pour_une_ressource_que_pour_trente(registre: Registre, consommateur: Client):
    peupler(registre)
    registre.exposer(*(offre(f"u{i:02}", f"o{i:02}") for i in range(30)))
    questions = (
        "Organization?_count={n}",
        "Organization?_count={n}&_sort=-name&_total=accurate&name=nom",
        "HealthcareService?_count={n}&organization.name=nom&_include=HealthcareService:organization",
        "_history?_count={n}",
    )
    for question in questions:
        mesures = []
        for n in (1, 29):
            with CaptureQueriesContext(
                connection,
            ) as requetes:
                consommateur.get("/fhir/" + question.format(n=n))
            mesures.append(len(requetes))
        assert mesures[0] == mesures[1], question


# -- the feed ----------------------------------------------------------------------------------------------


def test_le_flux_mene_a_ce_qui_est_expose(registre: Registre, consommateur: Client):
    """A reader that follows the feed by ``_since``, with writes between its pages, holds what the register exposes."""
    hasard, tenues, depuis = random.Random(7), {}, "2020"
    for _ in range(6):
        lues, premiere = [], None
        for page in pages(consommateur, f"_history?_since={depuis}&_count=3"):
            premiere = premiere or page
            lues += page.get("entry", [])
            registre.exposer(organisation(f"o{hasard.randrange(8)}", f"Nom {hasard.random()}"))
            if hasard.random() < 0.3:
                registre.exposer(offre("u1"), organisation("o1", f"Nom {hasard.random()}"))
                registre.retirer("Organization", "o1")
            if len(lues) > 60:
                break
        for entree in reversed(lues):  # oldest first
            tenues[entree["fullUrl"]] = entree.get("resource")
        if premiere and "meta" in premiere:
            depuis = premiere["meta"]["lastUpdated"].replace("+", "%2B")
    for page in pages(consommateur, f"_history?_since={depuis}&_sort=_lastUpdated&_count=2"):
        for entree in page.get("entry", []):
            tenues[entree["fullUrl"]] = entree.get("resource")
    exposees = {f"http://testserver/fhir/{r.type}/{r.identifiant}": r.contenu for r in Ressource.objects.all()}
    assert tenues == exposees
    assert None in tenues.values()


def test_un_historique_dit_chaque_version(registre: Registre, consommateur: Client):
    registre.exposer(organisation("a", "Un"), organisation("b"))
    registre.exposer(organisation("a", "Deux"))
    registre.retirer("Organization", "a")
    registre.exposer(organisation("a", "Quatre"), offre("u"))

    def versions(adresse: str) -> list[tuple]:
        return [
            (e["request"]["method"], e["request"]["url"], e["response"]["status"], e.get("resource", {}).get("name"))
            for page in pages(consommateur, adresse)
            for e in page.get("entry", [])
        ]

    de_a = [
        ("POST", "Organization", "201", "Quatre"), ("DELETE", "Organization/a", "204", None),
        ("PUT", "Organization/a", "200", "Deux"), ("POST", "Organization", "201", "Un"),
    ]  # fmt: skip
    assert versions("Organization/a/_history") == versions("Organization/a/_history?_count=1") == de_a
    assert versions("Organization/a/_history?_sort=_lastUpdated&_count=3") == de_a[::-1]
    assert len(versions("Organization/_history")) == 5
    assert len(versions("_history?_count=2")) == 6
    assert versions("_history?_since=2027") == []
    quatre = json.dumps(RessourceVersion.objects.latest("rang").maj.isoformat())[1:-1].replace("+", "%2B")
    assert len(versions(f"_history?_since={quatre}")) == 2
    assert consommateur.get("/fhir/Organization/z/_history").status_code == 404
    assert consommateur.get("/fhir/_history?_since=hier").status_code == 400
