"""What a rule is, and the list of all of them. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from structures.champs import CHAMPS
from structures.domaine.patches import Etat, Patch, valeur
from structures.enums import Niveau

from ..apercu import NoeudTravail
from .contexte import Contexte

TOUS = (Niveau.EG, Niveau.POLE, Niveau.SERVICE, Niveau.UF, Niveau.UO)  # those of a dossier
UO = (Niveau.UO,)
INTERNES = (Niveau.POLE, Niveau.SERVICE, Niveau.UF)
CHAMPS_DE_DOSSIER = tuple(c for c in CHAMPS.values() if not c.niveaux.isdisjoint(TOUS))

EXIGENCES = "ANS, exigences qualité du ROR"
MODELE = "ANS, modèle d’exposition du ROR 3.0"
GUIDE = "SESAN, guide « Mettre à jour son offre de soins »"
DOMAINE = "Description du domaine"
NOS = "ANS, nomenclatures des objets de santé"
BON_SENS = "Règle de ce back office"

INSTALLE = "01"  # R330


class Gravite(StrEnum):
    BLOQUANT = "bloquant"
    AVERTISSEMENT = "avertissement"


@dataclass(frozen=True, slots=True)
class Sujet:
    """One fiche under control. ``etat``: its content as the dossier would publish it; ``patch``: what the dossier
    changes in it, None when it does not touch it."""

    noeud: NoeudTravail
    etat: Etat
    patch: Patch | None

    def __getitem__(self, champ: str) -> Any:
        return valeur(self.etat, champ)

    @property
    def neuve(self) -> bool:
        return not self.noeud.publie


class Constat(NamedTuple):
    """What a rule finds: the field where it is put right (« parent »: its place in the tree), in a French sentence."""

    champ: str
    phrase: str


Chercher = Callable[[Sujet, Contexte], Iterable[Constat]]


@dataclass(frozen=True, slots=True)
class Regle:
    """``code``: the national one, or ours (« BO- »). ``champs``: the fields that it reads.

    A blocking rule blocks on what the dossier does: on a new fiche, and where the dossier changes one of ``champs``
    (``obligatoire``, a mandatory element: wherever it touches the fiche). What the register held before is a warning.
    ``sur_l_arbre``: it looks at the tree, not at the content, and at each fiche round which something moves.
    """

    code: str
    titre: str
    gravite: Gravite
    niveaux: frozenset[str]
    champs: frozenset[str]
    source: str
    obligatoire: bool
    sur_l_arbre: bool
    chercher: Chercher


CATALOGUE: dict[str, Regle] = {}


def regle(
    code: str,
    titre: str,
    gravite: Gravite,
    niveaux: Iterable[str],
    champs: Iterable[str],
    source: str,
    *,
    obligatoire: bool = False,
    sur_l_arbre: bool = False,
) -> Callable[[Chercher], Chercher]:
    """Enter a function into the catalogue under a code that no other has."""

    def inscrire(chercher: Chercher) -> Chercher:
        if code in CATALOGUE:
            raise ValueError(f"two rules {code}")
        CATALOGUE[code] = Regle(
            code, titre, gravite, frozenset(niveaux), frozenset(champs), source, obligatoire, sur_l_arbre, chercher
        )
        return chercher

    return inscrire
