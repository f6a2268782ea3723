"""What a resource can be found by, read from its JSON alone: the search columns of ``Ressource``.

A token is written in every form in which R4 lets it be asked for, so that each question is one element of an array:

    specialty                 it has one                     (:missing)
    specialty=022             this code, whatever its system
    specialty|https://…|022   this system and code; an empty system is « |022 »
    specialty|https://…|      any code of this system
    identifier:of-type|https://…|35|06/0099999

Texts are lines « name|chirurgie gynecologique » of one column, so that a trigram index finds their beginnings.
"""

import hashlib
import math
from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any, NamedTuple

from ..champs import JOURS_PAR_UNITE
from ..domaine.texte import normaliser
from .parametres import PARAMETRES, Genre, Parametre

# UCUM, and what people write instead. Without a unit an age is in years: so are those of the guide's examples.
JOURS_PAR_CODE = {
    "": JOURS_PAR_UNITE["an"],
    "a": JOURS_PAR_UNITE["an"],
    "mo": JOURS_PAR_UNITE["mois"],
    "wk": JOURS_PAR_UNITE["semaine"],
    "d": JOURS_PAR_UNITE["jour"],
}
LONGUEUR_JETON = 500  # PostgreSQL refuses an element of some 2,700 bytes in a GIN index

Json = dict[str, Any]


class Index(NamedTuple):
    """``tri`` is the normalised name, to sort by; ages are in days; of what ends or is counted, all that is said."""

    jetons: list[str]
    textes: str
    tri: str
    age_min: float | None
    age_max: float | None
    latitude: float | None
    longitude: float | None
    fins: list[date]
    capacites: list[float]
    capacites_le: list[date]
    references: list[str]


# What a deleted resource is found by.
INDEX_VIDE = Index([], "", "", None, None, None, None, [], [], [], [])


def indexer(contenu: Json) -> Index:
    jetons: set[str] = set()
    lignes: dict[str, None] = {}  # in order, once each
    references: dict[str, None] = {}
    colonnes: dict[str, Any] = {}
    for p in PARAMETRES[contenu["resourceType"]].values():
        trouvees = [v for chemin in p.chemins for v in valeurs(contenu, chemin)]
        if not trouvees:
            continue
        jetons.add(p.nom)
        if p.genre is Genre.JETON:
            jetons.update(jeton(j) for valeur in trouvees for j in _jetons(p.nom, valeur))
        elif p.genre is Genre.TEXTE:
            for texte in (t for valeur in trouvees for t in _textes(valeur)):
                jetons.add(jeton(f"{p.nom}={texte}"))
                lignes[f"{p.nom}|{normaliser(texte)}"] = None
        elif p.genre is Genre.REFERENCE:
            references |= {f"{p.nom}|{r}": None for v in trouvees if (r := v.get("reference"))}
        elif p.genre is Genre.QUANTITE:
            colonnes[p.colonne] = _age(p, trouvees)
        elif p.genre is Genre.NOMBRE:
            colonnes[p.colonne] = sorted({float(nombre) for nombre in trouvees})
        elif p.genre is Genre.DATE:
            colonnes[p.colonne] = sorted({date.fromisoformat(jour[:10]) for jour in trouvees})
        elif p.nom == "near":
            colonnes |= {axe: float(v) for axe in ("latitude", "longitude") if (v := trouvees[0].get(axe)) is not None}
    return INDEX_VIDE._replace(
        jetons=sorted(jetons),
        textes="".join(f"\n{ligne}" for ligne in lignes) + "\n" if lignes else "",
        tri=normaliser(str(contenu.get("name", ""))),
        references=list(references),
        **colonnes,
    )


def jeton(texte: str) -> str:
    """As it is indexed and as it is asked for: short enough for the index, hence never a prefix search."""
    if len(texte) <= LONGUEUR_JETON:
        return texte
    return f"{texte[:LONGUEUR_JETON]}#{hashlib.sha256(texte.encode('utf-8', 'surrogatepass')).hexdigest()}"


# -- walking the JSON --------------------------------------------------------------------------------------


@cache
def _pas(chemin: str) -> tuple[tuple[str, str], ...]:
    """« extension[ageRange].valueRange » → (("extension", "ageRange"), ("valueRange", ""))."""
    return tuple((nom, url.removesuffix("]")) for nom, _, url in (p.partition("[") for p in chemin.split(".")))


def valeurs(contenu: Json, chemin: str) -> list[Any]:
    """Everything that is at ``chemin``, lists unrolled; « extension[x] » is the extension whose address ends with x."""
    ici: list[Any] = [contenu]
    for nom, url in _pas(chemin):
        ici = [
            v for objet in ici if isinstance(objet, dict) for v in _liste(objet.get(nom))
            if not url or v.get("url", "").rpartition("/")[2] == url
        ]  # fmt: skip
    return ici


def _liste(valeur: Any) -> list[Any]:
    if valeur is None:
        return []
    return valeur if isinstance(valeur, list) else [valeur]


def _jetons(nom: str, valeur: Any) -> Iterator[str]:
    if not isinstance(valeur, dict):  # code, uri, boolean
        code = str(valeur).lower() if isinstance(valeur, bool) else str(valeur)
        yield from _formes(nom, "", code)
    elif "coding" in valeur:
        for codage in valeur["coding"]:
            yield from _formes(nom, codage.get("system", ""), codage.get("code", ""))
    elif "code" in valeur:
        yield from _formes(nom, valeur.get("system", ""), valeur["code"])
    elif "value" in valeur:  # Identifier
        yield from _formes(nom, valeur.get("system", ""), valeur["value"])
        for codage in valeur.get("type", {}).get("coding", []):
            yield f"{nom}:of-type|{codage.get('system', '')}|{codage.get('code', '')}|{valeur['value']}"


def _formes(nom: str, systeme: str, code: str) -> Iterator[str]:
    yield f"{nom}={code}"
    yield f"{nom}|{systeme}|{code}"
    if systeme:
        yield f"{nom}|{systeme}|"


def _textes(valeur: Any) -> Iterator[str]:
    if isinstance(valeur, dict):  # Address
        for partie in ("text", "line", "city", "district", "state", "postalCode", "country"):
            yield from (str(texte) for texte in _liste(valeur.get(partie)))
    else:
        yield str(valeur)


def _age(p: Parametre, ages: list[Json]) -> float | None:
    """The widest: an offer that takes several kinds of patients is found by any of them."""
    jours = [
        float(age["value"]) * par
        for age in ages
        if "value" in age and (par := JOURS_PAR_CODE.get(age.get("code", ""))) and math.isfinite(float(age["value"]))
    ]
    if not jours:
        return None
    return min(jours) if p.colonne == "age_min" else max(jours)
