"""The keeper: runs the embedded servers for management commands, and ends them when no command uses them any more.

A process of its own, so that two commands at once share the servers and neither takes them away from the other.
"""

import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from .emplacement import Emplacement, preparer
from .panne import Panne
from .postgres import Postgres
from .processus import Verrou, arreter, attendre, lancer
from .reglages import Reglages
from .valkey import Valkey

ROLE = "keeper"
VERROU = "verrou"  # held alone by whoever runs the servers
USAGES = "usages"  # shared by the commands that use them


def garder(reglages: Reglages) -> None:
    """Run the servers until nobody shares the lock of uses. Does nothing when somebody else runs them."""
    lieu = preparer(reglages.var)
    verrou = Verrou(lieu.var / VERROU)
    if not verrou.prendre(ROLE):
        return
    for numero in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(numero, lambda *_: sys.exit(0))
    base = Postgres(lieu)
    serveurs: list[Postgres | Valkey] = [base] if reglages.broker_url else [Valkey(lieu), base]
    usages = Verrou(lieu.var / USAGES)
    with ExitStack() as fins:
        enfants = []
        for serveur in serveurs:
            serveur.preparer()
            enfant = lancer(serveur, sys.stdout.buffer)
            fins.callback(arreter, serveur, enfant)
            enfants.append(enfant)
        if not attendre(lambda: base.repond() or enfants[-1].poll() is not None, 60) or not base.repond():
            raise Panne(f"The embedded PostgreSQL could not start: read {journal(lieu)}.")
        base.creer_base()
        while usages.occupe() and enfants[-1].poll() is None:
            time.sleep(0.1)


def journal(lieu: Emplacement) -> Path:
    return lieu.journaux / "garde.log"


def derniere_ligne(lieu: Emplacement) -> str:
    """Why the keeper gave up: the sentence that it printed last."""
    lignes = journal(lieu).read_text(errors="replace").strip().splitlines()
    return lignes[-1] if lignes else f"The embedded servers of {lieu.var} could not start."
