"""A direct change through the HTTP client, when somebody else saved meanwhile."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from structures.domaine.suites import annuler_prevue
from tests.factories import repertoire as fabrique
from tests.navigation import texte

from .ecrans import AUJOURDHUI, DANS_UN_MOIS, ouvrir

pytestmark = pytest.mark.django_db

SEMAINE = {"horaires_01-1": "8h-12h", "horaires_01_lundi": "2030-01-07"}


@pytest.mark.parametrize(("choix", "garde"), [("mienne", "De moi"), ("leur", "Du collègue")])
def test_un_enregistrement_perime_se_departage_champ_par_champ(hopital, referent, direction, choix, garde):
    """409 with the three values and who; the choice and the rest of what was typed are saved by one button."""
    saisie = ouvrir(referent, hopital["UO"])
    saisie.envoyer("resume", conditions_accueil="De moi", conditions_admission="De moi aussi", **SEMAINE)
    fabrique.direct(hopital["UO"], direction, {"conditions_accueil": "Du collègue", "nom": "Unité renommée"})
    saisie.envoyer("enregistrer")
    assert saisie.reponse.status_code == 409
    assert "Un champ est à départager" in saisie.mots
    assert re.search(
        r"Conditions d’accueil .*À l’ouverture du formulaire — Prendre la valeur de direction", saisie.mots
    )
    assert re.search(r"Du collègue Garder ma saisie pour Conditions d’accueil De moi", saisie.mots)
    assert "2 champs modifiés" in saisie.mots  # what does not collide
    assert re.search(r"Modifié par d’autres .* Nom Unité de cardiologie Unité renommée", saisie.mots)
    saisie.envoyer("enregistrer", garder_conditions_accueil=choix)
    assert saisie.reponse.status_code == 302
    lue = fabrique.contenu(hopital["UO"])
    assert (lue.conditions_accueil, lue.conditions_admission, lue.nom) == (garde, "De moi aussi", "Unité renommée")
    assert lue.horaires == {"01/2030-01-07": {"1": [["08:00", "12:00"]]}}
    page = texte(saisie.navigateur.get(saisie.reponse["Location"]))
    assert ("direction a aussi modifié « Nom »" in page) is True


def test_le_resume_montre_deja_le_heurt_et_demande_un_choix(hopital, referent, direction):
    saisie = ouvrir(referent, hopital["UO"])
    fabrique.direct(hopital["UO"], direction, {"conditions_accueil": "Du collègue"})
    assert saisie.envoyer("resume", conditions_accueil="De moi").status_code == 409
    avant = hopital["UO"].modifications.count()
    assert saisie.envoyer("enregistrer").status_code == 409
    assert "Choisissez la valeur à garder" in saisie.mots
    assert saisie.envoyer("enregistrer", garder_conditions_accueil="autre").status_code == 409
    assert hopital["UO"].modifications.count() == avant
    assert saisie.envoyer("saisie").status_code == 200
    assert saisie.donnees()["conditions_accueil"] == ["De moi"]


def test_tout_ceder_n_enregistre_rien(hopital, referent, direction):
    saisie = ouvrir(referent, hopital["UO"])
    fabrique.direct(hopital["UO"], direction, {"conditions_accueil": "Du collègue"})
    avant = hopital["UO"].modifications.count()
    saisie.envoyer("resume", conditions_accueil="De moi")
    saisie.envoyer("enregistrer", garder_conditions_accueil="leur")
    assert "Les valeurs du répertoire sont gardées" in texte(saisie.navigateur.get(saisie.reponse["Location"]))
    assert hopital["UO"].modifications.count() == avant


def test_un_choix_fait_sur_une_valeur_qui_change_encore_est_redemande(hopital, referent, direction):
    saisie = ouvrir(referent, hopital["UO"])
    fabrique.direct(hopital["UO"], direction, {"conditions_accueil": "Première"})
    saisie.envoyer("resume", conditions_accueil="De moi")
    fabrique.direct(hopital["UO"], direction, {"conditions_accueil": "Seconde"})
    saisie.envoyer("enregistrer", garder_conditions_accueil="mienne")
    assert saisie.reponse.status_code == 409
    assert "Seconde" in saisie.mots
    assert "garder_conditions_accueil" not in saisie.donnees()
    saisie.envoyer("enregistrer", garder_conditions_accueil="mienne")
    assert fabrique.contenu(hopital["UO"]).conditions_accueil == "De moi"


def test_un_age_et_son_unite_se_departagent_ensemble(hopital, referent, direction):
    saisie = ouvrir(referent, hopital["UO"])
    fabrique.direct(hopital["UO"], direction, {"age_min_unite": "mois"})
    saisie.envoyer("resume", age_min="18")
    assert saisie.reponse.status_code == 409
    assert re.search(r"Âge minimum .* 16 ans Prendre .* 16 mois Garder ma saisie .* 18 ans", saisie.mots)
    saisie.envoyer("enregistrer", garder_age_min="leur")
    lue = fabrique.contenu(hopital["UO"])
    assert (lue.age_min, lue.age_min_unite) == (16, "mois")


def test_une_annulation_se_departage_aussi(hopital, referent, direction):
    prevu = fabrique.direct(hopital["UO"], direction, {"conditions_accueil": "Prévu"}, DANS_UN_MOIS)
    saisie = ouvrir(referent, hopital["UO"])
    saisie.envoyer("resume", conditions_accueil="De moi")
    annuler_prevue(modification=prevu, acteur=direction)
    plus_tard = (DANS_UN_MOIS + timedelta(days=1)).isoformat()
    saisie.envoyer("enregistrer", date_effet=plus_tard)
    assert saisie.reponse.status_code == 409
    assert "Prendre la valeur de direction" in saisie.mots
    saisie.envoyer("enregistrer", date_effet=plus_tard, garder_conditions_accueil="mienne")
    assert saisie.reponse.status_code == 302
    assert fabrique.contenu(hopital["UO"]).conditions_accueil == ""


def test_un_changement_prevu_plus_tard_n_est_pas_un_heurt(hopital, referent, direction):
    saisie = ouvrir(referent, hopital["UO"])
    fabrique.direct(hopital["UO"], direction, {"conditions_accueil": "Prévu"}, DANS_UN_MOIS)
    saisie.envoyer("resume", conditions_accueil="De moi")
    assert saisie.envoyer("enregistrer").status_code == 302
    contenus = [fabrique.contenu(hopital["UO"], jour).conditions_accueil for jour in (AUJOURDHUI, DANS_UN_MOIS)]
    assert contenus == ["De moi", "Prévu"]


def test_des_changements_qui_ne_se_heurtent_pas_se_fusionnent_et_se_disent(hopital, referent, direction):
    saisie = ouvrir(referent, hopital["UO"])
    saisie.envoyer("resume", activites=["013", "014"])
    fabrique.direct(hopital["UO"], direction, {"activites": {"ajoute": ["097"]}, "nom": "Renommée"})
    assert saisie.envoyer("enregistrer").status_code == 302
    lue = fabrique.contenu(hopital["UO"])
    assert (lue.nom, lue.activites) == ("Renommée", ["013", "014", "097"])
    page = texte(saisie.navigateur.get(saisie.reponse["Location"]))
    assert "direction a aussi modifié « Nom », « Activités opérationnelles » pendant votre saisie" in page


def test_autant_de_requetes_pour_un_ou_trois_changements(hopital, referent, direction):
    """Form and summary, with somebody else's changes to settle."""

    def requetes(n: int) -> tuple[int, int]:
        unite = fabrique.uo(hopital["UF"], f"Unité {n}")
        textes = ["conditions_accueil", "conditions_admission", "informations_complementaires"][:n]
        saisie = ouvrir(referent, unite)
        fabrique.direct(unite, direction, dict.fromkeys(textes, "Du collègue"))
        envoye = saisie.donnees(
            etape="resume", territoire=["92075", "94080", "75113"][:n], **dict.fromkeys(textes, "Z")
        )
        with CaptureQueriesContext(connection) as formulaire:
            saisie.navigateur.get(saisie.url)
        with CaptureQueriesContext(connection) as resume:
            assert saisie.navigateur.post(saisie.url, envoye).status_code == 409
        return len(formulaire), len(resume)

    assert requetes(1) == requetes(3)
