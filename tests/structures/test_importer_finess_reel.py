"""FINESS: the keys of its numbers, the real file."""

import pytest

from structures.domaine.enregistrer import ecarts
from structures.importations.controles import depuis_lambert93, finess_valide, siret_valide
from structures.importations.finess import importer
from structures.importations.lecture import FichierRefuse
from structures.importations.rapport import Rapport

from .fichier_finess import (
    REEL,
    actuelle,
    bilan,
)

# -- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("finess", "valide"),
    [("750000010", True), ("010000024", True), ("2A0000014", True), ("2B0000020", True), ("750000011", False),
     ("75000001", False), ("7500000100", False), ("2C0000014", False), ("A50000010", False), ("", False),
     ("75000001\u0660", False)],
)  # fmt: skip
def test_cle_d_un_numero_finess(finess, valide):
    assert finess_valide(finess) is valide


@pytest.mark.parametrize(
    ("siret", "valide"),
    [("26010004500012", True), ("35600000000048", True), ("35600000049837", True), ("35600000049838", False),
     ("26010004500013", False), ("2601000450001", False), ("", False)],
)  # fmt: skip
def test_cle_d_un_siret_et_exception_de_la_poste(siret, valide):
    assert siret_valide(siret) is valide


@pytest.mark.parametrize(
    ("metres", "degres"),
    [((700000.0, 6600000.0), (3.0, 46.5)), ((658557.548, 6860084.001), (2.435368, 48.839473))],
)
def test_lambert_93(metres, degres):
    assert depuis_lambert93(*metres) == pytest.approx(degres, abs=2e-6)


# -- the real file ----------------------------------------------------------------------------------------------------


@pytest.mark.lent
@pytest.mark.django_db
@pytest.mark.skipif(not REEL.exists(), reason=f"no reference data in {REEL} (set ROR_DONNEES)")
def test_le_fichier_reel_deux_fois():
    chemin = REEL / "finess_structureet_idf.csv"
    rapports = []
    for _ in range(2):
        rapport = Rapport()
        importer(chemin, rapport)
        rapports.append(rapport)
    assert [bilan(r) for r in rapports] == [(3145, 8341, 0, 0), (0, 0, 0, 8341)]
    assert [sum(r.ignores.values()) for r in rapports] == [6122, 6122]
    assert {r.champ for r in rapports[0].refus} == {"date_ouverture"}
    assert ecarts() == []


@pytest.mark.django_db
@pytest.mark.skipif(not REEL.exists(), reason=f"no reference data in {REEL} (set ROR_DONNEES)")
def test_les_lignes_intactes_de_2026(importe):
    contenu = (REEL / "finess_et_format_20260512_sample.csv").read_text(encoding="utf-8")
    with pytest.raises(FichierRefuse, match="geolocalisation"):
        importe(contenu)
    rapport = importe(contenu, sans_geolocalisation=True, region="toutes")
    assert (rapport.version, rapport.date, rapport.eg_crees) == ("111", "2026-05-12", 5)
    assert actuelle("010000024").nom == "CENTRE HOSPITALIER DE BOURG-EN-BRESSE FLEYRIAT"
    assert actuelle("010000024").adresse_voie == "900 ROUTE DE PARIS"
