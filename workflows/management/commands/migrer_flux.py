import logging
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from workflows.domaine.versions import VERSION, migrer
from workflows.versions import a_migrer

journal = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Bring the running processes to the version of the flow, one by one; can be stopped and run again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--essai", action="store_true", help="report what would change, change nothing")

    def handle(self, *args: Any, essai: bool, **options: Any) -> None:
        faits = laisses = 0
        for numero in list(a_migrer().values_list("pk", flat=True)):
            try:
                passage = migrer(numero=numero, essai=essai)
            except Exception as erreur:  # one that fails does not keep the others back
                journal.exception("dossier %s : circuit non mis à jour", numero)
                raison = str(erreur).strip() or type(erreur).__name__
            else:
                raison = passage.raison
            if raison:
                laisses += 1
                self.stdout.write(f"Dossier {numero} : laissé tel quel, {raison}")
                continue
            faits += 1
            self.stdout.write(f"Dossier {numero} : version {passage.de} → {passage.vers}.")
            for fait in passage.faits or ["Rien à changer à ses tâches."]:
                self.stdout.write(f"  {fait}")
        quoi = "à mettre à jour" if essai else "mis à jour"
        bilan = f"Circuit, version {VERSION} : {faits} dossier(s) {quoi}, {laisses} laissé(s) tels quels."
        if laisses:
            raise CommandError(bilan)
        self.stdout.write(bilan)
