"""What a run of an import says of itself: sentences, and one line for each thing that it does, keeps or refuses."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..enums import SortDetail


class Detail(NamedTuple):
    """A line of the report (models.DetailImportation). ``cle``: what it is about, in the words of the file (FINESS
    number, code, login). ``fiche``: identifier of the fiche to show, if there is one."""

    sort: SortDetail
    ligne: int | None = None
    colonne: str = ""
    cle: str = ""
    nom: str = ""
    fiche: str = ""
    champ: str = ""
    avant: str = ""
    apres: str = ""
    raison: str = ""


@dataclass
class Bilan:
    """``phrases``: what is worth reading first. ``nombres``: how many things of each fate, in words, when they are not
    simply the number of details. ``details``: in an order that depends on the file and the register alone; two runs
    that would change the same things give the same ones. ``plus``: what the genre's own template shows, as JSON.
    ``refus``: why nothing of the file can be applied, when the details say it line by line. ``complet``: each change
    has its line in the details; without any, there is nothing to apply."""

    phrases: list[str] = field(default_factory=list)
    nombres: dict[str, int] = field(default_factory=dict)
    details: Iterable[Detail] = ()
    plus: dict[str, Any] = field(default_factory=dict)
    refus: str = ""
    complet: bool = False
