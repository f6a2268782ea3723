from django.core.management.base import BaseCommand, CommandError, CommandParser

from structures.domaine import fraicheur
from structures.domaine.enregistrer import ecarts
from structures.domaine.indexer import reconstruire_index


class Command(BaseCommand):
    help = "Prove that every stored version equals the fold of the modifications; exit 1 and list the gaps if not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--reconstruire",
            action="store_true",
            help="first write the index of the search and the freshness of the fiches again; publications wait",
        )

    def handle(self, *args: object, reconstruire: bool, **options: object) -> None:
        if reconstruire:
            reconstruire_index()
            fraicheur.reconstruire()
        constats = ecarts()
        for constat in constats:
            self.stdout.write(constat)
        if constats:
            raise CommandError(f"{len(constats)} fiche(s) differ from their modifications.")
        self.stdout.write("Versions and modifications agree.")
