"""How fresh a fiche is, and the errors that people report on it."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from ..enums import IssueSignalement, ThemeSignalement
from .fiche import Fiche


class Confirmation(models.Model):
    """« Tout est à jour »: somebody read the fiche and changed nothing. Append-only."""

    fiche = models.ForeignKey(Fiche, models.PROTECT, related_name="confirmations")
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    faite_le = models.DateTimeField("faite le", default=timezone.now)

    class Meta:
        ordering = ["-faite_le", "-pk"]
        indexes = [models.Index(fields=["fiche", "-faite_le"], name="confirmation_fiche")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"confirmation de la fiche {self.fiche_id}"


class Fraicheur(models.Model):
    """The last time that its establishment answered for a fiche: by a direct change, a dossier or a confirmation.

    Derived, one row a fiche, written with the event; a fiche that only imports ever touched has none.
    """

    fiche = models.OneToOneField(Fiche, models.PROTECT, primary_key=True, related_name="fraicheur")
    eg = models.ForeignKey(Fiche, models.PROTECT, null=True, related_name="fraicheurs")
    a_jour_le = models.DateTimeField("à jour le")
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["eg", "a_jour_le"], name="fraicheur_eg"),
            models.Index(fields=["a_jour_le"], name="fraicheur_date", include=["eg", "fiche"]),
        ]

    def __str__(self) -> str:
        return f"fiche {self.fiche_id} à jour le {self.a_jour_le:%Y-%m-%d}"


class Signalement(models.Model):
    """An error that a reader reports on a field of a fiche; a task for those who may change it until it is closed."""

    fiche = models.ForeignKey(Fiche, models.PROTECT, related_name="signalements")
    champ = models.CharField("champ", max_length=40, blank=True)  # a name of the catalogue; "": the whole fiche
    theme = models.CharField("thème", max_length=20, choices=ThemeSignalement)
    message = models.TextField("ce qui ne va pas")
    valeur_proposee = models.TextField("valeur proposée", blank=True)
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="signalements")
    cree_le = models.DateTimeField("signalé le", default=timezone.now)
    issue = models.CharField("suite donnée", max_length=20, choices=IssueSignalement, blank=True)
    reponse = models.TextField("réponse", blank=True)
    clos_le = models.DateTimeField("clos le", null=True)
    clos_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["cree_le", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(clos_le__isnull=True, clos_par__isnull=True, issue="")
                | (Q(clos_le__isnull=False, clos_par__isnull=False) & ~Q(issue="")),
                name="signalement_clos_signe",
            ),
            models.CheckConstraint(
                condition=~Q(issue=IssueSignalement.SANS_SUITE) | ~Q(reponse=""), name="signalement_sans_suite_explique"
            ),
            models.UniqueConstraint(
                fields=["auteur", "fiche", "champ"],
                condition=Q(clos_le__isnull=True),
                name="signalement_un_ouvert",
            ),
        ]
        indexes = [
            models.Index(fields=["fiche", "cree_le"], name="signalement_ouvert", condition=Q(clos_le__isnull=True)),
            models.Index(fields=["auteur", "-cree_le"], name="signalement_auteur"),
        ]
        triggers = [pgtrigger.Protect(name="jamais_efface", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"signalement {self.pk} sur la fiche {self.fiche_id}"
