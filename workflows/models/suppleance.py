"""Who stands in for whom, and when (ADR 9)."""

from datetime import date

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils import timezone


class SuppleanceQuerySet(models.QuerySet["Suppleance"]):
    def en_cours(self, jour: date | None = None) -> "SuppleanceQuerySet":
        jour = jour or timezone.localdate()
        return self.filter(finie_le__isnull=True, du__lte=jour, au__gte=jour)


class Suppleance(models.Model):
    """From ``du`` to ``au``, both included, ``suppleante`` decides on the tasks of ``absente`` beside her.

    ``finie_le``: ended before its day, or cancelled. Never deleted.
    """

    absente = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="absences")
    suppleante = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="suppleances")
    du = models.DateField("du")
    au = models.DateField("au")
    motif = models.CharField("motif", max_length=200, blank=True)
    ecrite_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    ecrite_le = models.DateTimeField("écrite le", default=timezone.now)
    finie_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    finie_le = models.DateTimeField("finie le", null=True)

    objects = SuppleanceQuerySet.as_manager()

    class Meta:
        ordering = ["-du", "-pk"]
        verbose_name = "suppléance"
        indexes = [
            models.Index(fields=["suppleante", "au"], name="suppleance_vivante", condition=Q(finie_le__isnull=True))
        ]
        constraints = [
            models.CheckConstraint(condition=Q(au__gte=F("du")), name="suppleance_dates"),
            models.CheckConstraint(condition=~Q(absente=F("suppleante")), name="suppleance_par_une_autre"),
            ExclusionConstraint(
                name="suppleance_une_a_la_fois",
                expressions=[
                    ("absente", RangeOperators.EQUAL),
                    (
                        Func(F("du"), F("au"), Value("[]"), function="daterange", output_field=DateRangeField()),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(finie_le__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.suppleante} pour {self.absente}, du {self.du} au {self.au}"

    @property
    def vivante(self) -> bool:
        """Running or to come."""
        return self.finie_le is None and self.au >= timezone.localdate()

    @property
    def commencee(self) -> bool:
        return self.du <= timezone.localdate()
