"""The embedded broker: Valkey on a unix socket, its journal on disk so that waiting tasks survive a restart."""

import os
import signal
import socket

from . import binaires
from .emplacement import Emplacement
from .processus import evincer

PRISE = "valkey.sock"


class Valkey:
    """One broker in ``lieu.serveurs``. The caller holds the lock of the place while it prepares and runs it."""

    nom = "valkey"
    signal_fin = signal.SIGTERM
    delai_fin = 10.0

    def __init__(self, lieu: Emplacement) -> None:
        self.lieu = lieu
        self.programme = binaires.valkey(lieu)
        self.donnees = lieu.serveurs / "valkey"

    @property
    def commande(self) -> list[str]:
        reglages = {
            "port": "0",  # the unix socket only
            "unixsocket": str(self.lieu.prises / PRISE),
            "unixsocketperm": "700",
            "dir": str(self.donnees),
            "appendonly": "yes",
            "save": "",
            "loglevel": "warning",
            # A journal cut short by a kill is repaired at start: the truth of what must be done is the outbox.
            "aof-load-truncated": "yes",
        }
        return [str(self.programme), *(mot for nom, valeur in reglages.items() for mot in (f"--{nom}", valeur))]

    def preparer(self) -> None:
        """Make the directory and clear what a killed server left behind."""
        self.donnees.mkdir(mode=0o700, exist_ok=True)
        if self.lieu.compte:
            os.chown(self.donnees, self.lieu.compte.uid, self.lieu.compte.gid)
        evincer(self.donnees, signal.SIGTERM)
        (self.lieu.prises / PRISE).unlink(missing_ok=True)

    def repond(self) -> bool:
        """Whether the broker answers a PING; while it loads its journal it says LOADING instead."""
        try:
            with socket.socket(socket.AF_UNIX) as prise:
                prise.settimeout(2)
                prise.connect(str(self.lieu.prises / PRISE))
                prise.sendall(b"PING\r\n")
                return prise.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def url(lieu: Emplacement) -> str:
    """Address of the embedded broker, as Celery wants it."""
    return f"redis+socket://{lieu.prises / PRISE}"
