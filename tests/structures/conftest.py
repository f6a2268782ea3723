"""What the tests of the register share: a hospital with one fiche of each level, its people; an EHPAD; imports."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backoffice.comptes.models import User
from structures.domaine.habilitations import accorder
from structures.enums import Role
from structures.importations.finess import importer
from structures.importations.rapport import Rapport
from structures.models import Fiche
from tests.factories import repertoire as fabrique

from .destinataire import Destinataire, ecouter
from .fabrique import personne
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


@pytest.fixture
def importe(tmp_path: Path) -> Callable[..., Rapport]:
    """``importe(texte)``: the report of the import of a file with this content."""

    def lancer(contenu: str | bytes, **options: Any) -> Rapport:
        chemin = tmp_path / "finess.csv"
        chemin.write_bytes(contenu if isinstance(contenu, bytes) else contenu.encode())
        rapport = Rapport()
        importer(chemin, rapport, **options)
        return rapport

    return lancer


@pytest.fixture
def agent(db: None) -> User:
    """Of SESAN, who imports."""
    user = personne("gestionnaire.imports")
    accorder(user=user, role=Role.GESTIONNAIRE, acteur=None)
    return user


@pytest.fixture
def destinataire(settings: Any) -> Iterator[Destinataire]:
    """Who receives webhooks, on this machine."""
    settings.WEBHOOK_RESEAUX_PERMIS = ["127.0.0.0/8"]
    with ecouter() as recu:
        yield recu
