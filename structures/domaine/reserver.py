"""What a dossier tells the register: « I am open on this EG », then « I am sent: don't touch these fiches »."""

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from backoffice.socle.erreurs import Conflit

from ..models import Fiche, FicheReservee, Reservation
from .enregistrer import verrouiller


@transaction.atomic
def ouvrir(*, eg: Fiche, dossier: int, nom: str, etape: str) -> Reservation:
    """Put the yellow banner on an EG. Refuses (``Conflit``) when another dossier is open there."""
    verrouiller([eg.pk])
    exiger_libre(eg)
    return Reservation.objects.create(eg=eg, dossier=dossier, nom=nom, etape=etape)


def exiger_libre(eg: Fiche) -> None:
    """``Conflit`` when a dossier is open on an EG, which the caller has locked."""
    autre = Reservation.objects.filter(eg=eg).first()
    if autre is not None:
        raise Conflit(
            "dossier_deja_ouvert",
            f"Le dossier collaboratif « {autre.nom} » est déjà ouvert sur cet établissement ({autre.etape}). "
            "Ouvrez-le pour y ajouter vos changements : un seul dossier peut être ouvert à la fois.",
        )


@transaction.atomic
def annoncer(*, dossier: int, etape: str, fiches: Collection[int] = (), envoye: bool) -> None:
    """Update the banner. ``envoye`` locks ``fiches`` against direct changes; otherwise every lock is lifted."""
    reservation = Reservation.objects.get(dossier=dossier)
    verrouiller({reservation.eg_id, *fiches})
    reservation.etape = etape
    reservation.envoye_le = (reservation.envoye_le or timezone.now()) if envoye else None
    reservation.save(update_fields=["etape", "envoye_le"])
    if not envoye:
        FicheReservee.objects.filter(reservation=reservation).delete()
    elif fiches:
        FicheReservee.objects.bulk_create(
            [FicheReservee(fiche_id=pk, reservation=reservation) for pk in fiches], ignore_conflicts=True
        )


def clore(*, dossier: int) -> None:
    """The dossier ended: no banner, no lock."""
    Reservation.objects.filter(dossier=dossier).delete()
