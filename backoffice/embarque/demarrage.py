"""``make run``: servers, preparation, web, worker and beat, in this order; stopped in the other."""

import errno
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass

from . import comptes_demo, garde, postgres, valkey
from .emplacement import Emplacement, cle_secrete, preparer
from .panne import Panne
from .processus import Compte, Verrou, attendre, lier_au_parent
from .reglages import Reglages, lire
from .superviseur import Interruption, Superviseur


@dataclass(frozen=True)
class Programme:
    """One of the product's own processes. It runs under the operator's account, from the root of the code."""

    nom: str
    commande: list[str]
    signal_fin: int = signal.SIGTERM
    # What it gets when the supervisor is killed. No farewell: the next start may follow at once.
    signal_orphelin: int = signal.SIGKILL
    delai_fin: float = 10.0
    compte: Compte | None = None

    def preparer(self) -> None:
        """Nothing to clear."""


def demarrer(*, sous_make: bool) -> None:
    """Run the product until a signal or Ctrl-C. Raises Panne with one sentence when it can't start."""
    if sous_make:
        lier_au_parent(signal.SIGTERM)  # make killed: nobody could stop us from its terminal any more
    debut = time.monotonic()
    reglages = lire()
    lieu = preparer(reglages.var)
    verrou = _prendre_le_lieu(lieu)
    port_libre(reglages.hote, reglages.port)
    superviseur = Superviseur()
    try:
        _servir(superviseur, reglages, lieu)
        _annoncer(reglages, time.monotonic() - debut)
        superviseur.surveiller()
    except Interruption:
        superviseur.dire("arret", "stopping")
    finally:
        superviseur.arreter()
        verrou.rendre()


def _servir(superviseur: Superviseur, reglages: Reglages, lieu: Emplacement) -> None:
    if reglages.database_url:
        postgres.verifier_distante(reglages.database_url)
    if reglages.broker_url:
        valkey.verifier_distant(reglages.broker_url)
    os.environ["DATABASE_URL"] = reglages.database_url or _demarrer_postgres(superviseur, lieu)
    os.environ["BROKER_URL"] = reglages.broker_url or _demarrer_valkey(superviseur, lieu)
    os.environ.setdefault("SECRET_KEY", cle_secrete(lieu.var))
    os.environ.update(
        DJANGO_SETTINGS_MODULE="backoffice.config.settings",
        VAR_DIR=str(lieu.var),
        PORT=str(reglages.port),
        PYTHONUNBUFFERED="1",
    )
    superviseur.executer(Programme("prepare", [sys.executable, "-m", "backoffice.config.preparer"]))
    web = superviseur.lancer(_web(reglages))
    for programme in (_worker(reglages), _beat(lieu)):
        superviseur.lancer(programme)
    superviseur.attendre(lambda: _ecoute(reglages), web)


def _demarrer_postgres(superviseur: Superviseur, lieu: Emplacement) -> str:
    serveur = postgres.Postgres(lieu)
    enfant = superviseur.lancer(serveur)
    superviseur.attendre(serveur.repond, enfant)
    serveur.creer_base()
    return postgres.dsn(lieu)


def _demarrer_valkey(superviseur: Superviseur, lieu: Emplacement) -> str:
    serveur = valkey.Valkey(lieu)
    enfant = superviseur.lancer(serveur)
    superviseur.attendre(serveur.repond, enfant)
    return valkey.url(lieu)


def _web(reglages: Reglages) -> Programme:
    adresse = f"[{reglages.hote}]" if ":" in reglages.hote else reglages.hote
    options = ["--preload", "--worker-class=gthread", "--workers=2", "--threads=4", "--graceful-timeout=8"]
    options.append("--limit-request-line=8190")  # searches of /fhir/ and their cursors; the default is half of that
    journal = ["--access-logfile=-", "--no-control-socket"]
    application = "backoffice.config.wsgi:application"
    return Programme(
        "web",
        [sys.executable, "-m", "gunicorn", f"--bind={adresse}:{reglages.port}", *options, *journal, application],
        signal_orphelin=signal.SIGQUIT,  # the master takes its workers with it; SIGKILL would leave them the port
    )


def _celery(role: str, *options: str) -> list[str]:
    python = [sys.executable, "-W", "ignore:You're running the worker with superuser"]
    niveau = f"--loglevel={os.environ.get('LOG_LEVEL', 'WARNING')}"
    return [*python, "-m", "celery", "--app=backoffice.config", "--quiet", role, niveau, *options]


def _worker(reglages: Reglages) -> Programme:
    nom = f"--hostname=ror-{reglages.port}@%h"
    return Programme("worker", _celery("worker", "--concurrency=2", "--without-gossip", "--without-mingle", nom))


def _beat(lieu: Emplacement) -> Programme:
    echeancier = f"--schedule={lieu.var / 'beat'}"
    return Programme("beat", _celery("beat", echeancier, "--pidfile="))


def _prendre_le_lieu(lieu: Emplacement) -> Verrou:
    """One copy a VAR_DIR. A keeper that is about to stop is waited for."""
    verrou = Verrou(lieu.var / garde.VERROU)
    if not attendre(lambda: verrou.prendre("make run") or verrou.tenant()[0] != garde.ROLE, 10):
        _, pid = verrou.tenant()
        raise Panne(
            f"A management command uses the servers of {lieu.var} (keeper: process {pid}): "
            "wait until it ends, or set VAR_DIR and PORT to start a second copy."
        )
    if not verrou.prendre("make run"):
        _, pid = verrou.tenant()
        raise Panne(
            f"The product already runs on {lieu.var} (process {pid}): "
            "stop it first, or set VAR_DIR and PORT to start a second copy."
        )
    return verrou


def port_libre(hote: str, port: int) -> None:
    """A sentence when the address can't be served. A server that we just killed gets a moment to let go."""
    famille = socket.AF_INET6 if ":" in hote else socket.AF_INET
    for reste in range(20, -1, -1):
        try:
            with socket.socket(famille) as prise:
                prise.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                prise.bind((hote, port))
                return
        except OSError as erreur:
            if erreur.errno == errno.EADDRINUSE and reste:
                time.sleep(0.1)
                continue
            if erreur.errno == errno.EADDRINUSE:
                raise Panne(f"Port {port} is in use: stop what uses it, or choose another with PORT.") from None
            if erreur.errno == errno.EACCES:
                raise Panne(f"Port {port} is reserved to root: choose one above 1023 with PORT.") from None
            raise Panne(f"HOST {hote} can't be used here ({erreur}): set it to an address of this machine.") from None


def _ecoute(reglages: Reglages) -> bool:
    hote = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(reglages.hote, reglages.hote)  # noqa: S104 - asked, not bound
    try:
        socket.create_connection((hote, reglages.port), timeout=1).close()
    except OSError:
        return False
    return True


def _annoncer(reglages: Reglages, duree: float) -> None:
    hote = "localhost" if reglages.hote in ("127.0.0.1", "0.0.0.0", "::", "::1") else reglages.hote  # noqa: S104
    print(f"\n  Ready in {duree:.1f} s: http://{hote}:{reglages.port}/   (Ctrl-C stops everything)\n")
    print(f"  Demo accounts, password {comptes_demo.MOT_DE_PASSE}")
    for compte in comptes_demo.COMPTES:
        print(f"    {compte.identifiant:<18} {compte.role:<32} {compte.pour}")
    print(flush=True)
