"""Associations: what a file or a gestionnaire sets, what it touches, what is refused."""

import csv
import io
import zipfile

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from openpyxl import Workbook

from structures.domaine import associations
from structures.domaine.referentiels import charger_referentiels
from structures.domaine.reserver import annoncer, ouvrir
from structures.enums import NatureRegle, Role
from structures.importations.associations import ASSOCIATIONS
from structures.importations.lecture import FichierRefuse
from structures.importations.suivi import Suivi
from structures.models import Association, RegleCategorie, RegleTarification
from tests.factories.repertoire import compte, etablissement, gestionnaire, referentiels, uo

from .officielles import DONNEES

pytestmark = pytest.mark.django_db
A14 = DONNEES / "nos" / "csv"


@pytest.fixture
def importe(tmp_path):
    """``importe(text)``, or a list of rows for a workbook: the lines of the report."""

    def lancer(contenu: str | list[list[object]]) -> set[tuple[str, ...]]:
        chemin = tmp_path / ("a.csv" if isinstance(contenu, str) else "a.xlsx")
        if isinstance(contenu, str):
            chemin.write_text(contenu, encoding="utf-8")
        else:
            classeur = Workbook()
            for ligne in contenu:
                classeur.active.append(ligne)
            classeur.save(chemin)
        with transaction.atomic():
            bilan = ASSOCIATIONS.importer(chemin, Suivi())
        return {(d.sort.value, d.cle, d.champ, d.avant, d.apres, d.raison) for d in bilan.details}

    return lancer


def test_les_regles_de_categorie_disent_ce_qu_elles_touchent(importe):
    premier, second, troisieme = (etablissement("medico-social") for _ in range(3))
    ouvrir(eg=premier, dossier=1, nom="D", etape="x")
    ouvrir(eg=second, dossier=2, nom="D", etape="x")
    annoncer(dossier=2, etape="x", envoye=True)
    uo(troisieme)
    touche = (
        "3 établissements concernés, 1 dossier en rédaction, qui suivra, 1 dossier déjà envoyé, dont le circuit ne "
        "change pas."
    )
    lignes = "code;filiere;champ;autorites\n500;Handicap;médico-social;ARS+CD\n355;sanitaire;sanitaire;\n"
    refusees = "XXX;autre;social;\n182;autre;lunaire;\n106;;sanitaire;PREF\n"
    assert importe(lignes + refusees) == {
        ("change", "500", "Filière", "autre", "handicap", touche),
        ("change", "500", "Types d’autorité", "", "ARS, CD", touche),
        ("refuse", "XXX", "", "", "", "le code XXX n’est pas dans R66"),
        ("refuse", "182", "Champ", "", "lunaire", "lunaire : valeur inconnue, ou code fermé"),
        ("refuse", "106", "Filière", "", "", "la valeur manque"),
        ("refuse", "106", "Types d’autorité", "", "PREF", "PREF : valeur inconnue, ou code fermé"),
    }
    assert (RegleCategorie.objects.get(pk="500").filiere, RegleCategorie.objects.get(pk="106").filiere) == (
        "handicap", "sanitaire",
    )  # fmt: skip
    assert importe(lignes) == set()
    # The units of an establishment hang elsewhere in sanitaire: its champ stays.
    with pytest.raises(associations.Invalide) as refus:
        importe("code;filiere;champ;autorites\n500;sanitaire;sanitaire;\n")
    assert set(refus.value.champs) == {"champ"}
    assert RegleCategorie.objects.get(pk="500").champ == "medico-social"


def test_tarification_types_et_familles(importe):
    referentiels()
    details = importe([["code", "autorites"], [3, "CD"], ["03", "CD"]])
    assert {d[:5] for d in details} == {
        ("refuse", "3", "", "", ""), ("change", "03", "Types d’autorité", "ARS", "CD")
    }  # fmt: skip
    assert RegleTarification.objects.get(pk="03").autorites == ["CD"]
    avant = associations.lire(NatureRegle.TYPE_CHAMP)["J238/08"]["cibles"]
    details = importe("type;champ\n08;01\n08;02\n08;01\n")
    assert {d[:5] for d in details} == {("change", "J238/08", "Codes associés", ", ".join(avant), "01, 02")}
    assert associations.lire(NatureRegle.TYPE_CHAMP)["J238/08"]["cibles"] == ("01", "02")
    details = importe("famille;activite\n001;013\nR266/01;014\n001;9999\n")
    assert {d[:2] for d in details} == {("refuse", "R265/001"), ("cree", "R266/01")}
    assert associations.lire(NatureRegle.FAMILLE_ACTIVITE) == {"R266/01": {"cibles": ("014",)}}
    for faux, mots in (("a;b\n1;2\n", "colonnes"), ("", "vide"), ('code;autorites\n"03;CD\n', "guillemet")):
        with pytest.raises(FichierRefuse, match=mots):
            importe(faux)


def test_les_associations_des_gestionnaires_restent_et_ne_se_croisent_pas():
    """The starter set loaded again does not undo them; who writes them holds their lists."""
    referentiels()
    chef, natures = gestionnaire(), (NatureRegle.CATEGORIE, NatureRegle.TARIFICATION, NatureRegle.TYPE_CHAMP)
    categorie = associations.lire(NatureRegle.CATEGORIE)["355"] | {"autorites": ("CD",)}
    for nature, cle, valeurs in zip(
        natures, ("355", "03", "J238/08"), (categorie, {"autorites": ("CD",)}, {"cibles": ()}), strict=True
    ):
        with CaptureQueriesContext(connection) as requetes:
            associations.fixer(nature=nature, cle=cle, valeurs=valeurs, acteur=chef)
        [verrou] = [r["sql"] for r in requetes if "FOR NO KEY UPDATE" in r["sql"]]
        assert "structures_nomenclature" in verrou
        assert f"'{associations.SOURCES[nature][0]}'" in verrou
    tenues = {nature: associations.lire(nature) for nature in natures}
    assert "J238/08" not in tenues[NatureRegle.TYPE_CHAMP]
    charger_referentiels()
    assert {nature: associations.lire(nature) for nature in natures} == tenues


def test_un_classeur_abime_ou_demesure_se_refuse(tmp_path):
    referentiels()
    bon = tmp_path / "bon.xlsx"
    classeur = Workbook()
    classeur.active.append(["code", "autorites"])
    classeur.active.append(["03", "CD"])
    classeur.save(bon)
    feuille = "xl/worksheets/sheet1.xml"

    def refuser(nom: str, partie: str, contenu: bytes) -> str:
        chemin = tmp_path / nom
        with zipfile.ZipFile(bon) as lu, zipfile.ZipFile(chemin, "w", zipfile.ZIP_DEFLATED) as ecrit:
            for membre in lu.namelist():
                ecrit.writestr(membre, contenu if membre == partie else lu.read(membre))
        with pytest.raises(FichierRefuse) as refus:
            ASSOCIATIONS.importer(chemin, Suivi())
        return refus.value.message

    with zipfile.ZipFile(bon) as lu:
        coupe = lu.read(feuille)[:-30]
    assert "abîmé" in refuser("coupe.xlsx", feuille, coupe)
    bombe = b"<worksheet>" + b"<c/>" * 1_000_001 + b"</worksheet>"
    assert "démesuré" in refuser("bombe.xlsx", feuille, bombe)


@pytest.mark.skipif(not A14.exists(), reason="the reference data are not here")
def test_les_familles_officielles(importe):
    referentiels()
    texte = (A14 / "ASS_A14_FamilleActivite_ActiviteOperationnelle.csv").read_text(encoding="utf-8")
    details = importe(texte)
    lues = {(ligne["code_source"], ligne["code_cible"]) for ligne in csv.DictReader(io.StringIO(texte), delimiter=";")}
    refuses = {cle for sort, cle, *_ in details if sort == "refuse"}
    ecrites = set(
        Association.objects.filter(nature="famille_activite").values_list("source__code", "cible__code")
    )  # fmt: skip
    assert ecrites == {(f, a) for f, a in lues if f"R265/{f}" not in refuses and f"R266/{f}" not in refuses}
    assert {d for d in importe(texte) if d[0] != "refuse"} == set()


def test_a_l_ecran_un_changement_se_confirme_en_sachant_ce_qu_il_touche():
    etablissement("medico-social")
    client = Client()
    client.force_login(compte(Role.GESTIONNAIRE))
    liste = client.get("/associations/categories/", {"q": "500"}).content.decode()
    assert "/associations/categories/500/" in liste
    adresse, voulu = (
        "/associations/categories/500/",
        {"filiere": "handicap", "champ": "medico-social", "autorites": ["ARS"]},
    )
    page = client.post(adresse, voulu)
    assert "1 établissement concerné." in page.content.decode()
    assert RegleCategorie.objects.get(pk="500").filiere == "autre"
    autre = client.post(adresse, voulu | {"autorites": ["CD"], "confirmer": page.context["vu"]})
    assert autre.status_code == 200  # not what was shown: shown again
    assert RegleCategorie.objects.get(pk="500").filiere == "autre"
    assert client.post(adresse, voulu | {"confirmer": page.context["vu"]}).status_code == 302
    assert (RegleCategorie.objects.get(pk="500").filiere, RegleCategorie.objects.get(pk="500").autorites) == (
        "handicap", ["ARS"],
    )  # fmt: skip
    assert client.post(adresse, voulu | {"filiere": "lune"}).status_code == 422
    familles = "/associations/familles/R266/01/"
    vu = client.post(familles, {"cibles": ["013", "014"]}).context["vu"]
    assert client.post(familles, {"cibles": ["013", "014"], "confirmer": vu}).status_code == 302
    assert associations.lire(NatureRegle.FAMILLE_ACTIVITE) == {"R266/01": {"cibles": ("013", "014")}}
    exporte = b"".join(client.get("/exports/associations.csv", {"nature": "familles"}).streaming_content).decode()
    assert exporte.splitlines()[1].startswith("R266/01;013;")
    assert client.get("/associations/lune/").status_code == 404
    assert client.get("/associations/types/J238/zzz/").status_code == 404
