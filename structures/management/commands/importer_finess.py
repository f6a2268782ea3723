import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backoffice.socle.erreurs import ErreurMetier
from structures.importations.finess import TOUTES_REGIONS, importer
from structures.importations.rapport import Rapport
from structures.recherche import rafraichir_vocabulaire


class Command(BaseCommand):
    help = "Create and update EJ and EG from a FINESS open data file (cs1100507); nothing written if it is refused."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("fichier", type=Path)
        parser.add_argument("--simulation", action="store_true", help="report what would change, write nothing")
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the whole report there too")
        parser.add_argument(
            "--region", default="", help=f"INSEE code of the region to follow, or « {TOUTES_REGIONS} » (PREFIXE_REGION)"
        )
        parser.add_argument(
            "--sans-geolocalisation", action="store_true", help="the file has no « geolocalisation » rows (cs1100502)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        chemin: Path = options["fichier"]
        rapport = Rapport(fichier=chemin.name)
        try:
            importer(
                chemin,
                rapport,
                region=options["region"],
                sans_geolocalisation=options["sans_geolocalisation"],
                simulation=options["simulation"],
            )
        except ErreurMetier as refus:
            rapport = Rapport(fichier=chemin.name, simulation=options["simulation"], refus_fichier=refus.message)
            self._ecrire(rapport, options["json"])
            raise CommandError(f"{refus.message} Rien n’a été importé.") from None
        if not options["simulation"]:
            rafraichir_vocabulaire()
        for phrase in rapport.phrases():
            self.stdout.write(phrase)
        self._ecrire(rapport, options["json"])

    def _ecrire(self, rapport: Rapport, destination: Path | None) -> None:
        if destination is None:
            return
        try:
            destination.write_text(json.dumps(rapport.en_json(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        except OSError as erreur:
            raise CommandError(f"Le rapport n’a pas pu être écrit dans {destination} ({erreur.strerror}).") from None
