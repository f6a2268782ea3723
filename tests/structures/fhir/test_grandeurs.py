"""What a date accepts of a column of days, beside the rules of R4 said of the intervals themselves."""

import itertools
from datetime import date, datetime, time, timedelta

import pytest
import time_machine
from django.utils import timezone

from structures.fhir.grandeurs import PREFIXES, jours, lire_date
from structures.fhir.issue import ErreurFhir

JOURS = [date(2026, 10, 23) + timedelta(days=n) for n in range(8)]  # an hour is twice there on the 25th
DATES = [
    "2026", "2026-10", "2026-11", "2026-10-25", "2026-10-26", "2026-10-25T00:00:00+02:00", "2026-10-25T02:30:00+01:00",
    "2026-10-25T22:59:59Z", "2026-10-25T23:00:00Z", "2026-10-26T12:00", "2026-10-26T23:59:59.999",
]  # fmt: skip


def minuit(jour: date) -> datetime:
    return timezone.make_aware(datetime.combine(jour, time.min))


def accepte(prefixe: str, texte: str, jour: date) -> bool:
    """R4, 3.1.1.4.6: the value is all of its day."""
    demande, debut, fin = lire_date(texte), minuit(jour), minuit(jour + timedelta(days=1))
    contenu = demande.du <= debut and fin <= demande.au
    marge = abs(timezone.now() - demande.du) / 10
    return {
        "eq": contenu,
        "ne": not contenu,
        "gt": fin > demande.au,
        "lt": debut < demande.du,
        "ge": contenu or fin > demande.au,
        "le": contenu or debut < demande.du,
        "sa": debut >= demande.au,
        "eb": fin <= demande.du,
        "ap": debut < demande.au + marge and fin > demande.du - marge,
    }[prefixe]


@time_machine.travel("2026-11-20T08:00:00Z", tick=False)
def test_chaque_prefixe_accepte_les_jours_que_dit_la_norme():
    for prefixe, texte, jour in itertools.product(PREFIXES, DATES, JOURS):
        trouve = any(
            (bas is None or bas <= jour) and (haut is None or jour < haut) for bas, haut in jours(prefixe + texte)
        )
        assert trouve == accepte(prefixe, texte, jour), (prefixe, texte, jour)


@pytest.mark.parametrize("texte", ["ap9999-12-31T23:59Z", "ge9999-12-31T23:59:00Z", "ap0001-01-01"])
def test_au_bout_du_calendrier_on_refuse(texte):
    with pytest.raises(ErreurFhir):
        jours(texte)
