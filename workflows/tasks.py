"""What Celery beat does for the dossiers. The truth is in the database: a missed run changes nothing but the hour."""

from contextlib import suppress
from datetime import timedelta

from celery import shared_task
from kombu.exceptions import OperationalError
from viewflow.workflow.timers import fire_due_timers

from . import radar
from .domaine import lots, presence
from .domaine.taches import rendre_les_taches_de
from .models import Lot
from .requetes import proprietaires


@shared_task(name="workflows.declencher_minuteries")
def declencher_minuteries() -> int:
    """Fire the due reminders and escalations; safe with several dispatchers and after days of downtime."""
    return int(fire_due_timers())


@shared_task(name="workflows.liberer_taches")
def liberer_taches() -> int:
    """Give back to the queue the tasks whose owner's habilitation or substitution has come to its end."""
    return len(rendre_les_taches_de(proprietaires()))


@shared_task(name="workflows.annoncer_le_radar")
def annoncer_le_radar() -> int:
    """Tell the gestionnaires of the tasks that nobody can do."""
    return radar.annoncer()


@shared_task(name="workflows.purger_presences")
def purger_presences() -> int:
    """Forget who was in a dossier an hour ago."""
    return presence.purger()


@shared_task(name="workflows.travailler_lot")
def travailler_lot(numero: int) -> None:
    """Work a lot; a long one is asked for again, so that no task outlives its time limit."""
    if not lots.travailler(numero) and Lot.objects.filter(pk=numero, termine_le__isnull=True).exists():
        travailler_lot.apply_async([numero], countdown=1)


def reveiller(lot: int) -> None:
    """Ask for a lot to be worked, from a page: at once or never."""
    with suppress(OperationalError):  # no broker: the sweep of beat finds the lot
        travailler_lot.apply_async([lot], retry=False)


@shared_task(name="workflows.reprendre_lots")
def reprendre_lots() -> int:
    """Ask again for the lots that a killed worker or an absent broker left behind. Returns how many."""
    delaisses = list(Lot.objects.en_souffrance(timedelta(minutes=1)).order_by("pk").values_list("pk", flat=True)[:100])
    for numero in delaisses:
        travailler_lot.apply_async([numero], expires=60)  # no worker: no heap of messages
    return len(delaisses)
