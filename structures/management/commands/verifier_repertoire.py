from django.core.management.base import BaseCommand, CommandError

from structures.domaine.enregistrer import ecarts


class Command(BaseCommand):
    help = "Prove that every stored version equals the fold of the modifications; exit 1 and list the gaps if not."

    def handle(self, *args: object, **options: object) -> None:
        constats = ecarts()
        for constat in constats:
            self.stdout.write(constat)
        if constats:
            raise CommandError(f"{len(constats)} fiche(s) differ from their modifications.")
        self.stdout.write("Versions and modifications agree.")
