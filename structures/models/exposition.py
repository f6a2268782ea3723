"""What consumers may read now (docs/architecture.md, « The exposition is a projection »).

Derived from the versions of today by structures/fhir/exposition.py, and written by it alone. The register only adds
marks, in its own transactions.
"""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q

from ..enums import ActionRessource
from .fiche import Fiche


class AExposer(models.Model):
    """A mark: what is exposed of this fiche, or of those below it, may have changed; without a fiche, of any of them.
    The projector deletes the marks that it read, never the ones that came since."""

    fiche = models.ForeignKey(Fiche, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        verbose_name = "fiche à exposer"
        verbose_name_plural = "fiches à exposer"

    def __str__(self) -> str:
        return f"fiche {self.fiche_id} à exposer" if self.fiche_id else "toutes les fiches à exposer"


class JourExpose(models.Model):
    """The last day whose beginnings and ends of validity were marked: one row at most. None before the first run."""

    jour = models.DateField("jour")

    class Meta:
        verbose_name = "jour exposé"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="jour_expose_unique")]

    def __str__(self) -> str:
        return str(self.jour)


class Ressource(models.Model):
    """A FHIR resource as it is now, whole: contacts are filtered when it is served. ``contenu`` is null once deleted.

    The search columns are computed from ``contenu`` alone (structures/fhir/index.py).
    """

    type = models.CharField("type", max_length=20)
    identifiant = models.CharField("identifiant FHIR", max_length=64)
    fiche = models.ForeignKey(Fiche, models.PROTECT, related_name="ressources")
    version = models.PositiveIntegerField("version")
    maj = models.DateTimeField("mise à jour")
    contenu = models.JSONField("contenu", null=True)
    jetons = ArrayField(models.TextField(), verbose_name="jetons", default=list)
    textes = models.TextField("textes normalisés", default="")
    tri = models.TextField("nom normalisé, pour trier", default="")
    age_min = models.FloatField("âge minimum (jours)", null=True)
    age_max = models.FloatField("âge maximum (jours)", null=True)
    latitude = models.FloatField("latitude", null=True)
    longitude = models.FloatField("longitude", null=True)
    fins = ArrayField(models.DateField(), verbose_name="fin de la période", default=list)
    capacites = ArrayField(models.FloatField(), verbose_name="nombres des capacités", default=list)
    capacites_le = ArrayField(models.DateField(), verbose_name="jours des capacités", default=list)
    references = ArrayField(models.TextField(), verbose_name="références", default=list)

    class Meta:
        verbose_name = "ressource"
        constraints = [models.UniqueConstraint(fields=["type", "identifiant"], name="ressource_unique")]
        indexes = [
            GinIndex(fields=["jetons"], name="ressource_jetons"),
            GinIndex(fields=["references"], name="ressource_references"),
            GinIndex(OpClass(models.F("textes"), name="gin_trgm_ops"), name="ressource_textes"),
            models.Index(
                fields=["type", "tri", "identifiant"], name="ressource_tri", condition=Q(contenu__isnull=False)
            ),
            models.Index(
                fields=["type", "maj", "identifiant"], name="ressource_maj", condition=Q(contenu__isnull=False)
            ),
            models.Index(fields=["latitude", "longitude"], name="ressource_place", condition=Q(latitude__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.type}/{self.identifiant}"


class RessourceVersion(models.Model):
    """Each state that a resource ever had: append-only, and the change feed.

    ``rang`` grows in the order of commits, because the one projector holds its lock until it has committed: whoever
    read up to a ``rang`` misses nothing by asking for what follows it.
    """

    rang = models.BigAutoField("rang", primary_key=True)
    type = models.CharField("type", max_length=20)
    identifiant = models.CharField("identifiant FHIR", max_length=64)
    fiche = models.ForeignKey(Fiche, models.PROTECT, related_name="+", db_index=False)
    version = models.PositiveIntegerField("version")
    maj = models.DateTimeField("mise à jour")
    action = models.CharField("action", max_length=6, choices=ActionRessource)
    contenu = models.JSONField("contenu", null=True)

    class Meta:
        verbose_name = "version de ressource"
        constraints = [
            models.UniqueConstraint(fields=["type", "identifiant", "version"], name="ressource_version_unique"),
            models.CheckConstraint(
                condition=Q(action=ActionRessource.SUPPRESSION, contenu__isnull=True)
                | (~Q(action=ActionRessource.SUPPRESSION) & Q(contenu__isnull=False)),
                name="ressource_version_suppression",
            ),
        ]
        indexes = [models.Index(fields=["maj", "rang"], name="ressource_version_maj")]
        triggers = [pgtrigger.Protect(name="ressource_append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.type}/{self.identifiant}/_history/{self.version}"
