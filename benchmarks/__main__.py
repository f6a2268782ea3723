"""``make bench``: every benchmark, on a private cluster without fsync; figures of one run on one machine.

``python -m benchmarks publication flux`` runs those only.
"""

import os
import sys

from backoffice.embarque.prive import cluster_prive

NOMS = ("publication", "flux", "boite", "importation", "demarrage")


def main(noms: list[str]) -> int:
    inconnus = [nom for nom in noms if nom not in NOMS]
    if inconnus:
        print(f"Unknown benchmark: {', '.join(inconnus)}. Choose among {', '.join(NOMS)}.", file=sys.stderr)
        return 2
    choisis = noms or list(NOMS)
    with cluster_prive() as base:
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
        from structures.domaine.enregistrer import ecarts

        if "publication" in choisis:
            from .publication import mesurer_publication

            mesurer_publication()
            assert ecarts() == []
        if "flux" in choisis:
            from .flux import mesurer_flux

            mesurer_flux()
        if "boite" in choisis:
            from .boite import mesurer_boite

            mesurer_boite()
        if "importation" in choisis:
            from .importation import afficher

            afficher()
    if "demarrage" in choisis:
        from .demarrage import mesurer_demarrage

        mesurer_demarrage()
    return 0


sys.exit(main(sys.argv[1:]))
