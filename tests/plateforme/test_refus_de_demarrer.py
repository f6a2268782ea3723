"""What stops ``make run`` from starting is said in one sentence, with what to do, and status 1."""

import errno
import socket

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from backoffice.config import preparer
from backoffice.embarque import emplacement, postgres
from backoffice.embarque.garde import VERROU
from backoffice.embarque.panne import Panne, panne_de
from backoffice.embarque.processus import Verrou

from . import banc


def test_port_pris(var):
    with socket.socket() as prise:
        prise.bind(("127.0.0.1", 0))
        prise.listen()
        port = prise.getsockname()[1]
        assert banc.refus(var, PORT=str(port)) == (
            f"Port {port} is in use: stop what uses it, or choose another with PORT."
        )


@pytest.mark.parametrize("port", ["huit", "0", "65536", "-1"])
def test_port_absurde(var, port):
    assert banc.refus(var, PORT=port) == f"PORT is {port!r}: set it to a number from 1 to 65535."


def test_adresse_d_une_autre_machine(var):
    assert banc.refus(var, HOST="192.0.2.1").startswith("HOST 192.0.2.1 can't be used here")


def test_base_injoignable(var):
    refus = banc.refus(var, DATABASE_URL=f"postgresql://ror@127.0.0.1:{banc.port_libre()}/ror")
    assert refus.startswith("DATABASE_URL can't be reached, check the address and the server: ")


@pytest.mark.parametrize("url", ["mysql://localhost/ror", "n'importe quoi", "sqlite:///ror.db"])
def test_base_d_une_autre_sorte(var, url):
    assert banc.refus(var, DATABASE_URL=url).startswith("DATABASE_URL is no address of a PostgreSQL server: write ")


def test_base_trop_ancienne():
    postgres.exiger_version(15)
    with pytest.raises(Panne, match=r"^DATABASE_URL is a PostgreSQL 14 and 15 or later is needed: upgrade"):
        postgres.exiger_version(14)


@pytest.mark.django_db
def test_base_d_avant_la_premiere_version():
    assert not preparer.trop_vieille()
    MigrationRecorder(connection).record_applied("structures", "0002_suivi_et_favoris")
    assert preparer.trop_vieille()


def test_messagerie_injoignable(var):
    refus = banc.refus(var, BROKER_URL=f"redis://127.0.0.1:{banc.port_libre()}/0")
    assert refus.startswith("BROKER_URL can't be reached, check the address and the server: ")


def test_seconde_copie_sur_le_meme_repertoire(var):
    var.mkdir(parents=True)
    tenu = Verrou(var / VERROU)
    assert tenu.prendre("make run")
    refus = banc.refus(var)
    assert refus.startswith(f"The product already runs on {var} (process ")
    assert refus.endswith("stop it first, or set VAR_DIR and PORT to start a second copy.")
    tenu.rendre()


def test_repertoire_sous_un_fichier(tmp_path):
    (tmp_path / "fichier").touch()
    assert "set VAR_DIR to a directory." in banc.refus(tmp_path / "fichier" / "var")


def test_repertoire_interdit():
    assert banc.refus(banc.Path("/sys/ror")) == (
        "Not allowed to write (/sys/ror): give this account the right, or set VAR_DIR to another directory."
    )


def test_disque_presque_plein(var, monkeypatch):
    monkeypatch.setattr(emplacement, "ESPACE_MINIMAL", 2**60)
    with pytest.raises(Panne, match=r"^Only \d+ MB are free for .* free some space, or set VAR_DIR"):
        emplacement.preparer(var)


def test_disque_plein_en_cours_de_route():
    assert str(panne_de(OSError(errno.ENOSPC, "No space left on device", "/x"))) == (
        "The disk is full (/x): free some space, or set VAR_DIR to a directory on another disk."
    )
