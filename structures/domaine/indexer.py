"""The index that a search of the register starts from: every word and code of an establishment, whatever the day.

Words come from the texts of its fiches and of its EJ, codes from its units (activities, Types d'UO) and its
département. The identifiers of fiches below the EG stay out: a number is looked up otherwise (recherche/mots.py).
"""

from collections.abc import Collection

from django.db import connection

ACTIVITE, TYPE_UO, DEPARTEMENT = "R211", "J238", "D"

# {fiche}: which versions, by the fiche they are of.
_MOTS = """
    SELECT v.eg_id, string_to_table(v.recherche, ' ') AS mot FROM structures_versionfiche v
    WHERE v.eg_id IS NOT NULL AND {v.fiche_id}
    UNION
    SELECT e.fiche_id, string_to_table(ej.recherche, ' ')
    FROM structures_versionfiche e JOIN structures_versionfiche ej ON ej.fiche_id = e.parent_id
    WHERE e.niveau = 'EG' AND {e.fiche_id}
    UNION
    SELECT e.fiche_id, string_to_table(ej.recherche, ' ')
    FROM structures_versionfiche e JOIN structures_versionfiche ej ON ej.fiche_id = e.parent_id
    WHERE e.niveau = 'EG' AND {ej.fiche_id}
"""
_CODES = f"""
    SELECT v.eg_id, '{ACTIVITE}/' || unnest(v.activites) AS code FROM structures_versionfiche v
    WHERE v.niveau = 'UO' AND {{v.fiche_id}}
    UNION
    SELECT v.eg_id, '{TYPE_UO}/' || v.type_uo FROM structures_versionfiche v WHERE v.type_uo <> '' AND {{v.fiche_id}}
    UNION
    SELECT v.eg_id, '{DEPARTEMENT}/' || left(v.commune, CASE WHEN v.commune LIKE '97%%' THEN 3 ELSE 2 END)
    FROM structures_versionfiche v WHERE v.niveau = 'EG' AND v.commune <> '' AND {{v.fiche_id}}
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


def _manques(condition: str) -> str:
    def des(requete: str) -> str:
        for colonne in ("v.fiche_id", "e.fiche_id", "ej.fiche_id"):
            requete = requete.replace(f"{{{colonne}}}", condition.format(colonne))
        return requete

    return _MANQUES.format(mots=des(_MOTS), codes=des(_CODES))


def indexer(fiches: Collection[int]) -> None:
    """Add what the versions of these fiches say anew to the index of their establishments (for an EJ: of all of its
    own). One statement; it writes, and locks, only the establishments that get a word or a code they never had."""
    with connection.cursor() as curseur:
        curseur.execute(
            "INSERT INTO structures_indexeg AS i (eg_id, texte, codes) "
            f"{_manques('{} = ANY(%(fiches)s)')} "
            "ON CONFLICT (eg_id) DO UPDATE SET texte = i.texte || excluded.texte, codes = i.codes || excluded.codes",
            {"fiches": list(fiches)},
        )


def reconstruire_index() -> None:
    """Write every row again: after a bulk load that went around ``enregistrer``, or to forget what is no more."""
    with connection.cursor() as curseur:
        curseur.execute("DELETE FROM structures_indexeg")
        curseur.execute(f"INSERT INTO structures_indexeg (eg_id, texte, codes) {_manques('true')}")


def ecarts_d_index(fiches: Collection[int]) -> list[str]:
    """What the search could not find, as sentences. One statement, reads only."""
    with connection.cursor() as curseur:
        curseur.execute(_manques("{} = ANY(%(fiches)s)"), {"fiches": list(fiches)})
        return [
            f"établissement {eg} : l’index ignore {' '.join([mots.strip(), *codes]).strip()[:200]}"
            for eg, mots, codes in curseur.fetchall()
        ]
