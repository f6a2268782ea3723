"""Finding by criteria in a real browser, at once or by « Appliquer » without JavaScript; favourites, a saved search."""

import re

import pytest
from playwright.sync_api import expect

from .conftest import TELEPHONE, sans_defaut

pytestmark = [pytest.mark.navigateur, pytest.mark.lent, pytest.mark.timeout(300)]


def test_les_criteres_s_appliquent_des_qu_on_les_choisit(site):
    page = site.entrer("referent.hopital", "/repertoire/?q=")
    expect(page.locator("#total-nombre")).to_have_text("3 établissements")
    page.get_by_label("MSS (Médico-Social et Social)").check()
    expect(page.locator("#total-nombre")).to_have_text("9 établissements")
    page.locator("#facette-activite > summary").click()
    filtre = page.get_by_label("Filtrer : Activités opérationnelles")
    filtre.click()
    page.keyboard.type("cardio")
    filtre.evaluate("ancien => { ancien.dataset.ancien = ''; htmx.trigger(document.body, 'ror-resultats'); }")
    expect(page.locator("[data-ancien]")).to_have_count(0)
    page.keyboard.type(" gen")  # fresh counts came in the middle: the person goes on typing where she was
    expect(filtre).to_have_value("cardio gen")
    page.get_by_label("Cardiologie générale").check()
    expect(page.locator("#total-nombre")).to_have_text("1 établissement")
    expect(page).to_have_url(re.compile(r"/repertoire/\?activite=013&mss=1$"))
    expect(page.locator("#annonces")).to_have_text("1 établissement")
    expect(page.locator("#activite-013")).to_be_focused()
    expect(filtre).to_have_value("cardio gen")  # survives the counts
    expect(page.get_by_role("link", name="Unité hospitalière de cardiologie")).to_be_visible()
    sans_defaut(page)

    page.get_by_role("button", name="Retirer des favoris : Hôpital TEST").click()
    expect(page.get_by_role("button", name="Ajouter aux favoris : Hôpital TEST")).to_be_focused()
    page.locator("summary", has_text="Mes recherches").click()
    page.get_by_label("Nom de la recherche").fill("Ma cardiologie")
    page.get_by_label("L’appliquer quand j’ouvre le répertoire").check()
    page.get_by_role("button", name="Enregistrer cette recherche").click()
    page.goto("/repertoire/")
    expect(page).to_have_url(re.compile(r"/repertoire/\?activite=013&mss=1$"))
    expect(page.get_by_text("Votre recherche par défaut « Ma cardiologie » est appliquée.")).to_be_visible()
    page.get_by_role("link", name="Voir tout le répertoire").click()
    expect(page.locator("#total-nombre")).to_have_text("3 établissements")


def test_sans_javascript_les_criteres_s_appliquent_par_un_bouton(site):
    page = site.entrer("tutelle.cd", "/repertoire/?mss=1", java_script_enabled=False, viewport=TELEPHONE)
    page.locator("#panneau > summary").click()
    page.get_by_role("button", name="Choisir un département, une catégorie, une activité…").click()
    page.get_by_label("Yvelines (78)").check()
    page.get_by_role("button", name="Appliquer").click()
    expect(page.locator("#total-nombre")).to_have_text("1 établissement")
    page.get_by_role("button", name="Ajouter aux favoris : CAMSP TEST").click()
    expect(page.get_by_role("button", name="Retirer des favoris : CAMSP TEST")).to_be_visible()
    page.get_by_role("link", name="Retirer le critère département : Yvelines (78)").click()
    expect(page.locator("#total-nombre")).to_have_text("9 établissements")
