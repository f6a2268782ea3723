"""The table of communes brought up to date, set-based: one COPY, comparisons in SQL, one upsert."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import connection

from ...domaine.cog import texte_de_recherche
from ...enums import SortDetail
from ...models import Commune
from ..bilan import Detail
from .lecture import CommuneLue

# Fields that a file may change, as the report names them; the last ones change by thousands, and are only counted.
CHAMPS = {
    "nom": "Nom", "type": "Type", "departement": "Département", "region": "Région", "codes_postaux": "Codes postaux",
    "epci": "EPCI", "epci_nom": "Nom de l’EPCI", "population": "Population",
}  # fmt: skip
_COMPTES = {"epci", "epci_nom", "population"}
_VISIBLES = {"nom", "departement"}  # on a fiche, and in what is exposed

_COLONNES = ", ".join(("code", *CHAMPS, "recherche"))
_COMPARES = ", ".join(
    f"('{c}', {'array_to_string(x.codes_postaux, chr(44))' if c == 'codes_postaux' else f'x.{c}::text'}, "
    f"{'array_to_string(c.codes_postaux, chr(44))' if c == 'codes_postaux' else f'c.{c}::text'})"
    for c in CHAMPS
)


@dataclass
class Ecarts:
    details: list[Detail] = field(default_factory=list)
    changements: Counter[str] = field(default_factory=Counter)
    visibles: set[str] = field(default_factory=set)
    nouvelles: int = 0


def poser(communes: Iterable[CommuneLue]) -> Ecarts:
    """Create and update; a column that the file does not have stays as it is. A commune that is back is open again."""
    ecarts = Ecarts()
    _copier(communes)
    for ligne, code, nom, finie in _lire(
        """SELECT x.ligne, x.code, x.nom, c.date_fin
           FROM cog_commune x LEFT JOIN structures_commune c ON c.code = x.code
           WHERE c.code IS NULL OR c.date_fin IS NOT NULL ORDER BY x.code"""
    ):
        sort = SortDetail.CREE if finie is None else SortDetail.ROUVERT
        ecarts.nouvelles += finie is None
        ecarts.details.append(Detail(sort, ligne or None, cle=code, nom=nom))
    neufs = ", ".join(f"coalesce(x.{c}, c.{c})" for c in CHAMPS)
    tenus = ", ".join(f"c.{c}" for c in CHAMPS)
    _executer(
        f"""DELETE FROM cog_commune x USING structures_commune c
            WHERE c.code = x.code AND c.date_fin IS NULL AND ({neufs}) IS NOT DISTINCT FROM ({tenus})"""  # noqa: S608
    )  # most communes of a year do not change
    for ligne, code, nom, champ, avant, apres in _lire(
        f"""SELECT x.ligne, x.code, c.nom, e.champ, e.ancien, e.neuf
            FROM cog_commune x JOIN structures_commune c ON c.code = x.code
            CROSS JOIN LATERAL (VALUES {_COMPARES}) AS e(champ, neuf, ancien)
            WHERE e.neuf IS NOT NULL AND e.neuf IS DISTINCT FROM coalesce(e.ancien, '') ORDER BY x.code"""  # noqa: S608
    ):
        ecarts.changements[CHAMPS[champ]] += 1
        if champ in _VISIBLES:
            ecarts.visibles.add(code)
        if champ not in _COMPTES:
            ecarts.details.append(
                Detail(SortDetail.CHANGE, ligne or None, cle=code, nom=nom, champ=CHAMPS[champ], avant=avant or "",
                       apres=apres)
            )  # fmt: skip
    gardes = ", ".join(f"{c} = coalesce(x.{c}, c.{c})" for c in CHAMPS)
    _executer(
        f"""UPDATE structures_commune c SET {gardes}, recherche = x.recherche, date_fin = NULL, devenue = ''
            FROM cog_commune x WHERE c.code = x.code"""  # noqa: S608
    )
    vides = ", ".join(
        f"coalesce(x.{c}, {_VIDES[c]})" if c in _VIDES else f"x.{c}" for c in ("code", *CHAMPS, "recherche")
    )
    _executer(
        f"""INSERT INTO structures_commune ({_COLONNES}, devenue) SELECT {vides}, '' FROM cog_commune x
            WHERE NOT EXISTS (SELECT FROM structures_commune c WHERE c.code = x.code)"""  # noqa: S608
    )
    return ecarts


_VIDES = {"region": "''", "codes_postaux": "'{}'", "epci": "''", "epci_nom": "''"}


def _copier(communes: Iterable[CommuneLue]) -> None:
    _executer(
        """DROP TABLE IF EXISTS pg_temp.cog_commune;
           CREATE TEMP TABLE cog_commune (ligne int, code text, nom text, type text, departement text, region text,
               codes_postaux varchar[], epci text, epci_nom text, population int, recherche text) ON COMMIT DROP"""
    )
    tenus: dict[str, list[str]] = {}
    with connection.cursor() as curseur:
        lignes = list(communes)
        if any(c.codes_postaux is None for c in lignes):
            tenus = dict(Commune.objects.values_list("code", "codes_postaux"))
        with curseur.copy(f"COPY cog_commune (ligne, {_COLONNES}) FROM STDIN") as copie:
            for c in lignes:
                codes = tenus.get(c.code, []) if c.codes_postaux is None else c.codes_postaux
                copie.write_row((*c, texte_de_recherche(c.nom, c.departement, codes)))
        curseur.execute("CREATE INDEX ON cog_commune (code); ANALYZE cog_commune")


def fermer(fins: Mapping[str, tuple[date, str]]) -> None:
    """From these days on the communes are no more; ``""``: several share what they were."""
    if fins:
        _executer(
            """UPDATE structures_commune c SET date_fin = f.jour, devenue = f.apres
               FROM unnest(%s::text[], %s::date[], %s::text[]) AS f(code, jour, apres) WHERE c.code = f.code""",
            [list(fins), [jour for jour, _ in fins.values()], [apres for _, apres in fins.values()]],
        )


def _executer(requete: str, parametres: Any = None) -> None:
    with connection.cursor() as curseur:
        curseur.execute(requete, parametres)


def _lire(requete: str) -> list[Any]:
    with connection.cursor() as curseur:
        curseur.execute(requete)
        return curseur.fetchall()
