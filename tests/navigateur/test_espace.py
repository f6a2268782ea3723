"""Acceptance E, G and H in a browser: the workspace by mouse, by keyboard alone, on a phone, without JavaScript."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from backoffice.comptes.models import User
from structures.models import VersionFiche
from tests.factories import dossiers as fabrique
from workflows.models import Dossier

from .conftest import TELEPHONE, agir, creer_dossier, noeud, sans_defaut

pytestmark = pytest.mark.navigateur

NOM = "Réorganisation de la médecine"


@pytest.fixture
def dossier(site) -> Dossier:
    """A draft on the hospital, without any change."""
    eg = VersionFiche.objects.get(nom="Hôpital TEST", niveau="EG").fiche
    return fabrique.brouillon(eg, User.objects.get(username="referent.hopital"), NOM)


def touchees(dossier: Dossier) -> dict[str, str]:
    """What the dossier does, by name of the fiche."""
    noms = dict(VersionFiche.objects.filter(eg=dossier.eg).values_list("fiche_id", "nom"))
    return {t.patch.get("nom") or noms.get(t.fiche_id, ""): t.nature for t in dossier.fiches.all()}


def ligne(page: Page, nom: str) -> Locator:
    """One line of the tree, by the whole name."""
    return page.locator("#arbre-dossier .arbre-ligne", has=page.locator(".arbre-nom", has_text=re.compile(f"^{nom}$")))


def parent(page: Page, nom: str) -> str:
    return str(ligne(page, nom).evaluate("l => l.closest('ul').closest('li').querySelector('.arbre-nom').textContent"))


def fait(page: Page, phrase: str) -> None:
    """The gesture was said, and the page is still the one that was opened."""
    expect(page.locator("#toasts-dossier")).to_contain_text(phrase)
    assert page.evaluate("window.memePage")


def ouvrir(page: Page, adresse: str) -> None:
    page.goto(adresse)
    expect(page.get_by_role("treegrid")).to_be_visible()
    page.evaluate("window.memePage = true")


def entrer(site: Any, dossier: Dossier, **options: Any) -> Page:
    page = site.entrer("referent.hopital", f"/dossiers/{dossier.pk}/", **options)
    page.evaluate("window.memePage = true")
    return page


def test_creer_un_dossier_depuis_le_repertoire(site):
    """51 to 59: what a dossier is, from the establishment in the répertoire to the empty workspace."""
    page = site.entrer("referent.hopital", "/dossiers/")
    page.get_by_text("Le dossier collaboratif, c’est quoi ?").click()
    expect(page.get_by_text("l’organisation d’un établissement", exact=True)).to_be_visible()
    creer_dossier(page, "Hôpital TEST", NOM)
    for niveau in ("EG", "P", "S", "UF", "UO"):
        expect(page.locator(f"#arbre-dossier .niveau-{niveau}").first).to_be_visible()
    expect(page.get_by_role("heading", name="Pour commencer")).to_be_visible()
    page.get_by_role("link", name="Répertoire", exact=True).first.click()
    page.locator("a.eg-nom", has_text=re.compile("^Hôpital TEST$")).click()
    expect(page.locator(".banniere-jaune")).to_contain_text(NOM)
    page.get_by_role("link", name="Dossiers collaboratifs").first.click()
    expect(page.locator(".dossiers-liste")).to_contain_text(NOM)


def test_a_la_souris(site, dossier):
    """63 to 68, 74, 78 and 79 without one reload."""
    page = entrer(site, dossier)

    # 78: the dialog, a list that narrows as one types; then taken back from the toast
    agir(page, "Unité de radiothérapie", "Déplacer")
    question = page.get_by_role("dialog")
    expect(question.get_by_role("searchbox")).to_be_focused()
    sans_defaut(page)
    question.get_by_role("searchbox").fill("dialyse")
    expect(question.get_by_role("radio")).to_have_count(1)
    question.get_by_role("radio").check()
    question.get_by_role("button", name="Déplacer").click()
    fait(page, "est déplacée sous")
    expect(ligne(page, "Unité de radiothérapie")).to_be_focused()
    assert parent(page, "Unité de radiothérapie") == "UF 2140 Dialyse"
    expect(page.locator("#entete-dossier")).to_contain_text("1 fiche finalisée sur 1")
    page.locator("#toasts-dossier").get_by_role("button", name="Annuler").click()
    fait(page, "Opération annulée")
    assert parent(page, "Unité de radiothérapie") == "UF 2130 Oncologie"
    assert touchees(dossier) == {}

    # 74: with what is below; asked because something is
    agir(page, "SAMU et SMUR", "Dupliquer")
    page.get_by_label("La fiche et ses fiches rattachées (5)").check()
    page.get_by_role("dialog").get_by_role("button", name="Dupliquer").click()
    fait(page, "est dupliquée avec les fiches rattachées")
    copie = ligne(page, r"SAMU et SMUR \(copie\)")
    expect(copie.locator("xpath=..").locator("li")).to_have_count(5)

    # 64 to 66: a quantity, refused beside the field, then created
    agir(page, "UF 2140 Dialyse", "Créer des unités opérationnelles")
    page.get_by_label("Combien ?").fill("0")
    page.get_by_role("button", name="Créer").click()
    expect(page.locator("#dialogue-dossier .resume-erreurs")).to_be_visible()
    page.get_by_label("Combien ?").fill("2")
    page.get_by_role("button", name="Créer").click()
    fait(page, "2 fiches sont créées")
    expect(ligne(page, r"\(sans nom\)")).to_have_count(2)

    # several: a range by Shift, then 79 with all that goes
    ligne(page, "Unité de consultation de cardiologie").get_by_role("checkbox").check()
    ligne(page, "Unité hospitalière de cardiologie").get_by_role("checkbox").click(modifiers=["Shift"])
    barre = page.get_by_role("form", name="Fiches sélectionnées")
    expect(barre).to_contain_text("3 fiches sélectionnées")
    sans_defaut(page)
    barre.get_by_role("button", name="Supprimer").click()
    expect(page.get_by_role("dialog")).to_contain_text("Unité de soins intensifs de cardiologie")
    page.get_by_role("dialog").get_by_role("button", name="Supprimer 3 fiches").click()
    fait(page, "3 fiches sont supprimées")
    expect(ligne(page, "Unité hospitalière de cardiologie")).to_contain_text("suppression")

    # drag: legal places are marked, others say why
    ligne(page, "Unité d’exploration du sommeil").drag_to(ligne(page, "UF 2130 Oncologie"))
    fait(page, "est déplacée sous")
    assert parent(page, "Unité d’exploration du sommeil") == "UF 2130 Oncologie"
    ligne(page, "Unité d’exploration du sommeil").drag_to(ligne(page, "Oncologie"))
    expect(page.locator("#alertes")).to_contain_text("une fiche de niveau unité opérationnelle se rattache au niveau")

    # filters with their numbers; those that can't be finalised are named with what they lack
    page.get_by_role("navigation", name="Montrer dans l’arbre").get_by_role("link", name="En attente").click()
    expect(page).to_have_url(re.compile(r"\?montrer=en-attente$"))
    expect(ligne(page, "Unité de radiothérapie")).to_have_count(0)
    page.get_by_role("button", name="Tout sélectionner").click()
    expect(barre).to_contain_text("8 fiches sélectionnées")
    barre.get_by_role("button", name="Finaliser").click()
    expect(page.get_by_role("dialog")).to_contain_text("2 fiches à compléter")
    expect(page.get_by_role("dialog")).to_contain_text("Type d’UO")
    sans_defaut(page)
    page.get_by_role("dialog").get_by_role("link", name="Fermer").click()
    expect(page.locator("#entete-dossier")).to_contain_text("10 fiches finalisées sur 12")
    assert page.evaluate("window.memePage")

    # a fiche beside the tree, saved, without leaving it
    page.get_by_role("navigation", name="Montrer dans l’arbre").get_by_role("link", name="Toutes").click()
    ligne(page, "Unité de dialyse en centre lourd").locator(".arbre-nom").click()
    expect(page.locator("#panneau h2").first).to_contain_text("Unité de dialyse en centre lourd")
    page.locator("#id_conditions_accueil").fill("Sur rendez-vous")
    page.get_by_role("button", name=re.compile("^Enregistrer et finaliser$")).click()
    fait(page, "est enregistrée et finalisée")
    expect(ligne(page, "Unité de dialyse en centre lourd")).to_contain_text("modification")
    expect(ligne(page, "Unité de dialyse en centre lourd")).to_be_focused()


def test_au_clavier_seul(site, dossier):
    """Every gesture without a pointer; « ? » says how."""
    page = entrer(site, dossier)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Raccourcis clavier")).to_be_visible()
    sans_defaut(page)
    page.keyboard.press("Escape")

    page.locator("#arbre-filtre").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(ligne(page, "Hôpital TEST")).to_be_focused()
    page.keyboard.type("uf 2140", delay=20)
    expect(ligne(page, "UF 2140 Dialyse")).to_be_focused()
    page.keyboard.press("Insert")
    expect(page.get_by_label("Combien ?")).to_be_focused()
    page.keyboard.press("Escape")
    expect(ligne(page, "UF 2140 Dialyse")).to_be_focused()

    page.keyboard.press("ArrowDown")
    page.keyboard.press("Control+m")
    expect(page.get_by_role("searchbox", name=re.compile("^Chercher parmi"))).to_be_focused()
    page.keyboard.type("neuro")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    fait(page, "est déplacée sous")
    expect(ligne(page, "Unité de dialyse en centre lourd")).to_be_focused()
    assert parent(page, "Unité de dialyse en centre lourd") == "UF 2110 Neurologie"

    page.keyboard.press("Control+z")
    fait(page, "Opération annulée")
    assert parent(page, "Unité de dialyse en centre lourd") == "UF 2140 Dialyse"

    page.keyboard.type("unité de consultation mémoire", delay=20)
    expect(ligne(page, "Unité de consultation mémoire")).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowDown")
    expect(page.get_by_role("form", name="Fiches sélectionnées")).to_contain_text("2 fiches sélectionnées")
    page.keyboard.press("Delete")
    expect(page.get_by_role("dialog").get_by_role("button", name="Supprimer 2 fiches")).to_be_focused()
    page.keyboard.press("Enter")
    fait(page, "2 fiches sont supprimées")
    assert touchees(dossier) == {
        "Unité de consultation mémoire": "suppression",
        "Unité de soins intensifs neurovasculaires": "suppression",
    }
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+F10")
    expect(page.locator("#arbre details[open]").get_by_role("link", name="Voir la fiche")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    fait(page, "est annulée")
    assert list(touchees(dossier).values()) in ([], ["suppression"])


def test_sur_un_telephone(site, dossier):
    page = entrer(site, dossier, viewport=TELEPHONE, has_touch=True)
    page.get_by_role("button", name="Tout déplier").click()  # a phone shows the first levels
    agir(page, "Unité de radiothérapie", "Déplacer")
    sans_defaut(page)
    page.get_by_role("dialog").get_by_label("UF 2140 Dialyse").check()
    page.get_by_role("dialog").get_by_role("button", name="Déplacer").click()
    fait(page, "est déplacée sous")
    sans_defaut(page)
    assert touchees(dossier) == {"Unité de radiothérapie": "deplacement"}
    page.get_by_role("button", name="Annuler la dernière opération").click()
    fait(page, "Opération annulée")
    assert touchees(dossier) == {}


def test_sans_javascript(site, dossier):
    """Each gesture is a page; several at once by a page of boxes."""
    page = site.ouvrir(java_script_enabled=False)
    page.goto(f"/dossiers/{dossier.pk}/")
    page.get_by_label("Identifiant").fill("referent.hopital")
    page.get_by_label("Mot de passe").fill("Demo-ROR-2026")
    page.get_by_role("button", name="Connexion").click()
    page.get_by_role("link", name="Choisir plusieurs fiches").click()
    for nom in ("Unité de radiothérapie", "Unité de soins palliatifs"):
        page.get_by_label(f"Sélectionner {nom}").check()
    page.get_by_role("form", name="Fiches sélectionnées").get_by_role("button", name="Déplacer").click()
    page.get_by_label("UF 2140 Dialyse").check()
    page.locator("#panneau").get_by_role("button", name="Déplacer").click()
    expect(page.locator("#messages")).to_contain_text("2 fiches sont déplacées sous")
    assert touchees(dossier) == dict.fromkeys(["Unité de radiothérapie", "Unité de soins palliatifs"], "deplacement")
    expect(noeud(page, "Unité de radiothérapie")).to_contain_text("déplacement")
    page.get_by_role("button", name="Annuler la dernière opération").click()
    expect(page.locator("#messages")).to_contain_text("Opération annulée")
    page.locator("#arbre-dossier").get_by_role("link", name="UF 2140 Dialyse").click()
    page.locator("#panneau summary.bouton").first.click()
    page.get_by_role("link", name="Créer des unités opérationnelles").click()
    page.get_by_label("Combien ?").fill("2")
    page.get_by_role("button", name="Créer").click()
    expect(page.locator("#messages")).to_contain_text("2 fiches sont créées")
    assert list(touchees(dossier).values()) == ["ajout"] or dossier.fiches.count() == 2
