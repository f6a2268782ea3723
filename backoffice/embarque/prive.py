"""A throw-away cluster without fsync, for tests and benchmarks. It dies with the process that started it."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .emplacement import preparer
from .panne import Panne
from .postgres import SANS_SURETE, Postgres, dsn
from .processus import Verrou, arreter, attendre, lancer

PREFIXE = "ror-essai-"


@contextmanager
def cluster_prive(garde: Path | None = None) -> Iterator[str]:
    """Start a private PostgreSQL and give the URL of its database.

    It lives in a temporary directory that is removed at the end, or in ``garde``, which stays for the next run.
    """
    _balayer()
    racine = garde or Path(tempfile.mkdtemp(prefix=PREFIXE, dir="/tmp"))
    racine.mkdir(parents=True, exist_ok=True)
    racine.chmod(0o755)  # the servers' account must walk through it; what it holds stays closed
    try:
        verrou = Verrou(racine / "verrou")
        verrou.prendre("essai")
        lieu = preparer(racine / "var")
        serveur = Postgres(lieu, SANS_SURETE)
        serveur.preparer()
        journal = racine / "postgres.log"
        with journal.open("wb") as sortie:
            enfant = lancer(serveur, sortie)
        try:
            if not attendre(lambda: serveur.repond() or enfant.poll() is not None, 60) or not serveur.repond():
                raise Panne(f"The private PostgreSQL did not start: {journal.read_text(errors='replace')[-500:]}")
            serveur.creer_base()
            yield dsn(lieu)
        finally:
            arreter(serveur, enfant)
            verrou.rendre()
    finally:
        if garde is None:
            shutil.rmtree(racine, ignore_errors=True)


def _balayer() -> None:
    """Remove what killed runs of this account left in /tmp."""
    for reste in Path("/tmp").glob(f"{PREFIXE}*"):  # noqa: S108
        with suppress(FileNotFoundError):  # another run sweeps at the same moment
            etat = reste.lstat()
            if etat.st_uid != os.geteuid() or time.time() - etat.st_mtime < 60 or not (reste / "verrou").exists():
                continue  # somebody else's, or one that is starting
            verrou = Verrou(reste / "verrou")
            if not verrou.occupe():
                shutil.rmtree(reste, ignore_errors=True)
            verrou.rendre()
