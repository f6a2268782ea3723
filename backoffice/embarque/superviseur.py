"""Keeps a few processes alive, prints what they say with their name in front, and stops them in order.

One thread: children are bound to the life of the thread that starts them, and nothing here waits for long.
"""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from .panne import Panne
from .processus import Service, lancer, tuer_groupe

COULEURS = {"postgres": 34, "valkey": 35, "web": 32, "worker": 33, "beat": 36}
ATTENTE_MAXIMALE = 30.0
DUREE_STABLE = 60.0
LIGNE_MAXIMALE = 64 * 1024
CONSEIL = "read its last lines above, mend the cause and start again."


class Interruption(BaseException):
    """Somebody asked to stop."""


class Enfant:
    """One service and its current process."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.processus: subprocess.Popen[bytes] | None = None
        self.reste = b""
        self.attente = 1.0
        self.depuis = 0.0
        self.reprise = 0.0

    def vit(self) -> bool:
        return self.processus is not None and self.processus.poll() is None

    def statut(self) -> int | None:
        return self.processus.returncode if self.processus else None


class Superviseur:
    def __init__(self) -> None:
        self.enfants: list[Enfant] = []
        self.demandes_arret = 0
        self.couleurs = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._sorties = selectors.DefaultSelector()
        for numero in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(numero) is not signal.SIG_IGN:  # nohup stays nohup
                signal.signal(numero, self._noter_arret)

    # -- what is printed --------------------------------------------------------------------------

    def dire(self, nom: str, message: str) -> None:
        marque = f"{nom:<9}|"
        if self.couleurs:
            marque = f"\x1b[{COULEURS.get(nom, 37)}m{marque}\x1b[0m"
        with suppress(OSError):  # the terminal is gone: the product goes on, or stops on SIGHUP
            print(marque, message, flush=True)

    # -- life of the children ---------------------------------------------------------------------

    def lancer(self, service: Service) -> Enfant:
        """Start a service that must stay alive."""
        enfant = Enfant(service)
        self.enfants.append(enfant)
        self._demarrer(enfant)
        return enfant

    def executer(self, service: Service) -> None:
        """Run a command to its end; a sentence when it fails."""
        enfant = Enfant(service)
        self.enfants.append(enfant)
        self._demarrer(enfant)
        while enfant.vit():
            self._un_tour(0.1)
        self._lire_tout(enfant)
        self.enfants.remove(enfant)
        if enfant.statut():
            raise Panne(f"The step « {service.nom} » failed: {CONSEIL}")

    def attendre(self, condition: Callable[[], bool], enfant: Enfant, delai: float = 60.0) -> None:
        """Wait until a service is ready; a sentence when it dies or takes too long."""
        limite = time.monotonic() + delai
        while not condition():
            if not enfant.vit() or time.monotonic() > limite:
                raison = f"was not ready after {delai:.0f} s" if enfant.vit() else "stopped at once"
                self._lire_tout(enfant)
                raise Panne(f"{enfant.service.nom} {raison}: {CONSEIL}")
            self._un_tour(0.05)

    def surveiller(self) -> None:
        """Restart whatever dies, until somebody asks to stop."""
        while True:
            self._un_tour(0.5)
            for enfant in self.enfants:
                self._veiller_sur(enfant)

    def arreter(self) -> None:
        """Stop everything, last started first. A second request to stop kills what is left."""
        while self.enfants:
            enfant = self.enfants.pop()
            processus = enfant.processus
            if processus is None:
                continue
            if processus.poll() is None:
                processus.send_signal(enfant.service.signal_fin)
            limite = time.monotonic() + enfant.service.delai_fin
            while processus.poll() is None and time.monotonic() < limite and self.demandes_arret < 2:
                self._imprimer(0.05)
            tuer_groupe(processus)
            self._lire_tout(enfant)

    def _demarrer(self, enfant: Enfant) -> None:
        service = enfant.service
        service.preparer()
        lecture, ecriture = os.pipe()
        try:
            enfant.processus = lancer(service, ecriture)
        finally:
            os.close(ecriture)
        os.set_blocking(lecture, False)
        self._sorties.register(lecture, selectors.EVENT_READ, enfant)
        enfant.depuis = time.monotonic()

    def _veiller_sur(self, enfant: Enfant) -> None:
        maintenant = time.monotonic()
        if enfant.processus is not None:
            if enfant.processus.poll() is None:
                return
            self._lire_tout(enfant)
            tuer_groupe(enfant.processus)  # its own children hold the port or the tasks
            if maintenant - enfant.depuis > DUREE_STABLE:
                enfant.attente = 1.0
            self.dire(
                enfant.service.nom,
                f"ended with status {enfant.processus.returncode}, restarts in {enfant.attente:.0f} s",
            )
            enfant.processus = None
            enfant.reprise = maintenant + enfant.attente
            enfant.attente = min(enfant.attente * 2, ATTENTE_MAXIMALE)
        elif maintenant >= enfant.reprise:
            try:
                self._demarrer(enfant)
            except (Panne, OSError) as erreur:
                self.dire(enfant.service.nom, str(erreur))
                enfant.reprise = maintenant + enfant.attente

    # -- the loop ---------------------------------------------------------------------------------

    def _noter_arret(self, *_: object) -> None:
        self.demandes_arret += 1

    def _un_tour(self, duree: float) -> None:
        """Print what the children say for up to ``duree`` seconds, and notice a request to stop."""
        self._imprimer(duree)
        if self.demandes_arret:
            raise Interruption

    def _imprimer(self, duree: float) -> None:
        for cle, _ in self._sorties.select(duree):
            self._lire(cle.fd, cle.data)

    def _lire(self, fd: int, enfant: Enfant) -> bool:
        """Print the whole lines that are there; whether there may be more."""
        try:
            lu = os.read(fd, LIGNE_MAXIMALE)
        except BlockingIOError:
            return False
        *lignes, enfant.reste = (enfant.reste + lu).split(b"\n")
        if (not lu or len(enfant.reste) > LIGNE_MAXIMALE) and enfant.reste:
            lignes.append(enfant.reste)
            enfant.reste = b""
        for ligne in lignes:
            self.dire(enfant.service.nom, ligne.decode(errors="replace").rstrip())
        if not lu:
            self._sorties.unregister(fd)
            os.close(fd)
        return bool(lu)

    def _lire_tout(self, enfant: Enfant) -> None:
        """Print the last words of a process that ended, and close its pipe."""
        for cle in list(self._sorties.get_map().values()):
            if cle.data is enfant:
                while self._lire(cle.fd, enfant):
                    pass
                if cle.fd in self._sorties.get_map():
                    self._sorties.unregister(cle.fd)
                    os.close(cle.fd)
