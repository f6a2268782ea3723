"""Where everything of one copy of the product lives: VAR_DIR, the servers' directory, the sockets, the secret key."""

import hashlib
import os
import secrets
import shutil
import stat
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .panne import Panne, panne_de
from .processus import Compte, compte_des_serveurs

ESPACE_MINIMAL = 300 * 1024 * 1024
# sun_path holds 108 bytes; PostgreSQL adds "/.s.PGSQL.5432.lock" to the directory.
LONGUEUR_MAXIMALE = 80
# Where root keeps what an unprivileged account must reach when it cannot enter VAR_DIR or the virtual environment.
DONNEES_DE_ROOT = Path("/var/lib/ror-backoffice")
CACHE_DE_ROOT = Path("/var/cache/ror-backoffice")


@dataclass(frozen=True)
class Emplacement:
    """The directories of one copy. ``serveurs`` and ``prises`` belong to the servers' account, mode 700."""

    var: Path
    serveurs: Path
    prises: Path
    compte: Compte | None

    @property
    def journaux(self) -> Path:
        return self.var / "journaux"


def preparer(var: Path) -> Emplacement:
    """Create what is missing under ``var``; a sentence when it can't be written or the disk is full."""
    try:
        var.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=var) as essai:
            essai.write(b"\0" * 4096)
        (var / "journaux").mkdir(exist_ok=True)
        serveurs, compte = _serveurs(var)
        verifier_espace(serveurs)
        return Emplacement(var, serveurs, _prises(serveurs, compte), compte)
    except FileExistsError as erreur:
        raise Panne(f"{erreur.filename} is not a directory: set VAR_DIR to a directory.") from erreur
    except NotADirectoryError as erreur:
        raise Panne(f"{erreur.filename} is below a file: set VAR_DIR to a directory.") from erreur
    except OSError as erreur:
        raise panne_de(erreur) from erreur


def verifier_espace(dossier: Path) -> None:
    """Refuse to start on a disk that is nearly full: PostgreSQL stops when it can't write its journal."""
    libre = shutil.disk_usage(dossier).free
    if libre < ESPACE_MINIMAL:
        raise Panne(
            f"Only {libre // 2**20} MB are free for {dossier} and 300 MB are needed: "
            "free some space, or set VAR_DIR to a directory on another disk."
        )


def cle_secrete(var: Path) -> str:
    """The random key of this copy, made once, readable by its owner alone."""
    fichier = var / "cle_secrete"
    try:
        var.mkdir(parents=True, exist_ok=True)
        if not fichier.exists():
            fd, neuf = tempfile.mkstemp(dir=var, prefix=".cle")  # mode 600
            with os.fdopen(fd, "w") as sortie:
                sortie.write(secrets.token_urlsafe(64))
            with suppress(FileExistsError):  # whoever comes second keeps the first key
                os.link(neuf, fichier)
            os.unlink(neuf)
        return fichier.read_text()
    except OSError as erreur:
        raise panne_de(erreur) from erreur


def entre(compte: Compte | None, dossier: Path) -> bool:
    """Whether the account can walk into a directory."""
    if compte is None:
        return os.access(dossier, os.X_OK)
    # Asked as the account itself, so that no rule of the kernel has to be rewritten here.
    essai = subprocess.run(
        ["/bin/sh", "-c", 'cd "$0"', str(dossier)],
        user=compte.uid,
        group=compte.gid,
        extra_groups=[],
        cwd="/",
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return essai.returncode == 0


def _serveurs(var: Path) -> tuple[Path, Compte | None]:
    """The directory of the servers' data and the account that runs them: as root, the one that owns the data."""
    lien = var / "serveurs"
    compte = compte_des_serveurs()
    if not lien.exists():
        lien.unlink(missing_ok=True)
        if entre(compte, var):
            lien.mkdir(mode=0o700)
        else:  # VAR_DIR under /root: never open somebody's parent directories, keep the data elsewhere behind a link
            DONNEES_DE_ROOT.mkdir(parents=True, exist_ok=True, mode=0o755)
            lien.symlink_to(tempfile.mkdtemp(dir=DONNEES_DE_ROOT, prefix="copie-"))
        if compte:
            os.chown(lien, compte.uid, compte.gid)
    dossier = lien.resolve()
    etat = dossier.stat()
    if compte and etat.st_uid != 0:
        compte = Compte(etat.st_uid, etat.st_gid)
    elif etat.st_uid != os.geteuid() or compte:
        raise Panne(
            f"{dossier} belongs to another account (uid {etat.st_uid}): "
            "start the product with that account, or set VAR_DIR to another directory."
        )
    return dossier, compte


def _prises(serveurs: Path, compte: Compte | None) -> Path:
    """The private directory of the unix sockets, in /tmp when the path would be too long for the kernel."""
    dossier = serveurs / "prises"
    if len(str(dossier)) > LONGUEUR_MAXIMALE:
        empreinte = hashlib.sha256(str(serveurs).encode()).hexdigest()[:16]
        dossier = Path("/tmp") / f"ror-{empreinte}"  # noqa: S108 - checked below
    proprietaire = compte.uid if compte else os.geteuid()
    try:
        dossier.mkdir(mode=0o700)
        if compte:
            os.chown(dossier, compte.uid, compte.gid)
    except FileExistsError:
        etat = dossier.lstat()
        if not stat.S_ISDIR(etat.st_mode) or etat.st_uid != proprietaire or stat.S_IMODE(etat.st_mode) != 0o700:
            raise Panne(f"{dossier} was made by somebody else: remove it, or set VAR_DIR to a shorter path.") from None
    return dossier
