"""Webhooks: who is told of what changed, what was sent, and what came of each try."""

import uuid

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from .consommateurs import Consommateur


class AbonnementQuerySet(models.QuerySet["Abonnement"]):
    def suspendus_d_office(self) -> "AbonnementQuerySet":
        """Those that nobody suspended: their receiver has failed for a day."""
        return self.filter(suspendu_le__isnull=False, suspendu_par__isnull=True)


class Abonnement(models.Model):
    """A consumer's wish to be told at ``adresse`` of the changes of what is exposed.

    ``curseur`` is the last ``rang`` of the feed that was put into a delivery: what is still to be said is what follows
    it, so that nothing needs a message to be remembered. The row is also the unit of work: ``jeton`` names the worker
    that holds it, ``prochaine_tentative`` is the end of its lease, or when the next try is due.

    The secret is not stored: it is derived from SECRET_KEY and ``sel`` (structures/livraisons/signature.py).
    """

    consommateur = models.ForeignKey(Consommateur, models.PROTECT, related_name="abonnements")
    adresse = models.CharField("adresse", max_length=500)
    types = ArrayField(models.CharField(max_length=20), verbose_name="types de ressources")
    departements = ArrayField(models.CharField(max_length=3), verbose_name="départements", default=list, blank=True)
    sel = models.CharField(max_length=32, editable=False)
    ancien_sel = models.CharField(max_length=32, blank=True, editable=False)
    ancien_jusqu_a = models.DateTimeField("ancien secret accepté jusqu’à", null=True)
    curseur = models.BigIntegerField("dernier rang mis en livraison")
    cree_le = models.DateTimeField("créé le", default=timezone.now)
    cree_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    suspendu_le = models.DateTimeField("suspendu le", null=True)
    suspendu_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    motif = models.TextField("motif de la suspension", blank=True)
    echecs = models.PositiveSmallIntegerField("échecs de suite", default=0)
    prochaine_tentative = models.DateTimeField("prochaine tentative", default=timezone.now)
    jeton = models.UUIDField(null=True, editable=False)

    objects = AbonnementQuerySet.as_manager()

    class Meta:
        verbose_name = "abonnement"
        indexes = [
            models.Index(fields=["prochaine_tentative"], name="abonnement_a_servir", condition=Q(suspendu_le=None))
        ]
        constraints = [
            models.CheckConstraint(
                name="abonnement_suspension_expliquee",
                condition=Q(suspendu_le__isnull=True, suspendu_par__isnull=True, motif="")
                | (Q(suspendu_le__isnull=False) & ~Q(motif="")),
            ),
            models.CheckConstraint(name="abonnement_d_un_type", condition=~Q(types=[])),
            models.CheckConstraint(
                name="abonnement_ancien_sel_borne",
                condition=Q(ancien_sel="", ancien_jusqu_a__isnull=True)
                | (~Q(ancien_sel="") & Q(ancien_jusqu_a__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"abonnement {self.pk} à {self.adresse}"


class Livraison(models.Model):
    """One message to a subscriber, as it leaves: up to a hundred changes, or none for a trial. Sent in the order of
    ``id`` within a subscription, each until the receiver has said 2xx. ``identifiant`` is what he recognises it by."""

    identifiant = models.UUIDField("identifiant", unique=True, default=uuid.uuid4)
    abonnement = models.ForeignKey(Abonnement, models.PROTECT, related_name="livraisons")
    nombre = models.PositiveSmallIntegerField("changements")
    premier = models.BigIntegerField("premier rang", null=True)
    dernier = models.BigIntegerField("dernier rang", null=True)
    corps = models.TextField("corps")
    rejoue = models.ForeignKey("self", models.SET_NULL, null=True, related_name="rejeux")
    cree_le = models.DateTimeField("créée le", default=timezone.now)
    livree_le = models.DateTimeField("livrée le", null=True)

    class Meta:
        verbose_name = "livraison"
        indexes = [
            models.Index(fields=["abonnement", "-id"], name="livraison_abonnement"),
            models.Index(fields=["abonnement", "id"], name="livraison_a_faire", condition=Q(livree_le=None)),
            models.Index(fields=["livree_le"], name="livraison_a_purger", condition=Q(livree_le__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(
                name="livraison_rangs_ssi_changements",
                condition=Q(nombre=0, premier__isnull=True, dernier__isnull=True)
                | Q(nombre__gt=0, premier__isnull=False, dernier__gte=models.F("premier")),
            )
        ]
        triggers = [pgtrigger.ReadOnly(name="livraison_figee", exclude=["livree_le", "rejoue"])]

    def __str__(self) -> str:
        return str(self.identifiant)


class TentativeLivraison(models.Model):
    """What came of one try: the status of the answer and its beginning, or why there was none."""

    livraison = models.ForeignKey(Livraison, models.CASCADE, related_name="tentatives")
    faite_le = models.DateTimeField("faite le", default=timezone.now)
    duree_ms = models.PositiveIntegerField("durée (ms)")
    statut = models.PositiveSmallIntegerField("statut", null=True)
    erreur = models.CharField("erreur", max_length=300, blank=True)
    reponse = models.TextField("début de la réponse", blank=True)

    class Meta:
        verbose_name = "tentative de livraison"
        constraints = [
            models.CheckConstraint(
                name="tentative_repondue_ou_expliquee", condition=Q(statut__isnull=False) | ~Q(erreur="")
            )
        ]
        triggers = [pgtrigger.Protect(name="tentative_immuable", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"tentative du {self.faite_le:%Y-%m-%d %H:%M:%S}"
