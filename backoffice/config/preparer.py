"""What ``make run`` does between the servers and the product: migrations, demo data, static files, in one process."""

import hashlib
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

# viewflow brings 49 MB of files for pages that we do not serve.
STATIQUES_ECARTES = ["viewflow"]


def main() -> None:
    django.setup()
    if trop_vieille():
        sys.exit(
            "This database was made before the migrations of this version were written again, and can't be brought up "
            "to date: move its directory (var/) away, a new one is made at the next start."
        )
    call_command("migrate", interactive=False, verbosity=1, no_color=True)
    call_command("charger_demo", "--si-vide")
    _collecter()


def trop_vieille() -> bool:
    """Whether the register followed migrations that are no more: they were cut to one an app before any release, and
    say nothing of what they replace."""
    migrations = MigrationLoader(connection)
    return any(
        app == "structures" for app, _ in migrations.applied_migrations.keys() - migrations.disk_migrations.keys()
    )


def _collecter() -> None:
    """Collect and compress the static files when one of them changed since the last time."""
    temoin = Path(settings.STATIC_ROOT) / ".empreinte"
    empreinte = _empreinte()
    if temoin.exists() and temoin.read_text() == empreinte:
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0, ignore_patterns=STATIQUES_ECARTES)
    temoin.write_text(empreinte)


def _empreinte() -> str:
    """Digest of the names, sizes and dates of the files that would be collected."""
    from django.contrib.staticfiles.finders import get_finders

    somme = hashlib.sha256(repr(settings.STORAGES).encode())
    for chercheur in get_finders():
        for nom, stockage in chercheur.list(STATIQUES_ECARTES):
            etat = Path(stockage.path(nom)).stat()
            somme.update(f"{nom}\0{etat.st_size}\0{etat.st_mtime_ns}\n".encode())
    return somme.hexdigest()


if __name__ == "__main__":
    main()
