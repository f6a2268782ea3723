"""The index that a search of the register starts from: every word and code of an establishment, whatever the day.

Words come from the texts of its fiches and of its EJ, codes from its units (activities, Types d'UO) and its
département. The identifiers of fiches below the EG stay out: a number is looked up otherwise (recherche/mots.py).
"""

from collections import defaultdict
from collections.abc import Iterable

from django.db import connection, transaction

from ..enums import Niveau
from ..models import Fiche
from .cog import departement_sql

ACTIVITE, TYPE_UO, DEPARTEMENT = "R211", "J238", "D"

# Fields that bring words or codes; the others change nothing here.
INDEXES = frozenset(
    "existe parent nom nom_operationnel finess siren siret commune code_postal activites type_uo".split()
)

# {fiches}, {egs}, {ejs}: which versions, by the fiches written, the EG and the EJ among them.
_MOTS = """
    SELECT v.eg_id, string_to_table(v.recherche, ' ') AS mot FROM structures_versionfiche v
    WHERE v.eg_id IS NOT NULL AND {fiches}
    UNION
    SELECT e.fiche_id, string_to_table(ej.recherche, ' ')
    FROM structures_versionfiche e JOIN structures_versionfiche ej ON ej.fiche_id = e.parent_id
    WHERE e.niveau = 'EG' AND {egs}
    UNION
    SELECT e.fiche_id, string_to_table(ej.recherche, ' ')
    FROM structures_versionfiche e JOIN structures_versionfiche ej ON ej.fiche_id = e.parent_id
    WHERE e.niveau = 'EG' AND {ejs}
"""
_CODES = f"""
    SELECT v.eg_id, '{ACTIVITE}/' || unnest(v.activites) AS code FROM structures_versionfiche v
    WHERE v.niveau = 'UO' AND {{fiches}}
    UNION
    SELECT v.eg_id, '{TYPE_UO}/' || v.type_uo FROM structures_versionfiche v WHERE v.type_uo <> '' AND {{fiches}}
    UNION
    SELECT v.eg_id, '{DEPARTEMENT}/' || {departement_sql("v.commune")}
    FROM structures_versionfiche v WHERE v.niveau = 'EG' AND v.commune <> '' AND {{fiches}}
"""  # noqa: S608 (constants of ours)
# What the index of an establishment lacks.
_MANQUES = """
    WITH mots AS MATERIALIZED ({mots}), codes AS MATERIALIZED ({codes}),
    manques AS (
        SELECT eg_id, mot, NULL AS code FROM (
            SELECT eg_id, mot FROM mots WHERE mot !~ '^[0-9]{{7}}$'
            EXCEPT SELECT eg_id, string_to_table(texte, ' ') FROM structures_indexeg
            WHERE eg_id IN (SELECT eg_id FROM mots)
        ) m
        UNION ALL
        SELECT eg_id, NULL, code FROM (
            SELECT eg_id, code FROM codes
            EXCEPT SELECT eg_id, unnest(codes) FROM structures_indexeg WHERE eg_id IN (SELECT eg_id FROM codes)
        ) c
    )
    SELECT eg_id, coalesce(' ' || string_agg(mot, ' ') || ' ', ''),
           coalesce(array_agg(code) FILTER (WHERE code <> ''), '{{}}')
    FROM manques GROUP BY eg_id ORDER BY eg_id
"""


def _manques(fiches: str, egs: str, ejs: str) -> str:
    conditions = {"fiches": fiches, "egs": egs, "ejs": ejs}
    return _MANQUES.format(mots=_MOTS.format(**conditions), codes=_CODES.format(**conditions))


_DE_CES_FICHES = _manques(
    "v.fiche_id = ANY(%(fiches)s::bigint[])",
    "e.fiche_id = ANY(%(egs)s::bigint[])",
    "e.parent_id = ANY(%(ejs)s::bigint[])",
)


def _cles(fiches: Iterable[Fiche]) -> dict[str, list[int]]:
    par_niveau: dict[str, list[int]] = defaultdict(list)
    for fiche in fiches:
        par_niveau[fiche.niveau].append(fiche.pk)
    return {
        "fiches": [cle for cles in par_niveau.values() for cle in cles],
        "egs": par_niveau[Niveau.EG],
        "ejs": par_niveau[Niveau.EJ],
    }


def indexer(fiches: Iterable[Fiche]) -> None:
    """Add what the versions of these fiches say anew to the index of their establishments (for an EJ: of all of its
    own). At most one statement; it writes, and locks, only the establishments that get a word or a code they never
    had."""
    cles = _cles(fiches)
    if not cles["fiches"]:
        return
    with connection.cursor() as curseur:
        curseur.execute(
            f"INSERT INTO structures_indexeg AS i (eg_id, texte, codes) {_DE_CES_FICHES} "
            "ON CONFLICT (eg_id) DO UPDATE SET texte = i.texte || excluded.texte, codes = i.codes || excluded.codes",
            cles,
        )


@transaction.atomic
def reconstruire_index() -> None:
    """Write every row again: after a bulk load that went around ``enregistrer``, or to forget what is no more.

    Searches go on with the former rows; a publication that has words to add waits for the end, or gives up after the
    ``lock_timeout`` of its connection.
    """
    with connection.cursor() as curseur:
        curseur.execute("LOCK TABLE structures_indexeg IN SHARE ROW EXCLUSIVE MODE")
        curseur.execute("DELETE FROM structures_indexeg")
        curseur.execute(
            f"INSERT INTO structures_indexeg (eg_id, texte, codes) {_manques('true', 'true', 'false')}", {}
        )  # fmt: skip


def ecarts_d_index(fiches: Iterable[Fiche]) -> list[str]:
    """What the search could not find, as sentences. One statement, reads only."""
    with connection.cursor() as curseur:
        curseur.execute(_DE_CES_FICHES, _cles(fiches))
        return [
            f"établissement {eg} : l’index ignore {' '.join([mots.strip(), *codes]).strip()[:200]}"
            for eg, mots, codes in curseur.fetchall()
        ]
