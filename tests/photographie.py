"""The database as it was: put back by COPY in a tenth of a second, where migrations' data and the demo take several.

``fond()`` is what every test finds (nomenclatures, communes); ``demo()`` what the demo data add to it. Triggers and
foreign keys are off while rows are put back (session_replication_role): the rows were checked when they were made.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from django.db import connection, transaction
from django.utils import timezone

LOURD = 4_000_000  # octets: what rolled back and deleted rows may take before the planner and its scans suffer

# A row changed, added or removed changes this; what is said of a table costs one read of it.
_EMPREINTE = "SELECT count(*) || '/' || coalesce(sum(xmin::text::bigint), 0) FROM {}"


@dataclass
class Photo:
    """Rows by table, as COPY writes them, and where the sequences stood."""

    tables: dict[str, bytes] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)


class _Fond:
    """What every test finds: its rows, and by what to know that a table still holds them."""

    def __init__(self) -> None:
        self.photo = _prendre([t for t in _tables() if _pleine(t)])
        self.empreintes = {t: _empreinte(t) for t in self.photo.tables}


_fonds: dict[str, _Fond] = {}
_demos: dict[date, Photo] = {}


def fond() -> None:
    """Remember what this database holds; called once, before any test."""
    _fonds.setdefault(connection.settings_dict["NAME"], _Fond())


def remettre_le_fond() -> None:
    """Back to what every test finds, whatever this one committed."""
    le_fond = _fonds[connection.settings_dict["NAME"]]
    alleger()
    with transaction.atomic(), _sans_declencheurs():
        touchees = [t for t, e in le_fond.empreintes.items() if _empreinte(t) != e]
        ecrites = [t for t in _tables() if t not in le_fond.empreintes and _pleine(t)]
        with connection.cursor() as curseur:
            for table in ecrites + touchees:
                curseur.execute(f'DELETE FROM "{table}"')
        _poser(Photo({t: le_fond.photo.tables[t] for t in touchees}, le_fond.photo.sequences))
    for table in touchees:
        le_fond.empreintes[table] = _empreinte(table)


def alleger() -> None:
    """Give back the room of dead rows, which thousands of tests rolled back leave and no autovacuum takes in time.

    Outside of a transaction, when no row of a test is to stay; nothing when no test has asked for the database.
    """
    le_fond = _fonds.get(connection.settings_dict["NAME"])
    if le_fond is None:
        return
    autres = [t for t in _tables() if t not in le_fond.empreintes]
    with connection.cursor() as curseur:
        curseur.execute("SELECT sum(pg_relation_size(nom::regclass)) FROM unnest(%s::text[]) AS nom", [autres])
        lourd = curseur.fetchone()[0] > LOURD
    if lourd:
        with transaction.atomic(), _sans_declencheurs(), connection.cursor() as curseur:
            noms = ", ".join(f'"{t}"' for t in autres)
            curseur.execute(f"TRUNCATE {noms} RESTART IDENTITY")


def poser_la_demo(charger: Callable[[], None]) -> None:
    """The demo data of today on a database that holds nothing else; ``charger`` makes them the first time."""
    jour = timezone.localdate()
    if jour in _demos:
        with transaction.atomic(), _sans_declencheurs():
            _poser(_demos[jour])
        return
    charger()
    le_fond = _fonds[connection.settings_dict["NAME"]]
    assert all(_empreinte(t) == e for t, e in le_fond.empreintes.items()), "the demo changes what every test finds"
    _demos[jour] = _prendre([t for t in _tables() if t not in le_fond.empreintes and _pleine(t)])


class _sans_declencheurs:  # noqa: N801  reads as a statement
    def __enter__(self) -> None:
        with connection.cursor() as curseur:
            curseur.execute("SET LOCAL session_replication_role = replica")

    def __exit__(self, *panne: object) -> None:
        if panne[0] is None:
            with connection.cursor() as curseur:
                curseur.execute("SET LOCAL session_replication_role = origin")


def _tables() -> list[str]:
    return sorted(connection.introspection.table_names())


def _lire(requete: str) -> str:
    with connection.cursor() as curseur:
        curseur.execute(requete)
        return str(curseur.fetchone()[0])


def _pleine(table: str) -> bool:
    return _lire(f'SELECT EXISTS (SELECT FROM "{table}")') == "True"


def _empreinte(table: str) -> str:
    return _lire(_EMPREINTE.format(f'"{table}"'))


def _prendre(tables: list[str]) -> Photo:
    photo = Photo()
    with connection.cursor() as curseur:
        for table in tables:
            with curseur.copy(f'COPY "{table}" TO STDOUT (FORMAT BINARY)') as copie:
                photo.tables[table] = b"".join(copie)
        curseur.execute("SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = current_schema()")
        photo.sequences = {nom: valeur for nom, valeur in curseur.fetchall() if valeur}
    return photo


def _poser(photo: Photo) -> None:
    with connection.cursor() as curseur:
        for table, octets in photo.tables.items():
            with curseur.copy(f'COPY "{table}" FROM STDIN (FORMAT BINARY)') as copie:
                copie.write(octets)
        for nom, valeur in photo.sequences.items():
            curseur.execute("SELECT setval(%s, %s)", [nom, valeur])
