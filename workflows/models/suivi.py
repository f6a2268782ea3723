"""What a person arranges for herself: tasks that she puts aside until a day, dossiers that she follows."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from .dossier import Dossier
from .tache import Tache


class MisesDeCote(models.QuerySet["MiseDeCote"]):
    def en_cours(self, user: int | None) -> "MisesDeCote":
        """What this person has put aside and that is not back yet; a task comes back by itself on its day."""
        return self.filter(user=user, retour_le__gt=timezone.localdate())


class MiseDeCote(models.Model):
    """A task that one person does not want to see before ``retour_le``. It changes neither its due date nor
    anybody else's lists."""

    tache = models.ForeignKey(Tache, models.PROTECT, related_name="mises_de_cote")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    retour_le = models.DateField("revient le")

    objects = MisesDeCote.as_manager()

    class Meta:
        ordering = ["retour_le", "pk"]
        constraints = [models.UniqueConstraint(fields=["user", "tache"], name="mise_de_cote_unique")]

    def __str__(self) -> str:
        return f"tâche {self.tache_id}, retour le {self.retour_le}"


class Suivi(models.Model):
    """A dossier that somebody wants to hear of, besides those who take part in it."""

    dossier = models.ForeignKey(Dossier, models.PROTECT, related_name="suivis")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="suivis")
    depuis = models.DateTimeField("depuis", default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["dossier", "user"], name="suivi_unique")]

    def __str__(self) -> str:
        return f"dossier {self.dossier_id}"
