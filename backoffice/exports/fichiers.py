"""Tables as files: CSV, XLSX and ODS written row after row, so that an export of the whole register fits in memory.

A cell is text or a number. Nothing of what is written can become a formula: CSV puts « ' » before what a spreadsheet
would compute, XLSX and ODS say of each text that it is one.
"""

import csv
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from tempfile import TemporaryFile
from textwrap import shorten
from typing import IO, Any, NamedTuple, TypeVar
from xml.sax.saxutils import escape

from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

Cellule = str | int | float
Ligne = Sequence[Cellule]
T = TypeVar("T")

TITRE_MAX = 31  # characters of the name of a sheet: Excel takes a file with a longer one for damaged

_FORMULE = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def sans_formule(cellule: Cellule) -> Cellule:
    """« =1+1 » → « '=1+1 »."""
    return f"'{cellule}" if isinstance(cellule, str) and cellule.startswith(_FORMULE) else cellule


def cellules(*valeurs: Any) -> Ligne:
    """Values as cells: days and instants as « 2027-03-31 14:05 », which sort as they stand and which a spreadsheet
    understands; yes and no in words; None and what is empty as nothing."""
    return tuple(map(_cellule, valeurs))


def _cellule(valeur: Any) -> Cellule:
    if valeur is None:
        return ""
    if isinstance(valeur, bool):
        return "oui" if valeur else "non"
    if isinstance(valeur, int | float):
        return valeur
    if isinstance(valeur, datetime):
        return timezone.localtime(valeur).strftime("%Y-%m-%d %H:%M")
    return valeur.isoformat() if isinstance(valeur, date) else str(valeur)


def lots(valeurs: Iterable[T], taille: int = 500) -> Iterator[list[T]]:
    """By so many, so that what a row says beside its own columns is read once for all of them."""
    suite = iter(valeurs)
    while lot := list(islice(suite, taille)):
        yield lot


class _Echo:
    def write(self, texte: str) -> str:
        return texte


def lignes_csv(lignes: Iterable[Ligne]) -> Iterator[str]:
    """Semicolons and a byte order mark: what a French spreadsheet opens by a double click."""
    ecrivain = csv.writer(_Echo(), delimiter=";")
    yield "\ufeff"
    for ligne in lignes:
        yield ecrivain.writerow([sans_formule(cellule) for cellule in ligne])


def ecrire_classeur(feuilles: Iterable[tuple[str, Iterable[Ligne]]], fichier: IO[bytes]) -> None:
    """An XLSX workbook of (title, rows) sheets."""
    classeur = Workbook(write_only=True)
    for titre, lignes in feuilles:
        feuille = classeur.create_sheet(shorten(titre, TITRE_MAX, placeholder="…"))
        feuille.freeze_panes = "A2"
        for ligne in lignes:
            feuille.append([_cellule_xlsx(feuille, valeur) for valeur in ligne])
    classeur.save(fichier)


def _cellule_xlsx(feuille: Any, valeur: Cellule) -> Any:
    if not isinstance(valeur, str):
        return valeur
    texte = WriteOnlyCell(feuille, value=ILLEGAL_CHARACTERS_RE.sub("", valeur))
    texte.data_type = "s"  # openpyxl takes what begins with « = » for a formula
    return texte


def ecrire_xlsx(lignes: Iterable[Ligne], fichier: IO[bytes], titre: str) -> None:
    ecrire_classeur([(titre, lignes)], fichier)


_ODS = "application/vnd.oasis.opendocument.spreadsheet"
_MANIFESTE = f"""<?xml version="1.0" encoding="UTF-8"?>
<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.3">
<manifest:file-entry manifest:full-path="/" manifest:version="1.3" manifest:media-type="{_ODS}"/>
<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>
</manifest:manifest>"""
_CONTENU = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"\
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"\
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.3">\
<office:body><office:spreadsheet><table:table table:name="{}">"""
_FIN = "</table:table></office:spreadsheet></office:body></office:document-content>"


def _cellule_ods(valeur: Cellule) -> str:
    if isinstance(valeur, str):
        type_, texte = 'office:value-type="string"', escape(ILLEGAL_CHARACTERS_RE.sub("", valeur))
    else:
        type_, texte = f'office:value-type="float" office:value="{valeur}"', str(valeur)
    return f"<table:table-cell {type_}><text:p>{texte}</text:p></table:table-cell>"


def ecrire_ods(lignes: Iterable[Ligne], fichier: IO[bytes], titre: str) -> None:
    """An OpenDocument spreadsheet of one table: the smallest package that the format allows."""
    with zipfile.ZipFile(fichier, "w", zipfile.ZIP_DEFLATED) as paquet:
        paquet.writestr(zipfile.ZipInfo("mimetype"), _ODS)  # first, and stored: how the format is recognised
        paquet.writestr("META-INF/manifest.xml", _MANIFESTE)
        with paquet.open("content.xml", "w") as contenu:
            contenu.write(_CONTENU.format(escape(titre)).encode())
            for ligne in lignes:
                cellules = "".join(map(_cellule_ods, ligne))
                contenu.write(f"<table:table-row>{cellules}</table:table-row>".encode())
            contenu.write(_FIN.encode())


def ecrire_csv(lignes: Iterable[Ligne], fichier: IO[bytes], titre: str) -> None:
    for texte in lignes_csv(lignes):
        fichier.write(texte.encode())


class Format(NamedTuple):
    """``entier``: nothing can be sent before the file is whole, as in a compressed package."""

    mime: str
    ecrire: Callable[[Iterable[Ligne], IO[bytes], str], None]
    entier: bool


FORMATS = {
    "csv": Format("text/csv; charset=utf-8", ecrire_csv, entier=False),
    "xlsx": Format("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ecrire_xlsx, entier=True),
    "ods": Format(_ODS, ecrire_ods, entier=True),
}


def ecrire(forme: str, lignes: Iterable[Ligne], fichier: IO[bytes], titre: str) -> None:
    """Write the rows into a file of this format."""
    FORMATS[forme].ecrire(lignes, fichier, titre)


def fichier(forme: str, lignes: Iterable[Ligne], nom: str, titre: str) -> HttpResponseBase:
    """The response that gives the rows as a file « nom.forme » to keep."""
    choisi = FORMATS[forme]
    if not choisi.entier:
        reponse = StreamingHttpResponse(lignes_csv(lignes), content_type=choisi.mime)
        reponse["Content-Disposition"] = f'attachment; filename="{nom}.{forme}"'
        return reponse
    return _a_garder(lambda tampon: ecrire(forme, lignes, tampon, titre), f"{nom}.{forme}", choisi.mime)


def classeur(feuilles: Iterable[tuple[str, Iterable[Ligne]]], nom: str) -> FileResponse:
    """The response that gives (title, rows) sheets as a workbook « nom.xlsx » to keep."""
    return _a_garder(lambda tampon: ecrire_classeur(feuilles, tampon), f"{nom}.xlsx", FORMATS["xlsx"].mime)


def _a_garder(ecrire: Callable[[IO[bytes]], None], nom: str, mime: str) -> FileResponse:
    tampon = TemporaryFile()  # noqa: SIM115 - the response closes it once it is sent
    ecrire(tampon)
    tampon.seek(0)
    return FileResponse(tampon, as_attachment=True, filename=nom, content_type=mime)
