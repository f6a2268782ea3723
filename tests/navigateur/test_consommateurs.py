"""A tool that reads the ROR: its access opened, its secret copied, what it reads over HTTP, its access suspended."""

import json
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode
from typing import Any

import pytest
from playwright.sync_api import expect

from structures.fhir.exposition import exposer
from structures.models import VersionFiche

from .conftest import Site, dit, sans_defaut

pytestmark = [pytest.mark.navigateur, pytest.mark.lent, pytest.mark.timeout(300)]


class Outil:
    """An HTTP client of its own, that knows of the ROR what it was given."""

    def __init__(self, site: str, identifiant: str, secret: str) -> None:
        self.site = site
        self.identite = b64encode(f"{identifiant}:{secret}".encode()).decode()
        self.jeton = ""

    def _demander(self, chemin: str, autorisation: str, corps: bytes | None = None) -> tuple[int, Any]:
        requete = urllib.request.Request(f"{self.site}{chemin}", corps, {"Authorization": autorisation})
        try:
            with urllib.request.urlopen(requete, timeout=10) as reponse:
                return reponse.status, json.load(reponse)
        except urllib.error.HTTPError as refus:
            with refus:
                return refus.code, json.load(refus)

    def demander_un_jeton(self) -> tuple[int, Any]:
        corps = urllib.parse.urlencode({"grant_type": "client_credentials"}).encode()
        statut, recu = self._demander("/fhir/jeton/", f"Basic {self.identite}", corps)
        self.jeton = recu.get("access_token", self.jeton)
        return statut, recu

    def lire(self, chemin: str) -> tuple[int, Any]:
        return self._demander(f"/fhir/{chemin}", f"Bearer {self.jeton}")


def test_ouvrir_un_acces_lire_suspendre(site: Site) -> None:
    exposer()
    ehpad = f"Organization?identifier={VersionFiche.objects.get(nom='EHPAD TEST').finess}"
    page = site.entrer("gestionnaire", "/consommateurs/")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("link", name="Ouvrir un accès").click()
    page.get_by_label("Nom de l’outil").fill("Orientation")
    page.get_by_label("Organisme responsable").fill("Réseau d’essai")
    page.get_by_label("Courriel de contact").fill("outil@essai.example")
    page.get_by_label("Toutes les ressources").check()
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Orientation est ouvert")
    sans_defaut(page)
    page.get_by_role("button", name="Copier le secret").click()
    secret = page.locator("#secret").inner_text()
    page.wait_for_function("secret => navigator.clipboard.readText().then(copie => copie === secret)", arg=secret)
    outil = Outil(site.url, page.locator("#identifiant").inner_text(), secret)

    assert outil.lire(ehpad)[0] == 401
    assert outil.demander_un_jeton()[0] == 200
    statut, lot = outil.lire(ehpad)
    assert (statut, [e["resource"]["name"] for e in lot["entry"]]) == (200, ["EHPAD TEST"])

    page.get_by_role("link", name="J’ai copié le secret").click()
    expect(page.locator("main")).to_contain_text("1 ressource lue")
    expect(page.locator("main")).not_to_contain_text(secret)
    page.get_by_role("link", name="Suspendre…").click()
    page.get_by_label("Motif").fill("Secret publié par erreur")
    page.get_by_role("button", name="Suspendre l’accès").click()
    dit(page, "L’accès de l’outil « Orientation » est suspendu, ses jetons ne valent plus rien.")
    statut, refus = outil.lire(ehpad)
    assert (statut, refus["resourceType"]) == (401, "OperationOutcome")
    assert outil.demander_un_jeton() == (
        400, {"error": "unauthorized_client", "error_description": "This client is suspended."}
    )  # fmt: skip
    page.reload()
    expect(page.get_by_role("row", name="Demande de jeton pendant la suspension.")).to_have_count(1)
