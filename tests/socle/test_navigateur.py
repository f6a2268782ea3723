"""The components in a real Chromium: accessible in every look, usable by keyboard, alive without JavaScript."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import override_settings
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

pytestmark = pytest.mark.navigateur
CATALOGUE = "/aide/composants/"


@pytest.fixture(scope="module")
def serveur():
    """A live server without a database: the catalogue asks it nothing, and flushing it after each test is slow."""
    serveur = LiveServer("localhost")
    with override_settings(ALLOWED_HOSTS=["*"]):
        yield serveur
    serveur.stop()


@pytest.fixture
def adresse(serveur) -> str:
    return serveur.url + CATALOGUE


def ouvrir(browser: Browser, adresse: str, **options) -> Page:
    contexte = browser.new_context(locale="fr-FR", **options)
    page = contexte.new_page()
    page.ennuis = []
    page.on("pageerror", lambda e: page.ennuis.append(str(e)))
    page.on(
        "console", lambda m: page.ennuis.append(m.text) if m.type == "error" or "Security Policy" in m.text else None
    )
    page.goto(adresse)
    return page


def fautes(page: Page, theme: str) -> list[str]:
    """The faults that axe knows of; by night those of contrast, the others being the same by day."""
    regles = {"runOnly": ["color-contrast"]} if theme == "dark" else {}
    violations = Axe().run(page, options={"resultTypes": ["violations"], **regles}).response["violations"]
    return [f"{v['id']} : {v['nodes'][0]['html'][:200]}" for v in violations]


@pytest.mark.parametrize(("largeur", "theme"), [(360, "light"), (1280, "dark")])
def test_no_accessibility_fault_no_sideways_scroll(browser, adresse, largeur, theme):
    page = ouvrir(
        browser, adresse, viewport={"width": largeur, "height": 900}, color_scheme=theme, reduced_motion="reduce",
        bypass_csp=True,
    )  # fmt: skip
    assert fautes(page, theme) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= largeur
    page.locator("#id_actes").click()
    assert fautes(page, theme) == []
    page.keyboard.press("Escape")
    page.locator("#formulaire .semaine-ouvrir").click()
    assert fautes(page, theme) == []


def test_nothing_is_refused_by_the_csp(browser, adresse):
    page = ouvrir(browser, adresse)
    page.locator("#formulaire .semaine-ouvrir").click()
    page.get_by_role("button", name="Ajouter un horaire le dimanche").click()
    expect(page.locator("dialog[open] .plage").last).to_be_visible()
    assert page.ennuis == []


def test_several_codes_are_ticked_then_added_by_keyboard(browser, adresse):
    page = ouvrir(browser, adresse)
    champ = page.locator("#formulaire ror-choix").nth(1)
    page.locator("#id_actes").press("Enter")
    page.wait_for_function("() => document.activeElement?.tagName === 'INPUT'")  # the filter of the panel that opens
    page.keyboard.type("numero inconnu")
    expect(champ.get_by_text("Aucune valeur ne contient ces mots.")).to_be_visible()
    page.keyboard.press("Control+A")
    page.keyboard.type("groupe 36")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(champ.locator(".puce")).to_have_count(2)  # not before « Ajouter »
    champ.get_by_role("button", name="Ajouter").click()
    expect(champ.locator(".puce")).to_have_count(4)
    champ.get_by_role("button", name=re.compile("^Retirer Acte spécifique n° 3 du")).click()
    expect(champ.locator(".puce")).to_have_count(3)
    assert champ.locator("input[name=actes]:checked").count() == 3


def test_escape_forgets_the_ticks(browser, adresse):
    page = ouvrir(browser, adresse)
    champ = page.locator("#formulaire ror-choix").first
    page.locator("#id_activites").click()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    expect(champ.locator(".puce")).to_have_count(3)
    expect(page.locator("#id_activites")).to_be_focused()
    assert champ.locator("input:checked").count() == 3


def test_communes_are_added_one_by_one_without_double(browser, adresse):
    page = ouvrir(browser, adresse)
    champ = page.locator("#formulaire ror-communes")
    saisie = page.locator("#id_territoire")
    saisie.press_sequentially("saint-d")
    expect(champ.get_by_role("option")).to_have_text(["Saint-Denis (93)", "Saint-Denis (974)"])
    saisie.press("ArrowDown")
    saisie.press("Enter")
    expect(champ.locator(".puce")).to_contain_text(["Paris 15e", "Issy", "Vanves", "Saint-Denis (974)"])
    expect(saisie).to_have_value("")
    saisie.press_sequentially("saint-d")
    expect(champ.get_by_role("option", name="déjà dans la liste")).to_have_count(1)
    champ.get_by_role("button", name="Retirer Vanves (92)").click()
    assert champ.locator("input[type=hidden]").evaluate_all("xs => xs.map(x => x.value)") == ["75115", "92040", "97411"]


def test_the_week_by_pointer_and_by_keyboard(browser, adresse):
    page = ouvrir(browser, adresse, viewport={"width": 1280, "height": 900})
    dimanche = page.locator("#id_horaires_7")
    page.locator("#formulaire .semaine-ouvrir").click()
    colonne = page.locator("dialog[open] .grille-colonne").nth(6)
    colonne.click(position={"x": 20, "y": 32 * 9 + 5})
    bloc = colonne.locator(".plage")
    expect(bloc).to_contain_text("Horaire d’ouverture")
    bord = colonne.locator(".plage-bas").bounding_box()
    page.mouse.move(bord["x"] + 20, bord["y"] + 4)
    page.mouse.down()
    page.mouse.move(bord["x"] + 20, bord["y"] + 4 + 64, steps=4)
    page.mouse.up()
    expect(bloc).to_have_attribute("aria-label", "Horaire d’ouverture, dimanche, de 9 h à 12 h")
    bloc.press("ArrowDown")
    bloc.press("Shift+ArrowDown")
    expect(dimanche).to_have_value("")
    page.get_by_role("button", name="Modifier", exact=True).click()
    expect(dimanche).to_have_value("09:15-12:30")
    page.locator("#formulaire .semaine-ouvrir").click()
    page.get_by_role("button", name="Ajouter un horaire le dimanche").click()
    page.keyboard.press("Delete")
    page.locator("dialog[open]").get_by_role("button", name="Annuler").click()
    expect(dimanche).to_have_value("09:15-12:30")
    expect(page.locator("#formulaire .semaine-ouvrir")).to_be_focused()


def test_rows_are_added_taken_off_and_taken_back(browser, adresse):
    page = ouvrir(browser, adresse)
    liste = page.locator("#formulaire").get_by_role("button", name="Ajouter un contact")
    liste.click()
    nature = page.locator("select[name=contacts-2-nature]")
    expect(nature).to_be_focused()
    expect(page.locator("input[name=contacts-2-telecoms-0-valeur]")).to_be_visible()
    page.locator("#formulaire").get_by_role("button", name="Retirer ce contact : contact 1").click()
    expect(page.locator("#formulaire [name=contacts-0-nature]")).to_be_hidden()
    expect(page.locator("#formulaire [name=contacts-0-retirer]")).to_be_checked()
    page.locator("#formulaire .ligne-retiree").get_by_role("button", name="Annuler").click()
    expect(page.locator("#formulaire [name=contacts-0-nature]")).to_be_visible()
    expect(page.locator("#formulaire [name=contacts-0-retirer]")).not_to_be_checked()


def test_the_tree_by_keyboard_and_by_filter(browser, adresse):
    """WAI-ARIA APG treegrid: one tab stop, arrows, Home, End, a letter, Enter; a filter; folding."""
    page = ouvrir(browser, adresse)
    arbre = page.get_by_role("treegrid", name="Structures de l’Hôpital TEST")
    ligne = lambda nom: arbre.locator(".arbre-ligne", has=page.get_by_text(nom, exact=True))  # noqa: E731
    pole, cache = ligne("Pôle Mère-Enfant"), arbre.get_by_text("Unité d’hôpital de jour pédiatrique")
    attributs = ("role", "aria-level", "aria-posinset", "aria-setsize", "aria-expanded")
    assert [pole.get_attribute(a) for a in attributs] == ["row", "2", "2", "2", "false"]
    assert arbre.locator("[tabindex='0'].arbre-ligne").count() == 1
    expect(ligne("Unité d’hospitalisation de courte durée")).to_have_attribute("tabindex", "0")  # the current one
    expect(cache).to_be_hidden()
    pole.focus()
    page.keyboard.press("ArrowRight")
    expect(pole).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    expect(ligne("Pédiatrie")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(pole).to_be_focused()
    page.keyboard.press("Home")
    expect(ligne("Hôpital TEST")).to_be_focused()
    page.keyboard.press("p")
    expect(ligne("Pôle Urgences")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(ligne("Pôle Urgences")).to_have_attribute("aria-expanded", "false")
    expect(ligne("Unité de soins continus")).to_be_hidden()
    page.keyboard.press("End")
    expect(arbre.locator(".arbre-ligne:visible").last).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")  # into the row: its link, then its menu, then back
    expect(ligne("Hôpital TEST").get_by_role("link")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(ligne("Hôpital TEST").locator("summary")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#$"))

    page.get_by_label("Filtrer les fiches").fill("pediatrique")
    expect(cache).to_be_visible()
    expect(ligne("Unité de soins continus")).to_be_hidden()
    expect(page.locator("[data-arbre-annonce]")).to_have_text("1 fiche sur ce filtre")
    page.get_by_label("Filtrer les fiches").fill("finalisee")  # the states are searched too
    expect(ligne("Unité de soins continus")).to_be_visible()
    page.get_by_label("Filtrer les fiches").fill("zzz")
    expect(page.locator("[data-arbre-annonce]")).to_have_text("Aucune fiche sur ce filtre")
    page.get_by_label("Filtrer les fiches").fill("")
    expect(page.locator("[data-arbre-annonce]")).to_have_text("")
    expect(ligne("Unité de soins continus")).to_be_hidden()  # folded again, as it was
    page.get_by_role("button", name="Tout déplier").click()
    expect(cache).to_be_visible()
    page.get_by_role("button", name="Tout replier").click()
    expect(pole).to_be_hidden()
    assert page.ennuis == []


def test_without_javascript_everything_is_there(browser, adresse):
    page = ouvrir(browser, adresse, java_script_enabled=False, viewport={"width": 360, "height": 900})
    expect(page.get_by_text("Unité d’hôpital de jour pédiatrique").first).to_be_visible()
    page.locator("#id_activites").click()
    page.locator("#formulaire").get_by_label("Dialyse en centre").check()
    page.locator("#id_territoire").fill("melun")
    page.locator("#id_horaires_7").fill("9-12")
    page.locator("[name=capacites-2-nature]").first.select_option(label="Lits")
    page.locator("[name=capacites-2-statut]").first.select_option(label="Autorisés")
    page.locator("[name=capacites-2-nombre]").first.fill("7")
    page.locator("#formulaire [name=capacites-0-retirer]").check()
    page.locator("#formulaire").get_by_role("button", name="Enregistrer et finaliser").click()
    expect(page.locator("#formulaire .puces").first).to_contain_text("Dialyse en centre")
    expect(page.locator("#id_horaires_7")).to_have_value("9-12")
    expect(page.locator("#id_capacites-2-nombre").first).to_have_value("7")
    expect(page.locator("#formulaire [name=capacites-0-retirer]")).to_be_checked()
