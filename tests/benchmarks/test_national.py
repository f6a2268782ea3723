"""The generated register is one that the product could have written: its versions are the fold of its modifications."""

import pytest
from django.db import transaction
from django.utils import timezone

from benchmarks import jeux, national
from benchmarks.tirage import Reperes, finess
from structures.domaine.enregistrer import ecarts
from structures.importations.controles import finess_valide
from structures.models import Favori, Fiche, Modification, VersionFiche

GRAINE, EGS = 11, 8


@pytest.fixture
def reperes(db: None, monkeypatch: pytest.MonkeyPatch) -> Reperes:
    monkeypatch.setattr(national, "GRAND", 60)
    return Reperes([jeux.compte("auteur0", "gestionnaire").pk], timezone.localdate())


def test_un_petit_registre_tire_au_sort_est_un_registre(reperes: Reperes):
    ejs = national.charger_ejs(reperes, GRAINE, 3)
    national.charger_egs((reperes, GRAINE, ejs, range(EGS)))
    national.entourer(reperes)

    assert ecarts() == []
    assert Fiche.objects.filter(niveau="EG").count() == EGS
    assert Fiche.objects.filter(niveau="EJ").count() == 3
    grand = Fiche.objects.filter(niveau="EG").order_by("pk").first()
    assert Fiche.objects.filter(eg=grand).count() == 60
    # What makes it worth measuring: several versions each, cancelled and planned changes, all levels.
    assert VersionFiche.objects.count() > 1.8 * Fiche.objects.count()
    assert Modification.objects.filter(annulee_le__isnull=False).exists()
    assert Modification.objects.filter(date_effet__gt=timezone.localdate()).exists()
    assert set(VersionFiche.objects.values_list("niveau", flat=True)) == {"EJ", "EG", "P", "S", "UF", "UO"}
    assert Favori.objects.count() < EGS


def test_le_meme_tirage_donne_les_memes_contenus(reperes: Reperes):
    def contenus() -> list[tuple[object, ...]]:
        ejs = national.charger_ejs(reperes, GRAINE, 2)
        avant = Fiche.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        national.charger_egs((reperes, GRAINE, ejs, range(1, 3)))
        lues = VersionFiche.objects.filter(fiche__gt=avant).order_by("fiche_id", "validite")
        return [(v.niveau, v.nom, v.validite, v.activites, v.contacts) for v in lues]

    premiers = None
    for _ in range(2):
        with transaction.atomic():
            tires = contenus()
            transaction.set_rollback(True)
        assert premiers in (None, tires)
        premiers = tires


@pytest.mark.parametrize("departement", ["75", "2A", "2B", "971"])
def test_un_numero_finess_a_sa_cle(departement: str):
    numero = finess(departement, 123)
    assert len(numero) == 9
    assert finess_valide(numero)
