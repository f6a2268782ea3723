"""Acceptance B, 12 to 23, in a browser: a name badly typed, the list unrolled and read by keyboard, favourites, a file;
then on a phone without JavaScript."""

import csv
import re
from pathlib import Path

import pytest
from django.utils import timezone
from openpyxl import load_workbook
from playwright.sync_api import Locator, Page, expect

from structures.enums import Niveau
from structures.models import VersionFiche

from .conftest import TELEPHONE, sans_defaut

pytestmark = [pytest.mark.navigateur, pytest.mark.lent, pytest.mark.timeout(300)]

NOM = "Nom, FINESS, SIRET, commune, code postal, activité…"
CHERCHER = "window.find('UF 2140 Dialyse')"  # as Ctrl + F; a name that is no criterion


def telecharger(page: Page, lien: str) -> Path:
    page.locator("summary", has_text="Exporter").click()
    with page.expect_download() as attendu:
        page.get_by_role("link", name=lien, exact=True).click()
    extension = Path(attendu.value.suggested_filename).suffix
    assert attendu.value.suggested_filename.startswith(f"ror-etablissements-{timezone.localdate().isoformat()}")
    return attendu.value.path().rename(attendu.value.path().with_suffix(extension))


def noms_csv(page: Page) -> list[str]:
    """The names of the exported establishments, as a spreadsheet reads them."""
    with telecharger(page, "CSV : Établissements").open(encoding="utf-8-sig", newline="") as fichier:
        return sorted(ligne["Dénomination"] for ligne in csv.DictReader(fichier, delimiter=";"))


def structures(eg: str) -> set[str]:
    """The names of the fiches under an establishment today."""
    jour = timezone.localdate()
    racine = VersionFiche.objects.get(nom=eg, niveau=Niveau.EG).fiche_id
    return set(
        VersionFiche.objects.filter(eg=racine, validite__contains=jour)
        .exclude(niveau=Niveau.EG)
        .values_list("nom", flat=True)
    )


def noms_de(arbre: Locator) -> set[str]:
    """The names in a tree that a reader sees on the screen, none hidden."""
    noms = arbre.locator(".arbre-nom")
    expect(noms.last).to_be_visible()
    return {nom.strip() for nom in noms.all_inner_texts()}


def test_d_une_faute_de_frappe_a_un_fichier(site):
    page = site.entrer("referent.hopital")
    page.get_by_role("navigation", name="Menu principal").get_by_role("link", name="Répertoire").click()
    page.get_by_label(NOM).fill("hopitl nord")
    page.get_by_label(NOM).press("Enter")
    expect(page.get_by_text("Aucun établissement ne correspond à « hopitl nord ».")).to_be_visible()
    expect(page.get_by_role("heading", name="1 établissement pour « hopital nord »")).to_be_visible()
    expect(page.get_by_role("link", name="Hôpital TEST site Nord")).to_be_visible()
    sans_defaut(page)
    page.get_by_role("link", name="Effacer les critères").click()
    expect(page.locator("#total-nombre")).to_have_text("3 établissements")

    # 16 to 19: every name is text of the page, that the browser finds
    hopital = page.locator(".eg", has=page.get_by_role("link", name="Hôpital TEST", exact=True))
    deroule = hopital.locator("summary", has_text="Dérouler la liste des structures")
    assert not page.evaluate(CHERCHER)
    deroule.focus()
    page.keyboard.press("Enter")
    arbre = page.get_by_role("treegrid", name="Structures de Hôpital TEST")
    assert noms_de(arbre) == structures("Hôpital TEST")
    assert page.evaluate(CHERCHER)
    deroule.focus()
    page.keyboard.press("Tab")
    expect(arbre.get_by_role("row").first).to_be_focused()
    page.keyboard.press("End")
    derniere = arbre.get_by_role("row").last
    expect(derniere).to_be_focused()
    nom = derniere.locator(".arbre-nom").inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(nom)
    page.go_back()

    # 20 to 22
    voisin = "Ajouter aux favoris : Clinique TEST"
    page.get_by_role("button", name=voisin).press("Enter")
    expect(page.locator("#annonces")).to_have_text("Clinique TEST est dans vos favoris")
    page.get_by_label("Favoris").check()
    expect(page.locator("#total-nombre")).to_have_text("2 établissements")
    expect(page.locator(".eg-nom")).to_have_text(["Clinique TEST", "Hôpital TEST"])
    assert noms_csv(page) == ["Clinique TEST", "Hôpital TEST"]
    page.keyboard.press("Escape")
    expect(page.locator("summary", has_text="Exporter")).to_be_focused()
    feuille = load_workbook(telecharger(page, "XLSX : Établissements"), read_only=True).active
    assert {ligne[0] for ligne in feuille.iter_rows(min_row=2, values_only=True)} == {"Clinique TEST", "Hôpital TEST"}
    assert page.ennuis == []


def test_la_meme_chose_sans_javascript_sur_un_telephone(site):
    page = site.entrer("tutelle.cd", java_script_enabled=False, viewport=TELEPHONE)
    page.get_by_role("navigation", name="Menu principal").get_by_role("link", name="Répertoire").click()
    page.get_by_label(NOM).fill("sesad")
    page.get_by_label("MSS (Médico-Social et Social)").check()
    page.get_by_label(NOM).press("Enter")
    expect(page.get_by_text("Aucun établissement ne correspond à « sesad ».")).to_be_visible()
    sessad = page.locator(".eg", has=page.get_by_role("link", name="SESSAD TEST", exact=True))
    sessad.locator("summary", has_text="Dérouler la liste des structures").click()
    sessad.get_by_role("link", name=re.compile(r"Afficher les? \d+ structures?")).click()
    arbre = page.get_by_role("list", name="Structures de SESSAD TEST")
    assert noms_de(arbre) == structures("SESSAD TEST")
    page.get_by_role("button", name="Ajouter aux favoris : SESSAD TEST").click()
    expect(page.get_by_role("button", name="Retirer des favoris : SESSAD TEST")).to_be_visible()
    montres = sorted(page.locator(".eg-nom").all_inner_texts())
    assert "SESSAD TEST" in montres
    assert noms_csv(page) == montres
    page.locator("summary", has_text="Exporter").click()  # closes what it opened
    assert page.evaluate("document.documentElement.scrollWidth") <= TELEPHONE["width"]
    arbre.get_by_role("link", name="Unité SESSAD").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Unité SESSAD")
