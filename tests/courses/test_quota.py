"""The quota at the same moment: exactly as many as it says."""

from datetime import timedelta

import pytest
from django.utils import timezone

from structures.domaine.consommation import prendre
from structures.models import CompteurConsommateur
from tests.factories.consommateurs import consommateur

from .conftest import ensemble

pytestmark = [pytest.mark.course, pytest.mark.django_db(transaction=True)]


def test_exactement_le_quota() -> None:
    """A window in the future stays the one in force (GREATEST): the clock can't turn the minute under the test."""
    outil, _ = consommateur(quota_minute=7)
    CompteurConsommateur.objects.create(
        consommateur=outil,
        minute=timezone.now() + timedelta(hours=1),
        dans_la_minute=0,
        jour=timezone.localdate() + timedelta(days=1),
        dans_la_journee=0,
    )
    prises = ensemble([lambda: [prendre(outil) for _ in range(2)] for _ in range(8)])
    assert sum(prise is None for deux in prises for prise in deux) == 7
    assert CompteurConsommateur.objects.values_list("dans_la_minute", "dans_la_journee").get() == (7, 7)
