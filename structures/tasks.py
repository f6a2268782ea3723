"""What Celery beat does for the register. The truth is in the database: a missed run changes nothing but the hour."""

from contextlib import suppress
from uuid import UUID

from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from . import recherche, regles, requetes, suivi
from .domaine import consommation
from .domaine.rappels import DERNIER_JOUR, rappeler
from .fhir import export, exposition
from .importations import depot, deroulement
from .livraisons import livrer as livraisons

LOT = 500


@shared_task(name="structures.rappeler_la_fraicheur")
def rappeler_la_fraicheur() -> int:
    """Remind the editors of each establishment that breaks rule RE1.2, or will within 30 days; returns for how many.

    Every day of the first three weeks of a month; the key of the mail makes it one a month.
    """
    jour = timezone.localdate()
    if jour.day > DERNIER_JOUR:
        return 0
    concernes = suivi.a_rappeler(jour)
    egs = list(concernes)
    for debut in range(0, len(egs), LOT):
        lot = egs[debut : debut + LOT]
        editeurs, noms = regles.editeurs_des(lot), requetes.noms_au(lot)
        for eg in noms:  # not those that closed in between
            identifiant, nom = noms[eg]
            rappeler(
                eg=eg,
                identifiant=identifiant,
                nom=nom,
                fraicheur=concernes[eg],
                destinataires=editeurs.get(eg, []),
                jour=jour,
            )
    return len(concernes)


@shared_task(name="structures.rafraichir_vocabulaire")
def rafraichir_vocabulaire() -> int:
    """Learn the words that came into the register since the last time; returns how many it knows."""
    return recherche.rafraichir_vocabulaire()


@shared_task(name="structures.importer", time_limit=3_600, soft_time_limit=3_500)
def importer(numero: int) -> None:
    """Analyse or apply the file of an import; one that finds another at work asks again for its turn."""
    if not deroulement.travailler(numero):
        importer.apply_async([numero], countdown=5)
    else:
        recherche.rafraichir_vocabulaire()


def reveiller_import(numero: int) -> None:
    """Ask for an import to be worked, from a page: at once or never."""
    with suppress(OperationalError):  # no broker: the sweep of beat finds it
        importer.apply_async([numero], retry=False)


@shared_task(name="structures.reprendre_imports")
def reprendre_imports() -> int:
    """Ask again for the imports that an absent broker left behind; those of a killed worker wait for a person."""
    delaisses = depot.en_souffrance()
    for numero in delaisses:
        importer.apply_async([numero], expires=60)
    return len(delaisses)


@shared_task(name="structures.purger_imports")
def purger_imports() -> int:
    """Forget the files that nobody confirmed, and the details of old reports."""
    return depot.purger()


@shared_task(name="structures.purger_acces")
def purger_acces() -> int:
    """Forget what has ended of the consumers of /fhir/: tokens, old refusals, old use; returns how many rows."""
    return consommation.purger()


@shared_task(name="structures.exposer", time_limit=3_600, soft_time_limit=3_500)
def exposer() -> int:
    """Expose what changed since the last run, and what a new day changes; returns how many resources did.

    The first run of a register of national size takes minutes, in one transaction; those that come meanwhile leave.
    """
    change = exposition.exposer()
    if change:
        reveiller_livraisons()
    return change


@shared_task(name="structures.livrer")
def livrer() -> int:
    """Tell the subscribers of what changed; returns how many deliveries were accepted."""
    return livraisons.livrer().livrees


def reveiller_livraisons() -> None:
    """Ask for the deliveries now, from a page or after the exposition changed."""
    with suppress(OperationalError):  # no broker: the sweep of beat does it
        livrer.apply_async(retry=False, expires=60)


@shared_task(name="structures.purger_livraisons")
def purger_livraisons() -> int:
    """Forget what was delivered long ago."""
    return livraisons.purger()


@shared_task(name="structures.exporter_fhir")
def exporter_fhir(numero: str) -> None:
    """Make the files of a bulk export."""
    export.travailler(UUID(numero))


@shared_task(name="structures.reprendre_exports_fhir")
def reprendre_exports_fhir() -> int:
    """Forget the exports that expired; ask again for those that a killed worker or an absent broker left behind."""
    export.purger()
    delaisses = [str(pk) for pk in export.en_souffrance().values_list("pk", flat=True)[:100]]
    for numero in delaisses:
        exporter_fhir.apply_async([numero], expires=60)
    return len(delaisses)
