"""How many wrong passwords before a pause. The state is in PostgreSQL: every process counts the same.

An attempt is written *before* the password is checked and withdrawn when it succeeds, so a hundred simultaneous
requests don't get a hundred tries. Existing and unknown identifiers are treated alike: nothing tells them apart.
"""

import ipaddress
import math
from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from backoffice.socle.erreurs import ErreurMetier
from backoffice.socle.support import support

from .models import TentativeConnexion

FENETRE = timedelta(minutes=15)
ESSAIS_PAR_IDENTIFIANT = 5
ESSAIS_PAR_ADRESSE = 20
CONSERVATION = timedelta(days=1)


class TropDeTentatives(ErreurMetier):
    """Refused without looking at the password. ``attente`` says in how long the next try is accepted."""

    statut = 429

    def __init__(self, attente: timedelta) -> None:
        minutes = max(1, math.ceil(attente.total_seconds() / 60))
        aide = support()
        super().__init__(
            "trop_de_tentatives",
            f"Trop de tentatives de connexion. Réessayez dans {minutes} minute{'s' if minutes > 1 else ''}, "
            f"ou contactez le support au {aide['telephone']} ({aide['horaires']}).",
        )
        self.attente = attente


def adresse_de(request: HttpRequest) -> str | None:
    """The caller's address, or None when unknown (unix socket without a trusted proxy).

    ``PROXIES_DE_CONFIANCE`` (default 0) is the number of our own reverse proxies: with n, the n-th address from the
    right of X-Forwarded-For is believed; with 0 the header, which anyone can write, is ignored.
    """
    proxies = getattr(settings, "PROXIES_DE_CONFIANCE", 0)
    brute = request.META.get("REMOTE_ADDR", "")
    if proxies:
        suite = [a.strip() for a in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if a.strip()]
        if suite:
            brute = suite[-min(proxies, len(suite))]
    try:
        return str(ipaddress.ip_address(brute))
    except ValueError:
        return None


def _empreinte(identifiant: str) -> str:
    return salted_hmac("comptes.tentative", identifiant.strip().lower(), algorithm="sha256").hexdigest()


def _attente(filtre: dict[str, str], permis: int, maintenant: datetime, sauf: int) -> timedelta | None:
    """Time until fewer than ``permis`` attempts remain in the window; None when there is room now."""
    instants = (
        TentativeConnexion.objects.filter(**filtre, le__gt=maintenant - FENETRE)
        .exclude(pk=sauf)
        .order_by("-le")
        .values_list("le", flat=True)[permis - 1 : permis]
    )
    for instant in instants:
        return instant + FENETRE - maintenant
    return None


def engager(identifiant: str, adresse: str | None) -> TentativeConnexion:
    """Write the attempt down before the password is looked at. Refusal: TropDeTentatives (nothing stays written)."""
    maintenant = timezone.now()
    empreinte = _empreinte(identifiant)
    tentative = TentativeConnexion.objects.create(empreinte=empreinte, adresse=adresse, le=maintenant)
    attentes = [_attente({"empreinte": empreinte}, ESSAIS_PAR_IDENTIFIANT, maintenant, tentative.pk)]
    if adresse is not None:
        attentes.append(_attente({"adresse": adresse}, ESSAIS_PAR_ADRESSE, maintenant, tentative.pk))
    refus = [a for a in attentes if a is not None]
    if refus:
        # A refused try doesn't count, or somebody who insists would never get in again.
        tentative.delete()
        raise TropDeTentatives(max(refus))
    return tentative


def attente(cle: str, permis: int) -> timedelta | None:
    """Until when a caller that is no person waits, after ``permis`` failures that ``noter`` counted; None: it may try.

    For machines only, which try many times at once with the right secret: here failures are counted afterwards. Their
    secrets are random, so that a few more tries gain nothing.
    """
    return _attente({"empreinte": _empreinte(cle)}, permis, timezone.now(), sauf=0)


def noter(cle: str) -> None:
    """One more failure for this key."""
    TentativeConnexion.objects.create(empreinte=_empreinte(cle), adresse=None, le=timezone.now())


def oublier(identifiant: str) -> None:
    """The right password was given: this identifier starts afresh. Old attempts of everybody go at the same time."""
    TentativeConnexion.objects.filter(empreinte=_empreinte(identifiant)).delete()
    TentativeConnexion.objects.filter(le__lt=timezone.now() - CONSERVATION).delete()
