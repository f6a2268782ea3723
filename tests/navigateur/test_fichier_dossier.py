"""« Remplir depuis un fichier » in a browser: the template filled in a spreadsheet, its preview read and confirmed,
then what the publication would give."""

import re

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from backoffice.comptes.models import User
from structures.importations.tableau import FEUILLE
from structures.models import VersionFiche
from tests.factories import dossiers as fabrique

from .conftest import dit, noeud, sans_defaut

pytestmark = pytest.mark.navigateur

MODELE, RENOMMEE, NEUVE = "Unité SMUR", "Unité SMUR adulte", "Unité SMUR de nuit"


def menu(page: Page, action: str) -> None:
    deroulant = page.locator("details.deroulant", has_text=action)
    deroulant.locator("summary").click()
    deroulant.get_by_text(action, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(action)


def test_remplir_depuis_un_fichier(site, tmp_path):
    eg = VersionFiche.objects.get(nom="Hôpital TEST", niveau="EG").fiche
    dossier = fabrique.brouillon(eg, User.objects.get(username="referent.hopital"), "SMUR")
    page = site.entrer("referent.hopital", f"/dossiers/{dossier.pk}/")

    menu(page, "Remplir depuis un fichier")
    with page.expect_download() as attendu:
        page.get_by_role("link", name="Gabarit XLSX").click()
    rempli = tmp_path / "smur.xlsx"
    attendu.value.save_as(rempli)
    classeur = load_workbook(rempli)
    feuille = classeur[FEUILLE]
    titres = {cellule.value: cellule.column - 1 for cellule in feuille[1]}
    unite = next(rangee for rangee in feuille.rows if rangee[titres["Nom"]].value == MODELE)
    neuve = {titre: unite[rang].value for titre, rang in titres.items()}
    neuve |= {"Identifiant": "N1", "Nom": NEUVE, "Version": None}
    feuille.append([neuve[titre] for titre in titres])
    unite[titres["Nom"]].value = RENOMMEE
    classeur.save(rempli)

    page.get_by_label("Fichier XLSX, ODS ou CSV").set_input_files(rempli)
    page.get_by_role("button", name="Lire le fichier").click()
    expect(page.get_by_role("heading", name="2 lignes à reprendre")).to_be_visible()
    renommee = page.locator(".changement", has=page.get_by_text(f"ligne {unite[0].row}", exact=True))
    expect(renommee.get_by_role("cell")).to_have_text([MODELE, RENOMMEE])
    ajoutee = page.locator(".changement", has=page.get_by_text(f"ligne {feuille.max_row}", exact=True))
    expect(ajoutee.locator(".changement-entete")).to_contain_text(re.compile(f"{NEUVE}.*ajout", re.DOTALL))
    expect(ajoutee.locator(".changement-trajet")).to_have_text("sous UF 1210 SMUR")
    sans_defaut(page)
    assert not dossier.fiches.exists()

    page.get_by_role("button", name="Reprendre ces changements").click()
    dit(page, "2 fiches reprises du fichier")
    expect(noeud(page, RENOMMEE)).to_contain_text("modification")
    expect(noeud(page, NEUVE)).to_contain_text("ajout")

    menu(page, "Aperçu de la publication")
    expect(page.get_by_role("status").filter(has_text="La publication réussirait")).to_be_visible()
    expect(page.locator("#arbre-apercu")).to_contain_text(NEUVE)
    sans_defaut(page)
