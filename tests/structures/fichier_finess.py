"""FINESS files, historic layout, made line by line; what they left in the register."""

from collections.abc import Iterable
from datetime import date

from structures.importations.rapport import Rapport
from structures.models import Fiche, Modification, VersionFiche

from .fabrique import aujourdhui, numero
from .officielles import DONNEES

JOUR = date(2024, 5, 6)
EG1, EG2, EG3 = numero("75000001"), numero("75000002"), numero("75000003")
EJ1, EJ2 = numero("75900001"), numero("75900002")
SIRET = numero("2601000450001")
REEL = DONNEES / "finess"

# Position of the fields of a « structureet » row, type first.
RANGS = {
    "finess": 1, "ej": 2, "rs": 3, "rs_longue": 4, "compl_rs": 5, "compl_distrib": 6, "num": 7, "type": 8, "voie": 9,
    "indice": 10, "lieu_dit": 11, "commune": 12, "departement": 13, "acheminement": 15, "telephone": 16,
    "categorie": 18, "siret": 22, "mft": 24, "sph": 26, "ouverture": 28,
}  # fmt: skip


def ligne(finess: str = EG1, ej: str = EJ1, **champs: str) -> str:
    valeurs = {
        "rs": f"RESIDENCE {finess}", "num": "12", "type": "AV", "voie": "DE PARIS", "commune": "107",
        "departement": "75", "acheminement": "75007 PARIS", "telephone": "0147020235", "categorie": "500",
        "ouverture": "2004-03-02",
    } | {"finess": finess, "ej": ej} | champs  # fmt: skip
    cases = ["structureet"] + [""] * 31
    for nom, valeur in valeurs.items():
        cases[RANGS[nom]] = f'"{valeur.replace(chr(34), chr(34) * 2)}"' if ";" in valeur or '"' in valeur else valeur
    return ";".join(cases)


def position(
    finess: str = EG1, x: str = "2.3083210507768", y: str = "48.8538527661997", projection: str = "WGS84"
) -> str:
    return f"geolocalisation;{finess};{x};{y};1,ATLASANTE,100,IGN,BD_ADRESSE,V2.2,{projection};{JOUR}"


def texte(structures: Iterable[str], positions: Iterable[str] | None = None, jour: date = JOUR) -> str:
    structures = list(structures)
    if positions is None:
        positions = [position(s.split(";")[1]) for s in structures]
    return "\n".join([f"finess;etalab;111;{jour}", *structures, *positions]) + "\n"


def fiche(finess: str) -> Fiche:
    return Fiche.objects.get(identifiant=f"1{finess}")


def actuelle(finess: str) -> VersionFiche:
    return VersionFiche.objects.get(fiche__identifiant=f"1{finess}", validite__contains=aujourdhui())


def rien_ecrit() -> bool:
    return not (Fiche.objects.exists() or Modification.objects.exists() or VersionFiche.objects.exists())


def bilan(rapport: Rapport) -> tuple[int, int, int, int]:
    """(EJ created, EG created, changed, unchanged)"""
    return rapport.ej_creees, rapport.eg_crees, rapport.eg_modifies, rapport.eg_inchanges


BON = texte([ligne(EG1, rs="ÉTABLISSEMENT"), ligne(EG2)])
