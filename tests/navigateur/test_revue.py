"""The review of a dossier in a browser: folded lines that come when asked for, marks that lead to their change."""

import pytest
from playwright.sync_api import expect

from backoffice.comptes.models import User
from tests.factories import dossiers as fabrique
from tests.test_autorisations import eg_nomme
from workflows.domaine import gestes
from workflows.revue import synthese

from .conftest import TELEPHONE, sans_defaut

pytestmark = [pytest.mark.navigateur, pytest.mark.lent, pytest.mark.timeout(300)]


def test_deplier_une_grande_revue(site, monkeypatch):
    monkeypatch.setattr(synthese, "BEAUCOUP", 3)
    monkeypatch.setattr(synthese, "TRANCHE", 2)
    referent = User.objects.get(username="referent.ehpad")
    eg = eg_nomme("EHPAD TEST")
    dossier = fabrique.brouillon(eg, referent, "Cinq unités")
    gestes.ajouter(numero=dossier.pk, acteur=referent, parent=eg.pk, quantite=5, nom="Unité neuve")
    fermee = eg.fiches.filter(niveau="UO", versions__isnull=False).order_by("pk").first()
    gestes.supprimer(numero=dossier.pk, acteur=referent, fiches=[fermee.pk])

    page = site.entrer("referent.ehpad")
    page.set_viewport_size(TELEPHONE)
    adresse = f"/dossiers/{dossier.pk}/changements/"
    page.goto(adresse)
    page.get_by_text("5 unités opérationnelles").focus()
    page.keyboard.press("Enter")
    lignes = page.locator("details[open] li.changement")
    expect(lignes).to_have_count(2)
    page.get_by_role("link", name="Voir les suivantes (3)").click()
    expect(lignes).to_have_count(4)
    page.get_by_role("link", name="Voir les suivantes (1)").click()
    expect(lignes).to_have_count(5)
    assert page.url.endswith(adresse)
    expect(page.get_by_role("link", name="Voir les suivantes")).to_have_count(0)
    sans_defaut(page)

    page.get_by_role("link", name="Voir l’arbre obtenu").click()
    expect(page.get_by_role("heading", name="L’arbre obtenu")).to_be_visible()
    expect(page.locator(f'a[href$="/fiches/{fermee.pk}/"]')).to_have_count(0)
    sans_defaut(page)
