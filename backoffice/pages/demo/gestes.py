"""What people of the demo did in the register itself: changes, confirmations, reported errors, favourites."""

from datetime import timedelta

from django.utils import timezone

from backoffice.comptes.models import User
from structures.domaine.confirmer import confirmer
from structures.domaine.lecture import lire
from structures.domaine.modifier import modifier
from structures.domaine.personnel import ajouter_favori, enregistrer_recherche
from structures.domaine.signalements import clore, signaler
from structures.enums import IssueSignalement, Niveau, ThemeSignalement
from structures.models import Fiche


def changer_directement(structures: dict[str, Fiche], comptes: dict[str, User]) -> None:
    """One change already true, one planned in ten days."""
    aujourdhui = timezone.localdate()
    uo = structures["hopital"].fiches.filter(niveau=Niveau.UO).order_by("pk").first()
    assert uo is not None
    for patch, jour in (
        ({"conditions_admission": "Accès direct, sans rendez-vous, à toute heure."}, aujourdhui),
        (
            {"informations_complementaires": "Travaux dans le hall : entrée par la rue Jenner."},
            aujourdhui + timedelta(10),
        ),
    ):
        lecture = lire(uo, jour)
        assert lecture is not None
        modifier(
            fiche=uo, acteur=comptes["referent.hopital"], patch=patch, date_effet=jour, jeton=lecture.jeton
        )  # fmt: skip


def confirmer_et_signaler(structures: dict[str, Fiche], comptes: dict[str, User]) -> None:
    """An establishment whose offers are confirmed; errors reported: one to correct, one for a dossier, one closed."""

    def uos(cle: str) -> list[Fiche]:
        return list(structures[cle].fiches.filter(niveau=Niveau.UO).order_by("pk"))

    ehpad, hopital = uos("ehpad"), uos("hopital")
    confirmer(fiches=[structures["ehpad"].pk, ehpad[0].pk], acteur=comptes["referent.ehpad"])
    signaler(
        fiche=ehpad[1], acteur=comptes["tutelle.ars"], champ="horaires", theme=ThemeSignalement.PERIME,
        message="L’accueil de jour n’ouvre plus le mercredi après-midi, d’après la famille d’un résident.",
        valeur_proposee="Mercredi : 8 h 30 – 12 h 30",
    )  # fmt: skip
    signaler(
        fiche=hopital[0], acteur=comptes["referent.sessad"], champ="type_uo", theme=ThemeSignalement.INEXACT,
        message="Cette unité accueille aussi les enfants la nuit : le type ne convient plus.",
    )  # fmt: skip
    clos = signaler(
        fiche=ehpad[2], acteur=comptes["referent.hopital"], champ="contacts", theme=ThemeSignalement.MANQUANT,
        message="Aucun numéro pour joindre l’unité le week-end.",
    )  # fmt: skip
    clore(
        numero=clos.pk, acteur=comptes["direction.ehpad"], issue=IssueSignalement.SANS_SUITE,
        reponse="L’unité est fermée le week-end : le standard de l’EHPAD répond.",
    )  # fmt: skip


def garder_pour_soi(structures: dict[str, Fiche], comptes: dict[str, User]) -> None:
    """What the Référent of the EHPAD keeps for herself: a saved search, a neighbour among her favourites."""
    nadia = comptes["referent.ehpad"]
    enregistrer_recherche(user=nadia, nom="EHPAD des Hauts-de-Seine", criteres="categorie=500&departement=92&mss=1")
    ajouter_favori(user=nadia, fiche=structures["sessad"])
    ajouter_favori(user=comptes["referent.hopital"], fiche=structures["hopital"])
