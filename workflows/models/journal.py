"""What happened to a dossier, who decided what, and what people said: never changed afterwards, by triggers.

Of a comment, only « dealt with » changes.
"""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from viewflow.workflow.models import Task

from ..enums import ACTES, Issue, TypeEvenement
from .dossier import Dossier

APPEND_ONLY = pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
JAMAIS_VIDE = pgtrigger.Trigger(
    name="jamais_vide",
    level=pgtrigger.Statement,
    when=pgtrigger.Before,
    operation=pgtrigger.Truncate,
    func="RAISE EXCEPTION 'pgtrigger: Cannot truncate %', TG_TABLE_NAME;",
)

# The next link of the chain (domaine/chaine.py has the formula): the row of the head is locked, so that two writers
# make one chain, even two that would not have locked the dossier.
_ENCHAINER = pgtrigger.Trigger(
    name="enchainer",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert,
    declare=[("attendu", "RECORD")],
    func="""
        INSERT INTO workflows_tetejournal AS t (dossier_id, rang, precedente, empreinte)
        VALUES (
            NEW.dossier_id, 1, repeat('0', 64),
            encode(sha256(convert_to('1 ' || repeat('0', 64) || ' ' || NEW.condense, 'UTF8')), 'hex')
        )
        ON CONFLICT (dossier_id) DO UPDATE SET
            rang = t.rang + 1,
            precedente = t.empreinte,
            empreinte = encode(
                sha256(convert_to((t.rang + 1) || ' ' || t.empreinte || ' ' || NEW.condense, 'UTF8')), 'hex'
            )
        RETURNING t.rang, t.precedente, t.empreinte INTO attendu;
        IF (NEW.rang NOT IN (0, attendu.rang)) OR (NEW.precedente NOT IN ('', attendu.precedente))
            OR (NEW.empreinte NOT IN ('', attendu.empreinte)) THEN
            RAISE EXCEPTION 'Event % does not follow the last one of the journal of dossier %', NEW.rang, NEW.dossier_id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        NEW.rang := attendu.rang;
        NEW.precedente := attendu.precedente;
        NEW.empreinte := attendu.empreinte;
        RETURN NEW;
    """,
)
_SEUL_LE_JOURNAL = pgtrigger.Trigger(
    name="seul_le_journal",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.Update,
    func="""
        IF pg_trigger_depth() < 2 THEN
            RAISE EXCEPTION 'pgtrigger: Cannot write % but through the journal', TG_TABLE_NAME;
        END IF;
        RETURN NEW;
    """,
)


class TeteJournal(models.Model):
    """The end of the journal of a dossier: how many events it has, and the digest of the last one. Kept by the
    trigger of ``Evenement`` alone: without it nobody could tell that the last events were taken away."""

    dossier = models.OneToOneField(Dossier, models.PROTECT, primary_key=True, related_name="tete_journal")
    rang = models.PositiveIntegerField("rang")
    precedente = models.CharField("empreinte de l’avant-dernier", max_length=64)
    empreinte = models.CharField("empreinte du dernier", max_length=64)

    class Meta:
        triggers = [
            _SEUL_LE_JOURNAL,
            pgtrigger.Protect(name="jamais_supprime", operation=pgtrigger.Delete),
            JAMAIS_VIDE,
        ]

    def __str__(self) -> str:
        return f"dossier {self.dossier_id}, {self.rang} événements"


class Evenement(models.Model):
    """One line of the journal of a dossier. ``acteur`` null: the system (a timer, the flow itself).

    ``rang``, ``precedente`` and ``empreinte`` are given by PostgreSQL at the insertion, from ``condense``, the digest
    of the content. An instance that was just created does not know them.
    """

    dossier = models.ForeignKey(Dossier, models.PROTECT, related_name="evenements")
    type = models.CharField("type", max_length=20, choices=TypeEvenement)
    acteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    fiche = models.ForeignKey("structures.Fiche", models.PROTECT, null=True, related_name="+")
    le = models.DateTimeField("le", default=timezone.now)
    details = models.JSONField("détails", default=dict)
    rang = models.PositiveIntegerField("rang", default=0)
    condense = models.CharField("empreinte du contenu", max_length=64)
    precedente = models.CharField("empreinte de l’événement précédent", max_length=64)
    empreinte = models.CharField("empreinte", max_length=64)

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["dossier", "id"], name="evenement_dossier"),
            models.Index(fields=["le", "type", "acteur"], name="evenement_actes", condition=Q(type__in=ACTES)),
            models.Index(fields=["dossier"], name="evenement_echecs", condition=Q(type="publication_echouee")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["dossier", "rang"], name="evenement_rang"),
            models.CheckConstraint(condition=Q(condense__regex="^[0-9a-f]{64}$"), name="evenement_condense"),
        ]
        triggers = [APPEND_ONLY, JAMAIS_VIDE, _ENCHAINER]

    def __str__(self) -> str:
        return self.get_type_display()


class Decision(models.Model):
    """A decision on a sent dossier: by whom, for which authority, on which content (``empreinte``).

    ``pour``: whom ``acteur`` stood in for (ADR 9), null when she decided in her own name.
    ``partielle``: an approval of all but some fiches, excepted by this decision or by the other authority's.
    """

    dossier = models.ForeignKey(Dossier, models.PROTECT, related_name="decisions")
    tache = models.OneToOneField(Task, models.PROTECT, related_name="decision")
    noeud = models.CharField("étape", max_length=40)
    acteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="decisions")
    pour = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    autorite = models.ForeignKey("structures.Autorite", models.PROTECT, null=True, related_name="+")
    issue = models.CharField("décision", max_length=20, choices=Issue)
    motif = models.TextField("motif", blank=True)
    empreinte = models.CharField("empreinte", max_length=64)
    partielle = models.BooleanField("sauf certaines fiches", default=False)
    le = models.DateTimeField("le", default=timezone.now)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["le", "noeud", "autorite", "issue"], name="decision_le")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(issue__in=[Issue.RENVOYE, Issue.REFUSE]) | ~Q(motif=""), name="decision_motivee"
            )
        ]
        triggers = [APPEND_ONLY, JAMAIS_VIDE]

    def __str__(self) -> str:
        return self.get_issue_display()

    @property
    def qui(self) -> str:
        """« Y », « Y, pour X » when Y stood in for X. Give it with ``acteur`` and ``pour``."""
        return f"{self.acteur}, pour {self.pour}" if self.pour else str(self.acteur)

    def get_issue_display(self) -> str:  # type: ignore[no-redef]
        mots = Issue(self.issue).label
        return f"{mots} sauf certaines fiches" if self.partielle else mots


class Instantane(models.Model):
    """What people decided on: the review of a dossier as they read it, kept once for each content (``empreinte``).

    ``contenu``: the lines of ``workflows.revue``, as JSON. Append-only.
    """

    dossier = models.ForeignKey(Dossier, models.PROTECT, related_name="instantanes")
    empreinte = models.CharField("empreinte", max_length=64)
    contenu = models.JSONField("contenu")
    le = models.DateTimeField("le", default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["dossier", "empreinte"], name="instantane_unique")]
        triggers = [APPEND_ONLY, JAMAIS_VIDE]

    def __str__(self) -> str:
        return f"dossier {self.dossier_id}, {self.empreinte[:12]}"


class Commentaire(models.Model):
    """A comment on a fiche of a dossier or on one of its fields, or an answer to a comment.

    A thread is a comment and its answers (``parent``); ``resolu_le`` is set on its first comment: dealt with.
    """

    dossier = models.ForeignKey(Dossier, models.PROTECT, related_name="commentaires")
    fiche = models.ForeignKey("structures.Fiche", models.PROTECT, related_name="+")
    champ = models.CharField("champ", max_length=40, blank=True)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="reponses")
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    texte = models.TextField("commentaire")
    mentions = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+", verbose_name="personnes citées")
    le = models.DateTimeField("le", default=timezone.now)
    resolu_le = models.DateTimeField("résolu le", null=True)
    resolu_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["dossier", "fiche"], name="commentaire_fiche")]
        constraints = [
            models.CheckConstraint(
                condition=Q(resolu_le__isnull=True, resolu_par__isnull=True)
                | Q(resolu_le__isnull=False, resolu_par__isnull=False, parent__isnull=True),
                name="commentaire_resolu_par",
            )
        ]
        triggers = [
            pgtrigger.ReadOnly(name="append_only", exclude=["resolu_le", "resolu_par"]),
            pgtrigger.Protect(name="jamais_supprime", operation=pgtrigger.Delete),
            JAMAIS_VIDE,
        ]

    def __str__(self) -> str:
        return self.texte[:80]
