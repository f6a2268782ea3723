"""What the search finds is what a loop over every fiche finds, on any day (tests/structures/reference_recherche.py)."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from structures import recherche
from structures.domaine.indexer import ecarts_d_index, reconstruire_index
from structures.models import Fiche, IndexEG
from structures.recherche import Criteres, facettes, offres, page
from structures.recherche.criteres import LISTES

from .reference_recherche import MOTS, Registre, attendues, comptes_attendus, offres_attendues

pytestmark = pytest.mark.django_db

AUJOURDHUI = timezone.localdate()
PASSE, FUTUR = date(2021, 6, 15), AUJOURDHUI + timedelta(days=400)


@pytest.fixture(scope="module")
def varie(django_db_setup: None, django_db_blocker) -> Iterator[Registre]:
    """A small register where every criterion holds somewhere and fails elsewhere, in a transaction of its own."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        yield Registre.peupler()
        transaction.set_rollback(True)


CODES = {
    "departements": ["75", "92", "974"],
    "communes": ["75113", "75056", "92050", "97411"],
    "champs": ["sanitaire", "medico-social", "social"],
    "categories": ["355", "500", "214"],
    "types": ["149", "69", "08"],
    "activites": ["013", "097", "293"],
    "actes": ["0172", "0199"],
    "publics": ["01", "02"],
    "modes": ["28", "32"],
    "temporalites": ["01", "02"],
}


@st.composite
def des_criteres(tirer: Any) -> Criteres:
    choisies = tirer(st.lists(st.sampled_from(sorted(CODES)), max_size=3, unique=True))
    listes = {nom: tuple(tirer(st.lists(st.sampled_from(CODES[nom]), min_size=1, unique=True))) for nom in choisies}
    booleens = tirer(
        st.lists(st.sampled_from(["sensible", "incomplet", "en_dossier", "favoris", "signale"]), max_size=1)
    )
    return Criteres(
        q=" ".join(tirer(st.lists(st.sampled_from(MOTS), max_size=2))),
        mss=tirer(st.sampled_from([True, True, False])),
        jour=tirer(st.sampled_from([PASSE, AUJOURDHUI, FUTUR])),
        autour=tirer(st.sampled_from([None, None, None, ("75113", 3), ("75113", 15)])),
        ouvert=tirer(st.sampled_from([None, None, None, (1, 9 * 60), (1, 12 * 60), (6, 10 * 60), (7, 23 * 60 + 59)])),
        sans_nouvelles=tirer(st.sampled_from([None, None, None, 6, 24])),
        **listes,
        **dict.fromkeys(booleens, True),
    )


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(c=des_criteres())
def test_les_etablissements_sont_ceux_d_une_lecture_naive(varie: Registre, db: None, c: Criteres) -> None:
    attendus = attendues(varie, c)
    assert [v.fiche_id for v in recherche.etablissements(c, varie.user)] == attendus
    assert recherche.compter(c, varie.user) == len(attendus)
    premiere = page(c, varie.user, taille=3)
    assert [v.fiche_id for v in premiere.lignes] == attendus[:3]
    assert {
        eg: {o.fiche_id for o in liste} for eg, liste in offres(c, attendus).items()
    } == offres_attendues(varie, c, attendus)  # fmt: skip


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(c=des_criteres())
def test_les_nombres_des_facettes_sont_ceux_d_une_lecture_naive(varie: Registre, db: None, c: Criteres) -> None:
    lues = {f.nom: {v.code: v.nombre for v in f.valeurs if v.nombre} for f in facettes(c, varie.user)}
    assert lues == comptes_attendus(varie, c)
    choisis = {f.nom: {v.code for v in f.valeurs if v.choisi} for f in facettes(c, varie.user)}
    assert choisis == {nom: set(getattr(c, nom)) if nom in LISTES else _oui(getattr(c, nom)) for nom in choisis}


def _oui(choisi: bool) -> set[str]:
    return {"1"} if choisi else set()


def test_l_index_dit_tout_des_versions_et_se_reecrit(varie: Registre, db: None) -> None:
    fiches = list(Fiche.objects.order_by("pk"))
    assert ecarts_d_index(fiches) == []
    avant = set(IndexEG.objects.values_list("eg", flat=True))
    reconstruire_index()
    assert set(IndexEG.objects.values_list("eg", flat=True)) == avant
    assert ecarts_d_index(fiches) == []
    [perdu] = IndexEG.objects.filter(texte__contains=" louis ")[:1]
    IndexEG.objects.filter(pk=perdu.pk).update(texte=perdu.texte.replace(" louis ", " "))
    assert ecarts_d_index(fiches) == [f"établissement {perdu.pk} : l’index ignore louis"]
