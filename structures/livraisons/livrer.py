"""From the feed to the receivers: claim a subscription, send what follows its cursor, write down what came of it.

Each change is said at least once and in order to each subscriber. A subscription is worked by one worker at a time
(``FOR UPDATE SKIP LOCKED``, then a lease and a token); its deliveries leave one after the other, the next one when the
last is accepted. A worker killed between the answer and the write sends that delivery again, with the same identifier.
"""

import logging
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from ..models import Abonnement, Livraison, TentativeLivraison
from . import changements, signature
from .abonnements import retirer_les_interdits, suspendre_d_office
from .poster import Reponse, poster

logger = logging.getLogger(__name__)

# Seconds after which a run begins no other try: mails and exposition share its workers, and beat wakes the next one up
# ten seconds after this one. With its last try a run is below twenty.
DUREE_MAX = 8.0
D_AFFILEE = 20  # deliveries to one subscriber before the others have their turn
# Seconds before the next try, by number of failures in a row; the last one repeats: about a day of tries.
DELAIS = (30, 60, 120, 300, 900, 1800, 3600)
ECHECS_MAX = 30
EXTRAIT = 500  # characters kept of an answer
GARDE = timedelta(days=30)  # how long the log of what was delivered is kept


def bail() -> timedelta:
    """How long a claim holds, renewed before each try: more than a try takes, name resolution included."""
    return timedelta(seconds=settings.LIVRAISON_BAIL_SECONDES)


@dataclass
class Bilan:
    livrees: int = 0
    reportees: int = 0
    suspendus: int = 0


def livrer() -> Bilan:
    """Serve every subscription that waits, until none does or DUREE_MAX is over."""
    bilan = Bilan()
    fin = time.monotonic() + DUREE_MAX
    while time.monotonic() < fin:
        abonnement = reclamer()
        if abonnement is None:
            break
        servir(abonnement, bilan, fin)
    return bilan


def en_attente() -> Q:
    """Subscriptions that have something to send: an open delivery, or a feed that went on."""
    ouvertes = Livraison.objects.filter(abonnement=OuterRef("pk"), livree_le__isnull=True)
    return Q(Exists(ouvertes)) | Q(curseur__lt=changements.dernier_rang())


def reclamer() -> Abonnement | None:
    """Take the subscription that has waited the longest; committed before anything is sent."""
    maintenant = timezone.now()
    with transaction.atomic():
        abonnement = (
            Abonnement.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
            .filter(en_attente(), suspendu_le__isnull=True, prochaine_tentative__lte=maintenant)
            .filter(consommateur__suspendu_le__isnull=True)
            .order_by("prochaine_tentative", "pk")
            .first()
        )
        if abonnement is not None:
            abonnement.jeton, abonnement.prochaine_tentative = uuid.uuid4(), maintenant + bail()
            abonnement.save(update_fields=["jeton", "prochaine_tentative"])
    return abonnement


def servir(abonnement: Abonnement, bilan: Bilan, fin: float) -> None:
    """Send the deliveries of a claimed subscription, until one fails, nothing is left, the time is over, or others have
    to be served."""
    for rang in range(D_AFFILEE):
        if rang and time.monotonic() >= fin:
            break
        livraison = _prochaine(abonnement)
        if livraison is None:
            break
        corps, maintenant = livraison.corps.encode(), timezone.now()
        entetes = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "ROR-Webhooks/1",
            "Ror-Livraison": str(livraison.identifiant),
            "Ror-Horodatage": str(int(maintenant.timestamp())),
            "Ror-Signature": signature.signatures(abonnement, maintenant, corps),
        }
        reponse = poster(abonnement.adresse, corps, entetes)
        if not _noter(abonnement, livraison, reponse, maintenant, bilan):
            return
    # Behind those that wait.
    _a_nous(abonnement).update(jeton=None, prochaine_tentative=timezone.now())


def _a_nous(abonnement: Abonnement) -> QuerySet[Abonnement]:
    """The row as long as this claim holds it: somebody else's claim makes every update below touch nothing."""
    return Abonnement.objects.filter(pk=abonnement.pk, jeton=abonnement.jeton, suspendu_le__isnull=True)


@transaction.atomic
def _prochaine(abonnement: Abonnement) -> Livraison | None:
    """The delivery to send now, made from the feed when none is open; the lease is renewed. None: nothing to send,
    the consumer was suspended, or the claim was lost."""
    notre = _a_nous(abonnement).filter(consommateur__suspendu_le__isnull=True)
    actuel = notre.select_for_update(of=("self",), no_key=True).select_related("consommateur").first()
    if actuel is None:
        return None
    livraison = None
    for ouverte in actuel.livraisons.filter(livree_le__isnull=True).order_by("pk"):
        if livraison := retirer_les_interdits(actuel, ouverte):
            break
    while livraison is None:
        trouves, jusqu_a = changements.suivants(actuel)
        if jusqu_a == actuel.curseur:
            break
        actuel.curseur = jusqu_a
        if trouves:
            livraison = changements.livraison_de(actuel, trouves, timezone.now())
            livraison.save()
    actuel.prochaine_tentative = timezone.now() + bail()
    actuel.save(update_fields=["curseur", "prochaine_tentative"])
    # What a person changed since the claim holds: address, secret, filters.
    for champ in ("adresse", "sel", "ancien_sel", "ancien_jusqu_a", "echecs"):
        setattr(abonnement, champ, getattr(actuel, champ))
    return livraison


@transaction.atomic
def _noter(abonnement: Abonnement, livraison: Livraison, reponse: Reponse, quand: datetime, bilan: Bilan) -> bool:
    """Write the try down, and what follows from it. True: the next delivery may leave.

    The try is written even when the claim was lost meanwhile: it took place. Unless the delivery went too."""
    gardee = Livraison.objects.filter(pk=livraison.pk, identifiant=livraison.identifiant)
    if not gardee.select_for_update(no_key=True).exists():
        return False
    TentativeLivraison.objects.create(
        livraison=livraison, faite_le=quand, duree_ms=reponse.duree_ms, statut=reponse.statut, erreur=reponse.erreur,
        reponse=reponse.debut[:EXTRAIT],
    )  # fmt: skip
    if reponse.acceptee:
        bilan.livrees += Livraison.objects.filter(pk=livraison.pk, livree_le__isnull=True).update(
            livree_le=timezone.now()
        )
        return bool(_a_nous(abonnement).update(echecs=0))
    echecs = abonnement.echecs + 1
    raison = reponse.erreur or f"Le destinataire a répondu {reponse.statut}."
    if echecs >= ECHECS_MAX:
        if suspendre_d_office(abonnement=abonnement, raison=raison):
            bilan.suspendus += 1
            logger.error("webhook %s suspended: %s", abonnement.pk, raison)
        return False
    delai = timedelta(seconds=DELAIS[min(echecs, len(DELAIS)) - 1])
    bilan.reportees += _a_nous(abonnement).update(
        echecs=F("echecs") + 1, jeton=None, prochaine_tentative=timezone.now() + delai
    )
    return False


def purger() -> int:
    """Forget the log of what was delivered a month ago; returns how many deliveries."""
    vieilles = Livraison.objects.filter(livree_le__lt=timezone.now() - GARDE)
    with transaction.atomic():
        nombre = vieilles.count()
        vieilles.delete()
    return nombre
