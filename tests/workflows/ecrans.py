"""Screens of a dossier in tests: their addresses, what a person types in them, what the dossier then holds."""

from typing import Any

from backoffice.comptes.models import User
from structures.models import Fiche
from tests.formulaires import lire_formulaire
from tests.navigation import client
from workflows.models import Dossier

ACTIONS = (
    "ajouter/",
    "dupliquer/",
    "deplacer/",
    "supprimer/",
    "finaliser/",
    "defaire/",
    "annuler/",
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


def ouvrir(user: User, dossier: Dossier, fiche: Fiche) -> Any:
    """The form of a fiche, as this person gets it."""
    reponse = client(user).get(url_fiche(dossier, fiche))
    assert reponse.status_code == 200
    return reponse


def poster(user: User, dossier: Dossier, fiche: Fiche, page: Any, action: str = "attente", **champs: Any) -> Any:
    """Send that form back with some fields changed, by one of its buttons."""
    corps = saisir(page, action=action, **champs).urlencode()
    return client(user).post(url_fiche(dossier, fiche), corps, content_type="application/x-www-form-urlencoded")
