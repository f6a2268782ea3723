"""What a person keeps for herself: favourites and saved searches."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from .fiche import Fiche


class Favori(models.Model):
    """A fiche that a person put among her favourites; the criterion « Favoris » keeps its establishment."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="favoris")
    fiche = models.ForeignKey(Fiche, models.PROTECT, related_name="+")
    depuis = models.DateTimeField("depuis", default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "fiche"], name="favori_une_fois")]
        indexes = [models.Index(fields=["fiche"], name="favori_fiche")]

    def __str__(self) -> str:
        return f"favori {self.fiche_id} de {self.user_id}"


class RechercheEnregistree(models.Model):
    """Criteria of the list saved under a name. ``criteres`` is a query string in its canonical form, without « ? »."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="recherches")
    nom = models.CharField("nom", max_length=80)
    criteres = models.TextField("critères", blank=True)
    par_defaut = models.BooleanField("par défaut", default=False)
    creee_le = models.DateTimeField("créée le", default=timezone.now)

    class Meta:
        ordering = ["nom", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["user", "nom"], name="recherche_nom_unique"),
            models.UniqueConstraint(fields=["user"], condition=Q(par_defaut=True), name="recherche_un_defaut"),
        ]

    def __str__(self) -> str:
        return self.nom
