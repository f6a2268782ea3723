"""Time in a browser: another day, a planned change entered again, a past one undone, two dates; then on a phone without
JavaScript."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from backoffice.comptes.models import User
from structures.enums import Niveau
from structures.models import Fiche
from structures.regles import egs_de
from structures.requetes import version_au
from tests.factories import repertoire as fabrique

from .conftest import TELEPHONE

pytestmark = [pytest.mark.navigateur, pytest.mark.lent, pytest.mark.timeout(300)]


@pytest.fixture
def unite(site) -> Fiche:
    """An UO of the référent that no dossier holds, with a change in force and a planned one."""
    referent = User.objects.get(username="referent.hopital")
    # The first one already has a planned change.
    fiche = Fiche.objects.filter(eg__in=egs_de(referent), niveau=Niveau.UO, reservee__isnull=True).order_by("pk")[1]
    fabrique.direct(fiche, referent, {"conditions_accueil": "Une erreur"})
    fabrique.direct(fiche, referent, {"conditions_accueil": "Bientôt"}, timezone.localdate() + timedelta(days=20))
    return fiche


def accueil(unite: Fiche, dans: int = 0) -> str:
    version = version_au(unite, timezone.localdate() + timedelta(days=dans))
    assert version is not None
    return str(version.conditions_accueil)


def test_un_autre_jour_puis_changer_et_defaire_ce_qui_est_prevu_et_passe(site, unite):
    page = site.entrer("referent.hopital", f"/repertoire/{unite.identifiant}/")
    page.locator(".jour-choix summary").click()
    page.get_by_label("Voir cette page au").fill((timezone.localdate() + timedelta(days=25)).isoformat())
    page.get_by_role("button", name="Afficher").click()
    expect(page.locator("body")).to_have_class("autre-jour")
    expect(page.locator("#champ-conditions_accueil")).to_contain_text("Bientôt")
    page.get_by_role("link", name="Changement précédent").click()
    expect(page.locator("#champ-conditions_accueil")).to_contain_text("Bientôt")
    page.get_by_role("link", name="Revenir à aujourd’hui").click()
    expect(page.locator("#champ-conditions_accueil")).to_contain_text("Une erreur")

    page.locator("#prevus").get_by_role("link", name="Modifier le changement prévu").click()
    expect(page.locator("#id_conditions_accueil")).to_have_value("Bientôt")
    page.locator("#id_conditions_accueil").fill("Plus tard")
    page.locator(".actions-form").get_by_role("button", name="Modifier", exact=True).click()
    page.locator("#id_date_effet").fill((timezone.localdate() + timedelta(days=30)).isoformat())
    page.get_by_role("button", name="Enregistrer", exact=True).click()
    expect(page.locator("#messages")).to_contain_text("Le changement prévu est modifié")
    assert [accueil(unite, dans) for dans in (20, 30)] == ["Une erreur", "Plus tard"]

    page.get_by_role("link", name="Tout l’historique").click()
    expect(page.locator(".historique > li").first).to_contain_text("changement prévu")
    page.get_by_role("link", name="Annuler cette modification").click()
    page.get_by_role("button", name="Annuler cette modification").click()
    expect(page.locator("#messages")).to_contain_text("La modification est défaite")
    assert [accueil(unite, dans) for dans in (0, 30)] == ["", "Plus tard"]

    page.get_by_role("button", name="Comparer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Comparer deux dates")
    page.goto(f"/repertoire/{unite.eg.identifiant}/comparer/")
    expect(page.get_by_text("Fiches ajoutées")).to_be_visible()


def test_la_meme_chose_sans_javascript_sur_un_telephone(site, unite):
    adresse = f"/repertoire/{unite.identifiant}/"
    page = site.entrer("referent.hopital", adresse, java_script_enabled=False, viewport=TELEPHONE)
    page.locator("#prevus").get_by_role("link", name="Annuler ce changement").click()
    page.get_by_role("button", name="Annuler ce changement").click()
    expect(page.locator("#messages")).to_contain_text("est annulé : il n’aura pas lieu")
    assert accueil(unite, 20) == "Une erreur"
    page.get_by_role("link", name="Tout l’historique").click()
    page.get_by_role("link", name="Annuler cette modification").click()
    page.get_by_role("button", name="Annuler cette modification").click()
    expect(page.locator("#messages")).to_contain_text("La modification est défaite")
    assert accueil(unite) == ""
    page.get_by_role("button", name="Comparer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Comparer deux dates")
    assert page.evaluate("document.documentElement.scrollWidth") <= TELEPHONE["width"]
