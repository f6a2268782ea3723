"""A gesture on many tasks at once, worked by Celery: what was asked, and what became of each task."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from ..enums import ActionLot, ResultatLigne
from .tache import Tache


class Lots(models.QuerySet["Lot"]):
    def en_souffrance(self, depuis: timedelta) -> "Lots":
        """Not finished, and nothing of them moved for so long: their worker was killed, or none is running."""
        limite = timezone.now() - depuis
        recentes = LigneLot.objects.filter(traitee_le__gte=limite).order_by().values("lot")
        return self.filter(termine_le__isnull=True, cree_le__lt=limite).exclude(pk__in=recentes)


class Lot(models.Model):
    """What one person asked to be done on up to 500 tasks. ``jeton``: of the page that asked, so that two clicks make
    one lot. ``destinataire``: to whom the tasks are given."""

    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    action = models.CharField("action", max_length=20, choices=ActionLot)
    destinataire = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    jeton = models.UUIDField("jeton", unique=True)
    cree_le = models.DateTimeField("créé le", default=timezone.now)
    termine_le = models.DateTimeField("terminé le", null=True)

    objects = Lots.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["auteur", "id"], name="lot_auteur"),
            models.Index(fields=["cree_le"], name="lot_en_cours", condition=Q(termine_le__isnull=True)),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(action=ActionLot.ATTRIBUER, destinataire__isnull=False)
                | (~Q(action=ActionLot.ATTRIBUER) & Q(destinataire__isnull=True)),
                name="lot_destinataire_si_attribution",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.pk}"


class LigneLot(models.Model):
    """One task of a lot. ``vu``: what the author was shown and decides on (digest of the content, or who held the
    task). It is written in the transaction of what it tells: an item that says « fait » was done once."""

    lot = models.ForeignKey(Lot, models.PROTECT, related_name="lignes")
    rang = models.PositiveSmallIntegerField("rang")
    tache = models.ForeignKey(Tache, models.PROTECT, related_name="+")
    vu = models.CharField("vu", max_length=64, blank=True)
    resultat = models.CharField("résultat", max_length=10, choices=ResultatLigne, default=ResultatLigne.A_FAIRE)
    message = models.TextField("message", blank=True)
    traitee_le = models.DateTimeField("traitée le", null=True)

    class Meta:
        ordering = ["lot", "rang"]
        indexes = [models.Index(fields=["traitee_le"], name="ligne_lot_traitee")]
        constraints = [
            models.UniqueConstraint(fields=["lot", "rang"], name="ligne_lot_rang"),
            models.UniqueConstraint(fields=["lot", "tache"], name="ligne_lot_tache"),
            models.CheckConstraint(
                condition=Q(resultat=ResultatLigne.A_FAIRE, traitee_le__isnull=True)
                | (~Q(resultat=ResultatLigne.A_FAIRE) & Q(traitee_le__isnull=False)),
                name="ligne_lot_traitee_si_resultat",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rang}. tâche {self.tache_id}, {self.get_resultat_display()}"
