"""Three-way merge: what two people changed from the same state (model.md). Pure.

A single value that both changed differently collides; lists merge element by element, and only an element that both
touched differently collides. What does not collide merges by itself. A number and its unit are one value.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ..champs import CHAMPS, LIES, Forme
from .patches import Patch, appliquer, difference, valeur


@dataclass(frozen=True, slots=True)
class Heurt:
    """A field that both sides changed so that the two can't hold: its value at the start, theirs, mine."""

    nom: str
    base: Any
    leur: Any
    mien: Any


def heurts(base: Mapping[str, Any], leur: Mapping[str, Any], patch: Patch) -> list[Heurt]:
    """The fields of ``patch``, made on ``base``, that collide with what leads from ``base`` to ``leur``."""
    autre = _autre(base, leur, patch)
    return [
        Heurt(nom, valeur(base, nom), valeur(leur, nom), appliquer(base, {nom: patch[nom]})[nom])
        for nom in patch
        if (nom in autre and se_heurtent(nom, patch[nom], autre[nom])) or (LIES.get(nom, "") in autre.keys() - patch)
    ]


def sans_heurts(base: Mapping[str, Any], leur: Mapping[str, Any], patch: Patch, noms: Collection[str]) -> Patch:
    """``patch`` without what collides with theirs in the fields ``noms``; the other elements of a list stay."""
    autre = _autre(base, leur, noms)
    cedes = {n for nom in noms for n in (nom, LIES.get(nom, nom))}
    garde = {nom: _reste(nom, patch[nom], autre.get(nom, {})) if nom in cedes else patch[nom] for nom in patch}
    return {nom: changement for nom, changement in garde.items() if changement is not _RIEN}


def se_heurtent(nom: str, a: Any, b: Any) -> bool:
    """True when two changes of one field can't both hold: different values, or opposite on one element."""
    forme = CHAMPS[nom].forme
    if forme is Forme.VALEUR:
        return bool(a != b)
    if forme is Forme.ENSEMBLE:
        return bool(
            set(a.get("ajoute", ())) & set(b.get("retire", ())) or set(a.get("retire", ())) & set(b.get("ajoute", ()))
        )
    pose_a, pose_b = a.get("pose", {}), b.get("pose", {})
    return any(pose_a.get(cle) != pose_b.get(cle) for cle in _cles(a) & _cles(b))


_RIEN = object()


def _autre(base: Mapping[str, Any], leur: Mapping[str, Any], noms: Collection[str]) -> Patch:
    touches = {n for nom in noms for n in (nom, LIES.get(nom, nom))}
    return difference(base, {nom: valeur(leur, nom) for nom in touches})


def _cles(changement: Mapping[str, Any]) -> set[str]:
    return set(changement.get("pose", {})) | set(changement.get("retire", ()))


def _reste(nom: str, mien: Any, autre: Any) -> Any:
    forme = CHAMPS[nom].forme
    if forme is Forme.VALEUR:
        return _RIEN
    if forme is Forme.ENSEMBLE:
        reste: dict[str, Any] = {
            "ajoute": sorted(set(mien.get("ajoute", ())) - set(autre.get("retire", ()))),
            "retire": sorted(set(mien.get("retire", ())) - set(autre.get("ajoute", ()))),
        }
    else:
        touches = _cles(autre)
        reste = {
            "pose": {cle: v for cle, v in mien.get("pose", {}).items() if cle not in touches},
            "retire": [cle for cle in mien.get("retire", ()) if cle not in touches],
        }
    return {quoi: elements for quoi, elements in reste.items() if elements} or _RIEN
