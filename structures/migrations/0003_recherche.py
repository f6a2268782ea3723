import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("structures", "0002_suivi_et_favoris"),
    ]

    operations = [
        migrations.CreateModel(
            name="Mot",
            fields=[
                ("mot", models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name="mot")),
                ("nombre", models.PositiveIntegerField(verbose_name="nombre")),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        django.contrib.postgres.indexes.OpClass(models.F("mot"), name="gin_trgm_ops"),
                        name="mot_trigrammes",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="versionfiche",
            index=models.Index(
                condition=models.Q(("niveau", "EG")),
                fields=["recherche", "fiche"],
                include=("validite", "categorie", "commune"),
                name="version_liste",
            ),
        ),
    ]
