"""Bulk exports: what a consumer asked for, how far it is, and its files until they expire."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from ..enums import EtatExportFhir
from .consommateurs import Consommateur


class ExportFhir(models.Model):
    """A ``$export``. ``profil`` and ``types`` are what the consumer could read when he asked.

    ``jeton`` names the worker that writes it, ``bail`` the end of its lease: a killed one's work is done again from
    the start. Files are served once the whole is ready, never before. Cancelled or expired, the row is deleted.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    consommateur = models.ForeignKey(Consommateur, models.CASCADE, related_name="exports")
    requete = models.TextField("requête")
    profil = models.PositiveSmallIntegerField("profil d’accès")
    types = ArrayField(models.CharField(max_length=20), verbose_name="types de ressources")
    depuis = models.DateTimeField("depuis", null=True)
    demande_le = models.DateTimeField("demandé le", default=timezone.now)
    etat = models.CharField("état", max_length=10, choices=EtatExportFhir, default=EtatExportFhir.DEMANDE)
    tentatives = models.PositiveSmallIntegerField("tentatives", default=0)
    jeton = models.UUIDField(null=True, editable=False)
    bail = models.DateTimeField("bail", null=True)
    total = models.PositiveIntegerField("ressources à écrire", default=0)
    ecrites = models.PositiveIntegerField("ressources écrites", default=0)
    arrete_le = models.DateTimeField("état du répertoire au", null=True)
    termine_le = models.DateTimeField("terminé le", null=True)

    class Meta:
        verbose_name = "export FHIR"
        indexes = [
            models.Index(fields=["consommateur", "demande_le"], name="export_fhir_consommateur"),
            models.Index(fields=["demande_le"], name="export_fhir_demande_le"),
        ]
        constraints = [
            models.CheckConstraint(name="export_fhir_etat_connu", condition=Q(etat__in=EtatExportFhir.values)),
            models.CheckConstraint(
                name="export_fhir_pris_ssi_en_cours",
                condition=Q(etat=EtatExportFhir.EN_COURS, jeton__isnull=False, bail__isnull=False)
                | (~Q(etat=EtatExportFhir.EN_COURS) & Q(jeton__isnull=True, bail__isnull=True)),
            ),
            models.CheckConstraint(
                name="export_fhir_fini_ssi_date",
                condition=Q(etat__in=[EtatExportFhir.PRET, EtatExportFhir.ECHEC], termine_le__isnull=False)
                | Q(etat__in=[EtatExportFhir.DEMANDE, EtatExportFhir.EN_COURS], termine_le__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class FichierExport(models.Model):
    """One NDJSON file, gzipped. ``type`` is empty for the deletions (Bundles)."""

    export = models.ForeignKey(ExportFhir, models.CASCADE, related_name="fichiers", db_index=False)
    rang = models.PositiveSmallIntegerField("rang")
    type = models.CharField("type", max_length=20, blank=True)
    nombre = models.PositiveIntegerField("lignes")
    contenu = models.BinaryField("contenu")

    class Meta:
        verbose_name = "fichier d’un export FHIR"
        constraints = [models.UniqueConstraint(fields=["export", "rang"], name="fichier_export_unique")]

    def __str__(self) -> str:
        return f"{self.rang}-{self.type or 'suppressions'}"
