"""What a person keeps for herself: favourites, saved searches, what she saw last (acceptance 20 to 22)."""

from typing import Any

from django.http import HttpRequest

from ..models import Fiche


def sur_la_fiche(request: HttpRequest, fiche: Fiche) -> dict[str, Any]:
    """What the page of a fiche shows of it, for ``structures/_favori.html``."""
    return {}
