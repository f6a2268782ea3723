"""The projector: keeps ``Ressource`` equal to what the versions of today say, and its history in ``RessourceVersion``.

One run at a time, under an advisory lock that it holds until it has committed: ``rang`` grows in the order of commits.
All that waits is exposed in one transaction, so that consumers see a publication whole or not at all. Killed at any
moment, it leaves the marks where they were.
"""

import json
import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from ..enums import ActionRessource
from ..models import Fiche
from .chargement import referentiel, referentiel_des_listes, versions_du_jour
from .index import INDEX_VIDE, Index, indexer
from .ressources import Ressource, ressources
from .visibilite import obstacles

logger = logging.getLogger(__name__)

LOT = 1000  # fiches loaded at once
_VERROU = 0x524F52  # « ROR »

Cle = tuple[str, str]  # type, FHIR id
Listes = tuple[dict[str, str], dict[tuple[str, str], str]]

_ECRITES = ("type", "identifiant", "fiche_id", "version", "maj", "contenu", *Index._fields)
_DE_L_HISTORIQUE = ("type", "identifiant", "fiche_id", "version", "maj", "action", "contenu")


@dataclass(frozen=True, slots=True)
class Exposee:
    """What ``Ressource`` holds; ``contenu`` without what the projector adds to it, None once deleted. ``ligne`` is the
    row as it is."""

    fiche: int
    version: int
    contenu: Ressource | None
    ligne: dict[str, Any]


def exposer() -> int:
    """Bring the exposition up to date; returns how many resources were written. Nothing to do, or a run
    under way: 0."""
    changees = 0
    while il_reste_a_exposer():
        with transaction.atomic():
            if not _prendre_le_verrou():
                return changees  # the run under way looks again once it has committed
            jour = timezone.localdate()
            _marquer_le_jour(jour)
            changees += _exposer_ce_qui_est_marque(jour)
    return changees


def tout_reexposer() -> int:
    """Compute everything again: what did not change makes no version. An older search index is made anew."""
    with connection.cursor() as curseur:
        curseur.execute("INSERT INTO structures_aexposer (fiche_id) VALUES (NULL)")
    return exposer()


def il_reste_a_exposer() -> bool:
    with connection.cursor() as curseur:
        curseur.execute(
            "SELECT EXISTS (SELECT FROM structures_aexposer)"
            " OR NOT EXISTS (SELECT FROM structures_jourexpose WHERE jour = %s)",
            [timezone.localdate()],
        )
        return bool(curseur.fetchone()[0])


def attendues_du_lot(lot: Collection[int], jour: date, listes: Listes) -> dict[Cle, tuple[int, Ressource]]:
    """What must be exposed of these fiches on that day: (fiche, content) by type and FHIR id. A fiche whose content
    cannot be told is not exposed, and the log says which."""
    versions = versions_du_jour(lot, jour)
    codes = referentiel(versions.values(), listes)
    attendues: dict[Cle, tuple[int, Ressource]] = {}
    for fiche in lot:
        if fiche not in versions or obstacles(fiche, versions, jour):
            continue
        version = versions[fiche]
        try:
            construites = ressources(version, versions[version.eg_id or fiche], codes, jour)
        except Exception:  # whatever a content that no form could have written holds: it must not stop the others
            logger.exception("fiche %s cannot be exposed", version.fiche.identifiant)
            continue
        attendues |= {(contenu["resourceType"], contenu["id"]): (fiche, contenu) for contenu in construites}
    return attendues


def exposees_du_lot(lot: Collection[int]) -> dict[Cle, Exposee]:
    with connection.cursor() as curseur:
        curseur.execute(
            f"SELECT {_sql(_ECRITES)} FROM structures_ressource WHERE fiche_id = ANY(%s)",  # noqa: S608 (ours)
            [list(lot)],
        )
        lignes = (dict(zip(_ECRITES, ligne, strict=True)) for ligne in curseur.fetchall())
        return {
            (lu["type"], lu["identifiant"]): Exposee(lu["fiche_id"], lu["version"], _nu(lu["contenu"]), lu)
            for lu in lignes
        }


def _nu(contenu: str | None) -> Ressource | None:
    if contenu is None:
        return None
    lu: Ressource = json.loads(contenu)
    for ajout in ("versionId", "lastUpdated"):
        lu["meta"].pop(ajout)
    return lu


def _prendre_le_verrou() -> bool:
    with connection.cursor() as curseur:
        curseur.execute("SELECT pg_try_advisory_xact_lock(%s)", [_VERROU])
        return bool(curseur.fetchone()[0])


def _marquer_le_jour(jour: date) -> None:
    """Mark what the days since the last run changed by themselves: versions that begin or end, openings, closings and
    typical weeks. The first run marks everything."""
    with connection.cursor() as curseur:
        curseur.execute("SELECT jour FROM structures_jourexpose")
        lu = curseur.fetchone()
        if lu is not None and lu[0] == jour:
            return
        if lu is None:
            curseur.execute("INSERT INTO structures_aexposer (fiche_id) VALUES (NULL)")
        else:
            curseur.execute(
                """INSERT INTO structures_aexposer (fiche_id)
                   SELECT DISTINCT fiche_id FROM structures_versionfiche
                   WHERE lower(validite) > %(de)s AND lower(validite) <= %(a)s
                      OR upper(validite) > %(de)s AND upper(validite) <= %(a)s
                      OR validite @> %(jour)s AND (
                          date_ouverture > %(de)s AND date_ouverture <= %(a)s
                          OR date_fermeture > %(de)s AND date_fermeture <= %(a)s
                          OR date_reouverture > %(de)s AND date_reouverture <= %(a)s
                          OR EXISTS (SELECT FROM jsonb_object_keys(horaires) cle
                                     WHERE right(cle, 10)::date > %(de)s AND right(cle, 10)::date <= %(a)s))""",
                # A clock put back undoes what the days did.
                {"de": min(lu[0], jour), "a": max(lu[0], jour), "jour": jour},
            )
        curseur.execute(
            "INSERT INTO structures_jourexpose (id, jour) VALUES (1, %s)"
            " ON CONFLICT (id) DO UPDATE SET jour = excluded.jour",
            [jour],
        )


def _exposer_ce_qui_est_marque(jour: date) -> int:
    a_faire, maj = _prendre_les_marques(), _maintenant()
    if not a_faire:
        return 0
    listes, faites, changees = referentiel_des_listes(), set(a_faire), 0
    with connection.cursor() as curseur:
        curseur.execute(
            "CREATE TEMP TABLE ressource_lot (LIKE structures_ressource, action text) ON COMMIT DROP;"
            "ALTER TABLE ressource_lot DROP COLUMN id"
        )
    while a_faire:
        cascade: set[int] = set()
        for lot in _par_lots(a_faire):
            lignes, touchees = _ecarts_du_lot(lot, jour, listes, maj)
            _ecrire(lignes)
            changees += len(lignes)
            cascade |= touchees
        a_faire = _dans_l_ordre(_en_dessous(cascade, jour) - faites)
        faites |= set(a_faire)
    with connection.cursor() as curseur:
        curseur.execute("DROP TABLE ressource_lot")
    return changees


def _prendre_les_marques() -> list[int]:
    """Fiches to look at, each establishment together; the marks that said so are gone with this transaction."""
    with connection.cursor() as curseur:
        curseur.execute("DELETE FROM structures_aexposer RETURNING fiche_id")
        marquees = {fiche for (fiche,) in curseur.fetchall()}
    if None in marquees:
        return list(Fiche.objects.order_by("eg", "pk").values_list("pk", flat=True))
    return _dans_l_ordre(marquees)


def _dans_l_ordre(fiches: Collection[int]) -> list[int]:
    if not fiches:
        return []
    return list(Fiche.objects.filter(pk__in=fiches).order_by("eg", "pk").values_list("pk", flat=True))


def _maintenant() -> datetime:
    """Under the lock, hence in the order of commits; after what is already there, so that « since » an instant means
    all that was committed later."""
    with connection.cursor() as curseur:
        curseur.execute(
            "SELECT greatest(date_trunc('milliseconds', clock_timestamp()), max(maj) + interval '1 millisecond')"
            " FROM structures_ressourceversion"
        )
        lu: datetime = curseur.fetchone()[0]
        return lu


def _par_lots(fiches: Sequence[int]) -> Iterator[Sequence[int]]:
    for debut in range(0, len(fiches), LOT):
        yield fiches[debut : debut + LOT]


def _ecarts_du_lot(
    lot: Sequence[int], jour: date, listes: Listes, maj: datetime
) -> tuple[list[dict[str, Any]], set[int]]:
    """Rows to write, and the fiches whose descendants must be looked at: those that appeared or disappeared, and the
    establishments whose place changed (it is that of their offers). A row whose content is what it must be is written
    again when it would no longer be found by it, as after a parameter more: without an action, it makes no version."""
    attendues, exposees = attendues_du_lot(lot, jour, listes), exposees_du_lot(lot)
    lignes: list[dict[str, Any]] = []
    touchees: set[int] = set()
    for cle in sorted(attendues.keys() | exposees.keys()):
        fiche, contenu = attendues.get(cle, (0, None))
        exposee = exposees.get(cle)
        avant = exposee.contenu if exposee else None
        if contenu == avant:
            if exposee and contenu and (trouvee := indexer(json.loads(exposee.ligne["contenu"]))) != _index(exposee):
                lignes.append(exposee.ligne | trouvee._asdict() | {"action": None})
            continue
        version = exposee.version + 1 if exposee else 1
        fiche = fiche or (exposee.fiche if exposee else 0)
        lignes.append(_ligne(cle, fiche, version, avant, contenu, maj))
        if avant is None or contenu is None or cle[0] == "Location":
            touchees.add(fiche)
    return lignes, touchees


def _index(exposee: Exposee) -> Index:
    return Index(*(exposee.ligne[colonne] for colonne in Index._fields))


def _ligne(
    cle: Cle, fiche: int, version: int, avant: Ressource | None, contenu: Ressource | None, maj: datetime
) -> dict[str, Any]:
    ligne: dict[str, Any] = {
        "type": cle[0], "identifiant": cle[1], "fiche_id": fiche, "version": version, "maj": maj, "contenu": None,
    }  # fmt: skip
    if contenu is None:
        return ligne | INDEX_VIDE._asdict() | {"action": ActionRessource.SUPPRESSION}
    date_maj = timezone.localtime(maj).isoformat(timespec="milliseconds")
    contenu = contenu | {"meta": {"versionId": str(version), "lastUpdated": date_maj, **contenu["meta"]}}
    action = ActionRessource.CREATION if avant is None else ActionRessource.MODIFICATION
    return ligne | indexer(contenu)._asdict() | {"contenu": json.dumps(contenu, ensure_ascii=False), "action": action}


def _ecrire(lignes: Sequence[dict[str, Any]]) -> None:
    if not lignes:
        return
    colonnes, ecrites, historique = (*_ECRITES, "action"), _sql(_ECRITES), _sql(_DE_L_HISTORIQUE)
    remplacees = ", ".join(f'"{nom}" = excluded."{nom}"' for nom in _ECRITES)
    with connection.cursor() as curseur:
        with curseur.copy(f"COPY ressource_lot ({_sql(colonnes)}) FROM STDIN") as copie:
            for ligne in lignes:
                copie.write_row([ligne[nom] for nom in colonnes])
        curseur.execute(
            f"INSERT INTO structures_ressource ({ecrites}) SELECT {ecrites} FROM ressource_lot "  # noqa: S608 (ours)
            f"ON CONFLICT (type, identifiant) DO UPDATE SET {remplacees}"
        )
        curseur.execute(
            f"INSERT INTO structures_ressourceversion ({historique}) "  # noqa: S608 (column names of ours)
            f"SELECT {historique} FROM ressource_lot WHERE action IS NOT NULL ORDER BY type, identifiant"
        )
        curseur.execute("TRUNCATE ressource_lot")


def _sql(colonnes: Sequence[str]) -> str:
    return ", ".join(f'"{nom}"' for nom in colonnes)


def _en_dessous(fiches: Collection[int], jour: date) -> set[int]:
    if not fiches:
        return set()
    with connection.cursor() as curseur:
        curseur.execute(
            """WITH RECURSIVE sous AS (
                   SELECT v.fiche_id FROM structures_versionfiche v
                   WHERE v.parent_id = ANY(%(fiches)s) AND v.validite @> %(jour)s
                   UNION
                   SELECT v.fiche_id FROM structures_versionfiche v JOIN sous s ON v.parent_id = s.fiche_id
                   WHERE v.validite @> %(jour)s
               ) SELECT fiche_id FROM sous""",
            {"fiches": list(fiches), "jour": jour},
        )
        return {fiche for (fiche,) in curseur.fetchall()}


def ecarts_d_exposition() -> list[str]:
    """What differs between the exposition and what would be computed now, as sentences; empty when nothing does.

    Used by ``manage.py verifier_exposition`` and by the tests. Reads only.
    """
    constats = ["des fiches attendent d’être exposées"] if il_reste_a_exposer() else []
    jour, listes = timezone.localdate(), referentiel_des_listes()
    for lot in _par_lots(list(Fiche.objects.order_by("eg", "pk").values_list("pk", flat=True))):
        attendues, exposees = attendues_du_lot(lot, jour, listes), exposees_du_lot(lot)
        for cle in sorted(attendues.keys() | exposees.keys()):
            voulu = attendues[cle][1] if cle in attendues else None
            if voulu != (exposees[cle].contenu if cle in exposees else None):
                constats.append(f"{cle[0]}/{cle[1]} : le contenu exposé n’est pas celui de la fiche")
    return constats + _ecarts_d_historique()


def _ecarts_d_historique() -> list[str]:
    """Each resource is the last of its versions, which are numbered from 1 without a hole, and is found by what it
    says."""
    with connection.cursor() as curseur:
        curseur.execute(
            """SELECT r.type, r.identifiant FROM structures_ressource r LEFT JOIN (
                   SELECT type, identifiant, count(*) AS nombre, max(version) AS derniere, max(rang) AS rang
                   FROM structures_ressourceversion GROUP BY type, identifiant
               ) h USING (type, identifiant)
               LEFT JOIN structures_ressourceversion v ON v.rang = h.rang
               WHERE h.rang IS NULL OR h.nombre <> r.version OR h.derniere <> r.version OR v.version <> r.version
                  OR v.maj <> r.maj OR v.contenu IS DISTINCT FROM r.contenu
               ORDER BY 1, 2"""
        )
        constats = [
            f"{type_}/{cle} : l’historique ne mène pas à ce qui est exposé" for type_, cle in curseur.fetchall()
        ]
        curseur.execute(
            f"SELECT type, identifiant, contenu, {_sql(Index._fields)} FROM structures_ressource"  # noqa: S608
        )
        for type_, cle, contenu, *colonnes in curseur.fetchall():
            if Index(*colonnes) != (indexer(json.loads(contenu)) if contenu else INDEX_VIDE):
                constats.append(f"{type_}/{cle} : la recherche ne la trouve pas par son contenu")
    return constats
