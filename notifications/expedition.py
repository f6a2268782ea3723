"""From the outbox to the SMTP server: claim, send, mark, each in a short transaction of its own.

How many times can a mail leave? Written once, claimed by one worker at a time (``FOR UPDATE SKIP LOCKED`` and a claim
token renewed just before each message), it leaves once, killed workers included: a row claimed but not sent is taken
again when its lease ends (``ENVOI_BAIL_SECONDES``). One hole remains, which no SMTP client can close: a worker killed
after the server has said « 250 accepted » and before the UPDATE that follows is committed (about a millisecond) sends
it again after the lease. Both copies carry the same Message-ID, made from the key, by which mail systems recognise a
duplicate.
"""

import hashlib
import logging
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused, SMTPResponseException
from typing import Any

from django.conf import settings
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from .domaine import serveur_configure
from .models import MARQUE_SECRET, OUVERTS, Envoi, EtatEnvoi

logger = logging.getLogger(__name__)

LOT = 50
DUREE_MAX = 120.0  # seconds; a run hands over to the next one, far below Celery's time limit
# Seconds before the next try, by number of failures; the last one repeats. 50 tries make about two days.
DELAIS = (30, 60, 120, 300, 900, 1800, 3600)
TENTATIVES_MAX = 50


def bail() -> timedelta:
    """How long a claim holds: more than one message may take (EMAIL_TIMEOUT counts for each SMTP exchange)."""
    return timedelta(seconds=getattr(settings, "ENVOI_BAIL_SECONDES", 120))


@dataclass
class Bilan:
    envoyes: int = 0
    reportes: int = 0
    echecs: int = 0
    conserves: int = 0


def expedier() -> Bilan:
    """Send all that is due, until nothing is left, the server stops answering, or DUREE_MAX is over."""
    bilan = Bilan()
    if not serveur_configure():
        bilan.conserves = conserver()
        return bilan
    fin = time.monotonic() + DUREE_MAX
    while time.monotonic() < fin:
        lot = reclamer(LOT)
        if not lot or not envoyer_lot(lot, bilan):
            break
    return bilan


def conserver() -> int:
    """Rows written before the mail server was taken out of the settings are kept readable, not tried for ever."""
    return Envoi.objects.filter(etat__in=OUVERTS, prochaine_tentative__lte=timezone.now()).update(
        etat=EtatEnvoi.NON_EXPEDIE, prochaine_tentative=None, reclame_le=None, jeton=None
    )


def reclamer(nombre: int) -> list[Envoi]:
    """Take up to ``nombre`` due rows, new ones or with a lease that is over; committed before anything is sent."""
    maintenant = timezone.now()
    jeton = uuid.uuid4()
    with transaction.atomic():
        cles = list(
            Envoi.objects.select_for_update(skip_locked=True, no_key=True)
            .filter(etat__in=OUVERTS, prochaine_tentative__lte=maintenant)
            .order_by("prochaine_tentative", "pk")
            .values_list("pk", flat=True)[:nombre]
        )
        Envoi.objects.filter(pk__in=cles).update(
            etat=EtatEnvoi.EN_COURS, jeton=jeton, reclame_le=maintenant, prochaine_tentative=maintenant + bail()
        )
    if not cles:
        return []
    return list(Envoi.objects.filter(jeton=jeton).select_related("destinataire").order_by("pk"))


def envoyer_lot(lot: Sequence[Envoi], bilan: Bilan) -> bool:
    """Send a claimed batch over one connection; False when the server can't be reached (the rest is put back)."""
    connexion: BaseEmailBackend = mail.get_connection(fail_silently=False)
    try:
        connexion.open()
    except (SMTPException, OSError) as erreur:
        for envoi in lot:
            _reporter(envoi, f"Serveur de courriel injoignable : {_dire(erreur)}", bilan)
        logger.warning("mail server out of reach: %s", erreur)
        return False
    try:
        for rang, envoi in enumerate(lot):
            if not _commencer(envoi, bilan):
                continue
            try:
                connexion.send_messages([_message(envoi, connexion)])
            except Exception as erreur:
                definitif, liaison = classer(erreur)
                if definitif:
                    _echouer(envoi, _dire(erreur), bilan)
                else:
                    _reporter(envoi, _dire(erreur), bilan)
                if liaison:
                    _rendre(lot[rang + 1 :])
                    return False
            else:
                _marquer_envoye(envoi, bilan)
    finally:
        with suppress(SMTPException, OSError):
            connexion.close()
    return True


def classer(erreur: Exception) -> tuple[bool, bool]:
    """(definitive, the connection is of no more use). Definitive: the server refuses this recipient or this message
    with a 5xx. Any other 5xx (identification, sender) is about our settings: the mail waits for their repair."""
    if isinstance(erreur, SMTPRecipientsRefused):
        codes = [code for code, _ in erreur.recipients.values()]
        return all(500 <= code < 600 for code in codes), 421 in codes
    if isinstance(erreur, SMTPDataError):
        return 500 <= erreur.smtp_code < 600, erreur.smtp_code == 421
    return False, isinstance(erreur, (SMTPException, OSError))


def _dire(erreur: Exception) -> str:
    """The reason in one line for « Envois », with the server's own words."""
    if isinstance(erreur, SMTPRecipientsRefused):
        detail = "; ".join(f"{code} {_texte(mot)}" for code, mot in erreur.recipients.values())
        return f"Destinataire refusé par le serveur : {detail}"
    if isinstance(erreur, SMTPResponseException):
        return f"Refus du serveur : {erreur.smtp_code} {_texte(erreur.smtp_error)}"
    return f"{type(erreur).__name__} : {erreur}"[:1000]


def _texte(mot: bytes | str) -> str:
    return mot.decode("utf-8", "replace") if isinstance(mot, bytes) else mot


def _message(envoi: Envoi, connexion: BaseEmailBackend) -> mail.EmailMultiAlternatives:
    texte, html = envoi.corps_texte, envoi.corps_html
    if envoi.secret:
        texte = texte.replace(MARQUE_SECRET, envoi.secret)
        html = html.replace(MARQUE_SECRET, escape(envoi.secret))
    domaine = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip("> ") or "localhost"
    message = mail.EmailMultiAlternatives(
        subject=envoi.sujet,
        body=texte,
        to=[envoi.adresse],
        connection=connexion,
        headers={
            "Message-ID": f"<{hashlib.sha256(envoi.cle.encode()).hexdigest()[:40]}@{domaine}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    message.attach_alternative(html, "text/html")
    return message


def _a_nous(envoi: Envoi) -> Any:
    """The row as long as this claim holds it: somebody else's claim makes every update below touch nothing."""
    return Envoi.objects.filter(pk=envoi.pk, etat=EtatEnvoi.EN_COURS, jeton=envoi.jeton)


_LIBRE = {"reclame_le": None, "jeton": None}


def _commencer(envoi: Envoi, bilan: Bilan) -> bool:
    """Count the try and renew the lease, just before sending. False: the claim was lost, or the mail won't leave."""
    if not envoi.destinataire.is_active:
        _a_nous(envoi).update(
            etat=EtatEnvoi.ANNULE,
            erreur="Compte désactivé avant l’envoi.",
            secret="",
            prochaine_tentative=None,
            **_LIBRE,
        )
        return False
    if envoi.tentatives >= TENTATIVES_MAX:
        _echouer(envoi, envoi.erreur or "Abandon : trop de tentatives interrompues.", bilan)
        return False
    maintenant = timezone.now()
    pris = _a_nous(envoi).update(
        tentatives=F("tentatives") + 1, reclame_le=maintenant, prochaine_tentative=maintenant + bail()
    )
    if pris:
        envoi.tentatives += 1
    return bool(pris)


def _marquer_envoye(envoi: Envoi, bilan: Bilan) -> None:
    bilan.envoyes += _a_nous(envoi).update(
        etat=EtatEnvoi.ENVOYE, envoye_le=timezone.now(), erreur="", secret="", prochaine_tentative=None, **_LIBRE
    )


def _reporter(envoi: Envoi, erreur: str, bilan: Bilan) -> None:
    """A passing trouble: try again later, later each time, at most TENTATIVES_MAX times."""
    if envoi.tentatives >= TENTATIVES_MAX:
        _echouer(envoi, erreur, bilan)
        return
    delai = DELAIS[min(envoi.tentatives, len(DELAIS) - 1)]
    bilan.reportes += _a_nous(envoi).update(
        etat=EtatEnvoi.A_ENVOYER,
        erreur=erreur,
        prochaine_tentative=timezone.now() + timedelta(seconds=delai),
        **_LIBRE,
    )


def _rendre(reste: Sequence[Envoi]) -> None:
    """Put back rows that were claimed but not tried; they are due at once."""
    for envoi in reste:
        _a_nous(envoi).update(etat=EtatEnvoi.A_ENVOYER, prochaine_tentative=timezone.now(), **_LIBRE)


def _echouer(envoi: Envoi, erreur: str, bilan: Bilan) -> None:
    bilan.echecs += _a_nous(envoi).update(etat=EtatEnvoi.ECHEC, erreur=erreur, prochaine_tentative=None, **_LIBRE)
    logger.error("mail %s failed for good: %s", envoi.pk, erreur)
