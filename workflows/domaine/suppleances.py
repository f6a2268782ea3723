"""Standing in for somebody who is absent: write it, end it (ADR 9)."""

from datetime import date

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Introuvable, Invalide
from backoffice.socle.mots import date_longue
from notifications.domaine import notifier
from structures.regles import est_gestionnaire

from .. import notifications as types
from ..models import Suppleance
from ..regles import suppleantes_possibles
from .taches import rendre_les_taches_de

DUREE_MAXIMALE = 366  # days: beyond, it is a right to give, not an absence


@transaction.atomic
def ecrire(*, absente: User, suppleante: User, du: date, au: date, motif: str = "", acteur: User) -> Suppleance:
    """From ``du`` to ``au`` included, ``suppleante`` decides beside ``absente``; both are told.

    By the person herself, among her colleagues (``suppleantes_possibles``), or by a gestionnaire for anyone, among
    those who hold a like role. Refusals: ``Interdit``; ``Invalide`` with ``champs`` among suppleante, du, au.
    """
    _exiger_qualite(absente, acteur)
    aujourdhui = timezone.localdate()
    if du < aujourdhui:
        raise _invalide("du", "Choisissez aujourd’hui ou un jour à venir.")
    if (du - aujourdhui).days > DUREE_MAXIMALE:
        raise _invalide("du", "Choisissez un jour d’ici à un an.")
    if au < du:
        raise _invalide("au", "Le dernier jour vient après le premier.")
    if (au - du).days >= DUREE_MAXIMALE:
        raise _invalide("au", "Une suppléance dure un an au plus : au-delà, demandez un droit au support.")
    # Locked in order: neither account can be closed meanwhile, and the refusal of an overlap comes in words.
    comptes = User.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=[absente.pk, suppleante.pk])
    actives = {u.pk for u in comptes.order_by("pk") if u.is_active}
    if absente.pk not in actives:
        raise Conflit("compte_desactive", "Ce compte est désactivé : ses tâches sont déjà dans la file commune.")
    possibles = suppleantes_possibles(absente, partout=est_gestionnaire(acteur))
    if suppleante.pk not in actives or not possibles.filter(pk=suppleante.pk).exists():
        raise _invalide("suppleante", "Cette personne ne peut pas suppléer : choisissez-la dans la liste.")
    deja = Suppleance.objects.filter(absente=absente, finie_le__isnull=True, du__lte=au, au__gte=du).first()
    if deja is not None:
        raise _deja(deja)
    try:
        with transaction.atomic():
            suppleance = Suppleance.objects.create(
                absente=absente, suppleante=suppleante, du=du, au=au, motif=motif.strip()[:200], ecrite_par=acteur
            )
    except IntegrityError as erreur:
        raise _invalide("du", "Une autre suppléance couvre déjà une partie de ces jours.") from erreur
    _prevenir(types.SuppleanceEcrite, suppleance, acteur)
    return suppleance


@transaction.atomic
def terminer(*, numero: int, acteur: User) -> Suppleance:
    """End a substitution now, or cancel one to come; what the substitute holds by it goes back to the queue.

    Refusals: unknown (``Introuvable``); neither the absent person nor a gestionnaire (``Interdit``); already over
    (``Conflit``).
    """
    suppleance = (
        Suppleance.objects.select_for_update(of=("self",), no_key=True)
        .select_related("absente", "suppleante")  # not finie_par: after a wait the join would be as it was before
        .filter(pk=numero)
        .first()
    )
    if suppleance is None:
        raise Introuvable("suppleance_inconnue", "Cette suppléance n’existe pas.")
    _exiger_qualite(suppleance.absente, acteur)
    if suppleance.finie_le is not None:
        quand = date_longue(suppleance.finie_le, "heure")
        raise Conflit("suppleance_finie", f"{suppleance.finie_par} a déjà mis fin à cette suppléance le {quand}.")
    if not suppleance.vivante:
        raise Conflit("suppleance_finie", f"Cette suppléance s’est achevée le {date_longue(suppleance.au)}.")
    _finir(suppleance, acteur)
    return suppleance


def terminer_celles_de(user: User, acteur: User | None) -> int:
    """When an account closes: those that she is absent for or stands in for end, running or to come. In the caller's
    transaction; returns how many."""
    vivantes = Suppleance.objects.filter(finie_le__isnull=True, au__gte=timezone.localdate()).order_by("pk")
    siennes = list((vivantes.filter(absente=user) | vivantes.filter(suppleante=user)).select_for_update(no_key=True))
    for suppleance in siennes:
        _finir(suppleance, acteur)
    return len(siennes)


def _finir(suppleance: Suppleance, acteur: User | None) -> None:
    suppleance.finie_le, suppleance.finie_par = timezone.now(), acteur
    suppleance.save(update_fields=["finie_le", "finie_par"])
    rendre_les_taches_de([suppleance.suppleante_id])
    _prevenir(types.SuppleanceFinie, suppleance, acteur)


def _exiger_qualite(absente: User, acteur: User) -> None:
    if acteur.pk != absente.pk and not est_gestionnaire(acteur):
        raise Interdit("sans_droit", "Une suppléance se décide par la personne absente ou par un gestionnaire SESAN.")


def _prevenir(type_: type[types.TypeNotification], suppleance: Suppleance, acteur: User | None) -> None:
    notifier(
        type_,
        destinataires=[suppleance.absente, suppleance.suppleante],
        cle=f"suppleance:{suppleance.pk}",
        contexte={"suppleance": suppleance, "acteur": acteur},
        lien=reverse("absences"),
        sauf=acteur,
    )


def _deja(autre: Suppleance) -> Invalide:
    jours = f"du {date_longue(autre.du)} au {date_longue(autre.au)}"
    return _invalide("du", f"{autre.suppleante} supplée déjà {autre.absente} {jours} : mettez-y fin d’abord.")


def _invalide(champ: str, message: str) -> Invalide:
    return Invalide("suppleance", message, champs={champ: [message]})
