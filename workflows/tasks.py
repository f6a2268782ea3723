"""What Celery beat does for the dossiers. The truth is in the database: a missed run changes nothing but the hour."""

from celery import shared_task
from viewflow.workflow.timers import fire_due_timers

from .domaine import presence
from .domaine.taches import rendre_les_taches_de
from .requetes import proprietaires


@shared_task(name="workflows.declencher_minuteries")
def declencher_minuteries() -> int:
    """Fire the due reminders and escalations; safe with several dispatchers and after days of downtime."""
    return int(fire_due_timers())


@shared_task(name="workflows.liberer_taches")
def liberer_taches() -> int:
    """Give back to the queue the tasks whose owner's habilitation has come to its end."""
    return rendre_les_taches_de(proprietaires())


@shared_task(name="workflows.purger_presences")
def purger_presences() -> int:
    """Forget who was in a dossier an hour ago."""
    return presence.purger()
