"""A confirmation does what it named: what came meanwhile is said, and confirmed anew (acceptance 79)."""

import re

import pytest

from backoffice.socle.erreurs import Conflit
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from tests.navigation import client, texte
from tests.workflows.ecrans import saisir, touchees, url
from workflows.domaine import contenu, gestes
from workflows.domaine.apercu import apercu
from workflows.domaine.travaux import jeton_de

pytestmark = pytest.mark.django_db


def test_supprimer_ce_qu_une_collegue_vient_de_remplir(monde, dossier):
    navigateur = client(monde.referent)
    page = navigateur.get(url(dossier, f"supprimer/?fiche={monde.uf.pk}"))
    neuve = fabrique.nouvelle(dossier, monde.collegue, monde.uf.pk, "Unité de la collègue")
    refusee = navigateur.post(url(dossier, "supprimer/"), saisir(page))
    assert refusee.status_code == 409
    mots = texte(refusee)
    assert f"{monde.collegue} a changé ce que cette confirmation montrait : « Unité de la collègue »" in mots
    assert "Nouvelles dans ce dossier, elles disparaissent : UO Unité de la collègue" in mots
    assert touchees(dossier) == {neuve.pk: "ajout"}
    assert navigateur.post(url(dossier, "supprimer/"), saisir(refusee)).status_code == 302
    assert touchees(dossier) == dict.fromkeys([monde.uf.pk, monde.uo.pk], "suppression")


def test_supprimer_en_nombre_ce_qui_a_change(monde, dossier):
    autre = repertoire.uf(monde.s, "UF 2102")
    navigateur = client(monde.referent)
    page = navigateur.post(url(dossier, "supprimer/"), {"fiche": [monde.uf.pk, autre.pk], "etape": "choisir"})
    fabrique.modifier(dossier, monde.collegue, monde.uo.pk, conditions_accueil="Deux lits.")
    refusee = navigateur.post(url(dossier, "supprimer/"), saisir(page))
    assert refusee.status_code == 409
    assert f"{monde.collegue} a changé ce que cette confirmation montrait : « Unité de cardiologie »" in texte(refusee)
    gestes.deplacer(numero=dossier.pk, acteur=monde.collegue, fiches=[monde.uo.pk], parent=autre.pk)
    gestes.annuler_changement(numero=dossier.pk, acteur=monde.collegue, fiche=monde.uo.pk)
    assert navigateur.post(url(dossier, "supprimer/"), saisir(refusee)).status_code == 409  # its save is gone
    assert touchees(dossier) == {}


def test_supprimer_ce_que_le_repertoire_vient_de_completer(monde, dossier):
    page = client(monde.referent).get(url(dossier, f"supprimer/?fiche={monde.uf.pk}"))
    repertoire.uo(monde.uf, nom="Unité importée")
    refusee = client(monde.referent).post(url(dossier, "supprimer/"), saisir(page))
    assert refusee.status_code == 409
    assert "Le répertoire a changé ce que cette confirmation montrait : « Unité importée »" in texte(refusee)
    assert touchees(dossier) == {}


def test_annuler_un_changement_enregistre_depuis(monde, dossier):
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, nom="Unité renommée")
    navigateur = client(monde.referent)
    page = navigateur.get(url(dossier, f"annuler/?fiche={monde.uo.pk}"))
    fabrique.modifier(dossier, monde.collegue, monde.uo.pk, conditions_accueil="Deux lits.")
    refusee = navigateur.post(url(dossier, "annuler/"), saisir(page))
    assert refusee.status_code == 409
    assert f"{monde.collegue} a changé ce que cette confirmation montrait : « Unité renommée »" in texte(refusee)
    assert "Deux lits." in texte(refusee)
    assert dossier.fiches.get().patch == {"nom": "Unité renommée", "conditions_accueil": "Deux lits."}
    assert navigateur.post(url(dossier, "annuler/"), saisir(refusee)).status_code == 302
    assert not dossier.fiches.exists()


def test_annuler_une_suppression_qui_est_devenue_autre_chose(monde, dossier):
    """The button of the menu asks nothing: it carries what the page showed."""
    gestes.supprimer(numero=dossier.pk, acteur=monde.referent, fiches=[monde.uo.pk])
    navigateur = client(monde.referent)
    corps = navigateur.get(url(dossier)).content.decode()
    [jeton] = set(re.findall(r'name="jeton" value="([^"]+)"', corps))
    gestes.annuler_changement(numero=dossier.pk, acteur=monde.collegue, fiche=monde.uo.pk)
    fabrique.modifier(dossier, monde.collegue, monde.uo.pk, conditions_accueil="Deux lits.")
    refusee = navigateur.post(url(dossier, "annuler/"), {"fiche": monde.uo.pk, "jeton": jeton})
    assert refusee.status_code == 409
    assert "Annuler ce changement ?" in texte(refusee)
    assert dossier.fiches.get().patch == {"conditions_accueil": "Deux lits."}


def test_le_jeton_nomme_ce_qui_est_montre(monde, dossier):
    noeuds = apercu(dossier).noeuds
    montre = [noeuds[monde.uo.pk], noeuds[monde.uf.pk]]
    jeton = jeton_de(montre)
    assert jeton == f"{monde.uo.pk}:0,{monde.uf.pk}:0"
    supprimer = {"numero": dossier.pk, "acteur": monde.referent, "fiches": [monde.uf.pk]}
    for faux in ("", "x", f"{monde.uf.pk}:0", f"{jeton},{monde.s.pk}:0"):
        with pytest.raises(Conflit) as refus:
            gestes.supprimer(**supprimer, jeton=faux)
        assert refus.value.code == "confirmation_depassee"
    gestes.supprimer(**supprimer, jeton=jeton)
    contenu.finaliser(numero=dossier.pk, acteur=monde.referent, fiches=[monde.uf.pk])
