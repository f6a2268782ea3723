"""Read models of the dossiers: inbox, lists, what a dossier changes."""

from typing import TYPE_CHECKING

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from .models import Tache
from .regles import taches_de

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from backoffice.comptes.models import User


def proprietaires() -> set[int]:
    """People who hold an open task."""
    return set(
        Tache.objects.filter(close_le__isnull=True, tache__owner__isnull=False).values_list("tache__owner", flat=True)
    )


def a_prendre(user: "User | AnonymousUser") -> QuerySet[Tache]:
    """Open tasks that the person may do and nobody holds."""
    return taches_de(user).filter(close_le__isnull=True, tache__owner__isnull=True)


def mes_taches(user: "User | AnonymousUser") -> QuerySet[Tache]:
    """Open tasks that the person holds."""
    return taches_de(user).filter(close_le__isnull=True, tache__owner=user.pk)


def en_retard(user: "User | AnonymousUser") -> QuerySet[Tache]:
    """Open tasks past their due date, hers and those she may take."""
    return taches_de(user).filter(
        Q(tache__owner__isnull=True) | Q(tache__owner=user.pk), close_le__isnull=True, echeance__lt=timezone.now()
    )


def terminees(user: "User | AnonymousUser") -> QuerySet[Tache]:
    """Tasks that the person closed, the last first."""
    return Tache.objects.filter(close_par=user.pk, close_le__isnull=False).order_by(F("close_le").desc(), "-pk")
