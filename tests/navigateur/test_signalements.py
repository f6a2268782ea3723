"""An error from the reader's screen, without JavaScript, to the answer in her mailbox; then « Tout est à jour »."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from structures.models import Confirmation, Fiche, Signalement, VersionFiche

from .conftest import TELEPHONE, sans_defaut

pytestmark = [pytest.mark.navigateur, pytest.mark.lent, pytest.mark.timeout(300)]

REPIT = "Unité de répit pour les aidants"


def test_signaler_corriger_repondre(site):
    eg = VersionFiche.objects.get(nom="EHPAD TEST").fiche_id
    fiche = Fiche.objects.get(eg=eg, pk__in=VersionFiche.objects.filter(nom=REPIT).values("fiche"))

    lecteur = site.entrer("tutelle.cd", reverse("fiche", args=[fiche.identifiant]), java_script_enabled=False)
    lecteur.get_by_role("link", name="Signaler une erreur", exact=True).click()
    lecteur.get_by_label("Champ concerné").select_option("conditions_admission")
    lecteur.get_by_label("Ce qui ne va pas").select_option("perime")
    lecteur.get_by_label("Expliquez en quelques mots").fill("On entre sans rendez-vous depuis mars.")
    lecteur.get_by_role("button", name="Voir ce que dit le répertoire").click()
    expect(lecteur.locator("#valeur-actuelle")).to_contain_text("Sur rendez-vous, avec une lettre")
    lecteur.get_by_label("Valeur proposée").fill("Sans rendez-vous.")
    lecteur.get_by_role("button", name="Signaler", exact=True).click()
    expect(lecteur.locator("#messages")).to_contain_text("Votre signalement est transmis")
    signalement = Signalement.objects.get(auteur__username="tutelle.cd")

    page = f"/signalements/{signalement.pk}/"
    assert site.boite.lien("referent.ehpad", "Erreur signalée") == page
    referent = site.entrer("referent.ehpad", "/taches/")
    referent.get_by_role("link", name="Signalements 2").click()
    sans_defaut(referent)
    referent.get_by_role("link", name=REPIT).click()
    sans_defaut(referent)
    referent.get_by_role("link", name="Corriger ce champ").click()
    champ = referent.locator("#id_conditions_admission")
    expect(champ).to_be_in_viewport()
    champ.fill("Sans rendez-vous.")
    referent.get_by_role("button", name="Modifier", exact=True).click()
    referent.get_by_role("button", name="Enregistrer", exact=True).click()
    referent.get_by_role("link", name="erreur signalée").click()
    expect(referent.locator(".cote-a-cote")).to_contain_text("Le répertoire ditSans rendez-vous.")
    referent.get_by_label("Votre réponse").fill("C’est corrigé, merci.")
    referent.get_by_role("button", name="Corrigé", exact=True).click()
    expect(referent.locator("#messages")).to_contain_text("Signalement clos (corrigé)")
    sans_defaut(referent)

    assert site.boite.lien("tutelle.cd", "Votre signalement : corrigé") == page
    lecteur.goto(page)
    expect(lecteur.locator("main")).to_contain_text("C’est corrigé, merci.")


def test_tout_est_a_jour_sur_un_telephone(site):
    eg = VersionFiche.objects.get(nom="EHPAD du Parc TEST").fiche
    referent = site.entrer("referent.ehpad", reverse("fiche", args=[eg.identifiant]), viewport=TELEPHONE)
    expect(referent.locator(".fraicheur")).to_contain_text("Aucune unité sur 3 à jour depuis moins de 12 mois")
    referent.get_by_role("link", name="Tout est à jour").click()
    dialogue = referent.get_by_role("dialog")
    expect(dialogue).to_contain_text("unités opérationnelles (3) sont exactes")
    sans_defaut(referent)
    dialogue.get_by_role("button", name="Tout est à jour").click()
    expect(referent.locator("#messages")).to_contain_text("4 fiches confirmées")
    expect(referent.locator(".fraicheur")).to_contain_text("3 unités sur 3 à jour")
    assert Confirmation.objects.filter(fiche__eg=eg).count() == 4
