"""A register of national size, in a cluster that is kept: ``python -m benchmarks.national --eg 100000``.

For 100,000 establishments: 40,000 EJ, some 600,000 fiches, three versions each, one establishment of 3,000 fiches.
Rows are copied straight into the tables, by as many processes as there are cores; versions are what the product's own
fold makes of the modifications, and ``ecarts`` is asked about a sample at the end. Indexes and constraints are made
again afterwards, so that PostgreSQL checks every row.

The cluster is in BENCH_DIR (/var/tmp/ror-national); a second run finds it and does nothing.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from backoffice.embarque.prive import cluster_prive

if TYPE_CHECKING:
    from structures.models import Fiche

    from .tirage import Acte, Reperes, Tirage

LOT = 500  # establishments a transaction
GRAND = 3_000  # fiches of the biggest establishment
PART_EJ = 0.4
TABLES = ("structures_fiche", "structures_modification", "structures_versionfiche")


@contextmanager
def cluster_national(eg: int = 100_000) -> Iterator[None]:
    """Django on the kept cluster, filled first when it is empty."""
    from .environnement import preparer

    dossier = Path(os.environ.get("BENCH_DIR", "/var/tmp/ror-national"))
    with cluster_prive(dossier) as base:
        preparer(base)
        from structures.models import Fiche

        fini = dossier / "genere"
        if not fini.exists():
            if Fiche.objects.exists():
                sys.exit(f"{dossier} holds a register that was not finished: remove it, or set BENCH_DIR.")
            generer(eg)
            fini.touch()
        yield


def generer(eg: int, graine: int = 11) -> None:
    """Fill an empty register with ``eg`` establishments and what people keep about them."""
    from django.db import connection
    from django.utils import timezone

    from .jeux import compte
    from .tirage import Reperes

    debut = time.perf_counter()
    auteurs = [compte(f"auteur{n}", "gestionnaire").pk for n in range(50)]
    reperes = Reperes(auteurs, timezone.localdate())
    assert reperes.lieux  # read before the processes part
    with _sans_index():
        ejs = charger_ejs(reperes, graine, round(eg * PART_EJ))
        lots = [(reperes, graine, ejs, range(n, min(n + LOT, eg))) for n in range(0, eg, LOT)]
        connection.close()
        with get_context("fork").Pool(os.cpu_count()) as processus:
            for fait, _ in enumerate(processus.imap_unordered(charger_egs, lots), 1):
                print(f"\r{fait * LOT} establishments, {time.perf_counter() - debut:.0f} s", end="", file=sys.stderr)
    entourer(reperes)
    with connection.cursor() as curseur:
        curseur.execute("VACUUM (ANALYZE)")
    print(f"\nGenerated in {time.perf_counter() - debut:.0f} s", file=sys.stderr)


# -- fiches, modifications, versions -----------------------------------------------------------------


def charger_ejs(reperes: "Reperes", graine: int, nombre: int) -> list[int]:
    from structures.enums import Niveau
    from structures.models import Fiche

    from .tirage import Tirage, finess

    cles, vies = _cles("structures_fiche", nombre), []
    for rang, cle in enumerate(cles):
        tirage = Tirage(reperes, f"{graine} ej {rang}", ej=True)
        numero = finess(tirage.lieu.departement, 500_000 + rang)
        fiche = Fiche(pk=cle, niveau=Niveau.EJ, identifiant=f"1{numero}")
        vies.append((fiche, tirage.vie(Niveau.EJ, tirage.ej(numero)), tirage))
    _copier(vies)
    return cles


def charger_egs(lot: "tuple[Reperes, int, list[int], range]") -> None:
    from structures.enums import Niveau
    from structures.models import Fiche, prochains_identifiants

    from .tirage import Tirage, finess, forme

    reperes, graine, ejs, rangs = lot
    tirages = [Tirage(reperes, f"{graine} eg {rang}") for rang in rangs]
    if 0 in rangs:
        tirages[0].sanitaire, tirages[0].ferme_le = True, None
    formes = [
        _exactement(GRAND) if rang == 0 else forme(t.alea, sanitaire=t.sanitaire, uos=t.nombre_uo())
        for rang, t in zip(rangs, tirages, strict=True)
    ]
    dessous = sum(len(f) for f in formes)
    cles = iter(_cles("structures_fiche", dessous + len(tirages)))
    identifiants = iter(prochains_identifiants(dessous))
    vies: list[tuple[Fiche, list[Acte], Tirage]] = []
    for rang, t, fiches in zip(rangs, tirages, formes, strict=True):
        numero, eg = finess(t.lieu.departement, rang), next(cles)
        ej = ejs[rang] if rang < len(ejs) else ejs[int(len(ejs) * t.alea.random() ** 3)]  # some EJ hold hundreds
        vies.append(
            (Fiche(pk=eg, niveau=Niveau.EG, identifiant=f"1{numero}", eg_id=eg), t.vie(Niveau.EG, t.eg(numero, ej)), t)
        )
        places = [eg]
        for niveau, parent in fiches:
            fiche = Fiche(pk=next(cles), niveau=niveau, identifiant=next(identifiants), eg_id=eg)
            places.append(fiche.pk)
            patch = t.uo(places[parent]) if niveau == Niveau.UO else t.interne(niveau, places[parent])
            vies.append((fiche, t.vie(niveau, patch), t))
    _copier(vies, ejs)


def _exactement(nombre: int) -> list[tuple[str, int]]:
    """The shape of an EG of that many fiches, itself included."""
    from .tirage import forme

    fiches = forme(Random(0), sanitaire=True, uos=nombre // 2)
    feuilles = [parent for niveau, parent in fiches if niveau == "UO"]
    return (fiches + [("UO", feuilles[n % len(feuilles)]) for n in range(nombre)])[: nombre - 1]


def _cles(table: str, nombre: int) -> list[int]:
    from django.db import connection

    with connection.cursor() as curseur:
        curseur.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, nombre])
        return [cle for (cle,) in curseur.fetchall()]


def _copier(vies: "Sequence[tuple[Fiche, list[Acte], Tirage]]", ejs: Sequence[int] = ()) -> None:
    from django.db import connection, transaction

    from structures.domaine.enregistrer import COPIE_VERSIONS, ligne_version
    from structures.domaine.plier import Changement, plier

    from .tirage import instant

    niveaux = dict.fromkeys(ejs, "EJ") | {fiche.pk: fiche.niveau for fiche, *_ in vies}
    communes = {t.lieu.commune: t.lieu.nom for *_, t in vies}
    cles = iter(_cles("structures_modification", sum(len(actes) for _, actes, _ in vies)))
    numerotes = [(fiche, [(next(cles), acte) for acte in actes]) for fiche, actes, _ in vies]
    with transaction.atomic(), connection.cursor() as curseur:
        with curseur.copy("COPY structures_fiche (id, niveau, identifiant, eg_id, creee_le) FROM STDIN") as copie:
            for fiche, actes in numerotes:
                copie.write_row((fiche.pk, fiche.niveau, fiche.identifiant, fiche.eg_id, instant(actes[0][1].fait_le)))
        with curseur.copy(
            "COPY structures_modification (id, fiche_id, date_effet, patch, source, origine, auteur_id, motif, "
            "saisie_le, annulee_le, annulee_par_id) FROM STDIN"
        ) as copie:
            for fiche, actes in numerotes:
                for cle, a in actes:
                    fin = (instant(a.annulee_le), a.auteur) if a.annulee_le else (None, None)
                    copie.write_row(
                        (
                            cle,
                            fiche.pk,
                            a.effet,
                            json.dumps(a.patch),
                            a.source,
                            a.origine,
                            a.auteur,
                            "",
                            instant(a.fait_le),
                            *fin,
                        )
                    )
        with curseur.copy(COPIE_VERSIONS) as copie:
            for fiche, actes in numerotes:
                for periode in plier(Changement(a.effet, cle, a.patch) for cle, a in actes if a.annulee_le is None):
                    copie.write_row(ligne_version(fiche, periode, niveaux, communes))


@contextmanager
def _sans_index() -> Iterator[None]:
    """The three tables without indexes, nor constraints but the primary keys; all made again, and checked, after."""
    from django.db import connection

    with connection.cursor() as curseur:
        curseur.execute(
            """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), contype = 'f' FROM pg_constraint
               WHERE contype IN ('f', 'x', 'u') AND conparentid = 0
                 AND (conrelid = ANY(%(t)s::regclass[]) OR contype = 'f' AND confrelid = ANY(%(t)s::regclass[]))""",
            {"t": list(TABLES)},
        )
        contraintes = sorted(curseur.fetchall(), key=lambda c: c[3])  # keys before what refers to them
        for table, nom, *_ in reversed(contraintes):
            curseur.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{nom}"')
        curseur.execute(
            """SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
               WHERE indrelid = ANY(%s::regclass[]) AND NOT indisprimary""",
            [list(TABLES)],
        )
        index = curseur.fetchall()
        for nom, _ in index:
            curseur.execute(f"DROP INDEX {nom}")
    yield
    with connection.cursor() as curseur:
        curseur.execute("SET maintenance_work_mem = '1GB'")
        for _, definition in index:
            curseur.execute(definition)
        for table, nom, definition, _ in contraintes:
            curseur.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{nom}" {definition}')


# -- around the fiches -------------------------------------------------------------------------------


def entourer(reperes: "Reperes") -> None:
    """Confirmations, open dossiers, favourites, people with a role; then all that the register derives."""
    from django.db import connection

    from structures.domaine.fraicheur import reconstruire
    from structures.domaine.indexer import reconstruire_index
    from structures.enums import Role
    from structures.models import Fiche
    from structures.recherche import rafraichir_vocabulaire

    from .jeux import compte

    egs = list(Fiche.objects.filter(niveau="EG").order_by("pk").values_list("pk", flat=True))
    with connection.cursor() as curseur:
        curseur.execute(
            """INSERT INTO structures_confirmation (fiche_id, auteur_id, faite_le)
               SELECT id, %s, %s::date - (id %% 900) * interval '1 day' FROM structures_fiche
               WHERE niveau = 'UO' AND id %% 10 = 0""",
            [reperes.auteurs[0], reperes.jour - timedelta(days=1)],
        )
        curseur.execute(
            """INSERT INTO structures_reservation (eg_id, dossier, nom, etape, ouverte_le, envoye_le)
               SELECT id, id, 'Dossier ' || id, 'Rédaction', now(), NULL FROM structures_fiche
               WHERE niveau = 'EG' AND id % 50 = 0"""
        )
        curseur.execute(
            """INSERT INTO structures_favori (user_id, fiche_id, depuis)
               SELECT u, id, now() FROM structures_fiche, unnest(%s::bigint[]) u
               WHERE niveau = 'EG' AND (id + u) %% 2000 = 0""",
            [reperes.auteurs],
        )
    for rang, cle in enumerate([egs[0], *Random(0).sample(egs, min(len(egs), 99))]):
        compte(f"referent{rang}", Role.REFERENT, Fiche.objects.get(pk=cle))
    reconstruire()
    reconstruire_index()
    rafraichir_vocabulaire()


def verifier(nombre: int = 50) -> None:
    """``ecarts`` on the biggest establishment and on a sample of the others; fails on the first one."""
    from structures.domaine.enregistrer import ecarts
    from structures.models import Fiche

    egs = list(Fiche.objects.filter(niveau="EG").order_by("pk"))
    for eg in [egs[0], *Random(1).sample(egs, min(len(egs), nombre))]:
        constats = ecarts(eg)
        if constats:
            raise AssertionError(constats[:3])


def tailles() -> list[list[str]]:
    """Rows and bytes (indexes included) of the register's tables."""
    from django.db import connection

    with connection.cursor() as curseur:
        curseur.execute(
            """SELECT c.relname, c.reltuples::bigint,
                      pg_size_pretty(pg_table_size(c.oid)), pg_size_pretty(pg_indexes_size(c.oid))
               FROM pg_class c WHERE c.relkind = 'r' AND c.relname LIKE 'structures\\_%' AND c.reltuples > 0
               ORDER BY pg_total_relation_size(c.oid) DESC LIMIT 8"""
        )
        return [[nom, f"{lignes:,}", table, index] for nom, lignes, table, index in curseur.fetchall()]


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks.national", description=__doc__)
    options.add_argument("--eg", type=int, default=100_000)
    with cluster_national(options.parse_args().eg):
        from .mesure import tableau

        verifier()
        tableau("The register of national size", ["table", "rows", "size", "indexes"], tailles())


if __name__ == "__main__":
    main()
