"""A consumer that sees everything, and resources put by hand."""

import pytest
from django.test import Client

from tests.factories.consommateurs import porteur

from .banc import Registre


@pytest.fixture
def registre(db: None) -> Registre:
    return Registre()


@pytest.fixture
def consommateur(db: None) -> Client:
    return Client(headers=porteur(profil=1))
