"""A gestionnaire approves a dossier but for some fiches, on a phone; its authors find them in the follow-up."""

import pytest
from playwright.sync_api import expect

from backoffice.comptes.models import User
from structures.models import VersionFiche
from tests.factories import dossiers as fabrique
from tests.test_autorisations import eg_nomme
from workflows.models import Dossier

from .conftest import TELEPHONE, dit, sans_defaut

pytestmark = [pytest.mark.navigateur, pytest.mark.lent, pytest.mark.timeout(300)]


def test_ecarter_une_fiche_au_telephone_et_la_retrouver(site):
    referent, eg = User.objects.get(username="referent.ehpad"), eg_nomme("EHPAD TEST")
    dossier = fabrique.brouillon(eg, referent, "Deux unités de nuit")
    for nom in ("Unité A", "Unité B"):
        fabrique.nouvelle(dossier, referent, eg.pk, nom)
    fabrique.envoye(dossier, referent)

    page = site.entrer("gestionnaire", f"/taches/{fabrique.tache(dossier).pk}/", viewport=TELEPHONE)
    page.get_by_label("Écarter de la publication « Unité B »").check()
    page.get_by_role("button", name="Écarter certaines fiches…").click()
    expect(page.get_by_role("heading", name="Ne sera pas publiée (1)")).to_be_visible()
    sans_defaut(page)
    page.get_by_label("Motif", exact=True).fill("Le financement n’est pas acquis.")
    page.get_by_role("button", name="Approuver et publier le reste").click()
    dit(page, "publié sauf 1 fiche")
    noms = VersionFiche.objects.filter(eg=eg, nom__startswith="Unité ").values_list("nom", flat=True)
    assert {"Unité A", "Unité B"} & set(noms) == {"Unité A"}

    auteur = site.entrer("referent.ehpad", f"/dossiers/{dossier.pk}/")
    auteur.get_by_role("link", name="Deux unités de nuit (suite)").click()
    expect(auteur.get_by_text("Suite d’un dossier publié en partie")).to_be_visible()
    auteur.get_by_role("link", name="Unité B").first.click()
    expect(auteur.get_by_text("Le financement n’est pas acquis.").first).to_be_visible()
    sans_defaut(auteur)
    assert Dossier.objects.get(suite_de=dossier).nom == "Deux unités de nuit (suite)"
