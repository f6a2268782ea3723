"""The inbox and the decision in a real Chromium: by keyboard only, and on a telephone from the mail's link."""

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect

from backoffice.comptes.models import User
from backoffice.embarque.comptes_demo import MOT_DE_PASSE
from backoffice.pages.demo import charger_demo
from tests.photographie import poser_la_demo
from workflows.models import Dossier, Tache

pytestmark = [pytest.mark.navigateur, pytest.mark.lent]


@pytest.fixture
def site(transactional_db: None, live_server) -> str:
    poser_la_demo(charger_demo)
    return live_server.url


def ouvert(nom: str) -> Tache:
    return Tache.objects.get(dossier__nom=nom, close_le__isnull=True)


def contexte(browser: Browser, site: str, qui: str = "", **options) -> BrowserContext:
    """A browser whose errors are kept, signed in as ``qui``."""
    nouveau = browser.new_context(locale="fr-FR", reduced_motion="reduce", **options)
    if qui:
        client = Client()
        client.force_login(User.objects.get(username=qui))
        cle = settings.SESSION_COOKIE_NAME
        nouveau.add_cookies([{"name": cle, "value": client.cookies[cle].value, "url": site}])
    return nouveau


def page_de(nouveau: BrowserContext) -> Page:
    page = nouveau.new_page()
    page.ennuis = []
    page.on("pageerror", lambda e: page.ennuis.append(str(e)))
    page.on("console", lambda m: page.ennuis.append(m.text) if m.type == "error" else None)
    return page


def nom_vise(page: Page) -> str:
    return page.evaluate("document.activeElement?.textContent ?? ''")


def test_un_gestionnaire_prend_rend_et_ouvre_au_clavier(browser: Browser, site: str) -> None:
    page = page_de(contexte(browser, site, "direction.hopital", viewport={"width": 1280, "height": 900}))
    page.goto(f"{site}/taches/")
    page.keyboard.press("j")
    assert nom_vise(page) == "Consultation de dermatologie à la clinique"
    page.keyboard.press("j")
    assert nom_vise(page) == "Consultation de dermatologie"
    page.keyboard.press("p")  # a team task: nothing to take
    page.keyboard.press("k")
    page.keyboard.press("p")
    expect(page.locator("#messages")).to_contain_text("est à votre nom")
    # Focus goes to the row that took the place of the one that left, once the new list is drawn.
    page.wait_for_function("() => document.activeElement?.textContent.trim() === 'Consultation de dermatologie'")
    assert page.url == f"{site}/taches/"
    page.goto(f"{site}/taches/?onglet=mes-taches")
    page.keyboard.press("j")
    page.keyboard.press("r")
    expect(page.locator("#messages")).to_contain_text("de nouveau à prendre")
    expect(page.get_by_text("Aucune tâche à votre nom")).to_be_visible()
    page.goto(f"{site}/taches/")
    page.keyboard.press("?")
    expect(page.locator("dialog[open]")).to_contain_text("Tâche suivante")
    page.get_by_label("Activer les raccourcis d’une seule touche").uncheck()
    page.keyboard.press("Escape")
    page.locator("body").click(position={"x": 5, "y": 400})
    page.keyboard.press("j")
    assert nom_vise(page).strip() != "Consultation de dermatologie à la clinique"  # switched off
    page.locator("a.tache-nom").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/taches/*/?onglet=a-prendre*")
    assert page.ennuis == []


def test_une_direction_signe_en_deux_clics_sur_un_telephone(browser: Browser, site: str) -> None:
    chemin = f"/taches/{ouvert('Consultation de dermatologie à la clinique').pk}/"
    page = page_de(contexte(browser, site, viewport={"width": 360, "height": 740}))
    page.goto(site + chemin)  # the link of the mail
    page.fill("#id_username", "direction.hopital")
    page.fill("#id_password", MOT_DE_PASSE)
    page.get_by_role("button", name="Connexion").click()
    page.wait_for_url(f"**{chemin}")
    bouton = page.get_by_role("button", name="Valider le dossier")
    expect(bouton).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    bouton.click()
    expect(page.locator("#messages")).to_contain_text("est validé")
    assert Dossier.objects.get(nom="Consultation de dermatologie à la clinique").etat == "approbation"
    assert page.ennuis == []
