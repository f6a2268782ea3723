from django.core.management.base import BaseCommand

from structures.domaine.referentiels import charger_referentiels


class Command(BaseCommand):
    help = "Load the starter nomenclatures, authorities and communes; can be run again without effect."

    def handle(self, *args: object, **options: object) -> None:
        for table, lignes in charger_referentiels().items():
            self.stdout.write(f"{table}: {lignes}")
