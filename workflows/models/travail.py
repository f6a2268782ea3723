"""Working together on a draft: gestures that can be taken back, who is where, what a file proposes."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from .dossier import Dossier
from .journal import Evenement


class Geste(models.Model):
    """One gesture on the fiches of a draft, and what is needed to take it back.

    ``avant``: by fiche id, the working copy before (``travaux.photo``: content, state, number, author and time of its
    last save) or null when there was none.
    ``apres``: by fiche id, the number of the save that the gesture made, or null when it removed the working copy.
    A gesture can be taken back while each of its fiches still stands at that number.
    """

    evenement = models.OneToOneField(Evenement, models.PROTECT, primary_key=True, related_name="geste")
    dossier = models.ForeignKey(Dossier, models.PROTECT, related_name="gestes")
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    avant = models.JSONField("avant")
    apres = models.JSONField("après")
    annule_le = models.DateTimeField("annulé le", null=True)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["dossier", "auteur", "evenement"], name="geste_dossier")]

    def __str__(self) -> str:
        return f"geste {self.pk}"


class Presence(models.Model):
    """Who has a dossier open, on which fiche, when last heard of. Not history: rows are overwritten."""

    dossier = models.ForeignKey(Dossier, models.CASCADE, related_name="presences")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    fiche = models.ForeignKey("structures.Fiche", models.CASCADE, null=True, related_name="+")
    vu_le = models.DateTimeField("vu le", default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dossier", "user"], name="presence_unique")]

    def __str__(self) -> str:
        return f"{self.user_id} dans le dossier {self.dossier_id}"


class Proposition(models.Model):
    """What an uploaded file would change in a draft, read and checked but not applied until its author confirms.

    ``lignes``: one JSON object a row that changes something (``workflows.domaine.fichier``).
    """

    dossier = models.ForeignKey(Dossier, models.PROTECT, related_name="propositions")
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    fichier = models.CharField("nom du fichier", max_length=200)
    lignes = models.JSONField("lignes")
    le = models.DateTimeField("le", default=timezone.now)
    appliquee_le = models.DateTimeField("appliquée le", null=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.fichier
