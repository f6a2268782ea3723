import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

# What structures/domaine/indexer.py wrote on the day of this migration.
REMPLIR = """
    INSERT INTO structures_indexeg (eg_id, texte, codes)
    SELECT eg_id, coalesce(' ' || string_agg(mot, ' ') || ' ', ''),
           coalesce(array_agg(code) FILTER (WHERE code <> ''), '{}')
    FROM (
        SELECT eg_id, mot, NULL AS code FROM (
            SELECT v.eg_id, string_to_table(v.recherche, ' ') AS mot FROM structures_versionfiche v
            WHERE v.eg_id IS NOT NULL
            UNION
            SELECT e.fiche_id, string_to_table(ej.recherche, ' ')
            FROM structures_versionfiche e JOIN structures_versionfiche ej ON ej.fiche_id = e.parent_id
            WHERE e.niveau = 'EG'
        ) mots WHERE mot !~ '^[0-9]{7}$'
        UNION ALL
        SELECT eg_id, NULL, code FROM (
            SELECT v.eg_id, 'R211/' || unnest(v.activites) AS code FROM structures_versionfiche v WHERE v.niveau = 'UO'
            UNION
            SELECT v.eg_id, 'J238/' || v.type_uo FROM structures_versionfiche v WHERE v.type_uo <> ''
            UNION
            SELECT v.eg_id, 'D/' || left(v.commune, CASE WHEN left(v.commune, 2) IN ('97', '98') THEN 3 ELSE 2 END)
            FROM structures_versionfiche v WHERE v.niveau = 'EG' AND v.commune <> ''
        ) codes
    ) tout GROUP BY eg_id ORDER BY eg_id
"""


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
        migrations.RunSQL(REMPLIR, migrations.RunSQL.noop, elidable=True),
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
