"""Acceptance B in a browser: an establishment by its tree, then a fiche; on a phone; without JavaScript."""

from datetime import date

import pytest
from playwright.sync_api import expect

from structures.enums import Niveau
from structures.models import Fiche, VersionFiche
from tests.factories import repertoire as fabrique

from .conftest import TELEPHONE, sans_defaut

pytestmark = pytest.mark.navigateur


@pytest.fixture
def eg(site) -> Fiche:
    return VersionFiche.objects.get(nom="Hôpital TEST").fiche


def test_de_l_arbre_a_la_fiche(site, eg):
    page = site.entrer("referent.hopital", f"/repertoire/{eg.identifiant}/")
    arbre = page.get_by_role("treegrid", name="Structures : Hôpital TEST")
    page.get_by_label("Filtrer les fiches").fill("orthogenie")
    ligne = arbre.get_by_role("row", name="Unité d’orthogénie")
    expect(ligne).to_contain_text("unité sensible")
    expect(arbre.get_by_text("Pôle Chirurgie")).to_be_hidden()
    sans_defaut(page)
    ligne.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Unité d’orthogénie")
    page.get_by_role("link", name="Voir dans l’arbre").click()
    expect(page.locator("#noeud")).to_be_in_viewport()
    expect(page.locator("#noeud")).to_have_text("Unité d’orthogénie")


def test_un_champ_qui_manque_s_ouvre_dans_le_formulaire(site, eg):
    unite = Fiche.objects.filter(eg=eg, niveau=Niveau.UO).order_by("pk").first()
    version = fabrique.contenu(unite)
    fabrique.publier(unite, {"activites": {"retire": version.activites}}, date(2024, 2, 1))
    page = site.entrer("referent.hopital", f"/repertoire/{eg.identifiant}/")
    page.locator(".incompletes").get_by_role("link", name=version.nom).click()
    manquants = page.get_by_role("region", name="1 information obligatoire manque")
    manquants.get_by_role("link", name="Activités opérationnelles").click()
    expect(page).to_have_url(f"{site.url}/repertoire/{unite.identifiant}/modifier/#id_activites")
    expect(page.locator("#id_activites")).to_be_in_viewport()


def test_sans_javascript_tout_se_lit(site, eg):
    page = site.entrer(
        "referent.hopital", f"/repertoire/{eg.identifiant}/", java_script_enabled=False, viewport=TELEPHONE
    )
    expect(page.get_by_role("treegrid")).to_have_count(0)  # a list promises no arrows
    arbre = page.get_by_role("list", name="Structures : Hôpital TEST")
    expect(arbre.get_by_role("link", name="Unité d’orthogénie")).to_be_visible()
    page.get_by_role("navigation", name="Montrer dans l’arbre").get_by_role("link", name="unité sensible").click()
    expect(arbre.get_by_role("link", name="Pôle Chirurgie")).to_have_count(0)
    arbre.get_by_role("link", name="Unité d’orthogénie").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Unité d’orthogénie")
    expect(page.locator("#section-contacts")).to_be_visible()
