"""Django on a given database, as benchmarks want it: no broker, no mail, referentials loaded."""

import os


def preparer(base: str) -> None:
    """Point Django at ``base``, bring its schema up to date and load the shipped referentials."""
    os.environ.update(
        DJANGO_SETTINGS_MODULE="backoffice.config.settings", DATABASE_URL=base, BROKER_URL="memory://",
        SECRET_KEY="bench", ROR_TESTS="1", ALLOWED_HOSTS="testserver,localhost", LOG_LEVEL="ERROR",
    )  # fmt: skip
    import django
    from django.conf import settings

    settings.INSTALLED_APPS += ["benchmarks"]  # the bare flow of flux.py needs an app to live in
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("charger_referentiels", verbosity=0)
