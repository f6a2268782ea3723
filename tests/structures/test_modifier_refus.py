"""A direct change through the HTTP client: what is refused, and stays on the screen."""

import pytest

from tests.factories import repertoire as fabrique
from tests.navigation import texte

from .ecrans import AUJOURDHUI, fiche, ouvrir

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("saisi", "phrase"),
    [
        ({"horaires_01-1": "08:00-25:00"}, "Lundi : « 08:00-25:00 » n’est pas une plage d’heures"),
        ({"horaires_01-2": "18h-8h"}, "Mardi : la fin (08:00) doit venir après le début (18:00)"),
        ({"horaires_01-3": "8h-12h, 11h-14h"}, "Mercredi : les plages 08:00-12:00 et 11:00-14:00 se chevauchent"),
        ({"horaires_01-4": "22h-0h"}, "Pour minuit, écrire 24:00"),
        ({"age_min": "１６"}, "Écrire un nombre entier"),
        ({"age_min": "200"}, "L’âge maximum est inférieur à l’âge minimum"),
        ({"conditions_admission": "x" * 100_000}, "compte 100000 caractères ; 20000 au plus"),
        ({"activites": ["013", "INCONNU"]}, "« INCONNU » n’est pas dans la liste"),
        ({"territoire": ["75113", "00000"]}, "« 00000 » n’est pas une commune connue"),
        ({"date_fermeture": "1990-01-01", "date_ouverture": "2000-01-01"}, "La fermeture précède l’ouverture"),
        ({"capacites-0-nature": "01", "capacites-0-statut": "01", "capacites-0-nombre": "-3"}, "0 ou plus"),
        ({"equipements-0-code": "ZZZ", "equipements-0-nombre": "1"}, "« ZZZ » n’est pas dans la liste"),
    ],
)
def test_une_mauvaise_saisie_dit_sa_phrase_et_revient_entiere(hopital, referent, saisi, phrase):
    saisie = ouvrir(referent, hopital["UO"])
    avant = hopital["UO"].modifications.count()
    envoye = saisie.donnees(etape="enregistrer", date_effet=AUJOURDHUI.isoformat(), **saisi)
    saisie.reponse = saisie.navigateur.post(saisie.url, envoye)
    assert saisie.reponse.status_code == 422
    assert phrase in saisie.mots.replace("\u202f", " ").replace("\xa0", " ").replace("« ", "« ")
    revenu = saisie.donnees()
    for nom, contenu in saisi.items():
        if nom == "equipements-0-code":  # a native list shows what it offers, and nothing else can be chosen in it
            continue
        assert revenu[nom] == (contenu if isinstance(contenu, list) else [contenu])
    assert hopital["UO"].modifications.count() == avant


def test_une_session_terminee_garde_la_saisie_a_l_ecran(hopital, referent):
    saisie = ouvrir(referent, hopital["UO"])
    envoye = saisie.donnees(etape="resume", conditions_accueil="Une longue\nsaisie", activites=["013", "097"])
    saisie.navigateur.logout()
    reponse = saisie.navigateur.post(saisie.url, envoye, headers={"referer": f"http://testserver{saisie.url}"})
    assert reponse.status_code == 403
    assert "Votre session est terminée" in texte(reponse)
    assert "Conditions accueil Une longue saisie" in texte(reponse)
    assert f"next={saisie.url}" in reponse.content.decode()


def test_une_fiche_fermee_entre_temps_est_un_409_qui_garde_la_saisie(hopital, referent):
    saisie = ouvrir(referent, hopital["UO"])
    saisie.envoyer("resume", conditions_accueil="Une longue saisie")
    fabrique.publier(hopital["UO"], {"existe": False}, AUJOURDHUI)
    saisie.envoyer("enregistrer")
    assert saisie.reponse.status_code == 409
    assert "elle ne peut pas être modifiée" in saisie.mots
    assert "Une longue saisie" in saisie.mots


def test_un_formulaire_forge_pour_une_autre_fiche_n_ecrit_rien(hopital, referent):
    """The form of one's own fiche posted to somebody else's, and fields of another level."""
    ailleurs = fabrique.hopital("Ailleurs")
    saisie = ouvrir(referent, hopital["UO"])
    envoye = saisie.donnees(etape="enregistrer", nom="Volée", date_effet=AUJOURDHUI.isoformat())
    reponse = saisie.navigateur.post(fiche(ailleurs["UO"], "modifier/"), envoye)
    assert reponse.status_code == 403
    assert ailleurs["UO"].modifications.count() == 1
    pole = ouvrir(referent, hopital["P"])
    pole.envoyer("resume", nom="Pôle renommé", activites=["013"], finess="750000001", autorites=["ARS-11"])
    pole.envoyer("enregistrer")
    assert hopital["P"].modifications.latest("pk").patch == {"nom": "Pôle renommé"}
