"""The bulk export: what it holds, for whom, how it is followed, cancelled, and what a killed worker leaves."""

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from structures.domaine.valider import TRES_RESTREINT
from structures.enums import ActionRessource, EtatExportFhir
from structures.fhir import export
from structures.fhir.ressources.commun import CONFIDENTIALITE_TELECOM
from structures.models import ExportFhir, FichierExport, Ressource, RessourceVersion
from tests.factories.consommateurs import consommateur, jeton
from tests.factories.repertoire import etablissement

# The worker reads through a connection of its own: what the test wrote is committed.
pytestmark = pytest.mark.django_db(transaction=True)
PREFERE = {"Prefer": "respond-async"}
SECRET = "0102030405"


class Outil:
    """A consumer with his token."""

    def __init__(self, *portees: str, profil: int = 0) -> None:
        self.compte, secret = consommateur(*(portees or ("system/*.read", "system/*.export")), profil=profil)
        self.entetes = {"Authorization": f"Bearer {jeton(self.compte, secret)}"}
        self.client = Client()

    def get(self, adresse, **entetes):
        return self.client.get(adresse, headers=self.entetes | entetes)

    def demander(self, suite="", base="/fhir/$export"):
        return self.get(f"{base}{suite}", **PREFERE)

    def exporter(self, suite="") -> dict:
        """Ask, let a worker do it, read the manifest."""
        suivi = self.demander(suite)["Content-Location"]
        assert export.travailler(export.en_souffrance().get().pk)
        return self.get(suivi).json()

    def lignes(self, fichiers: list[dict]) -> list[dict]:
        lues = []
        for f in fichiers:
            texte = b"".join(self.get(f["url"]).streaming_content).decode()
            siennes = [json.loads(ligne) for ligne in texte.splitlines()]
            assert len(siennes) == f["count"]
            lues += siennes
        return lues

    def supprimer(self, adresse):
        return self.client.delete(adresse, headers=self.entetes)


def contenu(type_: str, identifiant: str) -> dict:
    """With a telecom très restreint."""
    confidentialite = {
        "url": CONFIDENTIALITE_TELECOM,
        "valueCodeableConcept": {"coding": [{"code": TRES_RESTREINT}]},
    }
    telecom = [{"system": "phone", "value": SECRET, "extension": [confidentialite]}]
    return {"resourceType": type_, "id": identifiant, "name": f"Hôpital {identifiant}", "telecom": telecom}


def exposer(nombre=3, types=("Organization", "HealthcareService"), quand=None, prefixe="r") -> list[tuple[str, str]]:
    """So many resources of each type, as the projector writes them."""
    fiche, maj = etablissement(), quand or timezone.now()
    faites = [(t, f"{prefixe}{n}") for t in types for n in range(nombre)]
    Ressource.objects.bulk_create(
        Ressource(type=t, identifiant=i, fiche=fiche, version=1, maj=maj, contenu=contenu(t, i)) for t, i in faites
    )
    RessourceVersion.objects.bulk_create(
        RessourceVersion(
            type=t, identifiant=i, fiche=fiche, version=1, maj=maj, action=ActionRessource.CREATION,
            contenu=contenu(t, i),
        )
        for t, i in faites
    )  # fmt: skip
    return faites


def supprimer(type_, identifiant):
    maj = timezone.now()
    ressource = Ressource.objects.get(type=type_, identifiant=identifiant)
    Ressource.objects.filter(pk=ressource.pk).update(version=2, maj=maj, contenu=None)
    RessourceVersion.objects.create(
        type=type_, identifiant=identifiant, fiche=ressource.fiche, version=2, maj=maj,
        action=ActionRessource.SUPPRESSION,
    )  # fmt: skip


def vus(lignes):
    return [(r["resourceType"], r["id"]) for r in lignes]


def test_tout_puis_ce_qui_a_change(monkeypatch):
    monkeypatch.setattr(export, "LIGNES_MAX", 2)
    outil, autre = Outil(), Outil()
    faites = exposer()
    demande = outil.demander("?_outputFormat=application/fhir%2Bndjson")
    assert (demande.status_code, demande.content) == (202, b"")
    suivi = demande["Content-Location"]
    attente = outil.get(suivi)
    assert (attente.status_code, attente["X-Progress"]) == (202, "en attente d'un travailleur")
    assert int(attente["Retry-After"]) > 0
    assert outil.get(f"{suivi}0.ndjson").status_code == 404
    assert export.travailler(ExportFhir.objects.get().pk)
    manifeste = outil.get(suivi)
    assert "Expires" in manifeste
    manifeste = manifeste.json()
    assert set(manifeste) == {"transactionTime", "request", "requiresAccessToken", "output", "deleted", "error"}
    assert manifeste["request"] == "http://testserver/fhir/$export?_outputFormat=application/fhir%2Bndjson"
    assert (manifeste["requiresAccessToken"], manifeste["deleted"], manifeste["error"]) == (True, [], [])
    assert [(f["type"], f["count"]) for f in manifeste["output"]] == [
        ("Organization", 2), ("Organization", 1), ("HealthcareService", 2), ("HealthcareService", 1),
    ]  # fmt: skip
    assert sorted(vus(outil.lignes(manifeste["output"]))) == sorted(faites)
    un = manifeste["output"][0]["url"]
    comprime = outil.get(un, **{"Accept-Encoding": "br, gzip;q=0.5"})
    assert comprime["Content-Encoding"] == "gzip"
    assert gzip.decompress(comprime.content) == b"".join(outil.get(un).streaming_content)
    # Somebody else's is nobody's.
    assert [autre.get(a).status_code for a in (suivi, un)] == [404, 404]
    assert autre.supprimer(suivi).status_code == 404

    depuis = manifeste["transactionTime"].replace("+", "%2B")
    assert outil.exporter(f"?_since={depuis}")["output"] == []
    nouvelles = exposer(1, types=("Location",), prefixe="n")
    supprimer("Organization", "r1")
    suite = outil.exporter(f"?_since={depuis}")
    assert vus(outil.lignes(suite["output"])) == nouvelles
    assert outil.lignes(suite["deleted"]) == [
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [{"request": {"method": "DELETE", "url": "Organization/r1"}}],
        }
    ]


def test_selon_les_droits_du_moment_de_la_demande():
    exposer(1)
    offres = Outil("system/HealthcareService.read", "system/*.export")
    manifeste = offres.exporter()
    assert [f["type"] for f in manifeste["output"]] == ["HealthcareService"]
    assert SECRET not in str(offres.lignes(manifeste["output"]))
    tout = Outil(profil=1)
    complet = tout.exporter()
    assert str(tout.lignes(complet["output"])).count(SECRET) == 2
    # What was made with another profile is no longer given.
    tout.compte.profil = 2
    tout.compte.save()
    assert tout.get(complet["output"][0]["url"]).status_code == 403
    sans = Outil("system/*.read")
    assert sans.demander().status_code == 403
    assert offres.demander("?_type=Organization").status_code == 400
    assert offres.get("/fhir/$export").status_code == 400  # without respond-async
    # Instants that no column can give back are refused before they are written.
    bornes = ("?_since=9999-12-31T23:59:59-12:00", "?_since=0001-01-01T00:00:00%2B14:00")
    for faux in (
        "?_since=hier",
        "?_since=2027-01-01",
        *bornes,
        "?_outputFormat=csv",
        "?_typeFilter=x",
        "?_type=Patient",
    ):
        reponse = tout.demander(faux)
        assert (reponse.status_code, reponse.json()["resourceType"]) == (400, "OperationOutcome"), faux
    indulgent = tout.get("/fhir/$export?_type=Patient,Location&x=1", Prefer="respond-async, handling=lenient")
    assert indulgent.status_code == 202
    assert ExportFhir.objects.latest("demande_le").types == ["Location"]
    corps = {"resourceType": "Parameters", "parameter": [{"name": "_type", "valueString": "Organization"}]}
    parametres = {"content_type": "application/fhir+json", "headers": tout.entetes | PREFERE}
    assert tout.client.post("/fhir/$export", json.dumps(corps), **parametres).status_code == 202
    assert ExportFhir.objects.latest("demande_le").types == ["Organization"]
    lignes = (1, {"name": 5, "valueString": "x"}, {"name": None, "valueString": "x"},
              {"name": "\ud800", "valueString": "x"}, {"name": "_type", "valueString": "\ud800"})  # fmt: skip
    corps_faux = [json.dumps({"resourceType": "Parameters", "parameter": [ligne]}) for ligne in lignes]
    for faux in ("[", "[]", "{}", *corps_faux):
        assert tout.client.post("/fhir/$export", faux, **parametres).status_code == 400
    # Two at once, no more.
    refus = tout.demander()
    assert (refus.status_code, refus.json()["issue"][0]["code"]) == (429, "throttled")
    assert int(refus["Retry-After"]) > 0


def annuler(outil, suivi) -> int:
    try:
        return outil.supprimer(suivi).status_code
    finally:
        connection.close()


def test_annule_expire(monkeypatch):
    monkeypatch.setattr(export, "LIGNES_MAX", 1)
    outil = Outil()
    exposer(2)
    suivi = outil.demander()["Content-Location"]
    poser, ecrits = export._poser, []

    def annuler_au_milieu(demande, fichier, rang):
        if ecrits:
            assert outil.get(suivi)["X-Progress"] == "1 ressources sur 4"
            # By another web process.
            with ThreadPoolExecutor(1) as fils:
                ecrits.append(fils.submit(annuler, outil, suivi).result())
        ecrits.append(rang)
        return poser(demande, fichier, rang)

    monkeypatch.setattr(export, "_poser", annuler_au_milieu)
    assert not export.travailler(ExportFhir.objects.get().pk)
    assert ecrits == [0, 202, 1]
    assert outil.get(suivi).status_code == 404
    assert not FichierExport.objects.exists()

    monkeypatch.setattr(export, "_poser", poser)
    manifeste = outil.exporter()
    fait = ExportFhir.objects.get()
    ExportFhir.objects.update(termine_le=timezone.now() - timedelta(hours=24, seconds=1))
    assert outil.get(manifeste["output"][0]["url"]).status_code == 404
    assert export.purger() == 1
    assert not ExportFhir.objects.filter(pk=fait.pk).exists()


def test_un_travailleur_mort_est_remplace_une_fois(settings, monkeypatch):
    monkeypatch.setattr(export, "LIGNES_MAX", 1)
    outil = Outil()
    exposer(2)
    suivi = outil.demander()["Content-Location"]
    numero = ExportFhir.objects.get().pk
    mort = export._reclamer(numero)
    fichier = export._Fichier("Organization")
    fichier.ajouter("{}")
    export._poser(mort, fichier, 0)
    # Killed here: half of it is written, nothing of it is served, and nobody takes it before its lease ends.
    assert outil.get(f"{suivi}0.ndjson").status_code == 404
    assert not export.travailler(numero)
    ExportFhir.objects.update(bail=timezone.now() - timedelta(seconds=1))
    assert export.travailler(numero)
    assert outil.get(suivi).json()["output"][0]["count"] == 1
    assert FichierExport.objects.count() == 4
    with pytest.raises(export.Perdu):  # it was only slow
        export._poser(mort, fichier, 1)
    ExportFhir.objects.update(
        etat=EtatExportFhir.EN_COURS, jeton=mort.jeton, bail=timezone.now() - timedelta(seconds=1), termine_le=None
    )
    assert not export.travailler(numero)
    assert outil.get(suivi).status_code == 500
    assert ExportFhir.objects.get().etat == EtatExportFhir.ECHEC
