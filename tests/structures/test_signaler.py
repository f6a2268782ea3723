"""Reporting an error: from a reader's form to the mail of those who can mend it (issue 3, anomalies)."""

from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit
from notifications.models import Envoi
from structures.domaine.creer import creer_fiches
from structures.domaine.signalements import LIMITE, clore, completer, retirer
from structures.enums import IssueSignalement
from structures.models import Signalement
from tests.factories import repertoire as fabrique
from tests.formulaires import lire_formulaire
from tests.navigation import client

from .guichet import SIGNALE, Monde, adresse_de, courriels, poster

pytestmark = pytest.mark.django_db


def test_un_lecteur_signale_un_champ(monde: Monde) -> None:
    page = client(monde.lecteur).get(adresse_de(monde.uo), {"champ": "conditions_accueil"})
    assert page.context["form"].initial == {"champ": "conditions_accueil"}
    assert page.context["actuelle"] == ["Sur rendez-vous"]
    reponse = poster(monde.lecteur, monde.uo, champ="conditions_accueil", valeur_proposee="Sans rendez-vous", **SIGNALE)
    signalement = Signalement.objects.get()
    assert reponse.redirect_chain == [(reverse("signalement", args=[signalement.pk]), 302)]
    assert (signalement.fiche, signalement.champ, signalement.auteur) == (monde.uo, "conditions_accueil", monde.lecteur)
    assert (signalement.message, signalement.valeur_proposee) == ("C’est faux.", "Sans rendez-vous")
    assert courriels("signalement_recu") == ["nadia", "philippe"]
    envoi = Envoi.objects.filter(type_code="signalement_recu").first()
    assert envoi.sujet == "Erreur signalée : Unité d’hébergement – Conditions d’accueil"
    assert reverse("signalement", args=[signalement.pk]) in envoi.corps_texte


def test_ce_qui_manque_est_dit_a_cote_et_la_saisie_reste(monde: Monde) -> None:
    for donnees, champs in (
        ({"theme": "", "message": ""}, {"theme", "message"}),
        ({"theme": "inconnu", "message": "x"}, {"theme"}),
        ({"theme": "inexact", "message": "   "}, {"message"}),
        ({"theme": "inexact", "message": "x" * 4001}, {"message"}),
        ({"theme": "inexact", "message": "x", "champ": "autorites"}, {"champ"}),  # kept by SESAN
        ({"theme": "inexact", "message": "x", "champ": "age_min_unite"}, {"champ"}),
    ):
        reponse = client(monde.lecteur).post(adresse_de(monde.eg), {"valeur_proposee": "À garder", **donnees})
        assert reponse.status_code == 422, donnees
        assert reponse.context["form"].errors.keys() == champs
        assert "À garder" in reponse.text
    assert not Signalement.objects.exists()


def test_sans_javascript_on_voit_ce_que_dit_le_repertoire(monde: Monde) -> None:
    donnees = {"champ": "conditions_accueil", "theme": "inexact", "message": "Brouillon", "etape": "voir"}
    reponse = client(monde.lecteur).post(adresse_de(monde.uo), donnees)
    assert reponse.status_code == 200
    assert reponse.context["actuelle"] == ["Sur rendez-vous"]
    assert "Brouillon" in reponse.text
    assert not Signalement.objects.exists()
    fragment = client(monde.lecteur).get(adresse_de(monde.uo), {"champ": "age_min"}, headers={"HX-Request": "true"})
    assert "16 ans" in fragment.text
    assert "<html" not in fragment.text


def test_une_fois_par_champ_puis_on_complete(monde: Monde) -> None:
    premier = monde.signaler()
    reponse = poster(monde.lecteur, monde.uo, champ="conditions_accueil", theme="autre", message="Et aussi ceci.")
    assert reponse.status_code == 409
    assert reponse.context["premier"] == premier
    assert "Et aussi ceci." in reponse.text
    assert "Compléter mon signalement" in reponse.text
    # The same page, its other button.
    donnees = lire_formulaire(reponse.text, etape="completer", valeur_proposee="Libre")
    client(monde.lecteur).post(adresse_de(monde.uo), donnees)
    premier.refresh_from_db()
    assert premier.message.startswith("C’est faux.\n\nComplément du ")
    assert premier.message.endswith(" : Et aussi ceci.")
    assert premier.valeur_proposee == "Libre"
    assert Signalement.objects.count() == 1
    # Another field, another person, or once it is closed: a report of its own.
    monde.signaler("activites")
    monde.signaler(acteur=monde.gestionnaire)
    clore(numero=premier.pk, acteur=monde.referent, issue=IssueSignalement.CORRIGE)
    monde.signaler()
    assert Signalement.objects.count() == 4


def test_un_complement_previent_ceux_qui_modifient_et_ne_grossit_pas_sans_fin(monde: Monde) -> None:
    premier = monde.signaler()
    for n in (1, 2):
        complete = completer(numero=premier.pk, acteur=monde.lecteur, message=f"Et aussi ceci {n}.")
        assert courriels("signalement_recu") == ["nadia"] * (n + 1) + ["philippe"] * (n + 1)
        envoi = Envoi.objects.filter(type_code="signalement_recu").latest("pk")
        assert envoi.sujet == "Signalement complété : Unité d’hébergement – Conditions d’accueil"
        assert f"Et aussi ceci {n}." in envoi.corps_texte
    for _ in range(2):
        complete = completer(numero=premier.pk, acteur=monde.lecteur, message="x" * 4000)
    reponse = poster(
        monde.lecteur, monde.uo, "completer", champ="conditions_accueil", theme="autre", message="y" * 4000
    )
    assert reponse.status_code == 422
    assert "dépasserait 12\u202f000 caractères" in reponse.context["form"].errors["message"][0]
    assert "y" * 4000 in reponse.text
    premier.refresh_from_db()
    assert premier.message == complete.message


def test_vingt_en_attente_au_plus(monde: Monde) -> None:
    uos = [fabrique.uo(monde.eg, nom=f"Unité {n}") for n in range(LIMITE)]
    for uo in uos:
        dernier = monde.signaler(fiche=uo)
    reponse = poster(monde.lecteur, monde.uo, champ="activites", **SIGNALE)
    assert reponse.status_code == 409
    assert "Vous avez 20 signalements en attente : c’est le maximum." in unescape(reponse.text).replace("\u00a0", " ")
    assert "C’est faux." in reponse.text
    retirer(numero=dernier.pk, acteur=monde.lecteur)
    monde.signaler("activites")


def test_sur_une_fiche_fermee_ou_jamais_publiee(monde: Monde) -> None:
    fabrique.publier(monde.uo, {"existe": False}, timezone.localdate())
    for methode in ("get", "post"):
        reponse = getattr(client(monde.lecteur), methode)(adresse_de(monde.uo), SIGNALE)
        assert reponse.status_code == 409
        assert "il n’y a plus rien à y corriger" in reponse.text
    with pytest.raises(Conflit):
        monde.signaler()
    [inconnue] = creer_fiches(eg=monde.eg, niveaux=["UO"])
    assert client(monde.lecteur).get(adresse_de(inconnue)).status_code == 404


def test_les_contacts_tres_restreints_ne_se_montrent_pas(monde: Monde) -> None:
    telecom = {"canal": "2", "valeur": "01 99 00 12 34", "confidentialite": "3"}
    contact = {"nature": "07", "nom": "", "fonction": "", "confidentialite": "3", "telecoms": [telecom]}
    fabrique.publier(monde.uo, {"contacts": {"pose": {"c1": contact}}}, timezone.localdate())
    signalement = monde.signaler("contacts")
    for user, voit in ((monde.lecteur, False), (monde.referent, True), (monde.gestionnaire, True)):
        pages = [
            client(user).get(adresse_de(monde.uo), {"champ": "contacts"}),
            client(user).get(reverse("signalement", args=[signalement.pk])),
        ]
        for page in pages:
            assert ("01 99 00 12 34" in page.text) is voit
            assert ("Contact très restreint (masqué)" in page.text) is not voit


def test_les_champs_de_sesan_ne_sont_proposes_qu_aux_gestionnaires(monde: Monde) -> None:
    def champs(user: User) -> set[str]:
        return {code for code, _ in client(user).get(adresse_de(monde.eg)).context["form"].fields["champ"].choices}

    assert champs(monde.gestionnaire) - champs(monde.lecteur) == {
        "mode_tarification",
        "autorite_regulation",
        "autorites",
    }
