"""An establishment that closes while a page, a file or a task reads the register: between any two statements of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

import pytest
import time_machine
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from structures.domaine.enregistrer import enregistrer
from structures.enums import Role, Source
from structures.models import Fiche, Modification
from structures.tasks import rappeler_la_fraicheur
from tests.factories import repertoire as fabrique
from tests.navigation import client

pytestmark = pytest.mark.django_db


def ehpad() -> Fiche:
    eg = fabrique.etablissement("medico-social", nom="EHPAD TEST")
    fabrique.uo(eg)
    return eg


@contextmanager
def fermeture_avant(rang: int, eg: Fiche) -> Iterator[None]:
    """Close the establishment just before the statement of this rank, and take it back at the end."""
    lues = 0

    def fermer(execute, sql, parametres, plusieurs, contexte):
        nonlocal lues
        lues += 1
        if lues == rang:
            jour, ferme = timezone.localdate(), {"existe": False}
            enregistrer(
                [
                    Modification(fiche=f, date_effet=jour, patch=ferme, source=Source.IMPORT)
                    for f in Fiche.objects.filter(eg=eg)
                ]
            )
        return execute(sql, parametres, plusieurs, contexte)

    with transaction.atomic(), connection.execute_wrapper(fermer):
        yield
        transaction.set_rollback(True)


def a_chaque_instruction(eg: Fiche, lire: Callable[[], None]) -> None:
    with CaptureQueriesContext(connection) as vues:
        lire()
    for rang in range(1, len(vues) + 1):
        with fermeture_avant(rang, eg):
            lire()


@pytest.mark.parametrize("miens", [True, False])
@pytest.mark.parametrize(
    "adresse",
    [
        "/repertoire/?q=test&mss=1",
        "/repertoire/?q=test&mss=1&derouler=page",
        "/exports/etablissements.csv?mss=1",
        "/exports/unites.csv?mss=1",
    ],
)
def test_la_liste_et_ses_fichiers(adresse, miens):
    eg = ehpad()
    ehpad()
    navigateur = client(fabrique.compte(Role.REFERENT, eg) if miens else fabrique.lecteur())

    def lire() -> None:
        reponse = navigateur.get(adresse)
        assert reponse.status_code == 200
        if reponse.streaming:
            assert b"".join(reponse.streaming_content).count(b"\r\n") >= 2

    lire()  # the first visit writes the session
    a_chaque_instruction(eg, lire)


def test_le_rappel_du_mois():
    eg = ehpad()
    fabrique.compte(Role.REFERENT, eg)
    with time_machine.travel(date(2027, 3, 1)):
        a_chaque_instruction(eg, lambda: rappeler_la_fraicheur() and None)
