"""Screens of a dossier in tests: their addresses, what a person types in them, what the dossier then holds."""

from typing import Any

from structures.models import Fiche
from tests.formulaires import lire_formulaire
from workflows.models import Dossier

ACTIONS = (
    "ajouter/",
    "dupliquer/",
    "deplacer/",
    "supprimer/",
    "annuler/",
    "conflit/",
    "envoyer/",
    "retirer/",
    "abandonner/",
)
NEUVE = {"existe": True, "age_min_unite": "an", "age_max_unite": "an"}  # a new UO


def url(dossier: Dossier, suite: str = "") -> str:
    return f"/dossiers/{dossier.pk}/{suite}"


def url_fiche(dossier: Dossier, fiche: Fiche) -> str:
    return url(dossier, f"fiches/{fiche.pk}/")


def etat(dossier: Dossier) -> str:
    return str(Dossier.objects.values_list("etat", flat=True).get(pk=dossier.pk))


def touchees(dossier: Dossier) -> dict[int, str]:
    """Nature of each change by fiche."""
    return {t.fiche_id: t.nature for t in dossier.fiches.all()}


def saisir(reponse: Any, **changements_: Any) -> Any:
    return lire_formulaire(reponse.content.decode(), **changements_)
