"""FINESS: two imports at once, the keys of its numbers, the real file."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction

from backoffice.socle.erreurs import Conflit
from structures.domaine.enregistrer import ecarts
from structures.importations import finess as importation
from structures.importations.controles import depuis_lambert93, finess_valide, siret_valide
from structures.importations.finess import importer
from structures.importations.lecture import FichierRefuse
from structures.importations.rapport import Rapport
from structures.models import Fiche

from .fichier_finess import (
    BON,
    EG1,
    EG2,
    JOUR,
    REEL,
    actuelle,
    bilan,
    ligne,
    rien_ecrit,
    texte,
)

# -- with others ------------------------------------------------------------------------------------------------------


def ailleurs(action: Callable[[], None]) -> tuple[threading.Event, threading.Event, threading.Thread]:
    """Run ``action`` in a transaction of another connection; it holds it until the second event is set."""
    pret, fini = threading.Event(), threading.Event()

    def tenir() -> None:
        try:
            with transaction.atomic():
                action()
                pret.set()
                fini.wait(20)
        finally:
            pret.set()
            connection.close()

    fil = threading.Thread(target=tenir)
    fil.start()
    pret.wait(20)
    return pret, fini, fil


@pytest.mark.course
@pytest.mark.django_db(transaction=True)
def test_deux_imports_ne_courent_pas_ensemble(importe):
    _, fini, fil = ailleurs(importation._exclusivite)
    try:
        with pytest.raises(Conflit, match="Un autre import est en cours") as refus:
            importe(BON)
        assert refus.value.code == "import_en_cours"
        assert rien_ecrit()
    finally:
        fini.set()
        fil.join(20)
    assert importe(BON).eg_crees == 2


@pytest.mark.course
@pytest.mark.django_db(transaction=True)
def test_une_fiche_tenue_trop_longtemps_arrete_l_import_avec_une_phrase(importe):
    importe(BON)
    _, fini, fil = ailleurs(lambda: list(Fiche.objects.select_for_update(no_key=True)))
    try:
        with connection.cursor() as curseur:
            curseur.execute("SET lock_timeout = '200ms'")
        with pytest.raises(Conflit, match="relancez dans un instant"):
            importe(texte([ligne(EG1, rs="AUTRE"), ligne(EG2)], jour=JOUR + timedelta(days=1)))
    finally:
        fini.set()
        fil.join(20)
        connection.close()
    assert actuelle(EG1).nom == "ÉTABLISSEMENT"


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
