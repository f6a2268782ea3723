"""``python -m backoffice.embarque run``: what ``make run`` executes. ``garde`` is for the product itself."""

import sys

from .panne import Panne, panne_de


def main() -> int:
    roles = {"run": _run, "garde": _garde}
    role = sys.argv[1] if len(sys.argv) > 1 else ""
    if role not in roles:
        print("Usage: python -m backoffice.embarque run", file=sys.stderr)
        return 2
    try:
        roles[role]()
    except Panne as panne:
        print(panne, file=sys.stderr)
        return 1
    except OSError as erreur:
        print(panne_de(erreur), file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before the supervisor listens to it
        return 130
    return 0


def _run() -> None:
    from . import demarrage

    demarrage.demarrer(sous_make="--sous-make" in sys.argv)


def _garde() -> None:
    from . import garde, reglages

    garde.garder(reglages.lire())


if __name__ == "__main__":
    sys.exit(main())
