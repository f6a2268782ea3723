"""What a fiche is on a day, said the slow way: for that day, look at the changes again, element by element.

Written against domain.md §4 and not against the code: no fold, no patch function, no state carried from day to day.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

from hypothesis import strategies as st

TEXTES = ("nom", "conditions_accueil")
ENTIERS = ("age_min",)
ENSEMBLES = {"activites": ("004", "007", "014"), "publics": ("01", "02")}  # codes that forms accept
INDEXES = {"equipements": ("009", "021", "052")}


class Saisie(NamedTuple):
    """One change as entered; ``annulee`` when it no longer counts."""

    jour: date
    ordre: int
    patch: dict[str, Any]
    annulee: bool = False


def etat_le(saisies: Iterable[Saisie], jour: date) -> dict[str, Any] | None:
    """Every field of the fiche on ``jour``; None when it does not exist then."""
    vues = sorted((s for s in saisies if not s.annulee and s.jour <= jour), key=lambda s: (s.jour, s.ordre))
    if not _derniere_valeur(vues, "existe", False):
        return None
    etat: dict[str, Any] = {nom: _derniere_valeur(vues, nom, "") for nom in TEXTES}
    etat |= {nom: _derniere_valeur(vues, nom, None) for nom in ENTIERS}
    for nom, elements in ENSEMBLES.items():
        etat[nom] = frozenset(e for e in elements if _element_present(vues, nom, e))
    for nom, cles in INDEXES.items():
        etat[nom] = {c: v for c in cles if (v := _element_pose(vues, nom, c)) is not None}
    return etat


def _derniere_valeur(vues: list[Saisie], nom: str, vide: Any) -> Any:
    for saisie in reversed(vues):
        if nom in saisie.patch:
            return saisie.patch[nom]
    return vide


def _element_present(vues: list[Saisie], nom: str, element: str) -> bool:
    for saisie in reversed(vues):
        changement = saisie.patch.get(nom, {})
        if element in changement.get("ajoute", []):
            return True
        if element in changement.get("retire", []):
            return False
    return False


def _element_pose(vues: list[Saisie], nom: str, cle: str) -> Any:
    for saisie in reversed(vues):
        changement = saisie.patch.get(nom, {})
        if cle in changement.get("pose", {}):
            return changement["pose"][cle]
        if cle in changement.get("retire", []):
            return None
    return None


def _ensembles(elements: tuple[str, ...]) -> st.SearchStrategy[dict[str, list[str]]]:
    """Each element added, removed or left alone."""
    return st.fixed_dictionaries({e: st.sampled_from(["ajoute", "retire", ""]) for e in elements}).map(
        lambda sorts: {sort: [e for e in elements if sorts[e] == sort] for sort in ("ajoute", "retire")}
    )


def _indexes(cles: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({c: st.sampled_from([None, 0, 1, 2]) for c in cles}).map(
        lambda sorts: {
            "pose": {c: n for c, n in sorts.items() if n},
            "retire": [c for c, n in sorts.items() if n == 0],
        }
    )


def patches(*, existe: bool = True) -> st.SearchStrategy[dict[str, Any]]:
    """Patches on a few fields of each shape."""
    champs: dict[str, st.SearchStrategy[Any]] = {nom: st.sampled_from(["", "a", "b"]) for nom in TEXTES}
    champs |= {nom: st.sampled_from([None, 0, 3]) for nom in ENTIERS}
    champs |= {nom: _ensembles(elements) for nom, elements in ENSEMBLES.items()}
    champs |= {nom: _indexes(cles) for nom, cles in INDEXES.items()}
    if existe:
        champs["existe"] = st.sampled_from([True, True, False])
    return st.fixed_dictionaries({}, optional=champs)
