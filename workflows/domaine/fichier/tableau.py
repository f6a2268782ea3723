"""An uploaded spreadsheet (XLSX, ODS, CSV) as rows of texts. What it is is read from its bytes, not from its name."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, BinaryIO
from xml.etree import ElementTree

from openpyxl import load_workbook

from structures.importations.lecture import FichierRefuse, detecter_encodage

FEUILLE = "Fiches"
TAILLE_MAXIMALE = 10 * 1024 * 1024  # bytes
DEPLIE_MAXIMAL = 80 * 1024 * 1024  # bytes, once unzipped
LIGNES_MAXIMALES = 5_000
COLONNES_MAXIMALES = 120
TEXTE_MAXIMAL = 32_767  # characters of a cell, as in a spreadsheet

_ILLISIBLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_APOSTROPHE = re.compile(r"^'(?=[=+\-@\t\r＝＋－＠])")  # put there by the export, so that nothing is computed
_ENTITES = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)

_ODS = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
_TABLE, _BUREAU, _TEXTE = _ODS % "table", _ODS % "office", _ODS % "text"

Lignes = list[list[str]]


class Formule(str):
    """A cell that computes: what it shows is not what it holds."""

    __slots__ = ()


def lire(flux: BinaryIO, taille: int) -> Lignes:
    """The rows of the sheet « Fiches », else of the first one, as trimmed texts; ``FichierRefuse`` says why not.

    Bounded: nothing is unzipped or kept beyond the sizes above. Formulas are ``Formule``.
    """
    if taille > TAILLE_MAXIMALE:
        raise FichierRefuse(f"il pèse {taille // 1024 // 1024} Mo ; {TAILLE_MAXIMALE // 1024 // 1024} Mo au plus.")
    if not taille:
        raise FichierRefuse("il est vide.")
    entete = flux.read(4)
    flux.seek(0)
    brutes = _lire_paquet(flux) if entete == b"PK\x03\x04" else _lire_csv(flux, entete)
    lignes = [_sans_fin(map(en_texte, ligne[:COLONNES_MAXIMALES])) for ligne in _bornees(brutes)]
    while lignes and not lignes[-1]:
        lignes.pop()
    return lignes


def _sans_fin(cellules: Iterable[str]) -> list[str]:
    """Without the empty cells at the end: some formats write them."""
    pleines = list(cellules)
    while pleines and not pleines[-1]:
        pleines.pop()
    return pleines


def _bornees(lignes: Iterable[list[Any]]) -> Iterator[list[Any]]:
    for rang, ligne in enumerate(lignes):
        if rang > LIGNES_MAXIMALES:
            raise FichierRefuse(f"il compte plus de {LIGNES_MAXIMALES} lignes.", ligne=rang + 1)
        yield ligne


def en_texte(brut: Any) -> str:
    """A value as a person would type it; spreadsheets make numbers of codes and dates of days."""
    if isinstance(brut, Formule):
        return brut
    if brut is None:
        return ""
    if isinstance(brut, bool):
        return "oui" if brut else "non"
    if isinstance(brut, float) and brut.is_integer():
        brut = int(brut)
    if isinstance(brut, datetime | date):
        return brut.strftime("%d/%m/%Y")
    texte = str(brut).replace("\r\n", "\n").replace("\r", "\n").strip()
    return _APOSTROPHE.sub("", texte)


def illisible(texte: str) -> str:
    """Why a cell can't be taken as it is, "" when it can."""
    if isinstance(texte, Formule):
        return "la cellule contient une formule : remplacez-la par sa valeur."
    if len(texte) > TEXTE_MAXIMAL:
        return f"le texte compte {len(texte)} caractères ; {TEXTE_MAXIMAL} au plus."
    return "le texte contient un caractère illisible." if _ILLISIBLE.search(texte) else ""


# -- CSV ---------------------------------------------------------------------------------------------


def _lire_csv(flux: BinaryIO, entete: bytes) -> Iterator[list[str]]:
    if entete.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            texte = flux.read().decode("utf-16")
        except UnicodeDecodeError as erreur:
            raise FichierRefuse("il est tronqué ou abîmé.") from erreur
    else:
        codec, _ = detecter_encodage(flux)
        texte = flux.read().decode(codec)
    premiere = texte.split("\n", 1)[0]
    separateur = max(";,\t", key=premiere.count)
    csv.field_size_limit(TEXTE_MAXIMAL * 4)
    lecteur = csv.reader(io.StringIO(texte, newline=""), delimiter=separateur, strict=True)
    try:
        yield from lecteur
    except csv.Error as erreur:
        raise FichierRefuse(
            "un guillemet n’est pas refermé, ou le texte est illisible.", ligne=lecteur.line_num
        ) from erreur


# -- packages ----------------------------------------------------------------------------------------


def _lire_paquet(flux: BinaryIO) -> Iterator[list[Any]]:
    try:
        paquet = zipfile.ZipFile(flux)
        noms = {info.filename for info in paquet.infolist()}
        _refuser_piege(paquet, noms)
        if "xl/workbook.xml" in noms:
            yield from _lire_xlsx(flux)
        elif "content.xml" in noms:
            yield from _lire_ods(paquet)
        else:
            raise FichierRefuse("ce n’est ni un classeur XLSX ou ODS, ni un fichier CSV.")
    except FichierRefuse:
        raise
    except Exception as erreur:  # a forged or cut package fails anywhere in the readers: all the same for the person
        raise FichierRefuse("il est abîmé ou tronqué : enregistrez-le de nouveau depuis votre tableur.") from erreur


def _refuser_piege(paquet: zipfile.ZipFile, noms: set[str]) -> None:
    """Bombs, macros and XML entities. The reader gives no more than the size that an entry declares."""
    entrees = paquet.infolist()
    if len(entrees) > 500 or sum(info.file_size for info in entrees) > DEPLIE_MAXIMAL:
        raise FichierRefuse("il est démesuré une fois décompressé.")
    if any(nom.lower().endswith("vbaproject.bin") or nom.startswith("Basic/") for nom in noms):
        raise FichierRefuse("il contient des macros : enregistrez-le au format XLSX ou ODS sans macro.")
    if any(info.flag_bits & 1 for info in entrees):
        raise FichierRefuse("il est protégé par un mot de passe.")
    for nom in noms:
        if nom.endswith((".xml", ".rels")) and _ENTITES.search(paquet.read(nom)):
            raise FichierRefuse("il contient des définitions XML qu’aucun tableur n’écrit.")


def _lire_xlsx(flux: BinaryIO) -> Iterator[list[Any]]:
    flux.seek(0)
    classeur = load_workbook(flux, read_only=True, keep_links=False)
    try:
        feuille = classeur[FEUILLE] if FEUILLE in classeur.sheetnames else classeur.worksheets[0]
        feuille.reset_dimensions()  # what the file says of its size may be anything
        for ligne in feuille.iter_rows(max_col=COLONNES_MAXIMALES, max_row=LIGNES_MAXIMALES + 2):
            yield [Formule(c.value) if c.data_type == "f" else c.value for c in ligne]
    finally:
        classeur.close()


def _lire_ods(paquet: zipfile.ZipFile) -> Iterator[list[Any]]:
    with paquet.open("content.xml") as contenu:
        racine = ElementTree.parse(contenu).getroot()  # noqa: S314 - no entities: see _refuser_piege
    feuilles = list(racine.iter(f"{_TABLE}table"))
    feuille = next((f for f in feuilles if f.get(f"{_TABLE}name") == FEUILLE), feuilles[0])
    for ligne in feuille.iter(f"{_TABLE}table-row"):
        cellules: list[Any] = []
        for cellule in ligne:
            if cellule.tag in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
                reste = COLONNES_MAXIMALES - len(cellules)
                cellules += [_cellule_ods(cellule)] * min(_repetee(cellule, "columns"), reste)
        vide = not any(cellules)
        for _ in range(min(_repetee(ligne, "rows"), 1 if vide else LIGNES_MAXIMALES + 2)):
            yield cellules


def _repetee(element: Any, quoi: str) -> int:
    return int(element.get(f"{_TABLE}number-{quoi}-repeated", 1))


def _cellule_ods(cellule: Any) -> Any:
    if cellule.get(f"{_TABLE}formula"):
        return Formule(cellule.get(f"{_TABLE}formula"))
    genre = cellule.get(f"{_BUREAU}value-type")
    if genre in ("float", "percentage", "currency"):
        return float(cellule.get(f"{_BUREAU}value"))
    if genre == "date":
        return datetime.fromisoformat(cellule.get(f"{_BUREAU}date-value"))
    if genre == "boolean":
        return cellule.get(f"{_BUREAU}boolean-value") == "true"
    return "\n".join(_paragraphe(p) for p in cellule.findall(f"{_TEXTE}p")) or None


def _paragraphe(element: Any) -> str:
    morceaux = [element.text or ""]
    for enfant in element:
        if enfant.tag == f"{_TEXTE}s":
            morceaux.append(" " * min(int(enfant.get(f"{_TEXTE}c", 1)), 100))
        elif enfant.tag == f"{_TEXTE}line-break":
            morceaux.append("\n")
        elif enfant.tag == f"{_TEXTE}tab":
            morceaux.append("\t")
        else:
            morceaux.append(_paragraphe(enfant))
        morceaux.append(enfant.tail or "")
    return "".join(morceaux)
