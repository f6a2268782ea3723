"""A file that feeds the register: what was deposited, what it would change, what became of it."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from ..enums import EtatImportation, SortDetail

# Asked for, and worked by somebody: a run that is neither waits for a person, or is over.
EN_ATTENTE = (EtatImportation.A_ANALYSER, EtatImportation.A_APPLIQUER)
EN_COURS = (EtatImportation.ANALYSE, EtatImportation.APPLICATION)
FINIES = (EtatImportation.APPLIQUEE, EtatImportation.REFUSEE, EtatImportation.ABANDONNEE)


class Importation(models.Model):
    """One file from its deposit to its application. ``auteur`` is null for the command line without ``--auteur``.

    ``bilan``: sentences and counts of the last run (importations/bilan.py). ``empreinte_bilan``: digest of what that
    run would change, without what it leaves alone; an application that would do otherwise than was confirmed stops.
    ``annulation_le``: a running import is asked to stop at its next step.
    """

    genre = models.CharField("genre", max_length=30)
    fichier = models.CharField("fichier", max_length=200)
    taille = models.PositiveBigIntegerField("taille en octets")
    empreinte = models.CharField("SHA-256 du fichier", max_length=64)
    options = models.JSONField("options", default=dict)
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="importations")
    depose_le = models.DateTimeField("déposé le", default=timezone.now)
    etat = models.CharField("état", max_length=12, choices=EtatImportation, default=EtatImportation.A_ANALYSER)
    demande_le = models.DateTimeField("demandé le", default=timezone.now)  # the last analysis or application
    commence_le = models.DateTimeField("commencé le", null=True)
    annulation_le = models.DateTimeField("annulation demandée le", null=True)
    etape = models.CharField("étape", max_length=100, blank=True)
    fait = models.PositiveIntegerField("fait", default=0)
    total = models.PositiveIntegerField("total", default=0)
    message = models.TextField("message", blank=True)
    bilan = models.JSONField("bilan", default=dict)
    empreinte_bilan = models.CharField("empreinte du bilan", max_length=64, blank=True)
    confirme_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    confirme_le = models.DateTimeField("confirmé le", null=True)
    fini_le = models.DateTimeField("fini le", null=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(etat__in=FINIES, fini_le__isnull=False) | (~Q(etat__in=FINIES) & Q(fini_le__isnull=True)),
                name="importation_finie_datee",
            ),
        ]
        indexes = [
            models.Index(fields=["etat"], name="importation_active", condition=Q(etat__in=[*EN_ATTENTE, *EN_COURS])),
            models.Index(fields=["genre", "-id"], name="importation_genre"),
        ]

    def __str__(self) -> str:
        return f"import {self.pk} ({self.genre})"


class MorceauImporte(models.Model):
    """A piece of a file, a megabyte at most: no process ever holds the whole of it. Dropped once it is of no use."""

    importation = models.ForeignKey(Importation, models.CASCADE, related_name="morceaux")
    rang = models.PositiveIntegerField("rang")
    contenu = models.BinaryField("contenu")

    class Meta:
        ordering = ["importation", "rang"]
        constraints = [models.UniqueConstraint(fields=["importation", "rang"], name="morceau_rang")]

    def __str__(self) -> str:
        return f"morceau {self.rang} de l’import {self.importation_id}"


class DetailImportation(models.Model):
    """One line of the report of the last run: what the import does of one thing, or of one field of it, and why."""

    importation = models.ForeignKey(Importation, models.CASCADE, related_name="details")
    sort = models.CharField("sort", max_length=10, choices=SortDetail)
    ligne = models.PositiveIntegerField("ligne", null=True)
    colonne = models.CharField("colonne", max_length=80, blank=True)
    cle = models.CharField("clé", max_length=80, blank=True)  # FINESS number, code, login…
    nom = models.CharField("nom", max_length=255, blank=True)
    fiche = models.CharField("identifiant de la fiche", max_length=12, blank=True)
    champ = models.CharField("champ", max_length=80, blank=True)
    avant = models.TextField("avant", blank=True)
    apres = models.TextField("après", blank=True)
    raison = models.TextField("raison", blank=True)

    class Meta:
        ordering = ["importation", "pk"]
        indexes = [models.Index(fields=["importation", "sort", "id"], name="detail_importation_sort")]

    def __str__(self) -> str:
        return f"{self.get_sort_display()} {self.cle}"
