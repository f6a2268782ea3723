"""Who may: authorities, and the roles that people hold on an EJ, an EG, an authority or the region."""

from datetime import date

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from ..enums import Role


@pghistory.track()
class Autorite(models.Model):
    """ARS, conseil départemental…: gives the last approval for handicap (domain.md §1)."""

    code = models.CharField("code", max_length=20, primary_key=True)
    nom = models.CharField("nom", max_length=150)
    type = models.CharField("type", max_length=4)
    departement = models.CharField("département", max_length=3, blank=True)

    class Meta:
        ordering = ["code"]
        verbose_name = "autorité"

    def __str__(self) -> str:
        return self.nom


class HabilitationQuerySet(models.QuerySet["Habilitation"]):
    def actives(self, jour: date | None = None) -> "HabilitationQuerySet":
        """Those that give rights on ``jour`` (today): begun, not ended, on an active account."""
        jour = jour or timezone.localdate()
        return self.filter(Q(fin__isnull=True) | Q(fin__gt=jour), debut__lte=jour, user__is_active=True)


@pghistory.track()
class Habilitation(models.Model):
    """A role held by a person, over ``[debut, fin)``.

    Référent and Direction hold it on a fiche (EJ: all its EG; EG: that one), a tutelle on an authority,
    a gestionnaire on the region. Never deleted: it ends.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="habilitations")
    role = models.CharField("rôle", max_length=20, choices=Role)
    fiche = models.ForeignKey(
        "structures.Fiche", models.PROTECT, null=True, blank=True, related_name="habilitations", verbose_name="EJ ou EG"
    )
    autorite = models.ForeignKey(
        Autorite, models.PROTECT, null=True, blank=True, related_name="habilitations", verbose_name="autorité"
    )
    debut = models.DateField("début", default=timezone.localdate)
    fin = models.DateField("fin", null=True, blank=True)

    objects = HabilitationQuerySet.as_manager()

    class Meta:
        ordering = ["user", "role", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(role__in=[Role.REFERENT, Role.DIRECTION], fiche__isnull=False, autorite__isnull=True)
                | Q(role=Role.TUTELLE, fiche__isnull=True, autorite__isnull=False)
                | Q(role=Role.GESTIONNAIRE, fiche__isnull=True, autorite__isnull=True),
                name="habilitation_portee",
            ),
            models.CheckConstraint(
                condition=Q(fin__isnull=True) | Q(fin__gte=models.F("debut")), name="habilitation_fin_apres_debut"
            ),
            models.UniqueConstraint(
                fields=["user", "role", "fiche", "autorite"],
                condition=Q(fin__isnull=True),
                nulls_distinct=False,
                name="habilitation_unique_en_cours",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.get_role_display()} {self.fiche_id or self.autorite_id or 'région'}"
