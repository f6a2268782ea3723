import re
import unicodedata

from django.db import connection, migrations

ABREGES = {"st": "saint", "ste": "sainte", "sts": "saints", "stes": "saintes"}
LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss"})


def normaliser(texte):
    """structures/domaine/texte.py on the day of this migration."""
    minuscules = texte.lower().translate(LIGATURES)
    sans_accents = "".join(c for c in unicodedata.normalize("NFKD", minuscules) if not unicodedata.combining(c))
    return " ".join(ABREGES.get(mot, mot) for mot in re.sub(r"[^a-z0-9]+", " ", sans_accents).split())


def sans_le_siege(apps, schema_editor):
    """The text of an EJ finds its establishments: the commune of its seat leaves it."""
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
