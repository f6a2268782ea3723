"""Which fiches hold which codes of a nomenclature, today or in a planned version: SQL made from the catalogue."""

from collections.abc import Collection
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from ..champs import CONTENU, Champ, Genre
from .valider import LISTES_SOEURS

_VALABLE = "(upper_inf(v.validite) OR upper(v.validite) > %(jour)s)"
_TELECOMS = "jsonb_array_elements(CASE jsonb_typeof(e.value -> 'telecoms') WHEN 'array' THEN e.value -> 'telecoms' END)"


class Usage(NamedTuple):
    """A field of a fiche that holds a code."""

    code: str
    fiche: int
    champ: str


def _de(champ: Champ, liste: str) -> list[str]:
    """The statements that read the codes of a list in a field: (fiche, field, code)."""
    tete, de = f"SELECT v.fiche_id AS fiche, '{champ.nom}' AS champ", "FROM structures_versionfiche v"
    listes = LISTES_SOEURS.get(champ.nomenclature, (champ.nomenclature,))
    suites: list[str] = []
    match champ.genre:
        case Genre.CODE if liste in listes:
            suites = [f"v.{champ.nom} AS code {de} WHERE v.{champ.nom} = ANY(%(codes)s)"]
        case Genre.CODES if liste in listes:
            # The overlap is what an index can answer.
            suites = [f"unnest(v.{champ.nom}) AS code {de} WHERE v.{champ.nom} && %(codes)s::varchar[]"]
        case Genre.EQUIPEMENTS if liste in listes:
            suites = [f"jsonb_object_keys(v.{champ.nom}) AS code {de} WHERE v.{champ.nom} <> '{{}}'"]
        case Genre.HORAIRES if liste in listes:
            suites = [
                f"split_part(jsonb_object_keys(v.{champ.nom}), '/', 1) AS code {de} WHERE v.{champ.nom} <> '{{}}'"
            ]
        case Genre.CAPACITES:
            cles = [cle for cle, d in (("nature", "R329"), ("statut", "R330")) if d == liste]
            suites = [f"e.value ->> '{cle}' AS code {de}, jsonb_each(v.{champ.nom}) e WHERE true" for cle in cles]
        case Genre.CONTACTS:
            attributs = (("nature", "R287"), ("fonction", "R251"), ("confidentialite", "R283"))
            cles = [cle for cle, d in attributs if d == liste]
            suites = [f"e.value ->> '{cle}' AS code {de}, jsonb_each(v.{champ.nom}) e WHERE true" for cle in cles]
            cles = [cle for cle, d in (("canal", "R200"), ("confidentialite", "R283")) if d == liste]
            suites += [
                f"t ->> '{cle}' AS code {de}, jsonb_each(v.{champ.nom}) e, {_TELECOMS} t WHERE true" for cle in cles
            ]
    return [f"{tete}, {suite} AND {_VALABLE}" for suite in suites]


def _requete(liste: str) -> str:
    suites = [suite for champ in CONTENU for suite in _de(champ, liste)]
    return " UNION ALL ".join(suites)


def est_employee(liste: str) -> bool:
    """True when a field of the fiches takes its codes from this list."""
    return bool(_requete(liste))


DEBUT = Usage("", 0, "")


def usages(liste: str, codes: Collection[str], limite: int | None = None, apres: Usage = DEBUT) -> list[Usage]:
    """In the order of codes and fiches, those that follow ``apres``."""
    requete = _requete(liste)
    if not requete or not codes:
        return []
    return [
        Usage(*ligne)
        for ligne in _lire(
            f"""SELECT DISTINCT code, fiche, champ FROM ({requete}) u
                WHERE code = ANY(%(codes)s) AND (code, fiche, champ) > (%(code)s, %(fiche)s, %(champ)s)
                ORDER BY code, fiche, champ LIMIT %(limite)s""",  # noqa: S608 (names of our catalogue)
            {"codes": list(codes), "limite": limite, **apres._asdict()},
        )
    ]


def nombres(liste: str, codes: Collection[str]) -> dict[str, int]:
    """Number of fiches that hold each code, in one statement; a code that none holds is absent."""
    requete = _requete(liste)
    if not requete or not codes:
        return {}
    return dict(
        _lire(
            f"""SELECT code, count(DISTINCT fiche) FROM ({requete}) u WHERE code = ANY(%(codes)s)
                GROUP BY 1""",  # noqa: S608
            {"codes": list(codes)},
        )
    )


def _lire(requete: str, parametres: dict[str, Any]) -> list[Any]:
    with connection.cursor() as curseur:
        curseur.execute(requete, parametres | {"jour": timezone.localdate()})
        return curseur.fetchall()
