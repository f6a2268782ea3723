"""Undoing a change through the HTTP client, by its inverse."""

import re
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from structures.domaine import reserver
from structures.domaine.enregistrer import ecarts
from structures.enums import Source
from structures.models import Concept, Modification
from tests.factories import repertoire as fabrique
from tests.navigation import client, texte
from tests.saisie import Saisie

from .ecrans import AUJOURDHUI, DANS_UN_MOIS, DEMAIN, changement, fiche

pytestmark = pytest.mark.django_db


def defaire(user, m: Modification, **changements):
    """Read the preview, then send its form."""
    saisie = Saisie(user, changement(m, "defaire"))
    assert saisie.reponse.status_code == 200, saisie.mots
    saisie.reponse = saisie.navigateur.post(saisie.url, saisie.donnees(**changements))
    return saisie


def test_annuler_une_modification_la_defait_par_son_inverse(unite, referent, direction):
    m = fabrique.direct(
        unite, referent, {"conditions_accueil": "Erreur", "activites": {"ajoute": ["097"]}, "age_min": 18}
    )
    historique = client(direction).get(fiche(unite, "historique/")).content.decode()
    assert changement(m, "defaire") in historique
    apercu = texte(client(direction).get(changement(m, "defaire")))
    for mots in ("Ce qui revient comme avant", "Erreur", "Conditions d’accueil", "Âge minimum", "16 ans"):
        assert mots in apercu.replace("\xa0", " ")
    assert unite.modifications.latest("pk") == m  # a GET shows, it does nothing
    saisie = defaire(direction, m)
    assert (saisie.reponse.status_code, saisie.reponse["Location"]) == (302, fiche(unite, "historique/"))
    lue = fabrique.contenu(unite)
    assert (lue.conditions_accueil, lue.activites, lue.age_min) == ("", ["013"], 16)
    u = unite.modifications.latest("pk")
    assert (u.inverse, u.auteur, u.patch) == (
        m,
        direction,
        {"conditions_accueil": "", "activites": {"retire": ["097"]}, "age_min": 16},
    )
    page = texte(client(referent).get(fiche(unite, "historique/")))
    assert "Annulation d’une modification" in page
    assert "Défaite par direction le" in page
    assert "Défait la modification de referent du" in page
    assert ecarts() == []


def test_annuler_deux_fois_est_refuse_en_disant_qui(unite, referent, direction):
    m = fabrique.direct(unite, referent, {"conditions_accueil": "Erreur"})
    ouverte = Saisie(referent, changement(m, "defaire"))
    defaire(direction, m)
    for reponse in (
        ouverte.navigateur.post(ouverte.url, ouverte.donnees()),
        client(referent).get(changement(m, "defaire")),
    ):
        assert reponse.status_code == 409
        assert "direction a déjà défait cette modification le" in texte(reponse)
    assert unite.modifications.filter(inverse=m).count() == 1


def test_annuler_l_annulation_retablit(unite, referent):
    m = fabrique.direct(unite, referent, {"conditions_accueil": "Bon finalement"})
    defaire(referent, m)
    defaire(referent, unite.modifications.latest("pk"))
    assert fabrique.contenu(unite).conditions_accueil == "Bon finalement"


def test_annuler_laisse_ce_qui_a_change_depuis_et_dit_par_qui(unite, referent, direction):
    m = fabrique.direct(unite, referent, {"conditions_accueil": "Un", "conditions_admission": "Un"})
    fabrique.direct(unite, direction, {"conditions_accueil": "Deux"})
    apercu = texte(client(referent).get(changement(m, "defaire")))
    assert re.search(r"modifié de nouveau depuis.*« Conditions d’accueil » Deux .*direction, le", apercu)
    defaire(referent, m)
    lue = fabrique.contenu(unite)
    assert (lue.conditions_accueil, lue.conditions_admission) == ("Deux", "")


def test_annuler_quand_tout_a_change_depuis_ne_propose_rien(unite, referent, direction):
    m = fabrique.direct(unite, referent, {"conditions_accueil": "Un"})
    ouverte = Saisie(referent, changement(m, "defaire"))
    fabrique.direct(unite, direction, {"conditions_accueil": "Deux"})
    perime = ouverte.navigateur.post(ouverte.url, ouverte.donnees())
    assert perime.status_code == 409
    assert re.search("n’est plus ce que la page montrait : « Conditions d’accueil » par direction le", texte(perime))
    apercu = texte(client(referent).get(changement(m, "defaire")))
    assert "Rien ne peut être défait" in apercu
    forge = client(referent).post(changement(m, "defaire"), {"date_effet": AUJOURDHUI.isoformat()})
    assert forge.status_code == 409
    assert fabrique.contenu(unite).conditions_accueil == "Deux"


def test_annuler_suit_les_regles_de_tout_changement(hopital, unite, referent):
    """A code closed since, something mandatory emptied, a fiche of a sent dossier, a date in the past."""
    fabrique.publier(unite, {"activites": {"ajoute": ["014"]}}, date(2024, 1, 1))
    m = fabrique.direct(unite, referent, {"activites": {"retire": ["014"]}})
    Concept.objects.filter(nomenclature="R211", code="014").update(date_fin=date(2025, 1, 1))
    saisie = defaire(referent, m)
    assert saisie.reponse.status_code == 422
    assert "est fermé" in saisie.mots
    fabrique.publier(unite, {"age_max": None, "age_max_unite": ""}, date(2024, 1, 1))
    complete = fabrique.direct(unite, referent, {"age_max": 90, "age_max_unite": "an"})
    saisie = defaire(referent, complete)
    assert saisie.reponse.status_code == 422
    assert "obligatoire" in saisie.mots
    simple = fabrique.direct(unite, referent, {"conditions_accueil": "Un"})
    hier, passee = AUJOURDHUI - timedelta(days=1), AUJOURDHUI - timedelta(days=9)
    ancienne = fabrique.direct(unite, fabrique.gestionnaire(), {"conditions_admission": "Un"}, passee, "Oubli")
    for m, phrase in ((simple, "Choisissez une date à partir du"), (ancienne, "ne peut pas être passée")):
        saisie = defaire(referent, m, date_effet=hier.isoformat())
        assert saisie.reponse.status_code == 422
        assert phrase in saisie.mots
    reserver.ouvrir(eg=hopital["EG"], dossier=12, nom="Ouverture", etape="Approbation")
    reserver.annoncer(dossier=12, etape="Approbation", fiches=[unite.pk], envoye=True)
    saisie = defaire(referent, simple)
    assert saisie.reponse.status_code == 409
    assert "Le dossier collaboratif « Ouverture » change cette fiche" in saisie.mots
    assert not unite.modifications.filter(inverse__isnull=False).exists()


def test_annuler_a_une_date_a_venir_puis_annuler_l_annulation_prevue(unite, referent):
    m = fabrique.direct(unite, referent, {"conditions_accueil": "Un"})
    defaire(referent, m, date_effet=DANS_UN_MOIS.isoformat())
    assert fabrique.contenu(unite).conditions_accueil == "Un"
    assert fabrique.contenu(unite, DANS_UN_MOIS).conditions_accueil == ""
    prevue = unite.modifications.latest("pk")
    assert client(referent).post(changement(prevue, "annuler")).status_code == 302
    assert fabrique.contenu(unite, DANS_UN_MOIS).conditions_accueil == "Un"
    assert defaire(referent, m).reponse.status_code == 302


def test_ce_qui_ne_s_annule_pas_ici_dit_ou(hopital, unite, referent):
    creation = unite.modifications.first()
    prevue = fabrique.direct(unite, referent, {"conditions_accueil": "Bientôt"}, DEMAIN)
    passe = {creation: "dossier collaboratif", prevue: "n’est pas encore en vigueur"}
    for m, phrase in passe.items():
        for methode in ("get", "post"):
            reponse = getattr(client(referent), methode)(changement(m, "defaire"))
            assert reponse.status_code == 409
            assert phrase in texte(reponse)
    m = fabrique.direct(unite, referent, {"conditions_admission": "Un"})
    assert client(fabrique.lecteur()).get(changement(m, "defaire")).status_code == 403
    assert client(referent).get(fiche(hopital["EG"], f"changements/{m.pk}/defaire/")).status_code == 404
    page = texte(client(referent).get(fiche(unite, "historique/")))
    assert "ils se défont dans un dossier collaboratif" in page


def test_la_base_refuse_une_seconde_suite(unite, referent):
    """Under every lock: the constraints hold what the verbs promise."""
    passee = fabrique.direct(unite, referent, {"conditions_accueil": "Un"})
    commun = {"fiche": unite, "date_effet": passee.date_effet, "source": Source.DIRECT, "auteur": referent, "patch": {}}
    for champ in ("inverse", "remplace"):
        Modification.objects.create(**commun, **{champ: passee})
        with pytest.raises(IntegrityError), transaction.atomic():
            Modification.objects.create(**commun, **{champ: passee})
