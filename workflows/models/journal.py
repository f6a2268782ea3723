"""What happened to a dossier, who decided what, and what people said: never changed afterwards."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from viewflow.workflow.models import Task

from ..enums import Issue, TypeEvenement
from .dossier import Dossier

_APPEND_ONLY = pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)


class Evenement(models.Model):
    """One line of the journal of a dossier. ``acteur`` null: the system (a timer, the flow itself)."""

    dossier = models.ForeignKey(Dossier, models.PROTECT, related_name="evenements")
    type = models.CharField("type", max_length=20, choices=TypeEvenement)
    acteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    fiche = models.ForeignKey("structures.Fiche", models.PROTECT, null=True, related_name="+")
    le = models.DateTimeField("le", default=timezone.now)
    details = models.JSONField("détails", default=dict)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["dossier", "id"], name="evenement_dossier")]
        triggers = [_APPEND_ONLY]

    def __str__(self) -> str:
        return self.get_type_display()


class Decision(models.Model):
    """A decision on a sent dossier: by whom, for which authority, on which content (``empreinte``)."""

    dossier = models.ForeignKey(Dossier, models.PROTECT, related_name="decisions")
    tache = models.OneToOneField(Task, models.PROTECT, related_name="decision")
    noeud = models.CharField("étape", max_length=40)
    acteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="decisions")
    autorite = models.ForeignKey("structures.Autorite", models.PROTECT, null=True, related_name="+")
    issue = models.CharField("décision", max_length=20, choices=Issue)
    motif = models.TextField("motif", blank=True)
    empreinte = models.CharField("empreinte", max_length=64)
    le = models.DateTimeField("le", default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(issue__in=[Issue.RENVOYE, Issue.REFUSE]) | ~Q(motif=""), name="decision_motivee"
            )
        ]
        triggers = [_APPEND_ONLY]

    def __str__(self) -> str:
        return self.get_issue_display()


class Commentaire(models.Model):
    """A comment on a fiche of a dossier, by an approver or a colleague. ``resolu_le``: dealt with."""

    dossier = models.ForeignKey(Dossier, models.PROTECT, related_name="commentaires")
    fiche = models.ForeignKey("structures.Fiche", models.PROTECT, related_name="+")
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    texte = models.TextField("commentaire")
    le = models.DateTimeField("le", default=timezone.now)
    resolu_le = models.DateTimeField("résolu le", null=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.texte[:80]
