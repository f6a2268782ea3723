"""Several tasks at once: tick, check what will be done, confirm, read the report; one of them goes to a colleague."""

import pytest
from playwright.sync_api import expect

from backoffice.comptes.models import User
from workflows.domaine import decisions, lots, taches
from workflows.models import Lot, Tache

from .conftest import TELEPHONE, sans_defaut

pytestmark = [pytest.mark.navigateur, pytest.mark.lent, pytest.mark.timeout(300)]

CLINIQUE, EXPERIMENTAL = "Consultation de dermatologie à la clinique", "Équipe mobile autisme"


def ouverte(nom: str) -> Tache:
    return Tache.objects.get(dossier__nom=nom, close_le__isnull=True)


def test_prendre_en_nombre_dont_une_deja_prise(site):
    decisions.valider(tache=ouverte(CLINIQUE).pk, acteur=User.objects.get(username="direction.hopital"))
    page = site.entrer("gestionnaire", "/taches/")
    page.get_by_role("checkbox", name=f"Choisir « {CLINIQUE} »").check()
    page.get_by_role("checkbox", name=f"Choisir « {EXPERIMENTAL} »").check()
    sans_defaut(page)
    page.get_by_role("button", name="Approuver ou valider…").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Approuver ou valider 1 dossier")
    expect(page.locator("main")).to_contain_text("Il n’y a rien à approuver à l’étape")
    page.set_viewport_size(TELEPHONE)
    sans_defaut(page)
    page.get_by_role("link", name="Annuler").click()
    for nom in (CLINIQUE, EXPERIMENTAL):
        page.get_by_role("checkbox", name=f"Choisir « {nom} »").check()
    page.get_by_role("button", name="Prendre…", exact=True).click()
    taches.prendre(numero=ouverte(CLINIQUE).pk, acteur=User.objects.get(username="gestionnaire2"))
    page.get_by_role("button", name="Prendre 2 tâches").click()
    expect(page.locator("#traitement")).to_contain_text("0 tâche traitée sur 2 · attend son tour")
    sans_defaut(page)
    lots.travailler(Lot.objects.get().pk)
    expect(page.locator("#traitement")).to_contain_text("2 tâches traitées sur 2")
    refusee = page.locator("tbody tr").first
    expect(refusee).to_contain_text(CLINIQUE)
    expect(refusee).to_contain_text("a pris cette tâche le")
    sans_defaut(page)
    assert ouverte(EXPERIMENTAL).tache.owner.username == "gestionnaire"
    page.get_by_role("button", name="Recommencer celle qui a échoué…").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Prendre 0 tâche")
    page.goto(f"/dossiers/{ouverte(CLINIQUE).dossier_id}/")
    page.locator(".schema-cadre").scroll_into_view_if_needed()
    expect(page.locator(".schema-repere")).to_be_in_viewport()  # the drawing is wider than the telephone
