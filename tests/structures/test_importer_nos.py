"""Import of the NOS: what each layout says, versions compared, who holds closed codes, and files that are refused."""

import json
import zipfile
from datetime import date
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from structures.enums import SortDetail
from structures.importations.bilan import Bilan
from structures.importations.lecture import FichierRefuse
from structures.importations.nos.application import NOS
from structures.importations.suivi import Suivi
from structures.models import AExposer, Concept, Nomenclature
from tests.factories.repertoire import etablissement, referentiels, uo

from .officielles import DONNEES

pytestmark = pytest.mark.django_db
REEL = DONNEES / "nos"
BASE = "https://mos.esante.gouv.fr/NOS/"
TRE, JDV = "TRE_R338-ModaliteAccueil", "JDV_J226_ModaliteAccueil_ROR"


@pytest.fixture(autouse=True)
def listes() -> None:
    """The starter set: R338 in its version 20260928120000, with codes 12 and 27 closed."""
    referentiels()


def concept(code: str, libelle: str, debut: str = "2022-09-30T00:00:00+02:00", **proprietes: str) -> dict[str, Any]:
    noms = {
        "fin": ("dateFin", "valueDateTime"),
        "statut": ("status", "valueCode"),
        "suite": ("remplacePar", "valueCode"),
    }
    valeurs = [{"code": "dateValid", "valueDateTime": debut}] if debut else []
    valeurs += [{"code": noms[n][0], noms[n][1]: v} for n, v in proprietes.items()]
    return {"code": code, "display": libelle, "property": valeurs}


def terminologie(*concepts: dict[str, Any], version: str = "20270101120000", nom: str = TRE) -> dict[str, Any]:
    return {
        "resourceType": "CodeSystem", "url": f"{BASE}{nom}/FHIR/{nom.replace('_', '-')}", "name": nom,
        "version": version, "identifier": [{"value": "urn:oid:1.2.250.1.213.3.3.221"}], "concept": list(concepts),
    }  # fmt: skip


def jeu(*codes: tuple[str, str], version: str = "20270101120000", nom: str = JDV) -> dict[str, Any]:
    inclus = {"system": f"{BASE}{TRE}", "concept": [{"code": c, "display": libelle} for c, libelle in codes]}
    return {
        "resourceType": "ValueSet",
        "url": BASE + nom,
        "version": version,
        "name": nom,
        "compose": {"include": [inclus]},
    }


@pytest.fixture
def importe(tmp_path):
    """``importe({name: resource or text})``: the report, and its lines without their reasons."""

    def lancer(fichiers: dict[str, Any], **options: Any) -> tuple[Bilan, set[tuple[str, ...]]]:
        archive = tmp_path / "nos.zip"
        with zipfile.ZipFile(archive, "w") as ouverte:
            for nom, contenu in fichiers.items():
                ouverte.writestr(nom, contenu if isinstance(contenu, str | bytes) else json.dumps(contenu))
        with transaction.atomic():
            bilan = NOS.importer(archive, Suivi(options=options))
        return bilan, {(d.sort.value, d.cle, d.champ, d.avant, d.apres) for d in bilan.details}

    return lancer


def tenus(*codes: str, liste: str = "R338") -> dict[str, tuple[str, str]]:
    lus = Concept.objects.filter(nomenclature=liste, code__in=codes)
    return {c.code: (c.libelle, str(c.date_fin or "")) for c in lus}


def lignes(details: set[tuple[str, ...]], *sorts: str) -> set[tuple[str, ...]]:
    return {d for d in details if d[0] in sorts}


EFFETS = ("cree", "change", "ferme", "rouvert", "refuse", "signale")
VERSION = ("change", "R338", "Version", "20260928120000", "20270101120000")


def test_une_version_nouvelle_est_comparee_code_par_code(importe):
    uo(etablissement("medico-social"), modalites_accueil={"ajoute": ["01", "02"]}, nom="Unité A")
    noms = dict(Concept.objects.filter(nomenclature="R338").values_list("code", "libelle"))
    AExposer.objects.all().delete()
    ferme = concept("90", "Fermé sans jour", statut="deprecated")
    fichiers = {
        "TRE.json": terminologie(
            concept("01", "Dit autrement"), concept("02", noms["02"], fin="2026-05-06T12:00:00+02:00", suite="03"),
            concept("12", noms["12"], ""), concept("91", "Nouveau"), ferme, ferme,
        )
    }  # fmt: skip
    bilan, details = importe(fichiers)
    assert lignes(details, *EFFETS) == {
        VERSION,
        ("change", "R338/01", "Libellé", noms["01"], "Dit autrement"),
        ("ferme", "R338/02", "Fin de validité", "", "06/05/2026"),
        ("change", "R338/02", "Remplacé par", "", "03"),
        ("rouvert", "R338/12", "Fin de validité", "30/07/2026", ""),
        ("cree", "R338/90", "", "", "Fermé sans jour"),
        ("cree", "R338/91", "", "", "Nouveau"),
        ("signale", "R338/02", "Modalités d’accueil", f"02 {noms['02']}", f"03 {noms['03']}"),
    }
    assert ("ignore", "R338/90", "", "", "") in details
    assert len(lignes(details, "conserve")) == len(noms) - 3  # those that the file does not name stay
    assert tenus("01", "02", "12", "90") == {
        "01": ("Dit autrement", ""), "02": (noms["02"], "2026-05-06"), "12": (noms["12"], ""),
        "90": ("Fermé sans jour", str(min(date(2027, 1, 1), timezone.localdate()))),
    }  # fmt: skip
    [resume] = bilan.plus["listes"]
    assert [resume[c] for c in ("nouveaux", "relibelles", "fermes", "rouverts", "fiches")] == [2, 1, 1, 1, 1]
    assert AExposer.objects.exists()
    assert lignes(importe(fichiers)[1], *EFFETS) == {d for d in details if d[0] == "signale"}  # a second time: nothing
    ancienne = {"TRE.json": terminologie(concept("91", "Ancien nom"), version="20251231120000")}
    assert lignes(importe(ancienne)[1], *EFFETS, "ignore") == {("ignore", "TRE_R338-ModaliteAccueil", "", "", "")}
    assert tenus("91") == {"91": ("Nouveau", "")}
    importe(ancienne, anciennes=True)
    assert tenus("91") == {"91": ("Ancien nom", "")}


def test_le_libelle_du_jeu_de_valeurs_l_emporte(importe):
    du_jeu = {"JDV.json": jeu(("01", "Selon le ROR"), ("999", "Inconnu"))}
    details = importe({"TRE.json": terminologie(concept("01", "Un"), concept("02", "Deux")), **du_jeu})[1]
    assert lignes(details, "refuse") == {("refuse", "R338/999", "", "", "Inconnu")}
    assert [tenus("01", "02")[c][0] for c in ("01", "02")] == ["Selon le ROR", "Deux"]
    liste = Nomenclature.objects.get(pk="R338")
    assert (liste.complement, liste.version_complement) == ("JDV_J226-ModaliteAccueil-ROR", "20270101120000")
    importe({"TRE.json": terminologie(concept("01", "Un encore"), concept("02", "Deux bis"), version="20280101120000")})
    assert [tenus("01", "02")[c][0] for c in ("01", "02")] == ["Selon le ROR", "Deux bis"]
    depasse = {"JDV.json": jeu(("01", "Selon le ROR"), version="20260101120000")}
    assert lignes(importe(depasse)[1], *EFFETS) == set()
    importe({
        "TRE.json": terminologie(concept("01", "Un encore"), version="20290101120000"),
        "JDV.json": jeu(("02", "Deux, selon le ROR"), version="20290101120000"),
        "autre.json": jeu(("01", "D’un autre projet"), version="20300101120000", nom="JDV_J999_Autre"),
    })  # fmt: skip
    assert [tenus("01", "02")[c][0] for c in ("01", "02")] == ["Un encore", "Deux, selon le ROR"]


def test_une_liste_qui_est_un_jeu_est_datee_par_sa_terminologie(importe):
    r244, j238 = "TRE_R244-CategorieOrganisation", "JDV_J238_TypeOffre_ROR"
    types = jeu(("08", "Centre d’accueil"), ("900", "Offre nouvelle"), version="20270101120000", nom=j238)
    types["compose"]["include"][0]["system"] = f"{BASE}{r244}"
    dates = terminologie(
        concept("08", "Libellé de R244", fin="2026-02-03T12:00:00+01:00"), concept("901", "Hors du jeu"), nom=r244
    )
    dates["identifier"] = []
    importe({"b/JDV.json": types, "a/TRE.json": dates})
    assert tenus("08", "900", "901", liste="J238") == {
        "08": ("Centre d’accueil", "2026-02-03"), "900": ("Offre nouvelle", "")
    }  # fmt: skip
    assert Nomenclature.objects.get(pk="J238").complement == "TRE_R244-CategorieOrganisation"


def test_les_csv_a_plat(importe):
    systeme = f"{BASE}{TRE}/FHIR/TRE-R338-ModaliteAccueil"
    noms = dict(Concept.objects.filter(nomenclature="R338").values_list("code", "libelle"))
    long = (
        "code;libelle;libelle_court;libelle_adapte;definition;parent;date_valid;date_maj;date_fin;systeme;oid;version\n"
        f"01;Un;;;;;2019-01-01T00:00:00+01:00;;;{systeme};urn:oid:1.2.3;20270101120000\n"
        f"02;Deux;;;;;;;2026-05-06T12:00:00+02:00;{systeme};urn:oid:1.2.3;20270101120000\n"
    )
    court = (
        "code;libelle;statut;systeme;oid;version;source\n"
        f'01;"Un; encore";actif;{systeme};urn:oid:1.2.3;20280101120000;x\n'
        f"27;{noms['27']};deprecie;{systeme};urn:oid:1.2.3;20280101120000;x\n"
    )
    bref = f"code;libelle;systeme;oid_jdv;version;source\n02;Deux du ROR;{systeme};urn:oid:9;20280101120000;x\n"
    autres = {"_INDEX.csv": "cle;nom\nR338;x\n", "ASS_A14_x.csv": "systeme_source;code_source\na;b\n"}
    details = importe(
        {"TRE_R338_x.csv": long, "TRE_R338_x_20280101.csv": court, "JDV_J226_Modalite_ROR_20280101.csv": bref, **autres}
    )[1]
    assert lignes(details, "ignore") == {
        ("ignore", "TRE_R338-ModaliteAccueil", "", "", ""), ("ignore", "_INDEX.csv", "", "", ""),
        ("ignore", "ASS_A14_x.csv", "", "", ""),
    }  # fmt: skip
    assert tenus("01", "02", "27") == {
        "01": ("Un; encore", ""), "02": ("Deux du ROR", ""), "27": (noms["27"], "2026-09-28")
    }  # fmt: skip


BON = json.dumps(terminologie(concept("01", "Autre nom")))


@pytest.mark.parametrize(
    ("nom", "contenu", "mots"),
    [
        ("a.json", BON[:-20], ["a.json, ligne 1, colonne", "incomplet ou abîmé"]),
        ("a.json", BON.encode("utf-16"), ["octet 1"]),
        ("a.json", "[1]", ["resourceType"]),
        ("a.json", json.dumps(terminologie({"code": "01"})), ["concept[0].display"]),
        ("a.json", json.dumps(terminologie(concept("01", "x" * 401))), ["concept[0]", "400 pour un libellé"]),
        ("a.json", json.dumps(terminologie(concept("01", "A"), concept("01", "B"))), ["concept[1]", "à concept[0]"]),
        ("a.json", json.dumps(terminologie(concept("01", "A", "hier"))), ["concept[0].property[0]", "« hier »"]),
        ("a.json", json.dumps(terminologie(concept("01", "A"), version="")), ["version"]),
        ("a.json", json.dumps(jeu() | {"compose": 3}), ["compose"]),
        ("a.csv", "code;libelle;systeme;version\n01;Un;x\n", ["ligne 2, colonne 4", "3 champs au lieu de 4"]),
        ("a.csv", "code;libelle;systeme;version\n01;Été;x;1\n".encode("iso-8859-1"), ["ligne 2", "UTF-8"]),
        ("a.csv", 'code;libelle;systeme;version\n01;"Un;x;1\n', ["ligne 2", "coupé"]),
        ("a.csv", "code;libelle\n01;Un\n", ["systeme, version"]),
        ("a.txt", "x", ["aucun fichier"]),
        ("gros.json", b" " * (8 << 20) + b"{}", ["gros.json", "8 Mo"]),
    ],
)
def test_un_fichier_abime_refuse_tout_et_dit_ou(importe, nom, contenu, mots):
    avant = list(Concept.objects.order_by("pk").values())
    with pytest.raises(FichierRefuse) as refus:
        importe({nom: contenu} if nom == "a.txt" else {nom: contenu, "bon.json": BON})
    assert all(mot in refus.value.message for mot in mots), refus.value.message
    assert list(Concept.objects.order_by("pk").values()) == avant


def test_un_fichier_sans_aucune_liste_est_refuse(importe):
    with pytest.raises(FichierRefuse, match="a les colonnes code, libelle, systeme, version"):
        importe({"a.csv": 'Code;Libelle\r\n"a;b'})


def test_un_code_ne_se_dit_ferme_que_ferme(importe):
    """One whose last day is ahead is in force; one closed without a day, in an edition without one, closes today."""
    uo(etablissement("medico-social"), modalites_accueil={"ajoute": ["01", "02"]}, nom="Unité A")
    noms = dict(Concept.objects.filter(nomenclature="R338").values_list("code", "libelle"))
    plus_tard = concept("01", noms["01"], fin="2099-03-01T00:00:00+01:00")
    retire, bref = concept("02", noms["02"], statut="retired"), concept("92", "Bref", fin="2099-03-01")
    bilan, details = importe({"a.json": terminologie(plus_tard, retire, bref, version="3.0.0")})
    jour = timezone.localdate()
    assert lignes(details, "ferme", "signale") | {d for d in details if d[1] == "R338/01"} == {
        ("change", "R338/01", "Fin de validité", "", "01/03/2099"),
        ("ferme", "R338/02", "Fin de validité", "", f"{jour:%d/%m/%Y}"),
        ("signale", "R338/02", "Modalités d’accueil", f"02 {noms['02']}", ""),
    }
    assert {d.raison for d in bilan.details if d.cle == "R338/92"} == {"fermera le 01/03/2099"}
    assert (bilan.plus["listes"][0]["fermes"], tenus("02")["02"][1]) == (1, str(jour))


def test_un_jeu_a_plat_de_plusieurs_terminologies_et_des_listes_que_personne_n_emploie(importe):
    noms = dict(Concept.objects.filter(nomenclature="R338").values_list("code", "libelle"))
    ancienne = Nomenclature.objects.get(pk="R338").url
    Nomenclature.objects.filter(pk="R338").update(url="https://ancienne.example/TRE_R338-ModaliteAccueil")
    tete, version = "code;libelle;systeme;version;oid_jdv\n", "20270101120000"
    inconnue = f"{BASE}TRE_R999-Inconnue"
    bilan, _ = importe({
        "JDV_J226-ModaliteAccueil-ROR-20270101.csv":
            f"{tete}01;Selon le jeu;{ancienne};{version};1.2\nX;Ailleurs;{inconnue};{version};1.2\n",
        "TRE_R999-Inconnue.csv": f"code;libelle;systeme;version\n01;{'x' * 401};{inconnue};{version}\n",
        "TRE_R338.json": terminologie(concept("02", noms["02"]), version=version),
    })  # fmt: skip
    assert tenus("01") == {"01": ("Selon le jeu", "")}
    raisons = {d.cle: d.raison for d in bilan.details if d.sort == SortDetail.IGNORE}
    assert raisons == {
        "JDV_J226-ModaliteAccueil-ROR": f"le répertoire n’emploie pas la terminologie de ces codes, {inconnue}",
        "TRE_R999-Inconnue": "le répertoire n’emploie pas cette nomenclature",
    }
    [phrase] = [p for p in bilan.phrases if "adresse" in p]
    assert "L’adresse (URL) de R338 change : 0 ressource publiée sera republiée" in phrase
    assert "https://ancienne.example/TRE_R338-ModaliteAccueil, n’y trouveront plus rien" in phrase


@pytest.mark.skipif(not REEL.exists(), reason="the reference data are not here")
def test_les_deux_etats_d_une_liste_reelle(tmp_path):
    Nomenclature.objects.filter(pk="R251").update(version="", version_complement="")
    Concept.objects.filter(nomenclature="R251").delete()
    changes = []
    for etat in ("2021-10/TRE_R251-FonctionContact.json", "2023-08/TRE_R251_FonctionContact.json") * 2:
        bilan = NOS.importer(REEL / "fhir" / etat, Suivi())
        changes.append(sum(d.sort in (SortDetail.CREE, SortDetail.CHANGE, SortDetail.FERME) for d in bilan.details))
    assert [bool(n) for n in changes] == [True, True, False, False]
    assert Concept.objects.filter(nomenclature="R251").count() == 26
