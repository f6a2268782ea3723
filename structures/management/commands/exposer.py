from django.core.management.base import BaseCommand, CommandParser

from structures.fhir.exposition import exposer, tout_reexposer


class Command(BaseCommand):
    help = "Expose to consumers what changed in the register since the last run (Celery does it every few seconds)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tout", action="store_true", help="compute every resource again, not only what is marked")

    def handle(self, *args: object, tout: bool, **options: object) -> None:
        changees = tout_reexposer() if tout else exposer()
        self.stdout.write(f"{changees} resource(s) changed.")
