"""What the timers of a task tell, and to whom: the people who may do it now, then their supervisor."""

from datetime import datetime

from django.urls import reverse
from django.utils import timezone

from backoffice.comptes.models import User
from notifications.domaine import notifier
from structures.regles import gestionnaires

from .. import notifications as types
from ..enums import Cercle, TypeEvenement
from ..models import Tache
from ..regles import acteurs_de
from .journal import consigner
from .taches import contexte_mail

_COURRIELS = {
    TypeEvenement.RAPPEL: types.TacheRappel,
    TypeEvenement.ESCALADE: types.TacheRetard,
    TypeEvenement.RECOURS: types.TacheRecours,
}


def sonner(tache: Tache, type_: TypeEvenement, prevue: datetime) -> None:
    """A timer of an open task fires, under the lock of its process. ``prevue``: the moment that it was armed for.

    Reminder and first escalation: those who may do the task. Second one: the gestionnaires (for a task of theirs, those
    who don't hold it). After days of downtime a timer yields to a later one that is due too: one mail each, not three.
    """
    if _une_autre_est_due(tache, prevue):
        return
    personnes = _destinataires(tache, type_)
    renvois = tache.dossier.evenements.filter(type=TypeEvenement.RENVOYE).select_related("acteur")
    renvoi = renvois.latest("pk") if tache.dossier.en_correction else None
    consigner(tache.dossier, type_, None, tache=tache.pk, noeud=tache.noeud)
    notifier(
        _COURRIELS[type_],
        destinataires=personnes.values(),
        cle=f"tache:{tache.pk}:{type_}",
        contexte=contexte_mail(tache.dossier, tache=tache, etape=tache.etape, renvoi=renvoi),
        lien=reverse("tache", args=[tache.pk]),
    )


def _une_autre_est_due(tache: Tache, prevue: datetime) -> bool:
    suivantes = tache.tache.leading.filter(flow_task_type="TIMER", scheduled__gt=prevue)
    return bool(suivantes.filter(scheduled__lte=timezone.now()).exists())


def _destinataires(tache: Tache, type_: TypeEvenement) -> dict[int, User]:
    acteurs = {p.pk: p for p in acteurs_de(tache)}
    if type_ != TypeEvenement.RECOURS:
        return acteurs
    recours = {p.pk: p for p in gestionnaires()}
    if tache.etape.cercle is Cercle.GESTIONNAIRES and len(recours) > 1:
        recours.pop(tache.tache.owner_id, None)
    deja = tache.dossier.evenements.filter(type=TypeEvenement.ESCALADE, details__tache=tache.pk).exists()
    return recours if deja else acteurs | recours
