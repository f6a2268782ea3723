"""« Exporter »: exactly the filtered list, in three formats, and nothing that a spreadsheet would compute."""

import csv
import io
import random
import zipfile
from xml.etree import ElementTree

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from structures.enums import Role
from structures.models import Habilitation
from structures.vues import export
from tests.factories import repertoire as fabrique
from tests.navigation import client, texte

from .test_repertoire import noms

pytestmark = pytest.mark.django_db

TEXTE = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}p"
LIGNE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}table-row"


def octets(reponse) -> bytes:
    assert reponse.status_code == 200
    return b"".join(reponse.streaming_content)


def exporter(navigateur, adresse: str = "", format_: str = "csv", contenu: str = "etablissements") -> list[list[str]]:
    """The rows of a file, the names of the columns first."""
    reponse = navigateur.get(f"/exports/{contenu}.{format_}?{adresse}")
    brut = octets(reponse)
    if format_ == "csv":
        return list(csv.reader(io.StringIO(brut.decode("utf-8-sig")), delimiter=";"))
    if format_ == "xlsx":
        feuille = openpyxl.load_workbook(io.BytesIO(brut)).active
        return [["" if v is None else str(v) for v in ligne] for ligne in feuille.iter_rows(values_only=True)]
    with zipfile.ZipFile(io.BytesIO(brut)) as paquet:
        assert paquet.infolist()[0].filename == "mimetype"
        assert paquet.infolist()[0].compress_type == zipfile.ZIP_STORED
        racine = ElementTree.fromstring(paquet.read("content.xml"))
    return [[p.text or "" for p in ligne.iter(TEXTE)] for ligne in racine.iter(LIGNE)]


@pytest.fixture
def register():
    """Twenty establishments that differ; two are the person's own, one of them médico-social."""
    alea = random.Random(7)
    ej = fabrique.entite_juridique()
    egs = []
    for i in range(20):
        champ = alea.choice(["sanitaire", "medico-social", "social"])
        commune = alea.choice(["75113", "92075", "93066"])
        eg = fabrique.etablissement(champ, nom=f"Établissement {i:02d}", ej=ej, commune=commune)
        if champ != "sanitaire":
            for n in range(alea.randrange(3)):
                activites = {"ajoute": alea.sample(["013", "014", "088"], 2)}
                fabrique.uo(eg, f"Unité {i:02d}-{n}", activites=activites, unite_sensible=alea.random() < 0.5)
        egs.append(eg)
    personne = fabrique.compte(Role.REFERENT, egs[3], "personne")
    Habilitation.objects.create(user=personne, role=Role.REFERENT, fiche=egs[11])
    return personne


def test_l_export_est_la_liste_pour_des_criteres_au_hasard(register, monkeypatch):
    monkeypatch.setattr(export, "LOT", 3)
    navigateur, alea = client(register), random.Random(11)
    possibles = [
        "mss=1", "departement=75", "departement=92", "commune=93066", "champ=social", "champ=medico-social",
        "activite=013", "activite=088", "sensible=1", "incomplet=1", "q=etablissement 0", "q=vanves", "nouvelles=6",
    ]  # fmt: skip
    tailles = set()
    for _ in range(25):
        adresse = "&".join(alea.sample(possibles, alea.randrange(4)))
        liste = noms(navigateur.get(f"/repertoire/?{adresse or 'q='}"))
        assert [ligne[0] for ligne in exporter(navigateur, adresse)[1:]] == liste, adresse
        tailles.add(len(liste))
    assert len(tailles) > 4


@pytest.mark.parametrize("format_", ["csv", "xlsx", "ods"])
@pytest.mark.parametrize("contenu", ["etablissements", "unites"])
def test_les_trois_formats_disent_la_meme_chose(register, format_, contenu):
    navigateur = client(register)
    lignes = exporter(navigateur, "mss=1", format_, contenu)
    assert len(lignes) > 10
    assert lignes == exporter(navigateur, "mss=1", "csv", contenu)
    assert {len(ligne) for ligne in lignes} == {len(lignes[0])}


def test_ce_qu_une_ligne_dit():
    fiches = fabrique.hopital(
        siret="26750001700015", latitude=48.83, contacts={"pose": {"a": {"nom": "Nom Secret", "confidentialite": "3"}}}
    )
    navigateur = client(fabrique.lecteur())
    entetes, eg = exporter(navigateur, "q=hopital")
    ligne = dict(zip(entetes, eg, strict=True))
    assert ligne["Dénomination"] == "Hôpital TEST"
    assert ligne["FINESS"] == fiches["EG"].identifiant[1:]
    assert ligne["SIRET"] == "26750001700015"
    assert ligne["Catégorie"] == "Centre hospitalier (CH)"
    assert ligne["Champ"] == "Sanitaire"
    assert ligne["FINESS de l’EJ"] == fiches["EJ"].identifiant[1:]
    assert (ligne["Commune"], ligne["Code INSEE"]) == ("Paris 13e Arrondissement (75)", "75113")
    assert (ligne["Latitude"], ligne["Longitude"]) == ("48.83", "")
    assert (ligne["Unités opérationnelles"], ligne["Fiches incomplètes"]) == ("1", "0")
    entetes, uo = exporter(navigateur, "q=hopital", contenu="unites")
    ligne = dict(zip(entetes, uo, strict=True))
    assert (ligne["Unité"], ligne["Établissement"]) == ("Unité de cardiologie", "Hôpital TEST")
    assert ligne["Activités opérationnelles"] == "Cardiologie générale"
    assert (ligne["Âge minimum"], ligne["Unité sensible"]) == ("16 an", "non")
    assert "Secret" not in str([eg, uo])


def test_les_unites_sont_celles_qui_repondent_aux_criteres():
    fiches = fabrique.hopital()
    fabrique.uo(fiches["UF"], "Unité de rythmologie", activites={"ajoute": ["014"]})
    navigateur = client(fabrique.lecteur())

    def unites(adresse: str) -> list[str]:
        return [ligne[0] for ligne in exporter(navigateur, adresse, contenu="unites")[1:]]

    assert unites("activite=014") == ["Unité de rythmologie"]
    assert unites("q=rythmologie") == ["Unité de rythmologie"]
    assert unites("q=hopital") == ["Unité de cardiologie", "Unité de rythmologie"]
    assert unites("activite=014&sensible=1") == []


@pytest.mark.parametrize("debut", ["=", "+", "-", "@", "\t", "\r"])
def test_rien_ne_devient_une_formule(debut):
    piege = f"{debut}HYPERLINK(1)"
    fabrique.etablissement(nom=f"{piege}", nom_operationnel="=1+1", adresse_voie="-2+3")
    navigateur = client(fabrique.lecteur())
    [_, ligne] = exporter(navigateur)
    assert ligne[0][0] == ligne[1][0] == ligne[8][0] == "'"
    reponse = navigateur.get("/exports/etablissements.xlsx")
    feuille = openpyxl.load_workbook(io.BytesIO(octets(reponse))).active
    assert [feuille.cell(2, c).data_type for c in (1, 2, 9)] == ["s", "s", "s"]
    assert feuille.cell(2, 2).value == "=1+1"
    with zipfile.ZipFile(io.BytesIO(octets(navigateur.get("/exports/etablissements.ods")))) as paquet:
        assert b"formula" not in paquet.read("content.xml")


def test_le_nom_du_fichier_dit_la_date_et_les_criteres():
    reponse = client(fabrique.lecteur()).get("/exports/etablissements.xlsx?departement=75&q=st denis")
    jour = timezone.localdate().isoformat()
    assert (
        reponse["Content-Disposition"] == f'attachment; filename="ror-etablissements-{jour}-saint-denis-paris-75.xlsx"'
    )
    octets(reponse)


@pytest.mark.parametrize("adresse", ["etablissements.pdf", "contacts.csv"])
def test_un_export_inconnu_est_refuse_en_mots(adresse):
    reponse = client(fabrique.lecteur()).get(f"/exports/{adresse}")
    assert reponse.status_code == 404
    assert "Cet export n’existe pas" in texte(reponse)


def test_un_autre_jour_s_exporte_comme_il_se_lit():
    fabrique.hopital()
    navigateur = client(fabrique.lecteur())
    assert len(exporter(navigateur, "au=2019-12-31")) == 1
    assert len(exporter(navigateur, "au=2020-02-01")) == 2


def test_autant_de_requetes_pour_un_ou_trois_etablissements():
    navigateur = client(fabrique.lecteur())

    def requetes(contenu: str) -> int:
        with CaptureQueriesContext(connection) as vues:
            exporter(navigateur, "activite=013", contenu=contenu)
        return len(vues)

    fabrique.hopital("Un")
    requetes("unites")
    un = requetes("etablissements"), requetes("unites")
    fabrique.hopital("Deux")
    fabrique.hopital("Trois")
    assert (requetes("etablissements"), requetes("unites")) == un
