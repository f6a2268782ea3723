"""Working days: weekends and French public holidays don't count (domain.md §6)."""

from datetime import date, datetime, time, timedelta
from functools import cache

import holidays
from django.conf import settings
from django.utils import timezone


@cache
def _feries(annee: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("FR", years=annee))


def est_ouvre(jour: date) -> bool:
    return jour.weekday() < 5 and jour not in _feries(jour.year)


@cache
def feries_en_semaine(annee: int) -> list[date]:
    """The public holidays of the twenty years up to this one that fall from Monday to Friday, in order."""
    return sorted(jour for a in range(annee - 19, annee + 1) for jour in _feries(a) if jour.weekday() < 5)


def ajouter_jours_ouvres(depart: date, nombre: int) -> date:
    """The working day that comes ``nombre`` working days after ``depart`` (before, when negative)."""
    pas, jour = (1 if nombre >= 0 else -1), depart
    for _ in range(abs(nombre)):
        jour += timedelta(days=pas)
        while not est_ouvre(jour):
            jour += timedelta(days=pas)
    return jour


def a(jour: date, heure: time = time.min) -> datetime:
    """That hour of the day here; midnight unless said."""
    return timezone.make_aware(datetime.combine(jour, heure))


def jours_ouvres_entre(du: datetime, au: datetime) -> int:
    """Working days that have begun after the day of ``du``, up to that of ``au``: 0 within a day."""
    jour, fin = timezone.localdate(du), timezone.localdate(au)
    return sum(est_ouvre(jour + timedelta(days=n)) for n in range(1, (fin - jour).days + 1))


def echeance(depart: datetime, jours: int) -> datetime:
    """When a task that has ``jours`` from ``depart`` on is late: the end of its last working day, Paris time."""
    return a(ajouter_jours_ouvres(timezone.localdate(depart), jours), time(23, 59, 59))


def rappel(limite: datetime, depart: datetime) -> datetime:
    """When the reminder leaves: the morning of the working day before the due date, never before the creation."""
    jour = ajouter_jours_ouvres(timezone.localdate(limite), -settings.RAPPEL_JOURS_AVANT)
    return max(a(jour, time(8)), depart)


def rappel_de_correction(depart: datetime) -> datetime:
    """When those who correct a dossier are reminded of it: long before the end of a delay made for a first writing."""
    return a(ajouter_jours_ouvres(timezone.localdate(depart), settings.CORRECTION_RAPPEL_JOURS), time(8))


def recours(limite: datetime) -> datetime:
    """When the supervisor hears that a task is still late: in the morning, some working days after the due date."""
    return a(ajouter_jours_ouvres(timezone.localdate(limite), settings.RECOURS_JOURS_APRES), time(8))
