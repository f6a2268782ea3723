"""The fold: modifications in, versions out. The only place that says what a fiche is on a day (model.md)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any, NamedTuple

from .patches import Etat, appliquer, valeur


class Changement(NamedTuple):
    """What the fold needs of a modification. ``ordre`` is the order of entry within the fiche."""

    date_effet: date
    ordre: int
    patch: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Periode:
    """The content of a fiche over ``[du, au)``; ``au`` is None when nothing ends it. ``ordre`` is the
    modification that opened the period."""

    du: date
    au: date | None
    etat: Etat
    ordre: int


def plier(changements: Iterable[Changement]) -> list[Periode]:
    """The periods of one fiche, in order, without overlap and without two equal neighbours.

    Changes apply in the order of (date d'effet, entry): one dated before a planned change flows into it except
    in what that one changes itself (domain.md §4). A fiche exists from a change that sets ``existe`` to the one
    that unsets it; outside there is no period.
    """
    ordonnes: Sequence[Changement] = sorted(changements, key=lambda c: (c.date_effet, c.ordre))
    ouvertures: list[tuple[date, Etat, int]] = []
    etat: Etat = {}
    for jour, groupe in groupby(ordonnes, key=lambda c: c.date_effet):
        avant, touches = etat, set[str]()
        for changement in groupe:
            etat = appliquer(etat, changement.patch)
            touches |= changement.patch.keys()
            ordre = changement.ordre
        if any(valeur(avant, nom) != valeur(etat, nom) for nom in touches):
            ouvertures.append((jour, etat, ordre))
    periodes = []
    for i, (jour, contenu, ordre) in enumerate(ouvertures):
        fin = ouvertures[i + 1][0] if i + 1 < len(ouvertures) else None
        if contenu.get("existe"):
            periodes.append(Periode(jour, fin, contenu, ordre))
    return periodes
