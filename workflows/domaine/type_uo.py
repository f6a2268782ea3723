"""A new Type d'UO: which coded values of a unit are not known to go with it (acceptance 60 to 62).

The national lists give the champ of each type and nothing more: no list says which activities or acts go with a type
(structures/donnees/README.md). What is known is what the register holds: a value goes with a type when another open
unit of this type offers it; while there is none, when another open unit of the same champ does. It informs a choice,
it decides nothing: a value is dropped by the person only.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone

from structures.champs import CONTENU, Genre
from structures.domaine.patches import Etat, valeur
from structures.enums import NatureConcept, Niveau
from structures.models import Association

# The coded lists that say what a unit offers and with what.
CHAMPS_DU_TYPE = tuple(
    c.nom for c in CONTENU if Niveau.UO in c.niveaux and c.genre is Genre.CODES and c.section in ("offre", "moyens")
)


@dataclass(frozen=True, slots=True)
class Avis:
    """What the register says of the values that a unit holds, for a type.

    ``unites``: how many open units were looked at, of this type when ``du_type``, else of the champ. ``inconnues``: by
    field, the codes that none of them offers.
    """

    unites: int
    du_type: bool
    inconnues: dict[str, list[str]]


def champs_des_types() -> dict[str, str]:
    """The champ d’activité of each Type d'UO, by code: each has one (structures/donnees/type_champ.csv)."""
    paires = Association.objects.filter(nature=NatureConcept.TYPE_CHAMP, source__nomenclature="J238")
    return dict(paires.values_list("source__code", "cible__code"))


def avis(fiche: int, etat: Etat, type_uo: str) -> Avis:
    """What the register says of the coded values of ``etat``, the content of ``fiche``, for this type. Two statements
    at most."""
    tenus = {nom: valeur(etat, nom) for nom in CHAMPS_DU_TYPE if valeur(etat, nom)}
    unites, connues = _offertes(fiche, "type_uo", type_uo, tenus)
    du_type = unites > 0
    if not du_type:
        unites, connues = _offertes(fiche, "champ_activite", str(valeur(etat, "champ_activite")), tenus)
    inconnues = {nom: sorted(codes - connues.get(nom, set())) for nom, codes in tenus.items()}
    return Avis(unites, du_type, {nom: codes for nom, codes in inconnues.items() if codes})


def _offertes(sauf: int, colonne: str, egale: str, tenus: dict[str, Any]) -> tuple[int, dict[str, set[str]]]:
    """How many other open units have this value in this column, and which of the codes held they offer, by field."""
    if not egale:
        return 0, {}
    listes = "".join(f", array_agg(DISTINCT code) FILTER (WHERE champ = '{nom}')" for nom in tenus)
    lignes = ", ".join(["('', ARRAY[''])", *(f"('{nom}', u.{nom}::text[])" for nom in tenus)])
    cherches = sorted(set[str]().union(*tenus.values(), {""}))
    with connection.cursor() as curseur:
        curseur.execute(
            # The only names put into the statement are columns of ours.
            f"""SELECT count(DISTINCT u.fiche_id){listes}
                FROM structures_versionfiche u
                CROSS JOIN LATERAL (VALUES {lignes}) AS l (champ, codes)
                CROSS JOIN LATERAL unnest(l.codes) AS code
                WHERE u.niveau = 'UO' AND u.validite @> %s::date AND u.fiche_id <> %s AND u.{colonne} = %s
                    AND code = ANY(%s)""",  # noqa: S608
            [timezone.localdate(), sauf, egale, cherches],
        )
        unites, *codes = curseur.fetchone() or (0,)
    return unites, {nom: set(trouves or ()) for nom, trouves in zip(tenus, codes, strict=True)}
