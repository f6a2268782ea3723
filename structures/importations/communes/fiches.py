"""The fiches of a commune that is no more follow it: modifications of the day of the merger, by the one writer."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from ...domaine.enregistrer import enregistrer, verrouiller
from ...enums import Source
from ...models import Modification
from ..suivi import Suivi

LOT = 5_000
_PASSES = 20  # a commune that merged, then merged again, takes two


class Suite(NamedTuple):
    """A field of a fiche that holds a closed commune, and from when the other one is true of it."""

    fiche: int
    champ: str
    ancien: str
    nouveau: str
    effet: date


# The first version that holds the commune after its end. A later change that brought it back is seen by the next pass.
_SUITES = """
    WITH finie AS (SELECT code, devenue, date_fin FROM structures_commune WHERE date_fin IS NOT NULL AND devenue <> ''),
    tenue AS (
        SELECT v.fiche_id, 'commune' AS champ, f.code, f.devenue, f.date_fin, lower(v.validite) AS debut
        FROM finie f JOIN structures_versionfiche v ON v.commune = f.code
        WHERE upper_inf(v.validite) OR upper(v.validite) > f.date_fin
        UNION ALL
        SELECT v.fiche_id, 'territoire', f.code, f.devenue, f.date_fin, lower(v.validite)
        FROM structures_versionfiche v CROSS JOIN LATERAL unnest(v.territoire) t(code) JOIN finie f ON f.code = t.code
        WHERE v.niveau = 'UO' AND v.territoire && (SELECT coalesce(array_agg(code), '{}') FROM finie)
          AND (upper_inf(v.validite) OR upper(v.validite) > f.date_fin)
    )
    SELECT fiche_id, champ, code, devenue, greatest(date_fin, min(debut))
    FROM tenue GROUP BY fiche_id, champ, code, devenue, date_fin ORDER BY 1, 5, 2, 3
"""


def faire_suivre(suivi: Suivi) -> tuple[list[Suite], list[Suite]]:
    """(what followed, what waits for the end of a sent dossier). A constant number of statements a pass and a lot."""
    faites: list[Suite] = []
    attendent: list[Suite] = []
    for passe in range(_PASSES):
        verrouiller({s.fiche for s in _lire_suites()})
        suites = _lire_suites()
        reservees = _reservees({s.fiche for s in suites})
        if not passe:
            attendent = [s for s in suites if s.fiche in reservees]
        suites = [s for s in suites if s.fiche not in reservees]
        if not suites:
            break
        _ecrire(suites, suivi)
        faites += suites
    return faites, attendent


def _ecrire(suites: list[Suite], suivi: Suivi) -> None:
    par_fiche: dict[tuple[int, date], list[Suite]] = defaultdict(list)
    for s in suites:
        par_fiche[s.fiche, s.effet].append(s)
    modifications = [
        Modification(
            fiche_id=fiche,
            date_effet=effet,
            patch=_patch(groupe),
            source=Source.IMPORT,
            origine=f"COG {effet.isoformat()}",
            motif="; ".join(f"La commune {s.ancien} est devenue {s.nouveau}" for s in groupe[:5]),
        )
        for (fiche, effet), groupe in par_fiche.items()
    ]
    suivi.etape("Fiches des communes qui ont fusionné", len(modifications))
    for debut in range(0, len(modifications), LOT):
        enregistrer(modifications[debut : debut + LOT])
        suivi.avancer(debut)


def _patch(suites: Iterable[Suite]) -> dict[str, Any]:
    patch: dict[str, Any] = {}
    ajoutes, retires = set(), set()
    for s in suites:
        if s.champ == "commune":
            patch["commune"] = s.nouveau
        else:
            ajoutes.add(s.nouveau)
            retires.add(s.ancien)
    if ajoutes:
        # Of two mergers of the same day, one may go on into the other.
        patch["territoire"] = {"ajoute": sorted(ajoutes - retires), "retire": sorted(retires)}
    return patch


def _lire_suites() -> list[Suite]:
    with connection.cursor() as curseur:
        curseur.execute(_SUITES)
        return [Suite(*ligne) for ligne in curseur.fetchall()]


def _reservees(fiches: Iterable[int]) -> set[int]:
    with connection.cursor() as curseur:
        curseur.execute("SELECT fiche_id FROM structures_fichereservee WHERE fiche_id = ANY(%s)", [list(fiches)])
        return {cle for (cle,) in curseur.fetchall()}


def tenants(communes: Iterable[str]) -> list[tuple[int, str, str]]:
    """(fiche, field, commune) of the fiches that hold one of them today or later: nobody knows where they go."""
    codes = list(communes)
    if not codes:
        return []
    with connection.cursor() as curseur:
        curseur.execute(
            """SELECT DISTINCT fiche_id, champ, code FROM (
                   SELECT fiche_id, 'commune' AS champ, commune AS code, validite FROM structures_versionfiche
                   WHERE commune = ANY(%(codes)s)
                   UNION ALL
                   SELECT fiche_id, 'territoire', unnest(territoire), validite FROM structures_versionfiche
                   WHERE niveau = 'UO' AND territoire && %(codes)s::varchar[]
               ) t
               WHERE code = ANY(%(codes)s) AND (upper_inf(validite) OR upper(validite) > %(jour)s) ORDER BY 3, 1, 2""",
            {"codes": codes, "jour": timezone.localdate()},
        )
        return curseur.fetchall()
