import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models


def remplir(apps, schema_editor):
    from structures.domaine.indexer import reconstruire_index

    reconstruire_index()


class Migration(migrations.Migration):
    dependencies = [
        ("structures", "0005_signalements_et_fraicheur"),
    ]

    operations = [
        migrations.CreateModel(
            name="IndexEG",
            fields=[
                (
                    "eg",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="index",
                        serialize=False,
                        to="structures.fiche",
                    ),
                ),
                ("texte", models.TextField(verbose_name="mots")),
                (
                    "codes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=50), size=None, verbose_name="codes"
                    ),
                ),
            ],
        ),
        migrations.RunPython(remplir, migrations.RunPython.noop, elidable=True),
        migrations.AddIndex(
            model_name="indexeg",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(models.F("texte"), name="gin_trgm_ops"), name="index_eg_texte"
            ),
        ),
        migrations.AddIndex(
            model_name="indexeg",
            index=django.contrib.postgres.indexes.GinIndex(fields=["codes"], name="index_eg_codes"),
        ),
        migrations.RemoveIndex(model_name="versionfiche", name="version_liste"),
        migrations.AddIndex(
            model_name="versionfiche",
            index=models.Index(
                condition=models.Q(("niveau", "EG")),
                fields=["recherche", "fiche"],
                include=("validite", "parent", "categorie", "commune", "latitude", "longitude"),
                name="version_liste",
            ),
        ),
    ]
