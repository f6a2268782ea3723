# What official files bring: the value set and the replacement of codes, communes that are no more.

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("structures", "0016_exports_fhir"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="concept",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="concept",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="nomenclature",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="nomenclature",
            name="update_update",
        ),
        migrations.AddField(
            model_name="commune",
            name="date_fin",
            field=models.DateField(blank=True, null=True, verbose_name="fin"),
        ),
        migrations.AddField(
            model_name="commune",
            name="devenue",
            field=models.CharField(blank=True, default="", max_length=5, verbose_name="devenue"),
        ),
        migrations.AddField(
            model_name="concept",
            name="du_jeu",
            field=models.BooleanField(default=False, verbose_name="libellé du jeu de valeurs"),
        ),
        migrations.AddField(
            model_name="concept",
            name="remplace_par",
            field=models.CharField(blank=True, default="", max_length=40, verbose_name="remplacé par"),
        ),
        migrations.AddField(
            model_name="conceptevent",
            name="du_jeu",
            field=models.BooleanField(default=False, verbose_name="libellé du jeu de valeurs"),
        ),
        migrations.AddField(
            model_name="conceptevent",
            name="remplace_par",
            field=models.CharField(blank=True, default="", max_length=40, verbose_name="remplacé par"),
        ),
        migrations.AddField(
            model_name="nomenclature",
            name="complement",
            field=models.CharField(blank=True, max_length=120, verbose_name="complétée par"),
        ),
        migrations.AddField(
            model_name="nomenclature",
            name="version_complement",
            field=models.CharField(blank=True, max_length=40, verbose_name="version du complément"),
        ),
        migrations.AddField(
            model_name="nomenclatureevent",
            name="complement",
            field=models.CharField(blank=True, max_length=120, verbose_name="complétée par"),
        ),
        migrations.AddField(
            model_name="nomenclatureevent",
            name="version_complement",
            field=models.CharField(blank=True, max_length=40, verbose_name="version du complément"),
        ),
        migrations.AlterField(
            model_name="association",
            name="nature",
            field=models.CharField(
                choices=[
                    ("type_champ", "Type d’UO → champ d’activité"),
                    ("famille_activite", "Famille d’activités → activité opérationnelle"),
                ],
                max_length=20,
                verbose_name="nature",
            ),
        ),
        migrations.AlterField(
            model_name="associationevent",
            name="nature",
            field=models.CharField(
                choices=[
                    ("type_champ", "Type d’UO → champ d’activité"),
                    ("famille_activite", "Famille d’activités → activité opérationnelle"),
                ],
                max_length=20,
                verbose_name="nature",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="concept",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "structures_conceptevent" ("code", "date_debut", "date_fin", "du_jeu", "id", "libelle", "nomenclature_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "remplace_par") VALUES (NEW."code", NEW."date_debut", NEW."date_fin", NEW."du_jeu", NEW."id", NEW."libelle", NEW."nomenclature_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."remplace_par"); RETURN NULL;',
                    hash="a952c17991e9af4c290ad627b0011749da4b2d4b",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_7870d",
                    table="structures_concept",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="concept",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "structures_conceptevent" ("code", "date_debut", "date_fin", "du_jeu", "id", "libelle", "nomenclature_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "remplace_par") VALUES (NEW."code", NEW."date_debut", NEW."date_fin", NEW."du_jeu", NEW."id", NEW."libelle", NEW."nomenclature_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."remplace_par"); RETURN NULL;',
                    hash="55c2db85ff119a2fd87461d9194238a4fe0f7689",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_3e951",
                    table="structures_concept",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="nomenclature",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "structures_nomenclatureevent" ("code", "complement", "libelle", "nom", "oid", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "url", "version", "version_complement") VALUES (NEW."code", NEW."complement", NEW."libelle", NEW."nom", NEW."oid", _pgh_attach_context(), NOW(), \'insert\', NEW."code", NEW."url", NEW."version", NEW."version_complement"); RETURN NULL;',
                    hash="e2cb573b039b51f2dfea80ad76c5cbfbb9ce5757",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_536c5",
                    table="structures_nomenclature",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="nomenclature",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "structures_nomenclatureevent" ("code", "complement", "libelle", "nom", "oid", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "url", "version", "version_complement") VALUES (NEW."code", NEW."complement", NEW."libelle", NEW."nom", NEW."oid", _pgh_attach_context(), NOW(), \'update\', NEW."code", NEW."url", NEW."version", NEW."version_complement"); RETURN NULL;',
                    hash="bf92674fc43c02896530ae45be5e78d6fe267f23",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_7df2c",
                    table="structures_nomenclature",
                    when="AFTER",
                ),
            ),
        ),
    ]
