"""The kinds of files that can be imported. Apps register theirs in ``AppConfig.ready()``.

genres.enregistrer(Genre("finess", "FINESS", "…", (".csv",), importer))
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from backoffice.socle.erreurs import Introuvable

from .bilan import Bilan
from .suivi import Suivi


@dataclass(frozen=True, slots=True)
class Option:
    """A box to tick at the deposit (``suivi.options[code]`` is then True), or one of ``choix`` (code, words)."""

    code: str
    libelle: str
    aide: str = ""
    choix: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Genre:
    """``importer(path, suivi)`` does the import for real, in the transaction of its caller, and says what it did: a dry
    run is the same, undone. It raises ``Invalide`` for a file that can't be trusted, with where and why.

    ``modele``: address name of a file to fill. ``gabarit``: template of a part of the report's page that shows
    ``bilan.plus``.
    """

    code: str
    libelle: str
    aide: str
    extensions: tuple[str, ...]
    importer: Callable[[Path, Suivi], Bilan]
    options: tuple[Option, ...] = ()
    modele: str = ""
    gabarit: str = ""


_GENRES: dict[str, Genre] = {}


def enregistrer(genre: Genre) -> None:
    _GENRES[genre.code] = genre


def tous() -> list[Genre]:
    return list(_GENRES.values())


def genre_de(code: str) -> Genre:
    """The genre of this code; ``Introuvable`` when there is none."""
    if code not in _GENRES:
        raise Introuvable("genre_inconnu", f"Aucun import ne s’appelle « {code[:30]} ».")
    return _GENRES[code]
