#!/usr/bin/env python
"""Entry point of every management command. Without DATABASE_URL it uses the embedded servers of VAR_DIR."""

import os
import sys

from backoffice.embarque import Panne, assurer


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.config.settings")
    try:
        assurer(sys.argv)
    except Panne as panne:
        sys.exit(str(panne))
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
