"""What the tests of the register share: a hospital with one fiche of each level, its people; an EHPAD."""

import pytest

from backoffice.comptes.models import User
from structures.enums import Role
from structures.models import Fiche
from tests.factories import repertoire as fabrique

from .guichet import Monde


@pytest.fixture
def hopital(db: None) -> dict[str, Fiche]:
    return fabrique.hopital()


@pytest.fixture
def unite(hopital: dict[str, Fiche]) -> Fiche:
    return hopital["UO"]


@pytest.fixture
def referent(hopital: dict[str, Fiche]) -> User:
    return fabrique.compte(Role.REFERENT, hopital["EG"], "referent")


@pytest.fixture
def direction(hopital: dict[str, Fiche]) -> User:
    return fabrique.compte(Role.DIRECTION, hopital["EG"], "direction")


@pytest.fixture
def monde(db: None) -> Monde:
    return Monde()
