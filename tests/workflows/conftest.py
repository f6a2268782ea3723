"""What the tests of the dossiers share."""

from types import SimpleNamespace

import pytest

from structures.enums import Role
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from workflows.models import Dossier


@pytest.fixture
def monde() -> SimpleNamespace:
    """A hospital with one fiche of each level, its people, SESAN and somebody else's establishment."""
    arbre = repertoire.hopital()
    eg = arbre["EG"]
    ailleurs = repertoire.etablissement(nom="Clinique voisine")
    return SimpleNamespace(
        **{niveau.lower(): fiche for niveau, fiche in arbre.items()},
        ailleurs=ailleurs,
        referent=repertoire.compte(Role.REFERENT, eg, "referent"),
        collegue=repertoire.compte(Role.REFERENT, eg, "collegue"),
        direction=repertoire.compte(Role.DIRECTION, eg, "direction"),
        voisin=repertoire.compte(Role.REFERENT, ailleurs, "voisin"),
        gestionnaire=repertoire.gestionnaire("gestionnaire"),
        tutelle=repertoire.compte(Role.TUTELLE, "ARS-11", "tutelle"),
    )


@pytest.fixture
def dossier(monde: SimpleNamespace) -> Dossier:
    return fabrique.brouillon(monde.eg, monde.referent, "Ouverture de l’UHCD")
