"""Reading over HTTP: versions, caches, formats, origins; and never a page where a program asks."""

import gzip
import json

import fhirkit
import pytest
from django.db import connection, transaction
from django.test import Client

from structures.domaine.consommateurs import Reglages, modifier
from structures.enums import Role
from structures.fhir.delai import en_temps_limite
from structures.fhir.issue import ErreurFhir
from tests.factories.consommateurs import consommateur as consommateur_de
from tests.factories.consommateurs import jeton
from tests.factories.repertoire import compte

from .banc import Registre, lire, organisation

R = "/fhir/Organization/a"


@pytest.fixture
def une(registre: Registre) -> Registre:
    registre.exposer(organisation("a", "Un"))
    registre.exposer(organisation("a", "Deux"))
    return registre


def test_lire_une_ressource_et_ses_versions(une: Registre, consommateur: Client):
    reponse = consommateur.get(R)
    assert reponse.status_code == 200
    assert {n: reponse.headers[n] for n in ("Content-Type", "ETag", "Last-Modified", "Cache-Control")} == {
        "Content-Type": "application/fhir+json; charset=utf-8", "ETag": 'W/"2"',
        "Last-Modified": "Fri, 20 Nov 2026 07:00:00 GMT", "Cache-Control": "private, no-cache",
    }  # fmt: skip
    assert (lire(reponse)["name"], lire(reponse)["meta"]["versionId"]) == ("Deux", "2")
    premiere = consommateur.get(f"{R}/_history/1")
    assert (lire(premiere)["name"], premiere.headers["ETag"]) == ("Un", 'W/"1"')
    assert [consommateur.get(f"{R}/_history/{v}").status_code for v in (2, 3, 0, "x")] == [200, 404, 404, 404]
    assert consommateur.get("/fhir/Organization/b").status_code == 404
    une.retirer("Organization", "a")
    assert [consommateur.get(a).status_code for a in (R, f"{R}/_history/3", f"{R}/_history/2")] == [410, 410, 200]


def test_ne_relire_que_ce_qui_a_change(une: Registre, consommateur: Client):
    def statut(**entetes: str) -> int:
        return consommateur.get(R, headers=entetes).status_code

    connues = ('W/"2"', '"2"', 'W/"1", W/"2"', "*")
    assert {statut(**{"If-None-Match": e}) for e in connues} == {304}
    assert {statut(**{"If-None-Match": e}) for e in ('W/"1"', "n'importe quoi")} == {200}
    le_jour, la_veille = "Fri, 20 Nov 2026 07:00:00 GMT", "Thu, 19 Nov 2026 07:00:00 GMT"
    assert [statut(**{"If-Modified-Since": d}) for d in (le_jour, la_veille, "hier")] == [304, 200, 200]
    assert statut(**{"If-Modified-Since": le_jour, "If-None-Match": 'W/"1"'}) == 200
    intacte = consommateur.get(R, headers={"If-None-Match": 'W/"2"'})
    assert (intacte.content, intacte.headers["ETag"]) == (b"", 'W/"2"')


def test_qui_voit_davantage_n_a_pas_deja_lu(registre: Registre):
    """Neither another profile nor another view is told « unchanged »."""
    registre.exposer(organisation("a", "Un", contact=[{"name": {"text": "Caché"}}]))
    outil, secret = consommateur_de()
    client = Client(headers={"Authorization": f"Bearer {jeton(outil, secret)}"})
    lus = [
        client.get(f"{R}{q}").headers["ETag"] for q in ("", "?_elements=name", "?_elements=contact", "?_summary=true")
    ]
    assert (lus[0], len(set(lus))) == ('W/"1-0"', 4)
    assert client.get(R, headers={"If-None-Match": lus[0]}).status_code == 304
    assert client.get(f"{R}?_elements=name", headers={"If-None-Match": lus[1]}).status_code == 304
    assert client.get(R, headers={"If-None-Match": lus[1]}).status_code == 200
    hier = {"If-Modified-Since": "Sat, 21 Nov 2026 07:00:00 GMT"}
    assert [client.get(f"{R}{q}", headers=hier).status_code for q in ("", "?_elements=name")] == [304, 200]
    reglages = Reglages(nom="Outil", courriel="outil@essai.example", organisme="Éditeur", profil=1,
                        portees=["system/*.read"], quota_minute=1000, quota_jour=1000)  # fmt: skip
    modifier(pk=outil.pk, acteur=compte(Role.GESTIONNAIRE), reglages=reglages)
    for entetes in ({"If-None-Match": lus[0]}, hier):
        assert (client.get(R, headers=entetes).status_code, client.get(R).headers["ETag"]) == (200, 'W/"1"')


def test_les_formats(une: Registre, consommateur: Client):
    def statut(adresse: str, accepte: str = "*/*") -> int:
        return consommateur.get(adresse, headers={"Accept": accepte}).status_code

    bons = ("application/fhir+json", "application/json;q=0.9, text/html", "text/html,application/xml;q=0.9,*/*;q=0.8",
            "application/fhir+json; fhirVersion=4.0", "application/*")  # fmt: skip
    mauvais = ("text/html", "application/fhir+xml", "application/fhir+json; fhirVersion=5.0", "application/json;q=0")
    assert {statut(R, a) for a in bons} == {200}
    assert {statut(R, a) for a in mauvais} == {406}
    par_adresse = ("json", "application/fhir%2Bjson", "application/fhir+json")
    assert {statut(f"{R}?_format={f}", "text/html") for f in par_adresse} == {200}
    assert statut(f"{R}?_format=xml") == 406
    assert b'\n  "name": "Deux"' in consommateur.get(f"{R}?_pretty=true").content
    assert consommateur.head(R).status_code == 200
    assert consommateur.head(R).content == b""


def test_compresse_pour_qui_le_demande(registre: Registre, consommateur: Client):
    registre.exposer(organisation("a", "long " * 400))
    nu, serre = consommateur.get(R), consommateur.get(R, headers={"Accept-Encoding": "gzip"})
    assert serre.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(serre.content) == nu.content
    assert "Accept-Encoding" in nu.headers["Vary"]
    for accepte, codage in (("gzip;q=0", None), ("gzip;q=0, *", None), ("x-gzip", None), ("br, *;q=0.1", "gzip")):
        assert consommateur.get(R, headers={"Accept-Encoding": accepte}).headers.get("Content-Encoding") == codage


def test_une_page_d_une_autre_origine_lit(une: Registre, consommateur: Client):
    preparation = Client().options(
        R, headers={"Origin": "https://outil.example", "Access-Control-Request-Method": "GET"}
    )
    assert preparation.status_code == 204
    assert "Authorization" in preparation.headers["Access-Control-Allow-Headers"]
    assert Client().get(R).status_code == 401
    for reponse in (preparation, consommateur.get(R), Client().get(R), consommateur.get("/fhir/rien/du/tout")):
        assert reponse.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in reponse.headers
    assert "Access-Control-Allow-Origin" not in Client().get("/connexion/").headers


def test_chaque_refus_est_un_operation_outcome(une: Registre, consommateur: Client):
    for methode, adresse, statut in (
        ("get", "/fhir/", 404), ("get", "/fhir/Patient", 404), ("get", "/fhir/Patient/1", 404),
        ("get", "/fhir/Organization/é", 404), ("get", "/fhir/Organization/" + "a" * 65, 404),
        ("get", "/fhir/Organization/a/b/c/d", 404), ("get", "/fhir/Organization?name=%00", 400),
        ("post", "/fhir/Organization", 405), ("put", R, 405), ("delete", R, 405), ("patch", R, 405),
        ("get", "/fhir/Organization/_search", 405), ("post", "/fhir/", 405),
    ):  # fmt: skip
        reponse = getattr(consommateur, methode)(adresse)
        attendu = (statut, "application/fhir+json; charset=utf-8")
        assert (reponse.status_code, reponse.headers["Content-Type"]) == attendu, (methode, adresse)
        assert fhirkit.validate(lire(reponse)) == []
        assert lire(reponse)["issue"][0]["diagnostics"]


def test_une_question_trop_chere_s_arrete(une: Registre, consommateur: Client, settings):
    settings.FHIR_DELAI_SECONDES = 0
    for adresse in ("/fhir/Organization?name=un", "/fhir/HealthcareService?organization.name=un", "/fhir/_history"):
        reponse = consommateur.get(adresse)
        assert (reponse.status_code, lire(reponse)["issue"][0]["code"]) == (422, "too-costly"), adresse
    assert consommateur.get(R).status_code == 200


def test_la_base_cesse_de_repondre_a_une_question_trop_chere(db: None, settings):
    def demander(sql: str) -> str:
        with connection.cursor() as curseur:
            curseur.execute(sql)
            return str(curseur.fetchone()[0])

    with transaction.atomic(), en_temps_limite():
        assert demander("SHOW statement_timeout") in ("10s", "9999ms")
    settings.FHIR_DELAI_SECONDES = 0.05
    with pytest.raises(ErreurFhir, match="plus de"), transaction.atomic(), en_temps_limite():
        demander("SELECT pg_sleep(30)")


def test_un_hote_inconnu_ou_une_panne_n_est_pas_une_page(une: Registre, consommateur: Client, monkeypatch):
    assert lire(consommateur.get(R, headers={"Host": "ailleurs.example"}))["resourceType"] == "OperationOutcome"

    def tomber(*a: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("structures.fhir.vues.representer", tomber)
    consommateur.raise_request_exception = False
    panne = consommateur.get(R)
    assert (panne.status_code, lire(panne)["issue"][0]["code"]) == (500, "exception")


def test_les_capacites_sont_publiques_et_disent_les_parametres(client: Client, db: None):
    reponse = client.get("/fhir/metadata")
    capacites = lire(reponse)
    assert fhirkit.validate(capacites) == []
    (rest,) = capacites["rest"]
    assert [r["type"] for r in rest["resource"]] == ["Organization", "HealthcareService", "Location"]
    dits = {r["type"]: {p["name"] for p in r["searchParam"]} for r in rest["resource"]}
    assert {"identifier", "name", "type", "partof", "active", "address-city", "period-end"} <= dits["Organization"]
    assert {"service-type", "service-category", "specialty", "characteristic", "organization", "patient-type",
            "intervention-zone", "age-range-low", "age-range-high", "location",
            } <= dits["HealthcareService"]  # fmt: skip
    assert {"near", "near-insee-code", "nb-capacity", "capacity-update-date"} <= dits["Location"]


def test_chaque_bundle_est_du_fhir(une: Registre, consommateur: Client):
    une.exposer({"resourceType": "HealthcareService", "id": "u", "providedBy": {"reference": "Organization/a"}})
    une.retirer("HealthcareService", "u")
    for adresse in ("Organization", "Organization?name=zzz", "Organization?inconnu=1&_count=1", "_history",
                    "Organization?_summary=true", "Organization?_count=0", "Organization/a/_history"):  # fmt: skip
        bundle = json.loads(consommateur.get(f"/fhir/{adresse}").content)
        assert (bundle["resourceType"], fhirkit.validate(bundle)) == ("Bundle", []), adresse
