from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from backoffice.comptes.models import User
from backoffice.pages.demo import charger_demo
from structures.models import Fiche


class Command(BaseCommand):
    help = "Load the demo data into an empty database (README); with --si-vide, do nothing when it is not empty."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--si-vide", action="store_true", help="Succeed without loading when data is there.")

    def handle(self, *args: object, si_vide: bool, **options: object) -> None:
        if User.objects.exists() or Fiche.objects.exists():
            if si_vide:
                self.stdout.write("The database holds data: the demo is not loaded.")
                return
            raise CommandError("The database holds data: the demo loads into an empty one only.")
        charger_demo()
        self.stdout.write("Demo data loaded.")
