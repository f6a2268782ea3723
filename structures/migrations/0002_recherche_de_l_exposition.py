"""Dates and numbers of the exposition can be searched, and places are found by an index."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("structures", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="ressource",
            name="capacites",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.FloatField(), default=list, size=None, verbose_name="nombres des capacités"
            ),
        ),
        migrations.AddField(
            model_name="ressource",
            name="capacites_le",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.DateField(), default=list, size=None, verbose_name="jours des capacités"
            ),
        ),
        migrations.AddField(
            model_name="ressource",
            name="fins",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.DateField(), default=list, size=None, verbose_name="fin de la période"
            ),
        ),
        migrations.AddIndex(
            model_name="ressource",
            index=models.Index(
                condition=models.Q(("latitude__isnull", False)),
                fields=["latitude", "longitude"],
                name="ressource_place",
            ),
        ),
        # What is exposed already is found by what it says, at the next run of the projector.
        migrations.RunSQL(
            "INSERT INTO structures_aexposer (fiche_id) SELECT NULL WHERE EXISTS (SELECT FROM structures_ressource)",
            migrations.RunSQL.noop,
        ),
    ]
