"""Planned changes through the HTTP client: listed, changed, cancelled before their day."""

from datetime import timedelta

import pytest

from structures.domaine.enregistrer import ecarts
from structures.domaine.suites import annuler_prevue
from structures.models import Modification
from tests.factories import repertoire as fabrique
from tests.navigation import client, texte
from tests.saisie import Saisie

from .ecrans import AUJOURDHUI, DANS_UN_MOIS, DEMAIN, changement, fiche

pytestmark = pytest.mark.django_db


def test_les_changements_prevus_se_listent_et_s_annulent(unite, referent):
    navigateur = client(referent)
    prevu = fabrique.direct(unite, referent, {"conditions_accueil": "Entrée rue Jenner"}, DANS_UN_MOIS)
    annuler = changement(prevu, "annuler")
    page = navigateur.get(fiche(unite))
    assert "Entrée rue Jenner" in texte(page)
    assert annuler in page.content.decode()
    assert changement(prevu, "modifier") in page.content.decode()
    assert "n’aura pas lieu" in texte(navigateur.get(annuler))
    assert Modification.objects.get(pk=prevu.pk).annulee_le is None  # a GET asks, it does nothing
    reponse = navigateur.post(annuler, follow=True)
    assert "est annulé : il n’aura pas lieu" in texte(reponse)
    assert "Aucun changement n’est prévu" in texte(reponse)
    assert "Annulé par referent" in texte(navigateur.get(fiche(unite, "historique/")))
    encore = navigateur.post(annuler)
    assert encore.status_code == 409
    assert "a déjà été annulé, par referent le" in texte(encore)


def test_un_changement_prevu_est_a_son_auteur_et_aux_gestionnaires(hopital, unite, referent, direction):
    prevu = fabrique.direct(unite, referent, {"conditions_accueil": "Bientôt"}, DANS_UN_MOIS)
    assert changement(prevu, "annuler") not in client(direction).get(fiche(unite)).content.decode()
    for geste in ("annuler", "modifier"):
        for methode in ("get", "post"):
            assert getattr(client(direction), methode)(changement(prevu, geste)).status_code == 403
            ailleurs = fiche(hopital["EG"], f"changements/{prevu.pk}/{geste}/")
            assert getattr(client(referent), methode)(ailleurs).status_code == 404
    assert client(fabrique.gestionnaire()).post(changement(prevu, "annuler")).status_code == 302
    assert Modification.objects.get(pk=prevu.pk).annulee_le is not None


def test_modifier_un_changement_prevu_valeurs_et_date(unite, referent):
    prevu = fabrique.direct(
        unite, referent, {"conditions_accueil": "Entrée A", "activites": {"ajoute": ["097"]}}, DANS_UN_MOIS
    )
    saisie = Saisie(referent, changement(prevu, "modifier"))
    donnees = saisie.donnees()
    assert (donnees["conditions_accueil"], donnees["activites"]) == (["Entrée A"], ["013", "097"])
    saisie.envoyer("resume", conditions_accueil="Entrée B", activites=["013"])
    assert saisie.donnees()["date_effet"] == [DANS_UN_MOIS.isoformat()]
    assert "Entrée B" in saisie.mots
    assert saisie.envoyer("enregistrer", date_effet=DEMAIN.isoformat()).status_code == 302
    nouveau = unite.modifications.latest("pk")
    assert (nouveau.patch, nouveau.date_effet, nouveau.remplace) == ({"conditions_accueil": "Entrée B"}, DEMAIN, prevu)
    prevu.refresh_from_db()
    assert prevu.annulee_par == referent
    assert fabrique.contenu(unite).conditions_accueil == ""
    for jour in (DEMAIN, DANS_UN_MOIS):
        assert fabrique.contenu(unite, jour).conditions_accueil == "Entrée B"
        assert fabrique.contenu(unite, jour).activites == ["013"]
    page = texte(client(referent).get(fiche(unite, "historique/")))
    assert "Modifié avant d’avoir eu lieu par referent" in page
    assert "Remplace le changement prévu le" in page
    assert ecarts() == []
    perime = client(referent).get(changement(prevu, "modifier"))
    assert perime.status_code == 409
    assert "a déjà été modifié : il est prévu le" in texte(perime)


def test_modifier_un_changement_prevu_sans_rien_changer_ou_hors_regles(unite, referent):
    prevu = fabrique.direct(unite, referent, {"age_min": 20}, DANS_UN_MOIS)
    saisie = Saisie(referent, changement(prevu, "modifier"))
    saisie.envoyer("resume")
    saisie.envoyer("enregistrer")
    assert saisie.reponse.status_code == 422
    assert "ce changement est déjà prévu ainsi" in saisie.mots
    saisie = Saisie(referent, changement(prevu, "modifier"))
    saisie.envoyer("resume", age_min="130")
    assert saisie.reponse.status_code == 422
    assert "L’âge maximum est inférieur à l’âge minimum" in saisie.mots
    saisie = Saisie(referent, changement(prevu, "modifier"))
    saisie.envoyer("resume", age_min="21")
    hier = AUJOURDHUI - timedelta(days=1)
    saisie.envoyer("enregistrer", date_effet=hier.isoformat())
    assert saisie.reponse.status_code == 422
    assert "ne peut pas être passée" in saisie.mots
    prevu.refresh_from_db()
    assert prevu.annulee_le is None
    assert unite.modifications.latest("pk") == prevu


def test_modifier_un_changement_prevu_que_l_autre_annule_ou_double(unite, referent):
    """Somebody cancelled it: 409 with who. Somebody changed the same field before its day: her value is asked about."""
    prevu = fabrique.direct(unite, referent, {"conditions_accueil": "A"}, DANS_UN_MOIS)
    saisie = Saisie(referent, changement(prevu, "modifier"))
    autre = fabrique.direct(unite, fabrique.gestionnaire("sesan"), {"conditions_accueil": "De SESAN"}, DEMAIN)
    saisie.envoyer("resume", conditions_accueil="B")
    assert saisie.reponse.status_code == 409
    assert "De SESAN" in saisie.mots
    assert "sesan" in saisie.mots
    annuler_prevue(modification=prevu, acteur=fabrique.gestionnaire("autre"))
    saisie.envoyer("enregistrer", date_effet=DANS_UN_MOIS.isoformat(), garder_conditions_accueil="mienne")
    assert saisie.reponse.status_code == 409
    assert "a déjà été annulé, par autre le" in saisie.mots
    assert unite.modifications.latest("pk") == autre
