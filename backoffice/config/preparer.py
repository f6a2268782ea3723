"""What ``make run`` does between the servers and the product: migrations, demo data, static files, in one process."""

import hashlib
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command, get_commands

# viewflow brings 49 MB of files for pages that we do not serve.
STATIQUES_ECARTES = ["viewflow"]


def main() -> None:
    django.setup()
    call_command("migrate", interactive=False, verbosity=1, no_color=True)
    if "charger_demo" in get_commands():
        call_command("charger_demo", "--si-vide")
    else:
        print("The command charger_demo does not exist yet: no demo data.", file=sys.stderr)  # noqa: T201
    _collecter()


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
