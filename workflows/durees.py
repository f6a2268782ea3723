"""How long each step of the flow really takes, from its last decisions.

``durees`` is exact at any moment and needs no job: it reads at most ``RECENTES`` rows of the index
``tache_durees`` for each step and authority asked for, whatever the history (docs/mesures.md).
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from structures.models import Autorite

from .delais import feries_en_semaine
from .enums import ETAPES
from .models import Tache
from .models.tache import TRANCHEES

RECENTES = 200
SUFFISANTES = 5  # fewer decisions say nothing

# Working days of the interval (from, to]: those of whole weeks and of the last one, less the public holidays that fall
# on one. 1 January 2001 was a Monday; ``width_bucket`` counts the holidays up to a day.
_RANG = "(5 * (({jour} - DATE '2001-01-01') / 7) + LEAST(({jour} - DATE '2001-01-01') %% 7 + 1, 5)\
 - width_bucket({jour}, %(feries)s::date[]))"
# A branch a step and authority. Sorted by the authority too, though there is one: a step without any (IS NULL) would
# otherwise be read whole, PostgreSQL does not see that the index gives its last decisions first.
_BRANCHE = f"""
    (SELECT %(noeud_{{0}})s AS noeud, %(cle_{{0}})s AS autorite, creee_le, close_le FROM {Tache._meta.db_table}
     WHERE noeud = %(noeud_{{0}})s AND autorite_id {{1}}
       AND issue IN ({", ".join(f"'{issue.value}'" for issue in TRANCHEES)})
     ORDER BY autorite_id, close_le DESC LIMIT %(recentes)s)
"""  # noqa: S608 (names of a table and values of an enum only)
_SQL = f"""
    WITH recentes AS (
        SELECT noeud, autorite, (creee_le AT TIME ZONE %(fuseau)s)::date AS du,
               (close_le AT TIME ZONE %(fuseau)s)::date AS au,
               row_number() OVER (PARTITION BY noeud, autorite ORDER BY close_le DESC) AS rang
        FROM ({{branches}}) t
    ), comptees AS (
        SELECT noeud, autorite, {_RANG.format(jour="au")} - {_RANG.format(jour="du")} AS jours
        FROM recentes WHERE rang <= %(recentes)s
    )
    SELECT noeud, autorite, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY jours),
           percentile_cont(0.9) WITHIN GROUP (ORDER BY jours)
    FROM comptees GROUP BY noeud, autorite
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Duree:
    """What the last ``nombre`` decisions (``RECENTES`` at most) of a step and authority took, in working days.

    A decision taken on the day when its task was created took 0. ``autorite``: « » for a step without one.
    """

    noeud: str
    autorite: str
    nombre: int
    mediane: float
    p90: float

    @property
    def parle(self) -> bool:
        """Whether there are enough of them to expect anything."""
        return self.nombre >= SUFFISANTES


def durees(cles: Collection[tuple[str, str]] | None = None) -> dict[tuple[str, str], Duree]:
    """By (node, authority code), for the pairs asked for; one that was never decided is absent. One statement.

    (``approbation_tutelle``, « ») is all authorities together, one statement more. Without ``cles``: every step and
    every authority. Counted: the tasks that somebody dealt with (``TRANCHEES``: approvals, returns and refusals alike),
    not those that a withdrawal, a reopening or another authority's decision closed.
    """
    ensemble = ("approbation_tutelle", "")
    codes: list[str] = []
    if cles is None or ensemble in cles:
        codes = list(Autorite.objects.order_by("pk").values_list("pk", flat=True))
    if cles is None:
        cles = [*((noeud, "") for noeud in ETAPES), *(("approbation_tutelle", code) for code in codes)]
    lues = [(cle, code) for cle in sorted(set(cles)) for code in (codes if cle == ensemble else [cle[1]])]
    if not lues:
        return {}
    parametres: dict[str, Any] = {
        "fuseau": settings.TIME_ZONE,
        "feries": feries_en_semaine(timezone.localdate().year),
        "recentes": RECENTES,
    }
    for i, ((noeud, cle), autorite) in enumerate(lues):
        parametres |= {f"noeud_{i}": noeud, f"cle_{i}": cle, f"autorite_{i}": autorite}
    branches = " UNION ALL ".join(
        _BRANCHE.format(i, f"= %(autorite_{i})s" if code else "IS NULL") for i, (_, code) in enumerate(lues)
    )
    with connection.cursor() as curseur:
        curseur.execute(_SQL.format(branches=branches), parametres)
        trouvees = [Duree(*ligne) for ligne in curseur.fetchall()]
    return {(d.noeud, d.autorite): d for d in trouvees}
