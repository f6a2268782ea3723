from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backoffice.socle.mots import pluriel
from workflows.journaux import Verification, verifier_base, verifier_fichier


class Command(BaseCommand):
    help = "Verify an exported journal, without any database; or, with --base, the journals of the database."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("fichier", type=Path, nargs="?", help="a journal exported as JSON lines")
        parser.add_argument(
            "--base", action="store_true", help="every dossier of the database, or the one of --dossier"
        )
        parser.add_argument("--dossier", type=int, metavar="N")

    def handle(self, *args: Any, **options: Any) -> None:
        chemin: Path | None = options["fichier"]
        if (chemin is None) is not options["base"]:
            raise CommandError("Donnez un fichier, ou --base pour vérifier la base.")
        if chemin is None:
            self._base(verifier_base(options["dossier"]), options["dossier"])
            return
        try:
            octets = chemin.read_bytes()
        except OSError as erreur:
            raise CommandError(f"{chemin} ne peut pas être lu : {erreur.strerror}.") from None
        vue = verifier_fichier(octets)
        for faute in vue.fautes:
            self.stdout.write(f"Ligne {faute.ou} : {faute.phrase}")
        if vue.fautes:
            raise CommandError(
                f"{chemin.name} : {len(vue.fautes)} faute{pluriel(len(vue.fautes))}. Ce journal n’est pas intact."
            )
        self.stdout.write(
            f"Journal du dossier {vue.dossier} : {vue.evenements} événement{pluriel(vue.evenements)}, chaîne intacte, "
            f"dernière empreinte {vue.empreinte}."
        )

    def _base(self, vues: Iterable[Verification], numero: int | None) -> None:
        dossiers = evenements = fautes = 0
        for vue in vues:
            dossiers, evenements, fautes = dossiers + 1, evenements + vue.evenements, fautes + len(vue.fautes)
            for faute in vue.fautes:
                self.stdout.write(f"Dossier {vue.dossier} : {faute.phrase}")
        if numero is not None and not dossiers:
            raise CommandError(f"Le dossier {numero} n’existe pas : rien n’a été vérifié.")
        if fautes:
            raise CommandError(f"{fautes} faute(s) dans {dossiers} journaux.")
        self.stdout.write(f"{dossiers} journaux, {evenements} événements : chaînes intactes.")
