"""Who has a dossier open, on which fiche. Not history: rows are overwritten, and purged."""

from datetime import timedelta

from django.utils import timezone

from backoffice.comptes.models import User
from structures.models import Fiche

from ..models import Dossier, Presence

DUREE = timedelta(seconds=60)  # the page calls every 20 s (presence.js): two calls may be lost
GARDE = timedelta(hours=1)


def signaler(*, dossier: Dossier, user: User, fiche: int | None) -> None:
    """The page of ``user`` is open on ``fiche`` (None, or one that is not of the establishment: on the dossier).

    One upsert, without the lock of the dossier: a heartbeat never waits for a publication.
    """
    sur = Fiche.objects.filter(pk=fiche, eg=dossier.eg_id).first() if fiche else None
    Presence.objects.bulk_create(
        [Presence(dossier=dossier, user=user, fiche=sur, vu_le=timezone.now())],
        update_conflicts=True, unique_fields=["dossier", "user"], update_fields=["fiche", "vu_le"],
    )  # fmt: skip


def purger() -> int:
    """Forget those who have left. Returns how many."""
    return Presence.objects.filter(vu_le__lt=timezone.now() - GARDE).delete()[0]
