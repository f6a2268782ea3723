"""An embedded PostgreSQL cluster: made once, started under somebody's supervision, recovered after any death."""

import shutil
import signal
import subprocess
from urllib.parse import quote

import dj_database_url
import psycopg

from . import binaires
from .emplacement import Emplacement
from .panne import Panne
from .processus import evincer, lancer_commande

UTILISATEUR = BASE = "ror"
SIGNAL_FIN = signal.SIGINT  # "fast": roll back what runs, checkpoint, stop
REGLAGES = {
    "listen_addresses": "",  # the unix socket only
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "log_checkpoints": "off",
    "log_min_error_statement": "panic",  # statements hold personal data
}
# Tests and benchmarks of the code, not of the disk: lost on a power cut, by choice.
SANS_SURETE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}


class Postgres:
    """One cluster in ``lieu.serveurs``. The caller holds the lock of the place while it prepares and runs it."""

    nom = "postgres"
    signal_fin = signal_orphelin = SIGNAL_FIN
    delai_fin = 30.0

    def __init__(self, lieu: Emplacement, reglages: dict[str, str] | None = None) -> None:
        self.lieu = lieu
        self.compte = lieu.compte
        self.reglages = REGLAGES | (reglages or {})
        self.binaires = binaires.postgres(lieu)
        self.donnees = lieu.serveurs / f"postgres-{self.binaires.majeure}"

    @property
    def commande(self) -> list[str]:
        reglages = self.reglages | {"unix_socket_directories": str(self.lieu.prises)}
        options = [mot for nom, valeur in reglages.items() for mot in ("-c", f"{nom}={valeur}")]
        return [str(self.binaires.dossier / "postgres"), "-D", str(self.donnees), *options]

    def preparer(self) -> None:
        """Make the cluster if there is none, and clear what a killed server left behind."""
        if not self.donnees.exists():
            self._initdb()
        evincer(self.donnees, SIGNAL_FIN)
        # Left by a killed server. Its process number may be another program's by now, which would stop ours.
        (self.donnees / "postmaster.pid").unlink(missing_ok=True)
        for reste in self.lieu.prises.glob(".s.PGSQL.*"):
            reste.unlink()

    def repond(self) -> bool:
        """Whether it accepts connections, as it says itself: asking sooner fills its log with refusals."""
        try:
            return (self.donnees / "postmaster.pid").read_text().rstrip().endswith("\nready")
        except FileNotFoundError:
            return False

    def creer_base(self) -> None:
        """Make the product's database if there is none. Its owner is superuser: migrations create extensions."""
        with psycopg.connect(dsn(self.lieu, "postgres"), autocommit=True) as connexion:
            if not connexion.execute("SELECT 1 FROM pg_database WHERE datname = %s", [BASE]).fetchone():
                connexion.execute(f"CREATE DATABASE {BASE}")

    def _initdb(self) -> None:
        """Made aside, then renamed: a cluster that exists is whole."""
        chantier = self.donnees.with_name(f"{self.donnees.name}.chantier")
        evincer(chantier, signal.SIGKILL)
        shutil.rmtree(chantier, ignore_errors=True)
        options = ["--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--locale=C.UTF-8"]
        if "fsync" in self.reglages:
            options.append("--no-sync")
        programme = str(self.binaires.dossier / "initdb")
        commande = [programme, "-D", str(chantier), "-U", UTILISATEUR, "--no-instructions", *options]
        initdb = lancer_commande(commande, subprocess.PIPE, compte=self.compte, orphelin=signal.SIGKILL)
        dit, _ = initdb.communicate()
        if initdb.returncode:
            shutil.rmtree(chantier, ignore_errors=True)
            if b"No space left on device" in dit:
                raise Panne("The disk is full: free some space, or set VAR_DIR to a directory on another disk.")
            raison = dit.decode(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
            raise Panne(f"PostgreSQL could not create its files in {self.donnees}: {raison[0]}.")
        chantier.rename(self.donnees)


def dsn(lieu: Emplacement, base: str = BASE) -> str:
    """Address of a database of the embedded server."""
    return f"postgresql://{UTILISATEUR}@{quote(str(lieu.prises), safe='')}/{base}"


def connexion_possible(lieu: Emplacement, base: str = "postgres") -> bool:
    """Whether the embedded server accepts connections to a database now."""
    try:
        psycopg.connect(dsn(lieu, base), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def verifier_distante(url: str) -> None:
    """Refuse in one sentence a given server that doesn't answer or is too old."""
    try:
        acces = dj_database_url.parse(url)
    except ValueError:
        acces = {}
    if acces.get("ENGINE") != "django.db.backends.postgresql":
        raise Panne(
            "DATABASE_URL is no address of a PostgreSQL server: write postgresql://user:password@host:5432/base."
        )
    try:
        with psycopg.connect(
            host=acces["HOST"] or None,
            port=acces["PORT"] or None,
            user=acces["USER"] or None,
            password=acces["PASSWORD"] or None,
            dbname=acces["NAME"],
            connect_timeout=5,
            **acces.get("OPTIONS", {}),
        ) as connexion:
            version = connexion.info.server_version // 10000
    except psycopg.Error as erreur:
        raison = str(erreur).strip().splitlines()[-1:] or ["no reason given"]
        raise Panne(f"DATABASE_URL can't be reached, check the address and the server: {raison[0].strip()}.") from None
    exiger_version(version)


def exiger_version(majeure: int) -> None:
    if majeure < binaires.VERSION_MINIMALE:
        raise Panne(
            f"DATABASE_URL is a PostgreSQL {majeure} and {binaires.VERSION_MINIMALE} or later is needed: "
            "upgrade that server, or unset DATABASE_URL to use the embedded one."
        )
