"""The tools that read the exposition: who they are, what they may, what they did (docs/adr/0013)."""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from oauth2_provider.models import AbstractApplication

from ..enums import TYPES_EXPOSES, ActeConsommateur, Portee, ProfilAcces


class Consommateur(AbstractApplication):
    """A tool that reads /fhir/ with the client credentials grant, and no other: an application in the words of OAuth2.

    ``client_secret`` and ``ancien_secret`` hold the SHA-256 of random secrets of 256 bits (domaine/consommateurs.py):
    a slow hash protects words that people choose, and would only make the token address easy to overload. It is why
    ``hash_client_secret``, which asks the library to hash by itself, is off.
    """

    # What other grants would need.
    user = None  # type: ignore[assignment]
    redirect_uris = None  # type: ignore[assignment]
    post_logout_redirect_uris = None  # type: ignore[assignment]
    allowed_origins = None  # type: ignore[assignment]
    skip_authorization = None  # type: ignore[assignment]
    algorithm = None  # type: ignore[assignment]
    registration_source = None  # type: ignore[assignment]
    cimd_expires_at = None  # type: ignore[assignment]

    courriel = models.EmailField("courriel de contact")
    organisme = models.CharField("organisme responsable", max_length=200)
    profil = models.PositiveSmallIntegerField("profil d’accès", choices=ProfilAcces)
    portees = ArrayField(models.CharField(max_length=40, choices=Portee), verbose_name="portées")
    quota_minute = models.PositiveIntegerField("requêtes par minute", validators=[MinValueValidator(1)])
    quota_jour = models.PositiveIntegerField("requêtes par jour", validators=[MinValueValidator(1)])
    # Networks in CIDR notation; none: from anywhere.
    reseaux = ArrayField(models.CharField(max_length=43), verbose_name="réseaux d’origine", default=list, blank=True)
    secret_le = models.DateTimeField("secret donné le", default=timezone.now)
    ancien_secret = models.CharField("secret précédent", max_length=64, blank=True)
    ancien_secret_fin = models.DateTimeField("fin du secret précédent", null=True, blank=True)
    suspendu_le = models.DateTimeField("suspendu le", null=True, blank=True)
    motif_suspension = models.TextField("motif de la suspension", blank=True)

    class Meta:
        verbose_name = "consommateur"
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(Lower("name"), name="consommateur_nom"),
            models.CheckConstraint(
                condition=Q(authorization_grant_type="client-credentials", client_type="confidential"),
                name="consommateur_client_credentials",
            ),
            models.CheckConstraint(condition=~Q(portees=[]), name="consommateur_a_une_portee"),
            models.CheckConstraint(condition=Q(quota_minute__gte=1, quota_jour__gte=1), name="consommateur_quotas"),
            models.CheckConstraint(
                condition=Q(suspendu_le__isnull=True, motif_suspension="")
                | (Q(suspendu_le__isnull=False) & ~Q(motif_suspension="")),
                name="consommateur_suspension_motivee",
            ),
            models.CheckConstraint(
                condition=Q(ancien_secret="", ancien_secret_fin__isnull=True)
                | (~Q(ancien_secret="") & Q(ancien_secret_fin__isnull=False)),
                name="consommateur_ancien_secret_borne",
            ),
        ]
        triggers = [pgtrigger.Protect(name="jamais_supprime", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.name

    @property
    def types_lus(self) -> list[str]:
        """The types of resources that it may read."""
        return [t for t in TYPES_EXPOSES if Portee.TOUT in self.portees or Portee.lire(t) in self.portees]

    @property
    def suspendu(self) -> bool:
        return self.suspendu_le is not None

    @property
    def sursis(self) -> bool:
        """Its former secret still works."""
        return self.ancien_secret_fin is not None and timezone.now() < self.ancien_secret_fin


class JournalConsommateur(models.Model):
    """What was done to a consumer: who, when, what. Append-only; never holds a secret."""

    consommateur = models.ForeignKey(Consommateur, models.PROTECT, related_name="journal")
    acte = models.CharField("acte", max_length=20, choices=ActeConsommateur)
    acteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    le = models.DateTimeField("le", default=timezone.now)
    # [[label, before, after], …] in words, as the page shows them
    changements = models.JSONField("changements", default=list)
    motif = models.TextField("motif", blank=True)

    class Meta:
        verbose_name = "acte sur un consommateur"
        ordering = ["-le", "-pk"]
        indexes = [models.Index(fields=["consommateur", "-le", "-id"], name="journal_consommateur")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.acte} {self.consommateur_id}"


class CompteurConsommateur(models.Model):
    """How many requests were let in during the running minute and day: one row a consumer, written over (quota)."""

    consommateur = models.OneToOneField(Consommateur, models.PROTECT, primary_key=True, related_name="compteur")
    minute = models.DateTimeField("minute en cours")
    dans_la_minute = models.PositiveIntegerField("requêtes de la minute")
    jour = models.DateField("jour en cours")
    dans_la_journee = models.PositiveIntegerField("requêtes de la journée")

    class Meta:
        verbose_name = "compteur de quota"

    def __str__(self) -> str:
        return f"{self.consommateur_id} : {self.dans_la_minute} / {self.dans_la_journee}"


class UsageConsommateur(models.Model):
    """What a consumer did in a day, by interaction (« search-type Organization »)."""

    consommateur = models.ForeignKey(Consommateur, models.PROTECT, related_name="usages")
    jour = models.DateField("jour")
    interaction = models.CharField("interaction", max_length=60)
    requetes = models.PositiveBigIntegerField("requêtes")
    ressources = models.PositiveBigIntegerField("ressources")
    octets = models.PositiveBigIntegerField("octets")
    refus = models.PositiveBigIntegerField("refus")  # 401, 403, 429: by the access rules, before the answer was made
    quota = models.PositiveBigIntegerField("refus par le quota")  # of these, the 429
    erreurs_client = models.PositiveBigIntegerField("autres réponses 4xx")
    erreurs_serveur = models.PositiveBigIntegerField("réponses 5xx")
    duree_ms = models.PositiveBigIntegerField("durée totale (ms)")

    class Meta:
        verbose_name = "usage"
        constraints = [
            models.UniqueConstraint(fields=["consommateur", "jour", "interaction"], name="usage_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.consommateur_id} {self.jour} {self.interaction} : {self.requetes}"


class RefusConsommateur(models.Model):
    """Requests refused to a consumer: one row a minute, status and interaction, so that insisting fills nothing."""

    consommateur = models.ForeignKey(Consommateur, models.PROTECT, related_name="refus")
    minute = models.DateTimeField("minute")
    statut = models.PositiveSmallIntegerField("statut")
    interaction = models.CharField("interaction", max_length=60)
    motif = models.TextField("dernier motif")
    chemin = models.CharField("dernière adresse", max_length=200)
    nombre = models.PositiveIntegerField("nombre", default=1)

    class Meta:
        verbose_name = "refus"
        verbose_name_plural = "refus"
        constraints = [
            models.UniqueConstraint(fields=["consommateur", "minute", "statut", "interaction"], name="refus_unique"),
        ]
        indexes = [models.Index(fields=["minute"], name="refus_minute")]

    def __str__(self) -> str:
        return f"{self.consommateur_id} {self.minute:%Y-%m-%d %H:%M} {self.statut} × {self.nombre}"
