"""FINESS, historic layout: lines that are refused, and files of which nothing is imported."""

from datetime import date, timedelta

import pytest
from django.db import transaction

from structures.domaine.enregistrer import ecarts, enregistrer
from structures.importations import finess as importation
from structures.importations.finess import importer
from structures.importations.lecture import FichierRefuse
from structures.importations.rapport import Rapport
from structures.models import Fiche, Modification, RegleCategorie

from .fabrique import numero
from .fichier_finess import (
    BON,
    EG1,
    EG2,
    EG3,
    EJ1,
    EJ2,
    JOUR,
    SIRET,
    actuelle,
    bilan,
    ligne,
    position,
    rien_ecrit,
    texte,
)

# -- refusals by line -------------------------------------------------------------------------------------------------

FAUX = EG1[:-1] + str((int(EG1[-1]) + 1) % 10)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("champs", "champ", "entiere"),
    [
        ({"finess": FAUX}, "finess", True),
        ({"ej": EJ1[:-1] + str((int(EJ1[-1]) + 1) % 10)}, "parent", True),
        ({"ej": EG1}, "parent", True),
        ({"rs": ""}, "nom", True),
        ({"rs": "X" * 256}, "nom", True),
        ({"siret": SIRET[:-1] + str((int(SIRET[-1]) + 1) % 10)}, "siret", False),
        ({"siret": "123"}, "siret", False),
        ({"ouverture": "02/03/2004"}, "date_ouverture", False),
        ({"ouverture": "2004-02-30"}, "date_ouverture", False),
        ({"commune": "999"}, "commune", False),
        ({"sph": "X"}, "participation_sph", False),
        ({"mft": "ZZ"}, "mode_tarification", False),
        ({"telephone": "voir secrétariat"}, "telephone", False),
        ({"acheminement": "PARIS"}, "code_postal", False),
        ({"voie": "X" * 300}, "adresse_voie", False),
    ],
)
def test_une_erreur_est_refusee_avec_sa_ligne_son_champ_et_sa_raison(importe, champs, champ, entiere):
    lignes = [ligne(EG2), ligne(**{"finess": EG1, **champs}), ligne(EG3)]
    rapport = importe(texte(lignes))
    [refus] = rapport.refus
    assert (refus.ligne, refus.champ, refus.ligne_entiere) == (3, champ, entiere)
    assert refus.raison
    assert rapport.eg_crees == (2 if entiere else 3)
    assert rapport.lignes_refusees == int(entiere)
    if not entiere:
        assert not getattr(actuelle(EG1), champ)
    assert ecarts() == []


@pytest.mark.django_db
def test_des_lignes_identiques_sont_lues_une_fois(importe):
    rapport = importe(texte([ligne(EG1), ligne(EG2), ligne(EG1)], [position(EG1), position(EG1), position(EG2)]))
    assert (rapport.doublons, rapport.eg_crees, rapport.refus) == ([4], 2, [])
    assert actuelle(EG1).latitude


@pytest.mark.django_db
def test_un_numero_avec_deux_contenus_est_refuse(importe):
    rapport = importe(texte([ligne(EG1), ligne(EG2), ligne(EG1, rs="AUTRE")]))
    assert [(r.ligne, r.champ, r.raison.rsplit(" ", 1)[1]) for r in sorted(rapport.refus)] == [
        (2, "finess", "4"),
        (4, "finess", "2"),
    ]
    assert set(Fiche.objects.values_list("identifiant", flat=True)) == {f"1{EG2}", f"1{EJ1}"}


@pytest.mark.django_db
def test_deux_positions_pour_un_numero_ne_sont_pas_reprises(importe):
    rapport = importe(texte([ligne()], [position(), position(x="3.5")]))
    assert {(r.champ, r.ligne_entiere) for r in rapport.refus} == {("latitude", False)}
    assert actuelle(EG1).latitude is None


@pytest.mark.django_db
def test_un_numero_a_la_fois_ej_et_etablissement_est_refuse(importe):
    rapport = importe(texte([ligne(EG1, EJ1), ligne(EG2, EG1), ligne(EG3, EJ2)]))
    assert {(r.ligne, r.champ) for r in rapport.refus} == {(2, "finess"), (3, "parent")}
    assert rapport.eg_crees == 1


@pytest.mark.django_db
def test_un_numero_d_ej_du_repertoire_ne_devient_pas_un_etablissement(importe):
    importe(texte([ligne(EG1, EJ1)]))
    rapport = importe(texte([ligne(EG1, EJ1), ligne(EJ2, EJ1), ligne(EG3, EJ2)], jour=JOUR + timedelta(days=1)))
    assert {r.ligne for r in rapport.refus} == {3, 4}
    rapport = importe(texte([ligne(EG2, EG1)], jour=JOUR + timedelta(days=1)))
    assert [(r.ligne, r.champ, r.ligne_entiere) for r in rapport.refus] == [(2, "parent", True)]


# -- files that can't be trusted --------------------------------------------------------------------------------------

LIGNES = BON.splitlines(keepends=True)
SANS_POSITION = "".join(LIGNES[:3])


def permuter(contenu: str) -> str:
    """The columns of the structures in another order."""
    return "\n".join(
        ";".join([c[0], *c[5:], *c[1:5]]) if (c := texte_.split(";"))[0] == "structureet" else texte_
        for texte_ in contenu.splitlines()
    ) + "\n"  # fmt: skip


REFUSES: dict[str, tuple[str | bytes, int | None, str]] = {
    "vide": ("", None, "vide"),
    "seulement l'en-tête": (LIGNES[0], None, "aucun établissement"),
    "sans en-tête": ("".join(LIGNES[1:]), 1, "première ligne"),
    "autre fichier": ("code;libelle\n1;un\n", 1, "première ligne"),
    "date illisible": (BON.replace(f"111;{JOUR}", "111;hier", 1), 1, "hier"),
    "daté de l'avenir": (texte([ligne()], jour=date(2999, 1, 1)), 1, "avenir"),
    "coupé entre deux lignes de structure": ("".join(LIGNES[:2]), 2, "tronqué"),
    "coupé avant les positions": (SANS_POSITION, 3, "tronqué"),
    "coupé dans une structure": (SANS_POSITION[:-40], 3, "tronqué"),
    "coupé dans une position": (BON[:-7], 5, "tronqué"),
    "sans la dernière fin de ligne": (BON[:-1], 5, "tronqué"),
    "coupé entre deux positions": ("".join(LIGNES[:4]), None, "tronqué"),
    "une position sans structure": (texte([ligne()], [position(), position(EG3)]), 4, "structureet"),
    "sections mêlées": ("".join([LIGNES[0], LIGNES[1], LIGNES[3], LIGNES[2], LIGNES[4]]), 4, "suit"),
    "trié": ("".join([LIGNES[0], *sorted(LIGNES[1:])]), 4, "suit"),
    "un champ de moins": (BON.replace("structureet;", "structureet", 1), 2, ""),
    "un champ de plus": (BON.replace("AV;DE PARIS", "AV;DE;PARIS", 1), 2, "33 champs au lieu de 32"),
    "une virgule pour un point-virgule": (BON.replace(";", ","), 1, "première ligne"),
    "colonnes permutées": (permuter(BON), 2, "colonnes"),
    "type de ligne inconnu": (BON.replace("geolocalisation", "geo", 1), 4, "geo"),
    "guillemet jamais refermé": (BON.replace("ÉTABLISSEMENT", '"ÉTABLISSEMENT', 1), 2, "guillemet"),
    "champ énorme": (BON.replace("ÉTABLISSEMENT", "X" * 30_000, 1), 2, "20000 octets"),
    "octet nul": (BON.replace("ÉTABLISSEMENT", "A\0B", 1), 2, "0x00"),
    "caractère de contrôle": (BON.replace("ÉTABLISSEMENT", "A\x1bB", 1), 2, "0x1b"),
    "binaire": (bytes(range(256)) * 50, 1, "interdit"),
    "UTF-16": (BON.encode("utf-16"), 1, "interdit"),
    "encodages mêlés": (BON.encode() * 9 + b"\xe9\n", 46, "mélange"),
    "fins de ligne de vieux Mac": (BON.replace("\n", "\r"), 1, ""),
}


@pytest.mark.django_db
@pytest.mark.parametrize("cas", REFUSES)
def test_rien_n_est_importe_d_un_fichier_douteux(importe, cas):
    contenu, ligne_attendue, mot = REFUSES[cas]
    with pytest.raises(FichierRefuse) as refus:
        importe(contenu)
    assert refus.value.ligne == ligne_attendue
    assert mot in refus.value.message
    assert rien_ecrit()


@pytest.mark.django_db
def test_un_refus_ne_defait_pas_ce_qui_etait_la(importe):
    importe(BON)
    avant = Modification.objects.count()
    with pytest.raises(FichierRefuse):
        importe(BON.replace("ÉTABLISSEMENT", "AUTRE", 1)[:-1])
    assert Modification.objects.count() == avant
    assert actuelle(EG1).nom == "ÉTABLISSEMENT"


@pytest.mark.django_db
def test_un_fichier_sans_positions_passe_si_on_le_dit(importe):
    assert importe(SANS_POSITION, sans_geolocalisation=True).eg_crees == 2


@pytest.mark.django_db
@pytest.mark.parametrize("nom", ["absent.csv", "."])
def test_un_chemin_illisible_est_dit(tmp_path, nom):
    with pytest.raises(FichierRefuse, match="lu"):
        importer(tmp_path / nom, Rapport())


@pytest.mark.django_db
def test_une_panne_en_cours_d_ecriture_n_importe_rien(importe, monkeypatch):
    appels = []

    def lache(modifications):
        appels.append(len(modifications))
        if len(appels) == 3:
            raise RuntimeError("coupure")
        enregistrer(modifications)

    monkeypatch.setattr(importation, "enregistrer", lache)
    monkeypatch.setattr(importation, "LOT", 2)
    with pytest.raises(RuntimeError, match="coupure"), transaction.atomic():
        importe(texte([ligne(numero(f"7500010{n}")) for n in range(6)]))
    assert appels == [1, 2, 2]
    assert rien_ecrit()


@pytest.mark.django_db
def test_plusieurs_lots_font_le_meme_repertoire(importe, monkeypatch):
    monkeypatch.setattr(importation, "LOT", 2)
    monkeypatch.setattr(importation, "LOT_ANALYSE", 1)
    contenu = texte([ligne(numero(f"7500010{n}"), (EJ1, EJ2, EG3)[n % 3]) for n in range(7)])
    assert bilan(importe(contenu)) == (3, 7, 0, 0)
    assert bilan(importe(contenu)) == (0, 0, 0, 7)
    assert ecarts() == []


@pytest.mark.django_db
def test_sans_referentiels_rien_ne_se_fait(importe):
    RegleCategorie.objects.all().delete()
    with pytest.raises(Exception, match="charger_referentiels"):
        importe(BON)
