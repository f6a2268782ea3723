"""Timing of database work: statements, seconds, bytes."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection


@dataclass
class Mesure:
    secondes: float = 0.0
    python: float = 0.0  # of them, seconds of processor of this process: the neighbours disturb it less
    instructions: int = 0
    octets: int = 0  # of write-ahead log: rows, indexes and all
    requetes: list[str] = field(default_factory=list)


@contextmanager
def mesurer() -> Iterator[Mesure]:
    """Wall time, number of SQL statements (COPY included) and bytes of write-ahead log of a block."""
    mesure = Mesure()
    avant, processeur = octets_ecrits(), time.process_time()

    def compter(execute, sql, params, many, context):
        mesure.instructions += 1
        mesure.requetes.append(sql)
        return execute(sql, params, many, context)

    debut = time.perf_counter()
    with connection.execute_wrapper(compter):
        yield mesure
    mesure.secondes = time.perf_counter() - debut
    mesure.python = time.process_time() - processeur
    mesure.octets = octets_ecrits() - avant
    # Each comes with a COPY, which is not counted by itself.
    mesure.instructions += sum(1 for r in mesure.requetes if "v SET validite" in r or "nextval(suite)" in r)


def octets_ecrits() -> int:
    with connection.cursor() as curseur:
        curseur.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        return int(curseur.fetchone()[0])


def mediane(geste: Callable[[], float], fois: int = 5) -> float:
    return statistics.median(geste() for _ in range(fois))


def tableau(titre: str, entetes: list[str], lignes: list[list[str]]) -> None:
    largeurs = [max(len(ligne[i]) for ligne in [entetes, *lignes]) for i in range(len(entetes))]
    print(f"\n## {titre}")
    for ligne in [entetes, ["-" * n for n in largeurs], *lignes]:
        print("| " + " | ".join(c.ljust(n) for c, n in zip(ligne, largeurs, strict=True)) + " |")
