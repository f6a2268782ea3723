"""The map, the way from « Où modifier ? » to the right field, a whole département in one pick."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from structures.models import Commune, VersionFiche

from .conftest import TELEPHONE, sans_defaut

pytestmark = [pytest.mark.navigateur, pytest.mark.lent, pytest.mark.timeout(300)]


def test_la_carte_au_clavier_et_sur_un_telephone(site):
    page = site.entrer("gestionnaire", f"{reverse('carte')}?mss=1")
    expect(page.get_by_role("link", name="CAMSP TEST, Versailles (78)")).to_be_visible()
    page.get_by_role("button", name="Agrandir", exact=True).press("Enter")
    expect(page.get_by_role("button", name="Vers l’ouest")).to_be_visible()
    assert page.locator("ror-carte > svg").get_attribute("viewBox").split()[2] == "500"
    # a place outside the part shown comes into it when it takes the focus
    page.get_by_role("button", name="Vers l’est").click()
    page.get_by_role("button", name="Vers l’est").click()
    page.get_by_role("link", name="CAMSP TEST, Versailles (78)").focus()
    expect(page.get_by_role("link", name="CAMSP TEST, Versailles (78)")).to_be_in_viewport()
    sans_defaut(page)
    page.set_viewport_size(TELEPHONE)
    page.get_by_role("link", name="Hauts-de-Seine (92)", exact=True).click()
    expect(page.get_by_role("link", name="Voir toute la région")).to_be_visible()
    sans_defaut(page)
    page.locator(".lieu-plusieurs").first.press("Enter")
    expect(page).to_have_url(f"{site.url}{reverse('repertoire')}?commune=92040&mss=1")


def test_du_guide_au_territoire_un_departement_d_un_coup(site):
    page = site.entrer("referent.sessad", reverse("ou_modifier"))
    page.get_by_role("link", name="Le territoire d’intervention").click()
    page.get_by_role("link", name="SESSAD TEST").click()
    page.get_by_role("link", name="Unité SESSAD").click()
    champ, saisie = page.locator("ror-communes"), page.locator("#id_territoire")
    expect(champ).to_be_in_viewport()
    saisie.press_sequentially("92")
    premiere = champ.get_by_role("option").first
    expect(premiere).to_contain_text("Hauts-de-Seine (92), 36 communes – 34 à ajouter, 2 déjà dans la liste")
    saisie.press("Enter")
    expect(champ.get_by_text("36 communes, dont 34 ajoutées")).to_be_visible()
    sans_defaut(page)
    page.get_by_role("button", name="Modifier", exact=True).click()
    page.get_by_role("button", name="Revenir à la saisie").click()
    # shown again, it is one group that goes as a whole or one by one
    expect(champ.get_by_text("Hauts-de-Seine (92) : 36 communes")).to_be_visible()
    champ.get_by_role("button", name="Retirer Antony (92)").click()
    expect(champ.get_by_text("Hauts-de-Seine (92) : 35 communes")).to_be_visible()
    sans_defaut(page)
    page.get_by_role("button", name="Modifier", exact=True).click()
    page.get_by_role("button", name="Enregistrer", exact=True).click()
    expect(page.locator("#messages")).to_contain_text("visibles dès maintenant")
    attendues = set(Commune.objects.filter(departement="92").exclude(nom="Antony").values_list("code", flat=True))
    unite = VersionFiche.objects.filter(nom="Unité SESSAD", validite__endswith=None).order_by("-validite")
    assert any(set(v.territoire) == attendues | {"75115"} for v in unite)
