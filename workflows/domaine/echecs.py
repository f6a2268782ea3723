"""A publication that failed: the approval is undone with it, so that the journal must be told afterwards."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, transaction
from django.db.models import Q

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit

from ..enums import EtatDossier, TypeEvenement
from ..models import Dossier
from .journal import consigner
from .taches import saisir

logger = logging.getLogger(__name__)

EN_PANNE = "publication_en_panne"

# A failure and what settles it; of the incidents taken up on a dossier only those of its publication do.
ECHECS_ET_REPRISES = Q(type=TypeEvenement.PUBLICATION_ECHOUEE) | Q(
    type=TypeEvenement.INCIDENT_REPRIS, details__has_key="publication"
)


class PublicationEchouee(Conflit):
    """The refusal of an approval whose publication failed. ``dossier``: its number."""

    def __init__(self, code: str, message: str, dossier: int, acteur: User | None) -> None:
        super().__init__(code, message)
        self.dossier = dossier
        self.acteur = acteur


@contextmanager
def publication_suivie(dossier: Dossier, acteur: User | None) -> Iterator[None]:
    """Whatever stops the publication becomes a ``PublicationEchouee``; a lock that is long to come is no failure."""
    try:
        yield
    except OperationalError:
        raise
    except Conflit as refus:
        raise PublicationEchouee(refus.code, refus.message, dossier.pk, acteur) from refus
    except Exception as panne:
        logger.exception("publication of dossier %s failed", dossier.pk)
        raise PublicationEchouee(
            EN_PANNE,
            "La publication a échoué pour une raison technique : rien n’a été publié et votre approbation n’a pas été "
            "enregistrée. Les gestionnaires SESAN en sont informés et vous préviendront.",
            dossier.pk,
            acteur,
        ) from panne


@transaction.atomic
def noter_echec(refus: PublicationEchouee) -> None:
    """An incident in the journal, once for the same cause: the supervision shows it until somebody deals with it."""
    dossier = saisir(refus.dossier)
    if dossier.etat != EtatDossier.APPROBATION:
        return
    echouee = TypeEvenement.PUBLICATION_ECHOUEE
    dernier = dossier.evenements.filter(ECHECS_ET_REPRISES, le__gte=dossier.envoye_le).order_by("-pk").first()
    deja = dernier and dernier.type == echouee and dernier.details["texte"] == refus.message
    if not deja:
        consigner(dossier, echouee, refus.acteur, texte=refus.message, code=refus.code)
