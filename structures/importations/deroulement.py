"""A run of an import, by a worker or the command line: the analysis is the import itself, undone.

One transaction holds the lock of the run, the import (undone or not) and its report: a killed worker leaves nothing but
a row that says that it was running (``depot.interrompue``).
"""

import gc
import json
import logging
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from time import perf_counter
from typing import IO, Any

from django.db import OperationalError, connection, transaction
from django.utils import timezone
from psycopg.errors import LockNotAvailable

from backoffice.socle.erreurs import ErreurMetier, Invalide

from ..enums import EtatImportation, SortDetail
from ..models import DetailImportation, Importation, MorceauImporte
from .bilan import Bilan, Detail
from .depot import CLE_VERROU, finir
from .genres import genre_de
from .suivi import ImportArrete, Suivi

logger = logging.getLogger(__name__)

# Lines that say that nothing happens: two runs that differ by them alone do the same.
SANS_EFFET = (SortDetail.INCHANGE, SortDetail.IGNORE)
_SUITES = {
    EtatImportation.A_ANALYSER: EtatImportation.ANALYSE,
    EtatImportation.A_APPLIQUER: EtatImportation.APPLICATION,
}
_PANNE = "Une erreur inattendue a arrêté cet import. Rien n’a été changé : relancez l’analyse, ou appelez le support."
_ARRET = "Arrêté à la demande : rien n’a été changé."
_RIEN = "Rien à changer : le répertoire dit déjà la même chose que ce fichier."
_OCCUPEE = "Des fiches sont en cours de modification. Rien n’a été changé : relancez l’analyse dans un instant."
_AUTRE_BILAN = (
    "Le répertoire a changé depuis l’analyse : ce fichier n’y ferait plus la même chose. Rien n’a été appliqué ; "
    "relisez le nouveau bilan, puis confirmez-le."
)


_ENCODEUR = json.JSONEncoder(ensure_ascii=False)


class Occupe(Exception):
    """Another import runs: this one waits for its turn."""


@dataclass
class _Carnet:
    """The details of a report, on disk while the transaction that made them is undone."""

    fichier: IO[str] = field(default_factory=lambda: TemporaryFile("w+", encoding="utf-8"))  # noqa: SIM115
    nombres: Counter[str] = field(default_factory=Counter)
    somme: int = 0

    def noter(self, details: Iterable[Detail]) -> None:
        for detail in details:
            texte = _ENCODEUR.encode(detail)
            self.fichier.write(texte + "\n")
            self.nombres[detail.sort] += 1
            if detail.sort not in SANS_EFFET:
                # A sum: the same details in another order are the same report.
                self.somme += int.from_bytes(sha256(texte.encode()).digest(), "big")

    @property
    def empreinte(self) -> str:
        return f"{self.somme % (1 << 256):064x}"

    def relire(self) -> Iterator[list[Any]]:
        self.fichier.seek(0)
        return map(json.loads, self.fichier)


def travailler(numero: int) -> bool:
    """Do what was asked of an import: analyse it, or apply it. True when it has been dealt with; False when it waits
    for another one to end, to be asked again. Several workers may be asked: one of them does it."""
    importation = _reclamer(numero)
    if importation is None:
        return True
    suivi = Suivi(numero, acteur=importation.confirme_par or importation.auteur, options=importation.options)
    # The application itself is not garbage: looking through it each time that rows fill the memory takes a fifth more.
    gc.freeze()
    try:
        with transaction.atomic():
            _exclusivite(numero)
            if _encore_a_nous(importation):
                with _fichier(importation) as chemin:
                    _derouler(importation, chemin, suivi)
    except Occupe:
        _rendre(importation)
        return False
    except Exception:
        logger.exception("import %s", numero)
        _interrompre(importation, _PANNE)
    finally:
        gc.unfreeze()
        suivi.fermer()
    return True


@transaction.atomic
def _reclamer(numero: int) -> Importation | None:
    importation = Importation.objects.select_for_update(of=("self",), no_key=True, skip_locked=True).filter(
        pk=numero, etat__in=_SUITES
    )
    trouvee = importation.first()
    if trouvee is None:
        return None
    trouvee.etat, trouvee.commence_le = _SUITES[EtatImportation(trouvee.etat)], timezone.now()
    trouvee.save(update_fields=["etat", "commence_le"])
    return trouvee


def _exclusivite(numero: int) -> None:
    """One import at a time: what a second one would read is about to change."""
    with connection.cursor() as curseur:
        curseur.execute("SELECT pg_try_advisory_xact_lock(hashtext('structures.importations'))")
        if not curseur.fetchone()[0]:
            raise Occupe
        curseur.execute(f"SELECT pg_advisory_xact_lock({CLE_VERROU}, %s)", [numero])


def _encore_a_nous(importation: Importation) -> bool:
    """The row still is as this worker claimed it, now that its lock is held: before, somebody may have seen it as
    interrupted, and asked for something else. Its row is let go of at once: ``Suivi`` writes it from elsewhere."""
    with transaction.atomic():
        trouvee = _relire(importation.pk)
        transaction.set_rollback(True)
    return _meme_demande(trouvee, importation)


def _meme_demande(trouvee: Importation, reclamee: Importation) -> bool:
    return (trouvee.etat, trouvee.commence_le) == (reclamee.etat, reclamee.commence_le)


@contextmanager
def _fichier(importation: Importation) -> Iterator[Path]:
    """The bytes of the file, on disk under the extension that it has."""
    with NamedTemporaryFile(prefix="import-", suffix=Path(importation.fichier).suffix) as copie:
        somme = sha256()
        morceaux = MorceauImporte.objects.filter(importation=importation).order_by("rang")
        for morceau in morceaux.values_list("contenu", flat=True).iterator(chunk_size=4):
            somme.update(morceau)
            copie.write(morceau)
        copie.flush()
        if somme.hexdigest() != importation.empreinte:
            raise RuntimeError(f"the bytes of import {importation.pk} are not those that were deposited")
        yield Path(copie.name)


def _derouler(importation: Importation, chemin: Path, suivi: Suivi) -> None:
    application, carnet = importation.etat == EtatImportation.APPLICATION, _Carnet()
    debut = perf_counter()
    with carnet.fichier:
        try:
            with transaction.atomic():
                bilan = genre_de(importation.genre).importer(chemin, suivi)
                carnet.noter(bilan.details)
                suivi.etape("Enregistrement du bilan")
                garder = application and not bilan.refus and importation.empreinte_bilan in ("", carnet.empreinte)
                if garder and _relire(importation.pk).annulation_le:
                    raise ImportArrete
                transaction.set_rollback(not garder)
        except ImportArrete:
            finir(_relire(importation.pk), EtatImportation.ABANDONNEE, _ARRET)
        except Invalide as refus:
            finir(_relire(importation.pk), EtatImportation.REFUSEE, refus.message)
        except ErreurMetier as refus:
            _interrompre(importation, refus.message)
        except OperationalError as erreur:
            if not isinstance(erreur.__cause__, LockNotAvailable):
                raise
            _interrompre(importation, _OCCUPEE)
        else:
            secondes = round(perf_counter() - debut, 1)
            _conclure(_relire(importation.pk), carnet, bilan, application, garder, secondes)


def _relire(numero: int) -> Importation:
    return Importation.objects.select_for_update(of=("self",), no_key=True).get(pk=numero)


def _conclure(
    importation: Importation, carnet: _Carnet, bilan: Bilan, application: bool, gardee: bool, secondes: float
) -> None:
    DetailImportation.objects.filter(importation=importation).delete()
    _copier(importation.pk, carnet, sauf={SortDetail.INCHANGE} if gardee else set())
    importation.bilan = {
        "phrases": bilan.phrases,
        "nombres": bilan.nombres,
        "plus": bilan.plus,
        "sorts": {sort: carnet.nombres[sort] for sort in SortDetail if carnet.nombres[sort]},
        "secondes": secondes,
    }
    importation.empreinte_bilan = carnet.empreinte
    importation.etat, importation.message = EtatImportation.A_CONFIRMER, _AUTRE_BILAN if application else ""
    importation.confirme_par = importation.confirme_par if gardee else None
    importation.confirme_le = importation.confirme_le if gardee else None
    importation.etape, importation.annulation_le = "", None
    importation.save()
    if gardee:
        finir(importation, EtatImportation.APPLIQUEE)
    elif bilan.refus:
        finir(importation, EtatImportation.REFUSEE, bilan.refus)
    elif bilan.complet and not carnet.nombres.keys() - set(SANS_EFFET):
        finir(importation, EtatImportation.APPLIQUEE, _RIEN)


def _copier(numero: int, carnet: _Carnet, sauf: Collection[str]) -> None:
    with (
        connection.cursor() as curseur,
        curseur.copy(
            f"COPY structures_detailimportation (importation_id, {', '.join(Detail._fields)}) FROM STDIN"
        ) as copie,
    ):
        for detail in carnet.relire():
            if detail[0] not in sauf:
                copie.write_row([numero, *map(_borne, detail, _LONGUEURS)])


_LONGUEURS = [getattr(DetailImportation._meta.get_field(nom), "max_length", None) for nom in Detail._fields]


def _borne(valeur: Any, longueur: int | None) -> Any:
    return valeur[:longueur].replace("\x00", "") if isinstance(valeur, str) else valeur


@transaction.atomic
def _rendre(importation: Importation) -> None:
    """Back to the queue: it keeps the hour at which it was asked for."""
    attend = next(a for a, suite in _SUITES.items() if suite == importation.etat)
    notre = Importation.objects.filter(pk=importation.pk, etat=importation.etat, commence_le=importation.commence_le)
    notre.update(etat=attend, commence_le=None)


@transaction.atomic
def _interrompre(reclamee: Importation, message: str) -> None:
    importation = _relire(reclamee.pk)
    if not _meme_demande(importation, reclamee):
        return
    importation.etat, importation.message, importation.annulation_le = EtatImportation.INTERROMPUE, message, None
    importation.save(update_fields=["etat", "message", "annulation_le"])
