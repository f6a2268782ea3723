"""What Celery does for the exports. The truth is in the database: a missed run changes nothing but the hour."""

from contextlib import suppress

from celery import shared_task
from kombu.exceptions import OperationalError

from . import domaine


@shared_task(name="exports.preparer")
def preparer(numero: int) -> None:
    domaine.preparer(numero)


def reveiller(numero: int) -> None:
    """Ask for an export to be prepared, from a page: at once or never."""
    with suppress(OperationalError):  # no broker: the sweep of beat finds it
        preparer.apply_async([numero], retry=False)


@shared_task(name="exports.reprendre")
def reprendre() -> int:
    """Ask again for the exports that nobody prepares. Returns how many."""
    delaisses = domaine.delaisses()
    for numero in delaisses:
        preparer.apply_async([numero], expires=60)  # no worker: no heap of messages
    return len(delaisses)


@shared_task(name="exports.purger")
def purger() -> int:
    return domaine.purger()
