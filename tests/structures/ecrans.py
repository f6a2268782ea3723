"""Screens of the register in tests: their addresses, the days that they speak of, the form of a fiche."""

from datetime import timedelta

from django.utils import timezone

from backoffice.comptes.models import User
from structures.models import Fiche, Modification
from tests.saisie import Saisie

AUJOURDHUI = timezone.localdate()
DEMAIN = AUJOURDHUI + timedelta(days=1)
DANS_UN_MOIS = AUJOURDHUI + timedelta(days=30)


def fiche(cible: Fiche, suffixe: str = "") -> str:
    return f"/repertoire/{cible.identifiant}/{suffixe}"


def changement(m: Modification, geste: str) -> str:
    return fiche(m.fiche, f"changements/{m.pk}/{geste}/")


def ouvrir(user: User, cible: Fiche) -> Saisie:
    """This person, with the form of this fiche open."""
    return Saisie(user, fiche(cible, "modifier/"))
