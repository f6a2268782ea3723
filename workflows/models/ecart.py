"""What an approver excepts from her approval."""

from django.db import models
from django.db.models import Q

from .journal import APPEND_ONLY, JAMAIS_VIDE, Decision


class FicheEcartee(models.Model):
    """A fiche that a decision leaves out of the publication, and why. What goes along with it is not kept: it follows
    (``domaine.approbation_partielle``). Append-only."""

    decision = models.ForeignKey(Decision, models.PROTECT, related_name="ecartees")
    fiche = models.ForeignKey("structures.Fiche", models.PROTECT, related_name="+")
    motif = models.TextField("motif")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["decision", "fiche"], name="fiche_ecartee_unique"),
            models.CheckConstraint(condition=~Q(motif=""), name="fiche_ecartee_motivee"),
        ]
        triggers = [APPEND_ONLY, JAMAIS_VIDE]

    def __str__(self) -> str:
        return f"fiche {self.fiche_id}, écartée : {self.motif[:80]}"
