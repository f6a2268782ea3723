"""New rows by COPY: thousands of them cost neither the literals of an INSERT nor their parsing."""

from collections.abc import Sequence

from django.db import connection, models
from psycopg.types.json import Jsonb


def nouvelles_cles(modele: type[models.Model], nombre: int) -> list[int]:
    """So many keys of a model, in order, in one statement."""
    with connection.cursor() as curseur:
        curseur.execute(
            "SELECT nextval(suite) FROM (SELECT pg_get_serial_sequence(%s, 'id')::regclass AS suite OFFSET 0) s, "
            "generate_series(1, %s)",
            [modele._meta.db_table, nombre],
        )
        return [cle for (cle,) in curseur.fetchall()]


def copier(objets: Sequence[models.Model]) -> None:
    """Insert unsaved objects of one model, which have their keys."""
    if not objets:
        return
    champs = objets[0]._meta.concrete_fields
    noms = [champ.attname for champ in champs]
    jsons = [champ.attname for champ in champs if isinstance(champ, models.JSONField)]
    colonnes = ", ".join(f'"{champ.column}"' for champ in champs)
    requete = f'COPY "{objets[0]._meta.db_table}" ({colonnes}) FROM STDIN'
    # What a COPY raises at its end would not be one of Django's errors.
    with connection.wrap_database_errors, connection.cursor() as curseur, curseur.copy(requete) as copie:
        for objet in objets:
            valeurs = objet.__dict__ | {nom: Jsonb(objet.__dict__[nom]) for nom in jsons}
            copie.write_row([valeurs[nom] for nom in noms])
            objet._state.adding, objet._state.db = False, connection.alias
