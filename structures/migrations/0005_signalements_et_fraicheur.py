"""One open report a person, fiche and field; « sans suite » is explained; freshness of what was entered before."""

from django.conf import settings
from django.db import migrations, models

# What ``enregistrer`` writes with each direct change and publication from now on (structures/domaine/fraicheur.py).
REPRENDRE = """
    INSERT INTO structures_fraicheur (fiche_id, eg_id, a_jour_le, auteur_id)
    SELECT DISTINCT ON (m.fiche_id) m.fiche_id, f.eg_id, m.saisie_le, m.auteur_id
    FROM structures_modification m JOIN structures_fiche f ON f.id = m.fiche_id
    WHERE m.source IN ('direct', 'dossier')
    ORDER BY m.fiche_id, m.saisie_le DESC, m.id DESC
    ON CONFLICT (fiche_id) DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [
        ("structures", "0004_suites_des_modifications"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="signalement",
            name="issue",
            field=models.CharField(
                blank=True,
                choices=[
                    ("corrige", "Corrigé"),
                    ("sans-suite", "Sans suite"),
                    ("retire", "Retiré par son auteur"),
                ],
                max_length=20,
                verbose_name="suite donnée",
            ),
        ),
        migrations.AddConstraint(
            model_name="signalement",
            constraint=models.CheckConstraint(
                condition=models.Q(("issue", "sans-suite"), _negated=True) | models.Q(("reponse", ""), _negated=True),
                name="signalement_sans_suite_explique",
            ),
        ),
        migrations.AddConstraint(
            model_name="signalement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("clos_le__isnull", True)),
                fields=("auteur", "fiche", "champ"),
                name="signalement_un_ouvert",
            ),
        ),
        migrations.RunSQL(REPRENDRE, migrations.RunSQL.noop),
    ]
