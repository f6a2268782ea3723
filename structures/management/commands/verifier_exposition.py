from django.core.management.base import BaseCommand, CommandError

from structures.fhir.exposition import ecarts_d_exposition


class Command(BaseCommand):
    help = "Prove that what consumers read equals what the register says today; exit 1 and list the gaps if not."

    def handle(self, *args: object, **options: object) -> None:
        constats = ecarts_d_exposition()
        for constat in constats:
            self.stdout.write(constat)
        if constats:
            raise CommandError(f"{len(constats)} difference(s). Run: manage.py exposer --tout")
        self.stdout.write("The exposition and the register agree.")
