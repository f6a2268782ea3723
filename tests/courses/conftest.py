"""Races of real threads on PostgreSQL, on the demo data."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from backoffice.comptes.models import User
from backoffice.pages.demo import charger_demo
from backoffice.socle.erreurs import ErreurMetier
from structures.domaine.enregistrer import ecarts
from structures.models import Fiche, Habilitation, VersionFiche
from tests.photographie import poser_la_demo
from workflows.journaux import verifier_base


@pytest.fixture
def demo(transactional_db: None) -> Iterator[None]:
    """The demo data, and afterwards the proof that the register still equals its modifications, and that each journal
    is one chain."""
    poser_la_demo(charger_demo)
    yield
    assert ecarts() == []
    assert [vue for vue in verifier_base() if vue.fautes] == []


def personne(role: str, nom: str, *, fiche: Fiche | None = None, autorite: str | None = None) -> User:
    user = User.objects.create(username=nom, email=f"{nom}@essai.example")
    Habilitation.objects.create(user=user, role=role, fiche=fiche, autorite_id=autorite)
    return user


def eg(nom: str) -> Fiche:
    return Fiche.objects.get(pk=VersionFiche.objects.filter(nom=nom, niveau="EG").values_list("fiche").first()[0])


def ensemble(gestes: list[Callable[[], Any]]) -> list[Any]:
    """Run the gestures at the same moment, one thread each; results in order, an ErreurMetier as a result.

    Anything else that goes wrong is raised: a loser gets a sentence, never a 500.
    """
    depart = threading.Barrier(len(gestes))
    resultats: list[Any] = [None] * len(gestes)
    pannes: list[BaseException] = []

    def courir(rang: int, geste: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            depart.wait(timeout=30)
            resultats[rang] = geste()
        except ErreurMetier as refus:
            resultats[rang] = refus
        except BaseException as panne:
            pannes.append(panne)
        finally:
            connection.close()

    fils = [threading.Thread(target=courir, args=(i, g)) for i, g in enumerate(gestes)]
    for fil in fils:
        fil.start()
    for fil in fils:
        fil.join(timeout=60)
    assert not any(fil.is_alive() for fil in fils)
    if pannes:
        raise pannes[0]
    return resultats


def refus(resultats: list[Any]) -> list[ErreurMetier]:
    return [r for r in resultats if isinstance(r, ErreurMetier)]
