"""Comments at the same moment: nothing lost without a word, nothing twice, nothing after the end."""

from functools import partial

import pytest

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit
from notifications.models import Envoi
from structures.models import Fiche
from workflows.domaine import commentaires, decisions, gestes, presence
from workflows.models import Commentaire, Dossier, Evenement, Presence

from .conftest import ensemble, personne, refus

pytestmark = [pytest.mark.course, pytest.mark.usefixtures("demo")]


def brouillon() -> tuple[Dossier, Fiche, User, User]:
    dossier = Dossier.objects.get(nom="Unité d’accueil temporaire")
    autre = personne("direction", "autre", fiche=dossier.eg)
    return dossier, dossier.fiches.get().fiche, dossier.auteur, autre


def test_repondre_contre_resoudre() -> None:
    dossier, fiche, auteur, autre = brouillon()
    fil = commentaires.commenter(numero=dossier.pk, acteur=auteur, fiche=fiche.pk, texte="Pourquoi ?")
    resultats = ensemble(
        [
            partial(commentaires.repondre, numero=dossier.pk, acteur=auteur, fil=fil.pk, texte="Parce que"),
            partial(commentaires.resoudre, numero=dossier.pk, acteur=autre, fil=fil.pk),
        ]
    )
    fil.refresh_from_db()
    assert fil.resolu_par == autre
    # Either the answer came first and is in the resolved thread, or its author is told who resolved it.
    perdants = refus(resultats)
    assert Commentaire.objects.filter(parent=fil).count() == 1 - len(perdants)
    assert all(p.code == "fil_resolu" and p.message.startswith("autre a résolu ce fil") for p in perdants)


def test_huit_personnes_resolvent_un_fil() -> None:
    dossier, fiche, auteur, _ = brouillon()
    fil = commentaires.commenter(numero=dossier.pk, acteur=auteur, fiche=fiche.pk, texte="Pourquoi ?")
    gens = [personne("referent", f"r{i}", fiche=dossier.eg) for i in range(8)]
    resultats = ensemble([partial(commentaires.resoudre, numero=dossier.pk, acteur=g, fil=fil.pk) for g in gens])
    perdants = refus(resultats)
    fil.refresh_from_db()
    assert len(perdants) == 7
    assert all(isinstance(p, Conflit) and p.message.startswith(f"{fil.resolu_par} a déjà résolu") for p in perdants)
    assert Evenement.objects.filter(dossier=dossier, type="commentaire_resolu").count() == 1
    assert Envoi.objects.filter(type_code="commentaire_resolu", destinataire=auteur).count() == 1


def test_quatre_clics_font_un_commentaire() -> None:
    dossier, fiche, auteur, _ = brouillon()
    clic = partial(
        commentaires.commenter, numero=dossier.pk, acteur=auteur, fiche=fiche.pk, texte="Une fois", vu=0
    )  # fmt: skip
    assert len({c.pk for c in ensemble([clic] * 4)}) == 1
    assert Commentaire.objects.filter(texte="Une fois").count() == 1


def test_commenter_contre_abandonner() -> None:
    dossier, fiche, auteur, autre = brouillon()
    resultats = ensemble(
        [
            partial(commentaires.commenter, numero=dossier.pk, acteur=autre, fiche=fiche.pk, texte="Attendez !"),
            partial(decisions.abandonner, numero=dossier.pk, acteur=auteur),
        ]
    )
    assert Dossier.objects.get(pk=dossier.pk).etat == "abandonne"
    perdants = refus(resultats)
    assert Commentaire.objects.filter(texte="Attendez !").count() == 1 - len(perdants)
    assert all(p.code == "dossier_termine" for p in perdants)
    fin = Evenement.objects.get(dossier=dossier, type="abandonne")
    assert not Evenement.objects.filter(dossier=dossier, type="commente", pk__gt=fin.pk).exists()


def test_commenter_contre_retirer_la_fiche() -> None:
    dossier, fiche, auteur, autre = brouillon()
    resultats = ensemble(
        [
            partial(commentaires.commenter, numero=dossier.pk, acteur=autre, fiche=fiche.pk, texte="Et celle-ci ?"),
            partial(gestes.supprimer, numero=dossier.pk, acteur=auteur, fiches=[fiche.pk]),
        ]
    )
    perdants = refus(resultats)
    assert Commentaire.objects.filter(texte="Et celle-ci ?").count() == 1 - len(perdants)
    assert all(p.code == "fiche_retiree" for p in perdants)


def test_commenter_contre_valider() -> None:
    """Both go through, in one order or the other: a decision does not close the talk of an open dossier."""
    clinique = Dossier.objects.get(nom="Consultation de dermatologie à la clinique")
    fiche = clinique.fiches.get().fiche_id
    direction = User.objects.get(username="direction.hopital")
    tache = clinique.taches.get(close_le__isnull=True)
    resultats = ensemble(
        [
            partial(commentaires.commenter, numero=clinique.pk, acteur=clinique.auteur, fiche=fiche, texte="Vu ?"),
            partial(decisions.valider, tache=tache.pk, acteur=direction),
        ]
    )
    assert refus(resultats) == []
    assert Dossier.objects.get(pk=clinique.pk).etat == "approbation"
    assert Commentaire.objects.filter(texte="Vu ?").count() == 1


def test_huit_pages_ouvertes_battent_ensemble() -> None:
    dossier, fiche, auteur, autre = brouillon()
    resultats = ensemble(
        [
            partial(presence.signaler, dossier=dossier, user=u, fiche=f)
            for u in (auteur, autre)
            for f in (fiche.pk, None)
        ]
        * 2
    )
    assert resultats == [None] * 8
    assert Presence.objects.filter(dossier=dossier).count() == 2
