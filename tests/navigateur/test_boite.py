"""A gestionnaire goes through her tasks with the keyboard alone: claims, opens, decides, and the next one opens."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from structures.enums import Role
from structures.models import Fiche
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from workflows.models import Tache

from .conftest import dit, sans_defaut

pytestmark = [pytest.mark.navigateur, pytest.mark.lent, pytest.mark.timeout(300)]

DIX = [f"Foyer {lettre}" for lettre in "ABCDEFGHIJ"]


def dix_dossiers() -> None:
    """Sent, waiting for SESAN, in the order of their names."""
    ej, aujourdhui = Fiche.objects.filter(niveau="EJ").earliest("pk"), timezone.localdate()
    referent = repertoire.compte(Role.REFERENT, ej, "zoe")
    for nom in DIX:
        eg = repertoire.etablissement(
            nom=nom, ej=ej, categorie="500", finess=repertoire.finess("7588"), depuis=aujourdhui
        )
        dossier = fabrique.brouillon(eg, referent, f"Dossier {nom}")
        fabrique.nouvelle(dossier, referent, eg.pk)
        fabrique.envoye(dossier, referent)


def frappe(page: Page, touche: str) -> None:
    """A key counts once the scripts of the page have run: a heading can be read before."""
    page.wait_for_load_state()
    page.keyboard.press(touche)


def vise(page: Page, nom: str) -> None:
    page.wait_for_function("nom => document.activeElement?.textContent.trim() === nom", arg=nom)


def ouvertes() -> list[str]:
    ouvertes_ = Tache.objects.filter(close_le__isnull=True, dossier__nom__startswith="Dossier Foyer")
    return sorted(ouvertes_.values_list("dossier__nom", flat=True))


def test_dix_taches_au_clavier_seul(site):
    dix_dossiers()
    page = site.entrer("gestionnaire2", "/taches/?onglet=a-prendre&q=foyer&tri=etablissement")
    frappe(page, "j")
    vise(page, "Dossier Foyer A")
    frappe(page, "p")
    dit(page, "« Dossier Foyer A » est à votre nom")
    vise(page, "Dossier Foyer B")  # the row that took its place
    frappe(page, "j")
    frappe(page, "k")
    vise(page, "Dossier Foyer B")
    frappe(page, "d")
    for nom in DIX[1:]:  # a decision opens the next of the list
        expect(page.get_by_role("heading", level=1)).to_contain_text(f"Dossier {nom}")
        frappe(page, "d")
        vise(page, "Approuver")
        frappe(page, "Enter")
        dit(page, f"Le dossier « Dossier {nom} » est approuvé et publié")
    expect(page).to_have_url(f"{site.url}/taches/?onglet=a-prendre&q=foyer&tri=etablissement")
    assert ouvertes() == ["Dossier Foyer A"]
    frappe(page, "?")
    expect(page.locator("dialog[open]")).to_contain_text("Décider")
    page.goto("/taches/?onglet=mes-taches")
    frappe(page, "j")
    frappe(page, "Enter")
    page.wait_for_url("**/taches/*/?onglet=mes-taches")
    frappe(page, "d")
    vise(page, "Approuver")
    frappe(page, "Enter")
    dit(page, "est approuvé et publié")
    assert ouvertes() == []
    page.goto("/taches/vues/?onglet=en-retard&departement=75")
    page.get_by_label("Nom de la vue").fill("Paris en retard")
    page.get_by_role("button", name="Enregistrer cette vue").click()
    dit(page, "La vue « Paris en retard » est enregistrée")
    page.locator("summary", has_text="Paris en retard").click()
    sans_defaut(page)
