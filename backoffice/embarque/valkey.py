"""The embedded broker: Valkey on a unix socket, its journal on disk so that waiting tasks survive a restart."""

import os
import signal
import socket

from . import binaires
from .emplacement import Emplacement
from .panne import Panne
from .processus import evincer

PRISE = "valkey.sock"


class Valkey:
    """One broker in ``lieu.serveurs``. The caller holds the lock of the place while it prepares and runs it."""

    nom = "valkey"
    signal_fin = signal_orphelin = signal.SIGTERM
    delai_fin = 10.0

    def __init__(self, lieu: Emplacement) -> None:
        self.lieu = lieu
        self.compte = lieu.compte
        self.programme = binaires.valkey(lieu)
        self.donnees = lieu.serveurs / "valkey"
        self.prise = lieu.prises / PRISE

    @property
    def commande(self) -> list[str]:
        reglages = {
            "port": "0",  # the unix socket only
            "unixsocket": str(self.prise),
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
        if self.compte:
            os.chown(self.donnees, self.compte.uid, self.compte.gid)
        evincer(self.donnees, signal.SIGTERM)
        self.prise.unlink(missing_ok=True)

    def repond(self) -> bool:
        """Whether the broker answers a PING; while it loads its journal it says LOADING instead."""
        try:
            with socket.socket(socket.AF_UNIX) as prise:
                prise.settimeout(2)
                prise.connect(str(self.prise))
                prise.sendall(b"PING\r\n")
                return prise.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def url(lieu: Emplacement) -> str:
    """Address of the embedded broker, as Celery wants it."""
    return f"redis+socket://{lieu.prises / PRISE}"


def verifier_distant(adresse: str) -> None:
    """Refuse in one sentence a given broker that doesn't answer."""
    import kombu

    try:
        with kombu.Connection(adresse, connect_timeout=5) as connexion:
            connexion.ensure_connection(max_retries=1, interval_start=0.2)
    except Exception as erreur:
        raise Panne(f"BROKER_URL can't be reached, check the address and the server: {erreur}.") from None
