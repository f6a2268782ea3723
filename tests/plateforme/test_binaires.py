"""Which PostgreSQL runs: the wheel's, else the newest of the machine that is recent enough."""

import pytest

from backoffice.embarque import binaires, emplacement
from backoffice.embarque.panne import Panne


@pytest.fixture
def machine(var, monkeypatch):
    """A machine without our wheels, with the PostgreSQL versions that the test installs."""
    monkeypatch.setattr(binaires, "_paquet", lambda module: None)
    monkeypatch.setattr(binaires.shutil, "which", lambda nom: None)
    monkeypatch.setattr(binaires, "LIEUX_CONNUS", (f"{var.parent}/postgresql/*/bin",))

    def installer(*versions: int) -> emplacement.Emplacement:
        for version in versions:
            bin_ = var.parent / "postgresql" / str(version) / "bin"
            bin_.mkdir(parents=True)
            for nom in ("postgres", "initdb"):
                programme = bin_ / nom
                programme.write_text(f"#!/bin/sh\necho '{nom} (PostgreSQL) {version}.3'\n")
                programme.chmod(0o755)
        return emplacement.preparer(var)

    return installer


def test_la_plus_recente_de_la_machine(machine):
    assert binaires.postgres(machine(9, 14, 15, 17)).majeure == 17


def test_aucune_assez_recente(machine):
    with pytest.raises(Panne, match=r"^No PostgreSQL 15 or later .*only version 14 was found\): install one, or set"):
        binaires.postgres(machine(13, 14))


def test_aucune_du_tout(machine):
    with pytest.raises(Panne, match=r"^No PostgreSQL 15 or later can be run on this machine: install one, or set"):
        binaires.postgres(machine())


def test_aucune_messagerie(machine):
    with pytest.raises(Panne, match=r"^No broker can be run on this machine: install valkey-server, or set BROKER_URL"):
        binaires.valkey(machine())


def test_celle_de_la_roue_passe_avant(var):
    trouve = binaires.postgres(emplacement.preparer(var))
    assert trouve.majeure >= 18
    assert "pginstall" in trouve.dossier.parts
