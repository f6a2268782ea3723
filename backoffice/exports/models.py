"""Exports prepared in the background."""

from django.db import models
from django.db.models import Q

from backoffice.comptes.models import User

from .fichiers import FORMATS


class EtatExport(models.TextChoices):
    EN_ATTENTE = "en_attente", "En attente"
    EN_COURS = "en_cours", "En cours"
    PRET = "pret", "Prêt"
    ANNULE = "annule", "Annulé"
    ECHEC = "echec", "Non préparé"


OUVERTS = (EtatExport.EN_ATTENTE, EtatExport.EN_COURS)


class ExportDemande(models.Model):
    """A list that somebody asked to have as a file: ``requete`` is the address of the list, with its filters.

    ``jeton`` names the worker that prepares it, ``battement`` when it was last at it: one that is silent has died, and
    another takes over with a jeton of its own. Deleted, with its file, at ``expire_le``.
    """

    auteur = models.ForeignKey(User, models.PROTECT, related_name="exports")
    nom = models.CharField(max_length=60)
    titre = models.CharField(max_length=200)
    requete = models.CharField(max_length=4000, blank=True)
    forme = models.CharField(max_length=5, choices=[(f, f.upper()) for f in FORMATS])
    etat = models.CharField(max_length=10, choices=EtatExport.choices, default=EtatExport.EN_ATTENTE)
    demande_le = models.DateTimeField(auto_now_add=True)
    lignes = models.PositiveIntegerField(default=0, help_text="Written so far, without the names of the columns.")
    total = models.PositiveIntegerField(null=True)
    jeton = models.UUIDField(null=True)
    battement = models.DateTimeField(null=True)
    essais = models.PositiveSmallIntegerField(default=0)
    fini_le = models.DateTimeField(null=True)
    expire_le = models.DateTimeField(null=True, db_index=True)
    fichier = models.CharField(max_length=200, blank=True, help_text="Name of the file.")
    taille = models.BigIntegerField(null=True, help_text="Bytes of the file.")
    raison = models.TextField(blank=True, help_text="Why there is no file.")

    class Meta:
        verbose_name = "export demandé"
        verbose_name_plural = "exports demandés"
        indexes = [models.Index(fields=["auteur", "-id"], name="exports_de")]
        constraints = [
            models.UniqueConstraint(
                fields=["auteur", "nom", "requete", "forme"],
                condition=Q(etat__in=OUVERTS),
                name="un_seul_export_ouvert",
                violation_error_message="Cet export est déjà en préparation.",
            ),
            models.CheckConstraint(
                condition=Q(etat__in=OUVERTS, fini_le__isnull=True, expire_le__isnull=True)
                | Q(fini_le__isnull=False, expire_le__isnull=False),
                name="export_fini_expire",
            ),
            models.CheckConstraint(
                condition=Q(etat=EtatExport.PRET, taille__isnull=False) | ~Q(etat=EtatExport.PRET) & Q(taille=None),
                name="export_pret_a_un_fichier",
            ),
        ]


class Morceau(models.Model):
    """A piece of a file, in order; pieces, so that nobody holds a whole file in memory."""

    demande = models.ForeignKey(ExportDemande, models.CASCADE, related_name="morceaux")
    rang = models.PositiveIntegerField()
    contenu = models.BinaryField()

    class Meta:
        verbose_name = "morceau d’export"
        verbose_name_plural = "morceaux d’exports"
        constraints = [models.UniqueConstraint(fields=["demande", "rang"], name="morceau_a_son_rang")]
