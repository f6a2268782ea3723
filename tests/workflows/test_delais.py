"""Working days, and the timers of the flow under time travel."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine

from backoffice.comptes.models import User
from backoffice.pages.demo import charger_demo
from notifications.models import Envoi
from workflows.delais import ajouter_jours_ouvres, echeance, rappel
from workflows.domaine import decisions
from workflows.models import Evenement, Tache
from workflows.tasks import declencher_minuteries

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("depart", "nombre", "attendu"),
    [
        (date(2026, 11, 27), 1, date(2026, 11, 30)),  # over a weekend
        (date(2026, 12, 24), 1, date(2026, 12, 28)),  # Christmas is a Friday
        (date(2026, 5, 7), 1, date(2026, 5, 11)),  # 8 May is a Friday
        (date(2026, 4, 3), 1, date(2026, 4, 7)),  # Easter Monday
        (date(2026, 12, 31), 1, date(2027, 1, 4)),
        (date(2026, 11, 22), 0, date(2026, 11, 22)),
        (date(2026, 11, 25), -1, date(2026, 11, 24)),
        (date(2026, 11, 30), -1, date(2026, 11, 27)),
        (date(2026, 11, 20), 10, date(2026, 12, 4)),
    ],
)
def test_jours_ouvres(depart: date, nombre: int, attendu: date) -> None:
    assert ajouter_jours_ouvres(depart, nombre) == attendu


def test_echeance_et_rappel_au_changement_d_heure() -> None:
    vendredi = datetime(2026, 10, 23, 10, tzinfo=PARIS)  # clocks go back on Sunday 25
    assert echeance("validation_direction", vendredi) == datetime(2026, 10, 28, 23, 59, 59, tzinfo=PARIS)
    assert rappel("validation_direction", vendredi) == datetime(2026, 10, 27, 8, tzinfo=PARIS)


def etapes_mailees(tache: Tache) -> list[str]:
    return list(
        Envoi.objects.filter(cle__contains=f":tache:{tache.pk}:").order_by("pk").values_list("type_code", flat=True)
    )


def test_rappel_puis_retard(db: None) -> None:
    """Reminder on the working day before, escalation after the due date; once each; nothing after the decision."""
    with time_machine.travel(datetime(2026, 11, 20, 10, tzinfo=PARIS), tick=False) as horloge:
        charger_demo()
        tache = Tache.objects.get(noeud="validation_direction", close_le__isnull=True)
        assert tache.echeance == datetime(2026, 11, 25, 23, 59, 59, tzinfo=PARIS)
        assert declencher_minuteries() == 0
        horloge.move_to(datetime(2026, 11, 24, 9, tzinfo=PARIS))
        declencher_minuteries()
        assert etapes_mailees(tache) == ["tache_creee", "tache_rappel"]
        assert declencher_minuteries() == 0
        horloge.move_to(datetime(2026, 11, 26, 0, 1, tzinfo=PARIS))
        declencher_minuteries()
        gestionnaires = ["tache_retard"] * 3  # the Direction and two gestionnaires
        assert etapes_mailees(tache) == ["tache_creee", "tache_rappel", *gestionnaires]
        assert declencher_minuteries() == 0
        tache.refresh_from_db()
        assert tache.en_retard
        decisions.valider(tache=tache.pk, acteur=User.objects.get(username="direction.hopital"))
        types = list(tache.dossier.evenements.values_list("type", flat=True))
        assert types[-5:] == ["tache_creee", "rappel", "escalade", "valide", "tache_creee"]


def test_apres_des_jours_d_arret(db: None) -> None:
    """Down for a month: at the first sweep, one reminder and one escalation a task, no more."""
    with time_machine.travel(datetime(2026, 11, 20, 10, tzinfo=PARIS), tick=False) as horloge:
        charger_demo()
        ouvertes = Tache.objects.filter(close_le__isnull=True).count()
        horloge.move_to(datetime(2027, 2, 1, 10, tzinfo=PARIS))
        declencher_minuteries()
        assert Evenement.objects.filter(type="rappel").count() == ouvertes
        assert Evenement.objects.filter(type="escalade").count() == ouvertes
        assert declencher_minuteries() == 0
