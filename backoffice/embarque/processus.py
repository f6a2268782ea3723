"""Child processes that die with their parent, run unprivileged, and stop in order."""

import ctypes
import fcntl
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from .panne import Panne
from .reglages import RACINE

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Compte:
    """The unprivileged account under which the servers run and that owns their files."""

    uid: int
    gid: int


def compte_des_serveurs() -> Compte | None:
    """PostgreSQL refuses to run as root: ``nobody`` then, else None (stay who we are).

    A bare uid is not enough: initdb wants an account that has a name.
    """
    if os.geteuid() != 0:
        return None
    try:
        fiche = pwd.getpwnam("nobody")
    except KeyError:
        raise Panne("There is no account named nobody: create it, or start the product as an ordinary user.") from None
    return Compte(fiche.pw_uid, fiche.pw_gid)


def lier_au_parent(signal_recu: int, parent: int | None = None) -> None:
    """Have the kernel send this process a signal when its parent dies (Linux only).

    Call it after any change of uid, which clears the setting. ``parent`` closes the race with a parent already dead.
    """
    if sys.platform != "linux":
        return
    _libc.prctl(PR_SET_PDEATHSIG, int(signal_recu), 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), signal_recu)


class Service(Protocol):
    """A program that somebody supervises."""

    @property
    def nom(self) -> str: ...
    @property
    def commande(self) -> Sequence[str]: ...
    @property
    def compte(self) -> Compte | None: ...
    @property
    def signal_fin(self) -> int: ...  # asks it to stop
    @property
    def signal_orphelin(self) -> int: ...  # what it gets when its parent dies
    @property
    def delai_fin(self) -> float: ...  # seconds that it may take to stop

    def preparer(self) -> None:
        """Clear what a killed one left behind."""


def lancer(service: Service, sortie: int | IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a prepared service, bound to our life, with its output merged."""
    return lancer_commande(service.commande, sortie, compte=service.compte, orphelin=service.signal_orphelin)


def lancer_commande(
    commande: Sequence[str], sortie: int | IO[bytes], *, compte: Compte | None, orphelin: int
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own: a Ctrl-C reaches us alone.

    Call it from the main thread: the kernel's "parent" is the thread, not the process.
    """
    parent = os.getpid()

    def avant_exec() -> None:  # runs after setuid, in the child
        lier_au_parent(orphelin, parent)

    return subprocess.Popen(
        commande,
        stdin=subprocess.DEVNULL,
        stdout=sortie,
        stderr=subprocess.STDOUT,
        cwd="/" if compte else RACINE,  # the servers' account may not enter our directory
        start_new_session=True,
        user=compte.uid if compte else None,
        group=compte.gid if compte else None,
        extra_groups=[] if compte else None,
        preexec_fn=avant_exec,
    )


def arreter(service: Service, enfant: subprocess.Popen[bytes]) -> None:
    """Ask a service to stop, then kill its whole group if it takes too long."""
    if enfant.poll() is None:
        enfant.send_signal(service.signal_fin)
        with suppress(subprocess.TimeoutExpired):
            enfant.wait(service.delai_fin)
    tuer_groupe(enfant)


def tuer_groupe(enfant: subprocess.Popen[bytes]) -> None:
    """Kill what is left of a child and of those it started in its session."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(enfant.pid, signal.SIGKILL)
    enfant.wait()


def habitants(dossier: Path) -> list[int]:
    """Processes that work in a directory. Database servers do in theirs: how one that outlived us is recognised."""
    trouves = []
    for entree in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if os.readlink(entree) == str(dossier):
                trouves.append(int(entree.parent.name))
        except OSError:
            continue
    return trouves


def evincer(dossier: Path, signal_fin: int, delai: float = 20.0) -> None:
    """End the processes that still work in ``dossier``, politely first. The caller holds the lock of the directory."""
    limite = time.monotonic() + delai
    for envoye in (signal_fin, signal.SIGKILL):
        for pid in habitants(dossier):
            try:
                os.kill(pid, envoye)
            except ProcessLookupError:
                continue
        if attendre(lambda: not habitants(dossier), max(limite - time.monotonic(), 2.0)):
            return
    raise Panne(f"A server that nobody supervises still uses {dossier}: stop process {habitants(dossier)[0]} first.")


def attendre(condition: Callable[[], bool], delai: float, pas: float = 0.05) -> bool:
    """Whether ``condition`` came true within ``delai`` seconds."""
    limite = time.monotonic() + delai
    while not condition():
        if time.monotonic() > limite:
            return False
        time.sleep(pas)
    return True


class Verrou:
    """A lock on a file that the kernel gives back when its holder dies. The file tells who holds it."""

    def __init__(self, fichier: Path) -> None:
        self.fichier = fichier
        self._fd = os.open(fichier, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def prendre(self, role: str) -> bool:
        """Take the lock alone; False when somebody has it."""
        if not self._flock(fcntl.LOCK_EX | fcntl.LOCK_NB):
            return False
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{role} {os.getpid()}".encode(), 0)
        return True

    def partager(self) -> None:
        """Hold the lock together with others; wait for one who holds it alone."""
        self._flock(fcntl.LOCK_SH)

    def occupe(self) -> bool:
        """Whether somebody else holds the lock, alone or shared."""
        if not self._flock(fcntl.LOCK_EX | fcntl.LOCK_NB):
            return True
        self._flock(fcntl.LOCK_UN)
        return False

    def tenant(self) -> tuple[str, str]:
        """Role and process number of the holder."""
        role, _, pid = os.pread(self._fd, 100, 0).decode().rpartition(" ")
        return role, pid

    def rendre(self) -> None:
        os.close(self._fd)

    def _flock(self, mode: int) -> bool:
        try:
            fcntl.flock(self._fd, mode)
        except BlockingIOError:
            return False
        return True
