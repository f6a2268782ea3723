"""Overdue timers and errors, which the supervision and the dispatcher look for, are rare among the tasks: small partial indexes."""

from typing import ClassVar

from django.db import migrations

INDEX = {
    "tache_flux_minuterie": "(scheduled, id) WHERE flow_task_type = 'TIMER' AND status = 'SCHEDULED'",
    "tache_flux_en_erreur": "(id) WHERE status = 'ERROR'",
}


class Migration(migrations.Migration):
    dependencies: ClassVar = [("viewflow", "0015_task_scheduled"), ("workflows", "0015_taches_tenues")]

    operations: ClassVar = [
        migrations.RunSQL(f"CREATE INDEX {nom} ON viewflow_task {sur}", f"DROP INDEX {nom}")
        for nom, sur in INDEX.items()
    ]
