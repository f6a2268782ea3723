"""What the tests of imports and exports share: a file of the starter set, an import, its totals, its refusals."""

import csv
import gzip
from pathlib import Path
from typing import Any

from tablib import Dataset

from structures.models import Fiche


def lire(chemin: Path, **ajouts: str) -> Dataset:
    """A file of the starter set, with constant columns added."""
    ouvrir: Any = gzip.open if chemin.suffix == ".gz" else open
    with ouvrir(chemin, "rt", encoding="utf-8", newline="") as flux:
        lignes = list(csv.reader(flux, delimiter=";"))
    return Dataset(*[(*ligne, *ajouts.values()) for ligne in lignes[1:]], headers=[*lignes[0], *ajouts])


def importer(resource: type, *lignes: Any, colonnes: Any = None, **options: Any) -> Any:
    donnees = lignes[0] if isinstance(lignes[0], Dataset) else Dataset(*lignes, headers=colonnes)
    return resource().import_data(donnees, **options)


def totaux(resultat: Any) -> tuple[int, int, int]:
    """(new, changed, unchanged), after checking that nothing was refused."""
    assert (resultat.base_errors, [r.error_dict for r in resultat.invalid_rows]) == ([], [])
    assert not resultat.has_errors()
    return resultat.totals["new"], resultat.totals["update"], resultat.totals["skip"]


def fautes(resultat: Any) -> dict[int, dict[str, list[str]]]:
    """Refusals by number of line and column; the whole of them are validation errors, never crashes."""
    assert not [e.error for ligne in resultat.error_rows for e in ligne.errors]
    return {ligne.number: ligne.error_dict for ligne in resultat.invalid_rows}


def numero(fiche: Fiche) -> str:
    """The FINESS number of a structure, as a file gives it."""
    return fiche.identifiant[1:]
