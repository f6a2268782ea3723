"""What was deposited: one file, or a zip of them. A broken one refuses the whole: nothing is half imported."""

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from ..lecture import FichierRefuse
from ..suivi import Suivi
from . import fhir, plat
from .edition import Edition

FICHIERS_MAX = 2_000
TAILLE_MAX = 8 << 20  # bytes of one file once unpacked; the biggest of the ANS has 1.5 million
TOTAL_MAX = 128 << 20
REFUS_MONTRES = 10
EXTENSIONS = (".json", ".csv", ".zip")


def lire(chemin: Path, nom: str, suivi: Suivi) -> tuple[list[Edition], list[str]]:
    """(editions, names of the files that are no nomenclature)."""
    editions: list[Edition] = []
    autres: list[str] = []
    refus: list[str] = []
    lus = 0
    for fichier, contenu in suivi.parcourir(_fichiers(chemin, nom), "Lecture des fichiers"):
        lus += 1
        try:
            trouvees = (fhir if fichier.lower().endswith(".json") else plat).lire(contenu, fichier)
        except FichierRefuse as erreur:
            refus.append(erreur.raison)
            continue
        editions += trouvees
        autres += [] if trouvees else [fichier]
    if refus:
        suite = f" … et {len(refus) - REFUS_MONTRES} autres" if len(refus) > REFUS_MONTRES else ""
        raise FichierRefuse(" ".join(refus[:REFUS_MONTRES]) + suite)
    if not lus:
        raise FichierRefuse("il ne contient aucun fichier .json ou .csv.")
    return editions, autres


def _fichiers(chemin: Path, nom: str) -> Iterator[tuple[str, bytes]]:
    try:
        if nom.lower().endswith(".zip"):
            yield from _de_l_archive(chemin)
        elif chemin.stat().st_size > TAILLE_MAX:
            raise FichierRefuse(f"il dépasse {TAILLE_MAX >> 20} Mo.")
        else:
            yield nom, chemin.read_bytes()
    except OSError as erreur:
        raise FichierRefuse(f"il ne peut pas être lu ({erreur.strerror}).") from erreur


def _de_l_archive(chemin: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(chemin) as archive:
            membres = [
                m
                for m in archive.infolist()
                if m.filename.lower().endswith((".json", ".csv")) and not m.filename.startswith("__MACOSX/")
            ]
            if len(membres) > FICHIERS_MAX or sum(m.file_size for m in membres) > TOTAL_MAX:
                raise FichierRefuse(f"plus de {FICHIERS_MAX} fichiers, ou de {TOTAL_MAX >> 20} Mo une fois ouvert.")
            for membre in sorted(membres, key=lambda m: m.filename):
                with archive.open(membre) as flux:
                    contenu = flux.read(TAILLE_MAX + 1)
                if len(contenu) > TAILLE_MAX:
                    raise FichierRefuse(f"{membre.filename} dépasse {TAILLE_MAX >> 20} Mo.")
                yield membre.filename, contenu
    except (
        zipfile.BadZipFile,
        zlib.error,
        RuntimeError,
        NotImplementedError,
    ) as erreur:  # broken, ciphered, unknown packing
        raise FichierRefuse("l’archive zip est abîmée, ou protégée par un mot de passe.") from erreur
