"""Celery application: the engine that drains the outbox and fires the timers. The truth is in the database."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.config.settings")

app = Celery("ror")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
