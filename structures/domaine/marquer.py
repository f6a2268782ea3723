"""Tell the exposition that fiches changed, in the register's own transaction: no change can be forgotten."""

from collections.abc import Collection

from django.db import connection


def marquer(fiches: Collection[int]) -> None:
    """Plain inserts, hence no lock and no wait; structures/fhir/exposition.py reads and deletes them."""
    with connection.cursor() as curseur:
        curseur.execute("INSERT INTO structures_aexposer (fiche_id) SELECT unnest(%s::bigint[])", [list(fiches)])
