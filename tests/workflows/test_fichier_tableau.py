"""« Remplir depuis un fichier »: the files of spreadsheets, and every file that can't be trusted."""

import io
import zipfile
from datetime import date
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from backoffice.exports.fichiers import FORMATS
from structures.importations import tableau
from structures.importations.lecture import FichierRefuse

from .feuille import AVEC_MACROS, en_csv, erreurs, gabarit, paquet

pytestmark = pytest.mark.django_db


def classeur(rangees: list[list[Any]]) -> bytes:
    livre = Workbook()
    for rangee in rangees:
        livre.active.append(rangee)
    tampon = io.BytesIO()
    livre.save(tampon)
    return tampon.getvalue()


def lire(octets: bytes) -> list[list[str]]:
    return tableau.lire(io.BytesIO(octets), len(octets))


ENTETE = ["Identifiant", "Niveau", "Nom"]
BON = classeur([ENTETE])
PIEGES = {
    "vide": (b"", "vide"),
    "binaire": (b"\x7fELF\x00\x01\x02", "texte"),
    "zip quelconque": (paquet(lisez_moi=b"bonjour"), "ni un classeur"),
    "tronqué": (BON[: len(BON) // 2], "abîmé ou tronqué"),
    "XML cassé": (paquet(xl__workbook_xml=b"<workbook"), "abîmé ou tronqué"),
    "macros": (AVEC_MACROS, "macros"),
    "bombe": (paquet(xl__workbook_xml=b"0" * (tableau.DEPLIE_MAXIMAL + 1)), "démesuré"),
    "entités": (paquet(content_xml=b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), "XML"),
    "guillemet ouvert": (b'Identifiant;Niveau\n"N1;UO', "guillemet"),
    "encodages mêlés": ("Identifiant;é\n".encode() * 5 + "é".encode("latin-1"), "encodage"),
    "trop de lignes": (b"Identifiant;Niveau\n" + b"N;UO\n" * (tableau.LIGNES_MAXIMALES + 1), "lignes"),
}


@pytest.mark.parametrize("nom", PIEGES)
def test_fichiers_refuses(nom):
    octets, mot = PIEGES[nom]
    with pytest.raises(FichierRefuse, match=mot):
        lire(octets)


ODS = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
    ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
    '<table:table table:name="Fiches">{}</table:table></office:spreadsheet></office:body></office:document-content>'
)
RANGEE = (
    '<table:table-row table:number-rows-repeated="{}"><table:table-cell table:number-columns-repeated="{}"><text:p>{}'
    "</text:p></table:table-cell></table:table-row>"
)
DOCTYPE = '<!DOCTYPE a [<!ENTITY b "c">]>'


def ods(contenu: str) -> bytes:
    return paquet(content_xml=ODS.format(contenu).encode())


def xlsx(cible: str = "feuille.xml", feuille: str = "<worksheet/>", textes: str = "<sst/>") -> bytes:
    liens = "".join(
        f'<Relationship Id="{cle}" Type="http://x/{genre}" Target="{part}"/>'
        for cle, genre, part in (("r1", "worksheet", cible), ("r2", "sharedStrings", "textes.xml"))
    )
    return paquet(**{
        "xl/workbook.xml": b'<workbook xmlns:r="urn:r"><sheets><sheet name="Fiches" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f"<Relationships>{liens}</Relationships>".encode(),
        "xl/textes.xml": textes.encode(),
        f"xl/{cible}": feuille.encode(),
    })  # fmt: skip


def test_une_cellule_repetee_se_lit_une_fois_et_se_compte_avant(monkeypatch):
    lues = []
    monkeypatch.setattr(tableau, "en_texte", lambda brut: lues.append(brut) or brut)
    assert lire(ods(RANGEE.format(1000, 200, "x"))) == [["x"] * tableau.COLONNES_MAXIMALES] * 1000
    with pytest.raises(FichierRefuse, match="plus de 5000 lignes"):
        lire(ods(RANGEE.format(6000, 200, "x" * 15_000)))
    with pytest.raises(FichierRefuse, match="trop de texte"):
        lire(ods(RANGEE.format(4000, 200, "x" * 15_000)))
    assert len(lues) == 3


def test_les_elements_se_comptent_avant_d_etre_lus(monkeypatch):
    monkeypatch.setattr(tableau, "ELEMENTS_MAXIMAUX", 1000)
    monkeypatch.setattr(tableau.ElementTree, "iterparse", lambda *_: pytest.fail("lu avant d’être compté"))
    with pytest.raises(FichierRefuse, match="démesuré"):
        lire(ods("<a/>" * 1001))
    monkeypatch.undo()
    monkeypatch.setattr(tableau, "ELEMENTS_MAXIMAUX", 1000)
    monkeypatch.setattr(tableau, "_texte_xlsx", lambda _: pytest.fail("lu avant d’être compté"))
    with pytest.raises(FichierRefuse, match="démesuré"):
        lire(xlsx(textes=f"<sst>{'<si/>' * 1000}</sst>"))
    with pytest.raises(FichierRefuse, match="démesuré"):
        lire(ods("<a>" * 60 + "</a>" * 60))


def test_rien_ne_reste_de_ce_qui_a_ete_lu():
    lecture = tableau._Paquet(io.BytesIO(ods(RANGEE.format(1, 1, "x") * 5000 + "<a/>" * 5000)))
    restes = [e for evenement, e in lecture.lire("content.xml", {"table-row"}) if evenement == "start"]
    assert len(restes) == 10_004
    assert sum(len(e) for e in restes if not e.tag.endswith("table-row")) == 0


def test_cinq_mille_fiches_pleines_tiennent(dossier):
    """A hundred fiches with every cell filled, fifty times."""
    titres = gabarit(dossier)[0]
    rangees = [[f"Cellule {rang} et son texte à dire" for _ in titres] for rang in range(100)]
    for format_ in ("xlsx", "ods"):
        tampon = io.BytesIO()
        FORMATS[format_].ecrire(rangees, tampon, "Fiches")
        assert lire(tampon.getvalue()) == rangees
        entrees = zipfile.ZipFile(tampon)
        contenus = [entrees.read(nom) for nom in entrees.namelist()]
        assert 50 * sum(map(len, contenus)) < tableau.DEPLIE_MAXIMAL
        assert 50 * sum(c.count(b"<") - c.count(b"</") for c in contenus) < tableau.ELEMENTS_MAXIMAUX


@pytest.mark.parametrize(
    "octets",
    [
        paquet(content_xml=f'<?xml version="1.0" encoding="UTF-16"?>{DOCTYPE}<a>&b;</a>'.encode("utf-16")),
        xlsx("feuille.bin", f"{DOCTYPE}<worksheet/>"),
        xlsx(textes=f"{DOCTYPE}<sst/>"),
    ],
    ids=["UTF-16", "feuille sans nom de XML", "textes partagés"],
)
def test_aucune_entite_quels_que_soient_l_encodage_et_le_nom(octets):
    with pytest.raises(FichierRefuse, match="définitions XML"):
        lire(octets)


def test_les_lignes_gardent_leur_numero():
    vides = RANGEE.format(2, 1, "") + RANGEE.format(1, 1, "x")
    assert lire(ods(vides + RANGEE.format(1_000_000, 1, ""))) == [[], [], ["x"]]
    assert lire(xlsx(feuille='<w><row r="3"><c r="B3"><v>7</v></c></row><row r="1048576"/></w>')) == [
        [], [], ["", "7"],
    ]  # fmt: skip
    for desordre in ('<row r="2"><c r="A2"><v>7</v></c></row>' * 2, '<row><c r="B1"/><c r="A1"/></row>'):
        with pytest.raises(FichierRefuse):
            lire(xlsx(feuille=f"<w>{desordre}</w>"))


def test_les_valeurs_d_un_classeur_xlsx():
    livre = Workbook()
    livre.active.append(["Une autre feuille"])
    feuille = livre.create_sheet("Fiches")
    riche = CellRichText("Deux ", TextBlock(InlineFont(b=True), "styles"))
    feuille.append(["  texte ", 13, 13.5, True, date(2027, 3, 31), None, riche, "=1+1"])
    feuille["A3"] = 999_999_999
    feuille["A3"].number_format = "dd/mm/yyyy"
    tampon = io.BytesIO()
    livre.save(tampon)
    premiere, vide, troisieme = lire(tampon.getvalue())
    assert premiere == ["texte", "13", "13.5", "oui", "31/03/2027", "", "Deux styles", "=1+1"]
    assert isinstance(premiere[-1], tableau.Formule)
    assert (vide, troisieme) == ([], ["999999999"])


def test_cent_megaoctets_ne_sont_pas_lus():
    with pytest.raises(FichierRefuse, match="100 Mo ; 10 Mo au plus"):
        tableau.lire(io.BytesIO(b"x"), 100 * 1024 * 1024)


@pytest.mark.parametrize("separateur", [";", ",", "\t"])
@pytest.mark.parametrize("encodage", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_separateurs_et_encodages_des_tableurs(separateur, encodage):
    texte = f"Identifiant{separateur}Niveau{separateur}Nom\nN1{separateur}UO{separateur}Unité d’été\n"
    assert lire(texte.encode(encodage)) == [ENTETE, ["N1", "UO", "Unité d’été"]]


def test_une_formule_est_refusee_a_sa_place(monde, dossier):
    octets = classeur([[*ENTETE, "Rattachement"], [monde.uo.identifiant, "UO", "=1+1", ""]])
    assert erreurs(dossier, monde.referent, octets) == [
        (2, "Nom", "la cellule contient une formule : remplacez-la par sa valeur.")
    ]


def test_un_texte_qui_ressemble_a_une_formule_reste_du_texte():
    rangees = [ENTETE, ["N1", "UO", "=HYPERLINK(1)"]]
    for format_ in ("xlsx", "ods"):
        tampon = io.BytesIO()
        FORMATS[format_].ecrire(rangees, tampon, "Fiches")
        assert lire(tampon.getvalue()) == rangees
        assert not isinstance(lire(tampon.getvalue())[1][2], tableau.Formule)
    assert lire(en_csv([ENTETE, ["N1", "UO", "'=HYPERLINK(1)"]])) == rangees
