"""How a person likes her inbox: the columns that she sees, and lists that she keeps under a name."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone


class VueTaches(models.Model):
    """A list of tasks kept under a name. ``requete``: what its address says, in its canonical form, without « ? ».

    ``partagee``: her colleagues see it too (``regles.collegues_de``); only she changes it.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="vues_taches")
    nom = models.CharField("nom", max_length=80)
    requete = models.TextField("adresse")
    partagee = models.BooleanField("partagée avec mes collègues", default=False)
    creee_le = models.DateTimeField("créée le", default=timezone.now)

    class Meta:
        ordering = ["nom", "pk"]
        constraints = [models.UniqueConstraint(fields=["user", "nom"], name="vue_nom_unique")]

    def __str__(self) -> str:
        return self.nom


class PreferenceTaches(models.Model):
    """What the bare address of the inbox shows her. ``colonnes``: in her order, empty for the usual ones."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="preference_taches")
    colonnes = ArrayField(models.CharField(max_length=20), verbose_name="colonnes", default=list)
    vue = models.ForeignKey(VueTaches, models.SET_NULL, null=True, related_name="+", verbose_name="vue par défaut")

    def __str__(self) -> str:
        return f"tâches de {self.user_id}"
