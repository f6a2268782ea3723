from django.db import connection, migrations


def sans_le_siege(apps, schema_editor):
    """The text of an EJ finds its establishments: the commune of its seat leaves it."""
    from structures.domaine.texte import normaliser

    with connection.cursor() as curseur:
        curseur.execute("SELECT id, nom, finess, siren FROM structures_versionfiche WHERE niveau = 'EJ'")
        lignes = [(cle, normaliser(" ".join(mot for mot in mots if mot))) for cle, *mots in curseur.fetchall()]
        curseur.execute(
            """UPDATE structures_versionfiche v SET recherche = n.texte
               FROM unnest(%s::bigint[], %s::text[]) AS n(id, texte) WHERE v.id = n.id AND v.recherche <> n.texte""",
            [[cle for cle, _ in lignes], [texte for _, texte in lignes]],
        )


class Migration(migrations.Migration):
    dependencies = [
        ("structures", "0007_index_de_recherche"),
    ]

    operations = [
        migrations.RunPython(sans_le_siege, migrations.RunPython.noop, elidable=True),
    ]
