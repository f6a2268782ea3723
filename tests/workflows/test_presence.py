"""Who else is in a dossier, and on which fiche."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.comptes.models import User
from structures.models import Fiche
from tests.factories import dossiers as fabrique
from tests.navigation import client, texte
from workflows.domaine import decisions, presence
from workflows.models import Dossier, Presence
from workflows.presences import presents
from workflows.tasks import purger_presences

from .ecrans import url, url_fiche

pytestmark = pytest.mark.django_db


def battre(dossier: Dossier, user: User, fiche: Fiche | None = None) -> Any:
    reponse = client(user).post(url(dossier, "presence/"), {"fiche": fiche.pk if fiche else ""})
    assert reponse.status_code == 200
    return reponse.json()


def test_chacun_voit_les_autres(monde: SimpleNamespace, dossier: Dossier) -> None:
    assert battre(dossier, monde.referent, monde.uf) == {"dossier": "", "fiches": {}}
    assert battre(dossier, monde.direction) == {
        "dossier": "referent est dans ce dossier.",
        "fiches": {str(monde.uf.pk): {"noms": "referent", "phrase": "referent est sur cette fiche."}},
    }
    assert battre(dossier, monde.collegue, monde.uf)["dossier"] == "direction et referent sont dans ce dossier."
    vu = battre(dossier, monde.gestionnaire)
    assert vu["dossier"] == "collegue, direction et referent sont dans ce dossier."
    assert vu["fiches"] == {
        str(monde.uf.pk): {"noms": "referent, collegue", "phrase": "referent et collegue sont sur cette fiche."}
    }
    # The same person elsewhere: one row, the last place.
    battre(dossier, monde.referent, monde.uo)
    assert Presence.objects.filter(dossier=dossier, user=monde.referent).get().fiche == monde.uo


def test_qui_ne_bat_plus_n_est_plus_la(monde: SimpleNamespace, dossier: Dossier) -> None:
    battre(dossier, monde.referent, monde.uf)
    Presence.objects.update(vu_le=timezone.now() - presence.DUREE - timedelta(seconds=1))
    assert battre(dossier, monde.direction) == {"dossier": "", "fiches": {}}


def test_personne_d_autre_ne_voit_les_noms(monde: SimpleNamespace, dossier: Dossier) -> None:
    battre(dossier, monde.referent)
    for user in (monde.voisin, monde.tutelle):
        assert client(user).post(url(dossier, "presence/")).status_code == 404
    assert client(monde.referent).get(url(dossier, "presence/")).status_code == 405
    assert Presence.objects.count() == 1


@pytest.mark.parametrize("fiche", ["", "x", "99999999", "9" * 30, "-1"])
def test_une_fiche_d_ailleurs_ne_se_dit_pas(monde: SimpleNamespace, dossier: Dossier, fiche: str) -> None:
    assert client(monde.referent).post(url(dossier, "presence/"), {"fiche": fiche}).status_code == 200
    assert client(monde.referent).post(url(dossier, "presence/"), {"fiche": monde.ailleurs.pk}).status_code == 200
    assert Presence.objects.get().fiche is None


def test_un_dossier_termine_n_a_personne(monde: SimpleNamespace, dossier: Dossier) -> None:
    battre(dossier, monde.referent)
    decisions.abandonner(numero=dossier.pk, acteur=monde.referent)
    assert battre(dossier, monde.direction) == {"dossier": "", "fiches": {}}
    assert Presence.objects.count() == 1
    assert "data-presence" not in client(monde.direction).get(url(dossier)).text


def test_la_page_le_dit_sans_javascript(monde: SimpleNamespace, dossier: Dossier) -> None:
    """A GET writes nothing: the others are known by their open pages, and by what they saved."""
    navigateur = client(monde.direction)
    navigateur.get(url(dossier))
    assert not Presence.objects.exists()
    fabrique.modifier(dossier, monde.collegue, monde.uf.pk, nom="UF 1")
    assert "collegue est dans ce dossier." in texte(navigateur.get(url(dossier)))
    battre(dossier, monde.referent, monde.uf)
    page = texte(navigateur.get(url_fiche(dossier, monde.uf)))
    assert "collegue et referent sont dans ce dossier." in page
    assert "referent est sur cette fiche." in page
    assert "est sur cette fiche." not in texte(navigateur.get(url_fiche(dossier, monde.uo)))
    dossier.fiches.update(modifiee_le=timezone.now() - timedelta(minutes=11))
    assert "collegue est" not in texte(navigateur.get(url(dossier)))


def test_autant_de_requetes_pour_trois_que_pour_un(monde: SimpleNamespace, dossier: Dossier) -> None:
    battre(dossier, monde.direction, monde.uf)

    def compter() -> int:
        navigateur = client(monde.referent)
        navigateur.post(url(dossier, "presence/"), {"fiche": monde.uf.pk})
        with CaptureQueriesContext(connection) as vues:
            navigateur.post(url(dossier, "presence/"), {"fiche": monde.uf.pk})
        return len(vues)

    avant = compter()
    for user in (monde.collegue, monde.gestionnaire):
        battre(dossier, user, monde.uf)
    for fiche in (monde.uf, monde.uo):
        fabrique.modifier(dossier, monde.collegue, fiche.pk, nom="Autre nom")
    assert compter() == avant
    assert len(presents(dossier, monde.referent).noms) == 3


def test_les_vieilles_lignes_s_en_vont(monde: SimpleNamespace, dossier: Dossier) -> None:
    battre(dossier, monde.referent)
    assert purger_presences() == 0
    Presence.objects.update(vu_le=timezone.now() - presence.GARDE - timedelta(seconds=1))
    assert purger_presences() == 1
    assert not Presence.objects.exists()
