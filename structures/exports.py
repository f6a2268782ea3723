"""Tables as files: CSV, XLSX and ODS written row after row, so that an export of the whole register fits in memory.

A cell is text or a number. Nothing of what is written can become a formula: CSV puts « ' » before what a spreadsheet
would compute, XLSX and ODS say of each text that it is one.
"""

import csv
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple
from xml.sax.saxutils import escape

from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

Cellule = str | int | float
Ligne = Sequence[Cellule]

_FORMULE = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def sans_formule(cellule: Cellule) -> Cellule:
    """« =1+1 » → « '=1+1 »."""
    return f"'{cellule}" if isinstance(cellule, str) and cellule.startswith(_FORMULE) else cellule


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
        feuille = classeur.create_sheet(titre)
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


class Format(NamedTuple):
    """``ecrire`` fills a file; None: the rows are sent as they come."""

    mime: str
    ecrire: Callable[[Iterable[Ligne], IO[bytes], str], None] | None


FORMATS = {
    "csv": Format("text/csv; charset=utf-8", None),
    "xlsx": Format("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ecrire_xlsx),
    "ods": Format(_ODS, ecrire_ods),
}


def fichier(format_: str, lignes: Iterable[Ligne], nom: str, titre: str) -> HttpResponseBase:
    """The response that gives the rows as a file « nom.format_ » to keep."""
    choisi = FORMATS[format_]
    if choisi.ecrire is None:
        reponse: HttpResponseBase = StreamingHttpResponse(lignes_csv(lignes), content_type=choisi.mime)
        reponse["Content-Disposition"] = f'attachment; filename="{nom}.{format_}"'
        return reponse
    ecrire = choisi.ecrire
    return _a_garder(lambda tampon: ecrire(lignes, tampon, titre), f"{nom}.{format_}", choisi.mime)


def classeur(feuilles: Iterable[tuple[str, Iterable[Ligne]]], nom: str) -> FileResponse:
    """The response that gives (title, rows) sheets as a workbook « nom.xlsx » to keep."""
    return _a_garder(lambda tampon: ecrire_classeur(feuilles, tampon), f"{nom}.xlsx", FORMATS["xlsx"].mime)


def _a_garder(ecrire: Callable[[IO[bytes]], None], nom: str, mime: str) -> FileResponse:
    tampon = TemporaryFile()  # noqa: SIM115 - the response closes it once it is sent
    ecrire(tampon)
    tampon.seek(0)
    return FileResponse(tampon, as_attachment=True, filename=nom, content_type=mime)
