"""An uploaded spreadsheet (XLSX, ODS, CSV) as rows of texts. What it is is read from its bytes, not from its name."""

import csv
import io
import re
import zipfile
from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime
from itertools import repeat
from typing import Any, BinaryIO
from xml.etree import ElementTree
from xml.parsers import expat

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format
from openpyxl.utils import column_index_from_string
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel

from .lecture import FichierRefuse, detecter_encodage

FEUILLE = "Fiches"
TAILLE_MAXIMALE = 10 * 1024 * 1024  # bytes
DEPLIE_MAXIMAL = 50 * 1024 * 1024  # bytes, once unzipped; 27 MB for 5,000 fiches with every cell filled
ELEMENTS_MAXIMAUX = 1_000_000  # of XML; 780,000 for the same
PROFONDEUR_MAXIMALE = 50  # of XML elements one inside the other
LIGNES_MAXIMALES = 5_000
COLONNES_MAXIMALES = 120
CARACTERES_MAXIMAUX = 15_000_000  # of all the cells: a few bytes can repeat one of them over the whole sheet
TEXTE_MAXIMAL = 32_767  # characters of a cell, as in a spreadsheet

_ILLISIBLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_APOSTROPHE = re.compile(r"^'(?=[=+\-@\t\r＝＋－＠])")  # put there by the export, so that nothing is computed

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
    placees = _lire_paquet(flux) if entete == b"PK\x03\x04" else _lire_csv(flux, entete)
    return [_sans_fin(ligne) for ligne in _en_place(placees)]


def _sans_fin(cellules: Iterable[str]) -> list[str]:
    """Without the empty cells at the end: some formats write them."""
    pleines = list(cellules)
    while pleines and not pleines[-1]:
        pleines.pop()
    return pleines


# number (from 1), how many times, texts of the cells
Placee = tuple[int, int, list[str]]


def _en_place(placees: Iterable[Placee]) -> Iterator[list[str]]:
    """Every row at its number, up to the last one that says something; refused before anything is repeated."""
    rang = caracteres = 0
    for numero, fois, cellules in placees:
        if not any(cellules):
            continue
        if numero <= rang or fois < 1:
            raise FichierRefuse("ses lignes sont en désordre : enregistrez-le de nouveau.", ligne=numero)
        fin = numero + fois - 1
        if fin > LIGNES_MAXIMALES + 1:
            raise FichierRefuse(f"il compte plus de {LIGNES_MAXIMALES} lignes.", ligne=LIGNES_MAXIMALES + 2)
        caracteres += fois * sum(map(len, cellules))
        if caracteres > CARACTERES_MAXIMAUX:
            raise FichierRefuse("ses cellules contiennent trop de texte : répartissez-les en plusieurs fichiers.")
        yield from repeat([], numero - 1 - rang)
        yield from repeat(cellules, fois)
        rang = fin


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


def _lire_csv(flux: BinaryIO, entete: bytes) -> Iterator[Placee]:
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
        for numero, ligne in enumerate(lecteur, 1):
            yield numero, 1, list(map(en_texte, ligne[:COLONNES_MAXIMALES]))
    except csv.Error as erreur:
        raise FichierRefuse(
            "un guillemet n’est pas refermé, ou le texte est illisible.", ligne=lecteur.line_num
        ) from erreur


# -- packages ----------------------------------------------------------------------------------------


def _lire_paquet(flux: BinaryIO) -> Iterator[Placee]:
    try:
        paquet = _Paquet(flux)
        if "xl/workbook.xml" in paquet.noms:
            yield from _lire_xlsx(paquet)
        elif "content.xml" in paquet.noms:
            yield from _lire_ods(paquet)
        else:
            raise FichierRefuse("ce n’est ni un classeur XLSX ou ODS, ni un fichier CSV.")
    except FichierRefuse:
        raise
    except Exception as erreur:  # a forged or cut package fails anywhere in the readers: all the same for the person
        raise FichierRefuse("il est abîmé ou tronqué : enregistrez-le de nouveau depuis votre tableur.") from erreur


class _Paquet:
    """The XML parts of a package, bounded and without entities, whatever their names and encodings."""

    def __init__(self, flux: BinaryIO) -> None:
        """Refuse bombs, macros and secrets. The zip reader gives no more than the size that an entry declares."""
        self.zip = zipfile.ZipFile(flux)
        self.elements = 0
        self.verifies = set[str]()
        entrees = self.zip.infolist()
        self.noms = {info.filename for info in entrees}
        if len(entrees) > 500 or sum(info.file_size for info in entrees) > DEPLIE_MAXIMAL:
            self._refuser_demesure()
        if any(nom.lower().endswith("vbaproject.bin") or nom.startswith("Basic/") for nom in self.noms):
            raise FichierRefuse("il contient des macros : enregistrez-le au format XLSX ou ODS sans macro.")
        if any(info.flag_bits & 1 for info in entrees):
            raise FichierRefuse("il est protégé par un mot de passe.")

    def lire(self, nom: str, gardes: Collection[str] = ()) -> Iterator[tuple[str, Any]]:
        """("start", element) of what is outside of the elements of these (local) names, ("end", element) of each of
        them with what it holds. Nothing else is kept."""
        self._verifier(nom)
        pile: list[Any] = []
        garde = 0  # depth of the kept element that is open
        with self.zip.open(nom) as flux:
            for evenement, element in ElementTree.iterparse(flux, ("start", "end")):  # noqa: S314 - see _verifier
                if evenement == "start":
                    pile.append(element)
                    if len(pile) > PROFONDEUR_MAXIMALE:
                        self._refuser_demesure()
                    if not garde:
                        garde = len(pile) if _local(element) in gardes else 0
                        yield "start", element
                    continue
                if garde == len(pile):
                    garde = 0
                    yield "end", element
                pile.pop()
                if pile and not garde:
                    pile[-1].remove(element)

    def _verifier(self, nom: str) -> None:
        """Before any tree is built: no document type, so no entity, and not too many elements."""
        if nom in self.verifies:
            return
        self.verifies.add(nom)
        analyseur = expat.ParserCreate()
        analyseur.StartDoctypeDeclHandler = self._refuser_doctype
        analyseur.StartElementHandler = self._compter
        with self.zip.open(nom) as flux:
            analyseur.ParseFile(flux)

    def _refuser_doctype(self, *_: Any) -> None:
        raise FichierRefuse("il contient des définitions XML qu’aucun tableur n’écrit.")

    def _compter(self, *_: Any) -> None:
        self.elements += 1
        if self.elements > ELEMENTS_MAXIMAUX:
            self._refuser_demesure()

    @staticmethod
    def _refuser_demesure() -> None:
        raise FichierRefuse("il est démesuré une fois décompressé.")


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


# -- XLSX --------------------------------------------------------------------------------------------


def _lire_xlsx(paquet: _Paquet) -> Iterator[Placee]:
    feuilles: dict[str, str] = {}  # title → relation
    origine = WINDOWS_EPOCH
    for _, element in paquet.lire("xl/workbook.xml"):
        if _local(element) == "sheet":
            feuilles[element.get("name")] = next(v for cle, v in element.items() if cle.endswith("}id"))
        elif _local(element) == "workbookPr" and element.get("date1904") in ("1", "true"):
            origine = MAC_EPOCH
    relations = [e for _, e in paquet.lire("xl/_rels/workbook.xml.rels") if _local(e) == "Relationship"]
    parts = {_genre(e): _part(e) for e in relations}
    textes = _textes_partages(paquet, parts["sharedStrings"]) if "sharedStrings" in parts else []
    dates = _formats_de_date(paquet, parts["styles"]) if "styles" in parts else set()
    tableaux = {e.get("Id"): _part(e) for e in relations if _genre(e) == "worksheet"}  # not the sheets of charts
    voulue = feuilles.get(FEUILLE) or next(cle for cle in feuilles.values() if cle in tableaux)
    numero = 0
    for evenement, ligne in paquet.lire(tableaux[voulue], {"row"}):
        if evenement != "end":
            continue
        numero = int(ligne.get("r", numero + 1))
        cellules: list[str] = []
        rang = 0
        for cellule in ligne:
            adresse = cellule.get("r")
            rang = column_index_from_string(adresse.rstrip("0123456789")) if adresse else rang + 1
            if rang > COLONNES_MAXIMALES:
                break
            if rang <= len(cellules):
                raise ValueError(adresse)
            cellules += repeat("", rang - 1 - len(cellules))
            cellules.append(en_texte(_cellule_xlsx(cellule, textes, dates, origine)))
        yield numero, 1, cellules


def _genre(relation: Any) -> str:
    return str(relation.get("Type")).rpartition("/")[2]


def _part(relation: Any) -> str:
    """The name in the package of what the workbook relates to."""
    cible = str(relation.get("Target"))
    return cible[1:] if cible.startswith("/") else f"xl/{cible}"


def _textes_partages(paquet: _Paquet, nom: str) -> list[str]:
    return [en_texte(_texte_xlsx(e)) for evenement, e in paquet.lire(nom, {"si"}) if evenement == "end"]


def _texte_xlsx(element: Any) -> str:
    """Of a text in one piece or of several styles, without its phonetic guide."""
    morceaux = [element, *(e for e in element if _local(e) == "r")]
    return "".join(t.text or "" for morceau in morceaux for t in morceau if _local(t) == "t")


def _formats_de_date(paquet: _Paquet, nom: str) -> set[str]:
    """The styles of cells that show a number as a date."""
    formats: dict[str, str] = {str(cle): format_ for cle, format_ in BUILTIN_FORMATS.items()}
    styles: list[str] = []
    liste = ""
    for _, element in paquet.lire(nom):
        match _local(element):
            case "cellStyleXfs" | "cellXfs" as liste:
                pass
            case "numFmt":
                formats[element.get("numFmtId")] = element.get("formatCode")
            case "xf" if liste == "cellXfs":
                styles.append(element.get("numFmtId", "0"))
    dates = {cle for cle in set(styles) if is_date_format(formats.get(cle))}
    return {str(rang) for rang, cle in enumerate(styles) if cle in dates}


def _cellule_xlsx(cellule: Any, textes: list[str], dates: set[str], origine: datetime) -> Any:
    parts = {_local(e): e for e in cellule}
    if "f" in parts:
        return Formule(f"={parts['f'].text or ''}")
    genre = cellule.get("t", "n")
    if genre == "inlineStr":
        return _texte_xlsx(parts["is"]) if "is" in parts else None
    brut = parts["v"].text if "v" in parts else None
    if not brut:
        return None
    match genre:
        case "s":
            return textes[int(brut)]
        case "b":
            return brut == "1"
        case "d":
            return datetime.fromisoformat(brut)
        case "n" if cellule.get("s") in dates:
            return _jour(float(brut), origine)
        case "n":
            return float(brut)
    return brut


def _jour(nombre: float, origine: datetime) -> Any:
    try:
        return from_excel(nombre, origine)
    except (OverflowError, ValueError):  # no calendar has it: its column says what is wrong with the number
        return nombre


# -- ODS ---------------------------------------------------------------------------------------------


def _lire_ods(paquet: _Paquet) -> Iterator[Placee]:
    tables = (e for _, e in paquet.lire("content.xml", {"table-row"}) if e.tag == f"{_TABLE}table")
    voulue = next((rang for rang, t in enumerate(tables) if t.get(f"{_TABLE}name") == FEUILLE), 0)
    table, numero = -1, 1
    for evenement, element in paquet.lire("content.xml", {"table-row"}):
        if element.tag == f"{_TABLE}table":
            table += 1
        elif evenement == "end" and table == voulue:
            fois = _repetee(element, "rows")
            yield numero, fois, _cellules_ods(element)
            numero += fois


def _cellules_ods(ligne: Any) -> list[str]:
    cellules: list[str] = []
    for cellule in ligne:
        reste = COLONNES_MAXIMALES - len(cellules)
        if reste > 0 and cellule.tag in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            cellules += [en_texte(_cellule_ods(cellule))] * min(_repetee(cellule, "columns"), reste)
    return cellules


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
