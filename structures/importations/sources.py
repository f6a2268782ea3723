"""The layouts in which FINESS is published, behind one interface."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from .lecture import Enregistrement, FichierRefuse, Lecture
from .lecture_json import LectureJson


class Source(Protocol):
    """A file of establishments (``structures``), of legal entities (``entites``) or both, read once. Trust is only sure
    when ``enregistrements`` is exhausted. ``exige_positions``: a file without coordinates has lost its end."""

    encodage: str
    version: str
    date: date
    structures: int
    entites: int
    positions: int

    @property
    def exige_positions(self) -> bool: ...

    def enregistrements(self) -> Iterator[Enregistrement]: ...

    def lieu(self, ligne: int, champ: str) -> tuple[int | None, str]: ...


@contextmanager
def ouvrir(chemin: Path, sans_geolocalisation: bool) -> Iterator[Source]:
    """The reader of a file, compressed by gzip or not, by what it begins with."""
    with chemin.open("rb") as brut:
        compresse = brut.read(2) == b"\x1f\x8b"
        brut.seek(0)
        flux = cast(BinaryIO, gzip.GzipFile(fileobj=brut)) if compresse else brut
        try:
            debut = flux.read(100).removeprefix(b"\xef\xbb\xbf").lstrip()
            flux.seek(0)
            yield LectureJson(flux) if debut.startswith(b"{") else Lecture(flux, sans_geolocalisation)
        except (EOFError, gzip.BadGzipFile, zlib.error) as erreur:
            raise FichierRefuse("le fichier compressé est tronqué ou abîmé.") from erreur
