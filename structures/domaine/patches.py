"""Patches: what an author changed in a fiche, and nothing else (model.md).

JSON shapes, by shape of the field (structures/champs.py):

* ``VALEUR``: the new value (text, number, boolean, ISO date, code, fiche id or null);
* ``ENSEMBLE``: ``{"ajoute": [...], "retire": [...]}``, codes sorted;
* ``INDEXE``: ``{"pose": {key: element}, "retire": [keys]}``.

A *state* (``Etat``) is the full content at one moment: field name → value, with ``frozenset`` for sets and
``dict`` for indexed fields. Everything here is pure.
"""

from collections.abc import Mapping
from typing import Any

from ..champs import CHAMPS, Forme

Etat = dict[str, Any]
Patch = dict[str, Any]


def valeur(etat: Mapping[str, Any], nom: str) -> Any:
    """The value of a field in a state, or the empty value of its kind."""
    return etat[nom] if nom in etat else CHAMPS[nom].vide()


def appliquer(etat: Mapping[str, Any], patch: Mapping[str, Any]) -> Etat:
    """The state after the patch; the one given is left as it is."""
    apres = dict(etat)
    for nom, changement in patch.items():
        forme = CHAMPS[nom].forme
        if forme is Forme.VALEUR:
            apres[nom] = changement
        elif forme is Forme.ENSEMBLE:
            apres[nom] = (valeur(etat, nom) - frozenset(changement.get("retire", ()))) | frozenset(
                changement.get("ajoute", ())
            )
        else:
            retires = set(changement.get("retire", ()))
            apres[nom] = {k: v for k, v in valeur(etat, nom).items() if k not in retires} | changement.get("pose", {})
    return apres


def difference(avant: Mapping[str, Any], apres: Mapping[str, Any]) -> Patch:
    """The smallest patch that leads from one state to the other, on the fields of ``apres``."""
    patch: Patch = {}
    for nom, nouveau in apres.items():
        ancien = valeur(avant, nom)
        if ancien == nouveau:
            continue
        forme = CHAMPS[nom].forme
        if forme is Forme.VALEUR:
            patch[nom] = nouveau
        elif forme is Forme.ENSEMBLE:
            patch[nom] = _ensemble(nouveau - ancien, ancien - nouveau)
        else:
            patch[nom] = _indexe(
                {k: v for k, v in nouveau.items() if k not in ancien or ancien[k] != v}, ancien.keys() - nouveau.keys()
            )
    return patch


def composer(premier: Mapping[str, Any], second: Mapping[str, Any]) -> Patch:
    """One patch that does what the two do one after the other."""
    patch: Patch = dict(premier)
    for nom, changement in second.items():
        forme = CHAMPS[nom].forme
        if nom not in premier or forme is Forme.VALEUR:
            patch[nom] = changement
        elif forme is Forme.ENSEMBLE:
            ajoute, retire = set(changement.get("ajoute", ())), set(changement.get("retire", ()))
            patch[nom] = _ensemble(
                (set(premier[nom].get("ajoute", ())) - retire) | ajoute,
                (set(premier[nom].get("retire", ())) - ajoute) | retire,
            )
        else:
            pose, retire = changement.get("pose", {}), set(changement.get("retire", ()))
            garde = {k: v for k, v in premier[nom].get("pose", {}).items() if k not in retire}
            patch[nom] = _indexe(garde | pose, (set(premier[nom].get("retire", ())) - pose.keys()) | retire)
    return patch


def inverser(etat: Mapping[str, Any], patch: Mapping[str, Any]) -> Patch:
    """The patch that brings the fields of ``patch`` back to what they were in ``etat``."""
    apres = appliquer(etat, patch)
    return difference(apres, {nom: valeur(etat, nom) for nom in patch})


def utile(etat: Mapping[str, Any], patch: Mapping[str, Any]) -> Patch:
    """The part of the patch that changes something in this state."""
    return difference({nom: valeur(etat, nom) for nom in patch}, {n: appliquer(etat, patch)[n] for n in patch})


def _ensemble(ajoute: Any, retire: Any) -> dict[str, list[str]]:
    return {cle: sorted(elements) for cle, elements in (("ajoute", ajoute), ("retire", retire)) if elements}


def _indexe(pose: dict[str, Any], retire: Any) -> dict[str, Any]:
    patch: dict[str, Any] = {}
    if pose:
        patch["pose"] = dict(sorted(pose.items()))
    if retire:
        patch["retire"] = sorted(retire)
    return patch


def vers_json(nom: str, contenu: Any) -> Any:
    """A value of a state as JSON can hold it (sets become sorted lists)."""
    return sorted(contenu) if CHAMPS[nom].forme is Forme.ENSEMBLE else contenu


def depuis_json(nom: str, contenu: Any) -> Any:
    return frozenset(contenu or ()) if CHAMPS[nom].forme is Forme.ENSEMBLE else contenu
