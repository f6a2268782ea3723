"""How long a task has: the delay of its step in working days, and a clock that stops while the dossier is back for
correction (ADR 8)."""

from django.conf import settings
from django.db.models import Q

from ..delais import echeance, jours_ouvres_entre
from ..enums import Cercle, Issue
from ..models import Tache


def donner_le_delai(tache: Tache) -> None:
    """Set the due date of a task being created and, when the dossier comes back to the same people, ``restait``."""
    jours = settings.DELAIS_ETAPES[tache.noeud]
    tache.restait = _reste(tache, jours)
    if tache.restait is not None:
        jours = max(tache.restait, min(settings.REPRISE_JOURS_MINIMUM, jours))
    tache.echeance = echeance(tache.creee_le, jours)


def _reste(tache: Tache, jours: int) -> int | None:
    """What the earlier tasks of this step and authority left of its delay; None when it is the first of its round.

    A withdrawal opens a new round: it is the sender's choice, and must not shorten the time of those who decide.
    """
    if tache.etape.cercle is Cercle.EDITEURS:
        return None
    ses_taches = Q(noeud=tache.noeud, autorite=tache.autorite_id)
    passees = Tache.objects.filter(ses_taches | Q(issue=Issue.RETIRE), dossier=tache.dossier, close_le__isnull=False)
    lignes = list(passees.order_by("pk").values_list("noeud", "autorite", "issue", "creee_le", "close_le"))
    retraits = [close for _, _, issue, _, close in lignes if close and issue == Issue.RETIRE]
    prises = [
        jours_ouvres_entre(creee, close)
        for noeud, autorite, _, creee, close in lignes
        if close and (noeud, autorite) == (tache.noeud, tache.autorite_id) and all(creee > r for r in retraits)
    ]
    return max(jours - sum(prises), 0) if prises else None
