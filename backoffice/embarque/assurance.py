"""What a management command needs before Django loads: a database, a broker, a secret key."""

import os
import subprocess
import sys
import time
import warnings
from collections.abc import Sequence

from . import garde, postgres, valkey
from .emplacement import Emplacement, cle_secrete, preparer
from .panne import Panne, panne_de
from .processus import Verrou
from .reglages import RACINE, lire

DELAI = 60.0
# Commands that read the code only. They use a server that runs, and start none.
SANS_SERVEUR = {
    "check",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "findstatic",
    "flowexport",
    "help",
    "makemessages",
    "makemigrations",
    "verifier_journal",
    "version",
}
AVEC_BASE = {"--database", "--base"}  # but with these they read it
# Held until the process ends, so that the servers stay as long as a command uses them.
_usages: list[Verrou] = []


def assurer(arguments: Sequence[str]) -> None:
    """Set DATABASE_URL, BROKER_URL and SECRET_KEY in the environment, unless they are given.

    Attaches to the servers of VAR_DIR when they run, else starts them until the last command that uses them ends.
    """
    try:
        _assurer(arguments)
    except OSError as erreur:
        raise panne_de(erreur) from erreur


def _assurer(arguments: Sequence[str]) -> None:
    reglages = lire()
    if not os.environ.get("SECRET_KEY"):
        os.environ["SECRET_KEY"] = cle_secrete(reglages.var)
    if reglages.database_url and reglages.broker_url:
        return
    lieu = preparer(reglages.var)
    if not reglages.database_url:
        os.environ["DATABASE_URL"] = postgres.dsn(lieu)
        if not _sans_serveur(arguments):
            _obtenir(lieu)
        elif not postgres.connexion_possible(lieu):
            warnings.filterwarnings("ignore", "Got an error checking a consistent migration history")
    if not reglages.broker_url:
        os.environ["BROKER_URL"] = valkey.url(lieu)


def _sans_serveur(arguments: Sequence[str]) -> bool:
    commande = arguments[1] if len(arguments) > 1 else "help"
    aide = {"-h", "--help", "--version"} & set(arguments)
    return (commande in SANS_SERVEUR and not AVEC_BASE & set(arguments)) or bool(aide)


def _obtenir(lieu: Emplacement) -> None:
    """Wait for a server that answers; start a keeper for it whenever nobody holds the place."""
    usage = Verrou(lieu.var / garde.USAGES)
    usage.partager()
    _usages.append(usage)
    verrou = Verrou(lieu.var / garde.VERROU)
    gardien: subprocess.Popen[bytes] | None = None
    limite = time.monotonic() + DELAI
    while not postgres.connexion_possible(lieu, postgres.BASE):
        if gardien and gardien.poll():
            raise Panne(garde.derniere_ligne(lieu))
        if (gardien is None or gardien.poll() is not None) and not verrou.occupe():
            gardien = _lancer_gardien(lieu)
        if time.monotonic() > limite:
            role, pid = verrou.tenant()
            raise Panne(f"PostgreSQL of {lieu.var} does not answer: stop process {pid} ({role}), then start again.")
        time.sleep(0.05)
    verrou.rendre()


def _lancer_gardien(lieu: Emplacement) -> subprocess.Popen[bytes]:
    with garde.journal(lieu).open("wb") as sortie:
        return subprocess.Popen(
            [sys.executable, "-m", "backoffice.embarque", "garde"],
            stdin=subprocess.DEVNULL,
            stdout=sortie,
            stderr=sortie,
            cwd=RACINE,
            start_new_session=True,
        )
