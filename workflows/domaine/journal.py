"""One line in the journal, in the transaction of the event."""

from typing import Any

from backoffice.comptes.models import User
from structures.models import Fiche

from ..models import Dossier, Evenement


def consigner(
    dossier: Dossier, type_: str, acteur: User | None, *, fiche: Fiche | int | None = None, **details: Any
) -> Evenement:
    """Append an event; ``acteur`` None means the system. ``details`` must be JSON."""
    cle = fiche.pk if isinstance(fiche, Fiche) else fiche
    return Evenement.objects.create(dossier=dossier, type=type_, acteur=acteur, fiche_id=cle, details=details)
