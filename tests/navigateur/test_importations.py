"""A FINESS file from the gestionnaire's disk to the répertoire: deposit, report, confirmation; what is wrong in it."""

import re

import pytest
from playwright.sync_api import Page, expect

from structures.importations.deroulement import travailler
from structures.models import Importation, VersionFiche
from tests.structures.fabrique import numero
from tests.structures.fichier_finess import ligne, texte

from .conftest import TELEPHONE, Site, sans_defaut

pytestmark = [pytest.mark.navigateur, pytest.mark.lent, pytest.mark.timeout(300)]

EJ, TILLEULS, ERABLES = numero("75990001"), numero("75990002"), numero("75990003")


def deposer(page: Page, nom: str, contenu: str) -> Importation:
    """From the list of imports to where the file is waited for."""
    page.get_by_role("link", name=re.compile("^FINESS")).first.click()
    fichier = {"name": nom, "mimeType": "text/csv", "buffer": contenu.encode()}
    page.get_by_label(re.compile("^Fichier")).set_input_files(fichier)
    page.get_by_role("button", name="Déposer et analyser").click()
    expect(page.locator("#import-suivi")).to_contain_text("En attente d’un programme libre")
    return Importation.objects.get(fichier=nom)


def revenir_plus_tard(page: Page, importation: Importation) -> None:
    """Leave it to a worker, and open it again from the list."""
    page.locator(".fil").get_by_role("link", name="Imports").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Imports")
    assert travailler(importation.pk)
    page.get_by_role("link", name=importation.fichier).click()


def test_un_fichier_finess_du_depot_au_repertoire(site: Site) -> None:
    lignes = [ligne(TILLEULS, EJ, rs="RESIDENCE DES TILLEULS"), ligne(ERABLES, EJ, rs="LES ERABLES", siret="123")]
    appliquer = "Appliquer au répertoire"
    page = site.entrer("gestionnaire", "/imports/")

    # Cut while it was copied: nothing of it is taken, and the page, which asks for news by itself, says where it stops.
    assert travailler(deposer(page, "coupe.csv", texte(lignes)[:-20]).pk)
    expect(page.locator(".banniere-erreur")).to_contain_text("Fichier refusé (ligne 5)", timeout=15_000)
    expect(page.get_by_role("button", name=appliquer)).to_have_count(0)

    page.locator(".fil").get_by_role("link", name="Imports").click()
    importation = deposer(page, "entier.csv", texte(lignes))
    revenir_plus_tard(page, importation)
    expect(page.locator(".import-nombres > div", has_text="établissements créés")).to_contain_text("2")
    page.get_by_role("link", name="Refusés 1").click()
    refus = page.locator(".import-details tbody tr")
    expect(refus).to_have_count(1)
    for mots in (ERABLES, "SIRET", "clé de contrôle fausse", "ligne 3, colonne 23"):
        expect(refus).to_contain_text(mots)
    page.set_viewport_size(TELEPHONE)
    sans_defaut(page)
    assert not VersionFiche.objects.filter(finess=TILLEULS).exists()

    page.get_by_role("button", name=appliquer).click()
    expect(page.locator("#import-suivi")).to_contain_text("En attente d’un programme libre")
    revenir_plus_tard(page, importation)
    expect(page.get_by_role("heading", name="Ce qui a été fait")).to_be_visible()
    page.locator("#recherche-globale").fill("tilleuls")
    page.locator("#recherche-globale").press("Enter")
    page.get_by_role("link", name="Ajouter le médico-social et le social").click()
    page.locator("a.eg-nom", has_text="RESIDENCE DES TILLEULS").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("RESIDENCE DES TILLEULS")
    expect(page.locator("main")).to_contain_text(f"FINESS {TILLEULS}")
    expect(page.locator("main")).to_contain_text("elle vient d’un import")
