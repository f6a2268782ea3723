"""What was deposited: one file, or a zip of them, read whole one after the other and within bounds."""

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from .lecture import FichierRefuse

# What zipfile raises for a member that is cut, damaged, ciphered (RuntimeError) or packed in a way it doesn't know.
_ABIMEE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError)


class Bornes(NamedTuple):
    """``extensions`` of the members read, the others are left aside; ``taille`` of one and ``total``, in bytes."""

    extensions: tuple[str, ...]
    fichiers: int
    taille: int
    total: int


def fichiers(chemin: Path, nom: str, bornes: Bornes) -> Iterator[tuple[str, bytes]]:
    """(name, content) of ``chemin``, deposited under ``nom``, or of its members when it is a zip, by name.

    Raises ``FichierRefuse`` for what is damaged, ciphered or beyond the bounds: nothing of it is to be kept then.
    """
    try:
        if not nom.lower().endswith(".zip"):
            with chemin.open("rb") as flux:
                yield nom, _contenu(flux, nom, bornes)
            return
        with zipfile.ZipFile(chemin) as archive:
            for membre in _membres(archive, bornes):
                with archive.open(membre) as flux:
                    yield membre.filename, _contenu(flux, membre.filename, bornes)
    except OSError as erreur:
        raise FichierRefuse(f"il ne peut pas être lu ({erreur.strerror}).") from erreur
    except _ABIMEE as erreur:
        raise FichierRefuse("l’archive zip est abîmée, ou protégée par un mot de passe.") from erreur


def _membres(archive: zipfile.ZipFile, bornes: Bornes) -> list[zipfile.ZipInfo]:
    membres = [
        m
        for m in archive.infolist()
        if m.filename.lower().endswith(bornes.extensions) and not m.filename.startswith("__MACOSX/")
    ]
    if len(membres) > bornes.fichiers or sum(m.file_size for m in membres) > bornes.total:
        raise FichierRefuse(f"plus de {bornes.fichiers} fichiers, ou de {bornes.total >> 20} Mo une fois ouvert.")
    return sorted(membres, key=lambda m: m.filename)


def _contenu(flux: IO[bytes], nom: str, bornes: Bornes) -> bytes:
    contenu = flux.read(bornes.taille + 1)  # never what the zip announces
    if len(contenu) > bornes.taille:
        raise FichierRefuse(f"{nom} dépasse {bornes.taille >> 20} Mo.")
    return contenu
