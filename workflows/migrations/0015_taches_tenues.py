"""The open tasks that somebody holds, found without reading those that are done, which keep their owner."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("workflows", "0014_durees_par_autorite"), ("viewflow", "0015_task_scheduled")]
    operations = [
        migrations.RunSQL(
            "CREATE INDEX tache_tenue ON viewflow_task (owner_id) WHERE status = 'ASSIGNED' AND owner_id IS NOT NULL",
            "DROP INDEX tache_tenue",
        )
    ]
