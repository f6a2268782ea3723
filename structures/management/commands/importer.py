import json
import zipfile
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError

from backoffice.comptes.models import User
from backoffice.socle.erreurs import ErreurMetier
from structures.enums import EtatImportation, SortDetail
from structures.importations import depot, deroulement, genres
from structures.models import DetailImportation, Importation
from structures.recherche import rafraichir_vocabulaire

MONTRES = 100


class Command(BaseCommand):
    help = "Import a file into the register, as /imports/ does: analysed, then applied unless --simulation is given."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("genre", choices=[g.code for g in genres.tous()])
        parser.add_argument("fichier", type=Path)
        parser.add_argument("--simulation", action="store_true", help="stop at the report, to be confirmed on screen")
        parser.add_argument("--auteur", default="", metavar="LOGIN", help="the account in whose name it is done")
        parser.add_argument(
            "--option", action="append", default=[], metavar="NAME[=VALUE]", help="an option of this kind of file"
        )
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the whole report there too")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            importation = self._importer(options)
        except ErreurMetier as refus:
            raise CommandError(f"{refus.message} Rien n’a été importé.") from None
        except OSError as erreur:
            raise CommandError(f"Le fichier ne peut pas être lu ({erreur.strerror}). Rien n’a été importé.") from None
        if options["json"]:
            with options["json"].open("w", encoding="utf-8") as sortie:
                sortie.writelines(_en_json(importation))
        # A simulation that finds nothing to change is over as well.
        attendus = {EtatImportation.APPLIQUEE} | ({EtatImportation.A_CONFIRMER} if options["simulation"] else set())
        if importation.etat not in attendus:
            raise CommandError(importation.message or "L’import s’est arrêté. Rien n’a été importé.")
        for phrase in _phrases(importation):
            self.stdout.write(phrase)

    def _importer(self, options: dict[str, Any]) -> Importation:
        acteur = None
        if options["auteur"] and (acteur := User.objects.filter(username=options["auteur"]).first()) is None:
            raise CommandError(f"Aucun compte ne s’appelle « {options['auteur']} ».")
        with _ouvrir(options["fichier"]) as flux:
            importation = depot.deposer(
                genre=options["genre"],
                nom=f"{options['fichier'].name}{'.zip' if options['fichier'].is_dir() else ''}",
                morceaux=iter(lambda: flux.read(depot.MORCEAU), b""),
                acteur=acteur,
                options=_options(options["genre"], options["option"]),
                analyser=options["simulation"],
            )
        if not deroulement.travailler(importation.pk):
            depot.annuler(numero=importation.pk, acteur=acteur)
            raise CommandError("Un autre import est en cours : attendez qu’il se termine. Rien n’a été importé.")
        importation.refresh_from_db()
        if importation.etat == EtatImportation.APPLIQUEE:
            rafraichir_vocabulaire()
        return importation


def _ouvrir(chemin: Path) -> IO[bytes]:
    """The bytes of a file; a folder is packed."""
    if not chemin.is_dir():
        return chemin.open("rb")
    paquet = TemporaryFile()  # noqa: SIM115 - the caller closes it
    with zipfile.ZipFile(paquet, "w", zipfile.ZIP_DEFLATED) as archive:
        for trouve in sorted(p for p in chemin.rglob("*") if p.is_file()):
            archive.write(trouve, trouve.relative_to(chemin))
    paquet.seek(0)
    return paquet


def _options(genre: str, donnees: list[str]) -> dict[str, Any]:
    connues = {o.code: o for o in genres.genre_de(genre).options}
    lues: dict[str, Any] = {}
    for brut in donnees:
        nom, _, valeur = brut.partition("=")
        if nom not in connues:
            raise CommandError(f"« {nom} » n’est pas une option de ce genre : {', '.join(connues) or 'il n’en a pas'}.")
        lues[nom] = valeur if connues[nom].choix else True
    return lues


def _phrases(importation: Importation) -> Iterator[str]:
    bilan = importation.bilan
    yield f"{importation.fichier}, import {importation.pk}"
    yield from bilan["phrases"]
    for mots, n in bilan["nombres"].items():
        yield f"  {mots} : {n}"
    for sort in (SortDetail.REFUSE, SortDetail.SIGNALE, SortDetail.CONSERVE):
        details = DetailImportation.objects.filter(importation=importation, sort=sort).order_by("pk")[:MONTRES]
        for d in details:
            lieu = f"ligne {d.ligne}, " if d.ligne else ""
            yield f"  {sort.label.lower()} : {lieu}{d.cle} {d.nom} {d.champ} « {d.avant or d.apres} » : {d.raison}"
        if (reste := bilan["sorts"].get(sort, 0) - MONTRES) > 0:
            yield f"  … et {reste} autres (tout le bilan avec --json, ou sur /imports/{importation.pk}/)"
    if importation.etat == EtatImportation.APPLIQUEE and importation.message:
        yield importation.message
    elif importation.etat == EtatImportation.APPLIQUEE:
        yield f"Appliqué ({bilan['secondes']} s)."
    else:
        yield f"Simulation : rien n’a été changé ({bilan['secondes']} s). À confirmer sur /imports/{importation.pk}/."


def _en_json(importation: Importation) -> Iterator[str]:
    """The whole report, one detail a line: those of a first import don't fit in memory with it."""
    details = DetailImportation.objects.filter(importation=importation).order_by("pk")
    colonnes = ("sort", "ligne", "colonne", "cle", "nom", "fiche", "champ", "avant", "apres", "raison")
    tete = {
        "numero": importation.pk,
        "etat": importation.etat,
        "message": importation.message,
        "bilan": importation.bilan,
    }
    yield json.dumps(tete, ensure_ascii=False, indent=1).removesuffix("\n}") + ',\n "details": ['
    for rang, detail in enumerate(details.values(*colonnes).iterator()):
        yield f"{',' if rang else ''}\n  {json.dumps(detail, ensure_ascii=False)}"
    yield "\n ]\n}\n"
