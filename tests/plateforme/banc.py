"""Runs the product's own programs the way an operator does, in an environment that the tests have not coloured."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from backoffice.embarque.processus import habitants

RACINE = Path(__file__).resolve().parent.parent.parent
COLORE = ("ROR_", "DATABASE_URL", "BROKER_URL", "DJANGO_", "SECRET_KEY", "SITE_URL", "PYTEST", "MAKE", "MFLAGS", "PORT")

# A management command without Django: attach or start, say where, then wait for a line to go on.
COMMANDE = """
import os, sys, psycopg
from backoffice.embarque import assurer
assurer(["manage.py", "migrate"])
with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as base:
    base.execute("CREATE TABLE IF NOT EXISTS trace (n int)")
    base.execute("INSERT INTO trace VALUES (1)")
    lignes, = base.execute("SELECT count(*) FROM trace").fetchone()
    depart, = base.execute("SELECT pg_postmaster_start_time()::text").fetchone()
    print(lignes, depart, flush=True)
    sys.stdin.readline()
    base.execute("SELECT 1")
"""


def environnement(var: Path, **autres: str) -> dict[str, str]:
    propre = {nom: valeur for nom, valeur in os.environ.items() if not nom.startswith(COLORE)}
    return propre | {"VAR_DIR": str(var)} | autres


def commande(var: Path) -> subprocess.Popen[str]:
    """A command that uses the embedded servers until it reads a line."""
    return subprocess.Popen(
        [sys.executable, "-c", COMMANDE],
        cwd=RACINE,
        env=environnement(var),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def dire(processus: subprocess.Popen[str]) -> tuple[int, str]:
    """What a command found: rows that it counted, start of the server."""
    assert processus.stdout
    lignes, _, depart = processus.stdout.readline().strip().partition(" ")
    return int(lignes), depart


def finir(processus: subprocess.Popen[str]) -> int:
    processus.communicate("\n", timeout=30)
    return processus.returncode


def refus(var: Path, **autres: str) -> str:
    """The sentence with which ``run`` refuses to start. It is alone, and the status is 1."""
    port = {"PORT": str(port_libre())} | autres
    essai = subprocess.run(
        [sys.executable, "-m", "backoffice.embarque", "run"],
        cwd=RACINE,
        env=environnement(var, **port),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (essai.returncode, essai.stdout) == (1, ""), essai
    assert essai.stderr.count("\n") == 1, essai.stderr
    return essai.stderr.strip()


def serveurs(var: Path) -> list[int]:
    """Processes that work in the data directories of ``var``: PostgreSQL, its backends, Valkey."""
    racine = (var / "serveurs").resolve()
    return [pid for dossier in racine.glob("*") for pid in habitants(dossier)] if racine.exists() else []


def postmaster(var: Path) -> int:
    (fichier,) = (var / "serveurs").resolve().glob("postgres-*/postmaster.pid")
    return int(fichier.read_text().splitlines()[0])


def port_libre() -> int:
    with socket.socket() as prise:
        prise.bind(("127.0.0.1", 0))
        return prise.getsockname()[1]


def jusqu_a(condition: Callable[[], bool], delai: float = 20.0) -> bool:
    limite = time.monotonic() + delai
    while not condition():
        if time.monotonic() > limite:
            return False
        time.sleep(0.1)
    return True
