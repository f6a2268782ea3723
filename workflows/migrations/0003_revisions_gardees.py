import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("structures", "0009_parent_dont_on_sait_le_niveau"),
        ("workflows", "0002_travail_ensemble"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="revision",
            name="append_only",
        ),
        migrations.RemoveConstraint(
            model_name="revision",
            name="revision_unique",
        ),
        migrations.AddField(
            model_name="revision",
            name="dossier",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="revisions", to="workflows.dossier"
            ),
        ),
        migrations.AddField(
            model_name="revision",
            name="fiche",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="structures.fiche"
            ),
        ),
        migrations.RunSQL(
            "UPDATE workflows_revision r SET dossier_id = t.dossier_id, fiche_id = t.fiche_id "
            "FROM workflows_fichetravail t WHERE t.id = r.travail_id",
            migrations.RunSQL.noop,
        ),
        migrations.RemoveField(model_name="revision", name="travail"),
        migrations.AlterField(
            model_name="revision",
            name="dossier",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="revisions", to="workflows.dossier"
            ),
        ),
        migrations.AlterField(
            model_name="revision",
            name="fiche",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="structures.fiche"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="commentaire",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."dossier_id" IS DISTINCT FROM (NEW."dossier_id") OR OLD."fiche_id" IS DISTINCT FROM (NEW."fiche_id") OR OLD."champ" IS DISTINCT FROM (NEW."champ") OR OLD."parent_id" IS DISTINCT FROM (NEW."parent_id") OR OLD."auteur_id" IS DISTINCT FROM (NEW."auteur_id") OR OLD."texte" IS DISTINCT FROM (NEW."texte") OR OLD."le" IS DISTINCT FROM (NEW."le"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="e75b89dbca0069c8677937867998f21d89b85b3c",
                    operation="UPDATE",
                    pgid="pgtrigger_append_only_65c8e",
                    table="workflows_commentaire",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="commentaire",
            trigger=pgtrigger.compiler.Trigger(
                name="jamais_supprime",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="957c435d93a242d4b6cdf7602353ef0edbc942dd",
                    operation="DELETE",
                    pgid="pgtrigger_jamais_supprime_7b682",
                    table="workflows_commentaire",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="revision",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="21d67cd90129122f66bcb2332ec14584eef95ae2",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_0c366",
                    table="workflows_revision",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="revision",
            constraint=models.UniqueConstraint(fields=("dossier", "fiche", "numero"), name="revision_unique"),
        ),
    ]
