"""The list of the répertoire: what criteria find, one's own establishments first. Shown by pages, exported whole."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from backoffice.comptes.models import User

from . import recherche, regles
from .models import VersionFiche
from .recherche import Criteres

PLAFOND = 200  # counting stops there: a page must not wait for the exact number of a broad answer


@dataclass(frozen=True, slots=True)
class Liste:
    """One's own establishments, and how many others there are (``PLAFOND`` + 1: more than ``PLAFOND``).

    ``criteres`` are those that were applied; ``tapes`` what was typed, when only another spelling finds something.
    """

    criteres: Criteres
    miennes: list[VersionFiche]
    autres: int
    tapes: str = ""

    @property
    def total(self) -> int:
        return len(self.miennes) + self.autres

    @property
    def comptee(self) -> bool:
        """``total`` is exact."""
        return self.autres <= PLAFOND

    @property
    def cles(self) -> list[int]:
        """One's own establishments, which the pages of the others leave out."""
        return [v.fiche_id for v in self.miennes]


def les_miennes(criteres: Criteres, user: User) -> list[VersionFiche]:
    """The establishments of the person that meet the criteria, whatever the MSS box."""
    trouvees = recherche.etablissements(replace(criteres, mss=True), user)
    return list(trouvees.filter(fiche__in=regles.egs_de(user)).select_related("fiche"))


def chercher(criteres: Criteres, user: User) -> Liste:
    """What these criteria find; under the nearest spelling when they find nothing."""
    liste = _chercher(criteres, user)
    if liste.total or not criteres.q:
        return liste
    corriges = recherche.correction(criteres, user)
    return replace(_chercher(corriges, user), tapes=criteres.q) if corriges else liste


def _chercher(criteres: Criteres, user: User) -> Liste:
    liste = Liste(criteres, les_miennes(criteres, user), 0)
    return replace(liste, autres=recherche.compter(criteres, user, sauf=liste.cles, plafond=PLAFOND + 1))


def compter(criteres: Criteres, user: User) -> int:
    """The exact number of establishments of the list."""
    return recherche.compter(criteres, user, siens=_siens(user))


def compter_chacune(listes: Iterable[Criteres], user: User) -> list[int]:
    """The number of establishments of each list (``PLAFOND`` + 1: more than ``PLAFOND``)."""
    siens = _siens(user)
    return [recherche.compter(criteres, user, siens=siens, plafond=PLAFOND + 1) for criteres in listes]


def facettes(criteres: Criteres, user: User) -> list[recherche.Facette]:
    """The values that the criteria of the list can take, each with the number of establishments it would show."""
    return recherche.facettes(criteres, user, siens=_siens(user))


def _siens(user: User) -> list[int]:
    return list(regles.egs_de(user).order_by().values_list("pk", flat=True))


def en_entier(criteres: Criteres, user: User, colonnes: tuple[str, ...], taille: int) -> Iterator[VersionFiche]:
    """Every establishment of the list in its order, with these columns, ``taille`` read at once."""
    miennes = les_miennes(criteres, user)
    yield from miennes
    autres = recherche.etablissements(criteres, user).exclude(fiche__in=[v.fiche_id for v in miennes])
    yield from autres.select_related("fiche").only(*colonnes).iterator(chunk_size=taille)
