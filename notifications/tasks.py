"""The Celery task that drains the outbox: woken after a commit, and swept by beat every few seconds."""

from celery import shared_task

from . import expedition


@shared_task(name="notifications.expedier", ignore_result=True)
def expedier() -> None:
    expedition.expedier()
