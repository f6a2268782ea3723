"""Reported errors: the page of one, where to mend it, and its endings."""

import pytest
from django.urls import reverse
from django.utils import timezone

from backoffice.socle.erreurs import Conflit, Interdit, Invalide
from notifications.models import Envoi
from structures import affichage, regles
from structures.domaine import reserver
from structures.domaine.signalements import clore, completer, retirer
from structures.enums import IssueSignalement
from structures.models import VersionFiche
from structures.vues.signalements import remede
from tests.factories import repertoire as fabrique
from tests.navigation import client

from .guichet import Monde, courriels, messages

pytestmark = pytest.mark.django_db


def test_corriger_ouvre_le_formulaire_au_champ_puis_on_repond(monde: Monde) -> None:
    signalement = monde.signaler(valeur_proposee="Sans rendez-vous")
    adresse = reverse("signalement", args=[signalement.pk])
    page = client(monde.referent).get(adresse)
    assert page.context["actuelle"] == ["Sur rendez-vous"]
    modifier = reverse("fiche_modifier", args=[monde.uo.identifiant])
    assert f'href="{modifier}#id_conditions_accueil"' in page.text
    assert 'id="id_conditions_accueil"' in client(monde.referent).get(modifier).text
    fabrique.direct(monde.uo, monde.referent, {"conditions_accueil": "Sans rendez-vous"})
    assert client(monde.referent).get(adresse).context["actuelle"] == ["Sans rendez-vous"]
    reponse = client(monde.referent).post(
        reverse("signalement_clore", args=[signalement.pk]), {"issue": "corrige", "reponse": "Merci !"}, follow=True
    )
    assert messages(reponse) == ["Signalement clos (corrigé). lecteur en est prévenu(e) par courriel."]
    signalement.refresh_from_db()
    assert (signalement.issue, signalement.reponse, signalement.clos_par) == ("corrige", "Merci !", monde.referent)
    assert courriels("signalement_clos") == ["lecteur"]
    assert "Merci !" in Envoi.objects.get(type_code="signalement_clos").corps_texte
    vu = client(monde.lecteur).get(adresse)
    assert "Merci !" in vu.text
    assert (vu.context["remede"], vu.context["sien"]) == (None, False)


def test_sans_suite_demande_une_reponse(monde: Monde) -> None:
    signalement = monde.signaler()
    adresse = reverse("signalement_clore", args=[signalement.pk])
    for reponse_ in ("", "   "):
        reponse = client(monde.direction).post(adresse, {"issue": "sans-suite", "reponse": reponse_})
        assert reponse.status_code == 422
        assert reponse.context["form"].errors == {
            "reponse": ["Dites à la personne pourquoi son signalement reste sans suite."]
        }
    assert client(monde.direction).post(adresse, {"issue": "retire", "reponse": "x"}).status_code == 422
    with pytest.raises(Invalide):
        clore(numero=signalement.pk, acteur=monde.direction, issue=IssueSignalement.SANS_SUITE)
    assert client(monde.direction).post(adresse, {"issue": "sans-suite", "reponse": "C’est exact."}).status_code == 302
    signalement.refresh_from_db()
    assert signalement.issue == IssueSignalement.SANS_SUITE


def test_personne_ne_recoit_de_courriel_sur_son_propre_geste(monde: Monde) -> None:
    signalement = monde.signaler(acteur=monde.referent)
    assert courriels("signalement_recu") == ["philippe"]
    clore(numero=signalement.pk, acteur=monde.referent, issue=IssueSignalement.CORRIGE)
    assert courriels("signalement_clos") == []


def test_retirer_le_sien(monde: Monde) -> None:
    signalement = monde.signaler()
    adresse = reverse("signalement_retirer", args=[signalement.pk])
    assert "Retirer votre signalement" in client(monde.lecteur).get(adresse).text
    assert [client(u).post(adresse).status_code for u in (monde.referent, fabrique.lecteur("autre"))] == [403, 404]
    assert messages(client(monde.lecteur).post(adresse, follow=True)) == ["Votre signalement est retiré."]
    assert not regles.signalements_a_traiter(monde.referent).exists()
    assert client(monde.lecteur).post(adresse).status_code == 409
    with pytest.raises(Conflit, match="a clos ce signalement"):
        completer(numero=signalement.pk, acteur=monde.lecteur, message="Encore")


def test_chacun_son_role(monde: Monde) -> None:
    signalement = monde.signaler()
    with pytest.raises(Interdit):
        clore(numero=signalement.pk, acteur=monde.lecteur, issue=IssueSignalement.CORRIGE)
    with pytest.raises(Interdit):
        completer(numero=signalement.pk, acteur=monde.referent, message="x")
    with pytest.raises(Interdit):
        retirer(numero=signalement.pk, acteur=monde.referent)
    clore(numero=signalement.pk, acteur=monde.gestionnaire, issue=IssueSignalement.CORRIGE)


@pytest.mark.parametrize(
    ("champ", "phrase", "bouton"),
    [
        ("type_uo", "changez-le dans un dossier collaboratif", "Créer un dossier collaboratif"),
        ("mode_prise_en_charge", "ne change plus une fois la fiche créée", "Créer un dossier collaboratif"),
        ("activites", "Corrigez la fiche s’il y a lieu", "Corriger ce champ"),
        ("", "Relisez la fiche", "Modifier la fiche"),
    ],
)
def test_ou_corriger(monde: Monde, champ: str, phrase: str, bouton: str) -> None:
    signalement = monde.signaler(champ)
    dit = remede(monde.referent, signalement, fabrique.contenu(monde.uo))
    assert phrase in dit.phrase
    assert dit.bouton == bouton
    assert bouton in client(monde.referent).get(reverse("signalement", args=[signalement.pk])).text


def test_le_dossier_ouvert_est_le_meme_lien_partout(monde: Monde, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the report, from the page of the fiche, from the menu of the establishment; nobody else is led there."""
    reserver.ouvrir(eg=monde.eg, dossier=12, nom="Ouverture", etape="Rédaction")
    monkeypatch.setattr(affichage, "_visibles", lambda user, numeros: {12} if user == monde.referent else set())
    signalement = monde.signaler("type_uo")
    dit = remede(monde.referent, signalement, fabrique.contenu(monde.uo))
    assert dit[1:] == ("Ouvrir le dossier « Ouverture »", f"/dossiers/12/fiches/{monde.uo.pk}/")
    page = client(monde.referent).get(reverse("fiche", args=[monde.uo.identifiant]))
    assert (page.context["vers_dossier"].action, page.context["vers_dossier"].url) == dit[1:]
    menu = client(monde.referent).get(reverse("fiche", args=[monde.eg.identifiant])).context["actions_structure"]
    tableur = {
        "libelle": "Modifier dans un tableur",
        "url": f"/repertoire/{monde.eg.identifiant}/tableur/",
        "icone": "tableau",
    }
    assert menu == [
        tableur,
        {"libelle": "Ouvrir le dossier « Ouverture »", "url": "/dossiers/12/", "icone": "dossier"},
    ]
    assert remede(monde.gestionnaire, signalement, fabrique.contenu(monde.uo)).url == ""
    ailleurs = client(monde.direction).get(reverse("fiche", args=[monde.eg.identifiant]))
    assert ailleurs.context["actions_structure"] == [tableur]


def test_ou_corriger_ce_qui_vient_d_ailleurs_ou_n_est_plus_la(monde: Monde) -> None:
    finess = monde.signaler("finess", fiche=monde.eg)
    assert "fichiers nationaux (FINESS)" in remede(monde.referent, finess, fabrique.contenu(monde.eg)).phrase
    assert remede(monde.referent, finess, fabrique.contenu(monde.eg)).url == ""
    sur_uo = monde.signaler()
    fabrique.publier(monde.uo, {"existe": False}, timezone.localdate())
    page = client(monde.referent).get(reverse("signalement", args=[sur_uo.pk]))
    assert page.context["remede"].url == ""
    assert page.context["remede"].phrase.startswith("Cette fiche est fermée depuis le ")
    clore(numero=sur_uo.pk, acteur=monde.referent, issue=IssueSignalement.CORRIGE)
    assert "Unité d’hébergement" in client(monde.referent).get(f"{reverse('signalements')}?onglet=traites").text
    assert VersionFiche.objects.filter(fiche=monde.uo, validite__contains=timezone.localdate()).count() == 0
