"""Freshness and reported errors: what keeps the register true between two changes."""

from typing import Any

from django.http import HttpRequest

from ..models import Fiche


def sur_la_fiche(request: HttpRequest, fiche: Fiche) -> dict[str, Any]:
    """What the page of a fiche shows of it, for ``structures/_fraicheur.html`` and ``structures/_signaler.html``."""
    return {}
