"""Two people in one dossier: they see each other, talk beside a fiche, and lose nothing that they typed."""

import pytest
from playwright.sync_api import expect

from workflows.models import Commentaire, Dossier

from .conftest import TELEPHONE, sans_defaut

pytestmark = [pytest.mark.navigateur, pytest.mark.lent, pytest.mark.timeout(300)]


def test_se_voir_se_parler(site):
    dossier = Dossier.objects.get(nom="Unité d’accueil temporaire")
    fiche = f"/dossiers/{dossier.pk}/fiches/{dossier.fiches.get().fiche_id}/"
    direction = site.entrer("direction.ehpad", fiche)
    referent = site.entrer("referent.ehpad", fiche)
    expect(referent.locator("[data-presence]")).to_have_text("Philippe Garnier est dans ce dossier.")
    expect(referent.locator("[data-presence-fiche]")).to_have_text("Philippe Garnier est sur cette fiche.")
    expect(referent.locator(".presence-marque")).to_have_text("Philippe Garnier")

    # By keyboard: « @ », a few letters, Enter; what is typed in the fiche meanwhile stays, and is not taken for saved.
    referent.locator("#id_conditions_accueil").fill("Chambre individuelle")
    referent.get_by_text("Commenter cette fiche").click()
    referent.get_by_label("Ce dont vous parlez").select_option("nom")
    texte = referent.get_by_label("Votre commentaire")
    texte.fill("Ce nom convient-il ")
    texte.press_sequentially("@gar")
    expect(referent.get_by_role("option", name="Philippe Garnier")).to_be_visible()
    texte.press("Enter")
    expect(texte).to_have_value("Ce nom convient-il @Philippe Garnier ")
    sans_defaut(referent)
    referent.get_by_role("button", name="Commenter", exact=True).click()
    expect(referent.locator(".echange")).to_contain_text("Ce nom convient-il @Philippe Garnier")
    expect(referent.locator(".echange")).to_be_focused()
    expect(referent.locator("#fils-ouverts")).to_have_text("1 commentaire à résoudre")
    expect(referent.locator("#id_conditions_accueil")).to_have_value("Chambre individuelle")
    fil = Commentaire.objects.get(dossier=dossier)
    assert (fil.champ, [u.username for u in fil.mentions.all()]) == ("nom", ["direction.ehpad"])

    assert site.boite.lien("direction.ehpad", "vous cite") == f"/dossiers/{dossier.pk}/commentaires/{fil.pk}/"
    direction.goto("/")
    direction.get_by_role("link", name=dossier.nom).first.click()
    sans_defaut(direction)
    direction.locator(".echange-repondre > summary").click()
    direction.get_by_label("Votre réponse").fill("Oui.")
    direction.get_by_role("button", name="Répondre", exact=True).click()
    expect(direction.locator(".echange")).to_contain_text("Oui.")
    direction.get_by_role("button", name="Résolu : commentaire").click()
    expect(direction.locator(".echange")).to_contain_text("par Philippe Garnier")
    expect(direction.locator("#fils-ouverts")).to_have_text("")
    sans_defaut(direction)


def test_sans_javascript_sur_un_telephone(site):
    dossier = Dossier.objects.get(nom="Unité d’accueil temporaire")
    fiche = f"/dossiers/{dossier.pk}/fiches/{dossier.fiches.get().fiche_id}/"
    page = site.entrer("referent.ehpad", fiche, java_script_enabled=False, viewport=TELEPHONE)
    page.get_by_text("Commenter cette fiche").click()
    page.get_by_label("Votre commentaire").fill("Ce nom convient-il ?")
    page.locator(".commenter .citer-personnes summary").click()
    page.locator(".commenter").get_by_label("Philippe Garnier").check()
    page.get_by_role("button", name="Commenter", exact=True).click()
    expect(page.locator(".echange")).to_contain_text("Cite Philippe Garnier")
    page.get_by_role("link", name="1 commentaire à résoudre").click()
    page.get_by_role("button", name="Résolu : commentaire").click()
    expect(page.locator("main")).to_contain_text("Choisissez une autre liste")
    assert Commentaire.objects.get(dossier=dossier).resolu_par.username == "referent.ehpad"
