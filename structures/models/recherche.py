"""What the search derives from the register."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models


class Mot(models.Model):
    """A word that the register holds, and how often: what a mistyped one is corrected to.

    Derived, written again as a whole from time to time (structures/recherche/vocabulaire.py).
    """

    mot = models.CharField("mot", max_length=40, primary_key=True)
    nombre = models.PositiveIntegerField("nombre")

    class Meta:
        indexes = [GinIndex(OpClass(models.F("mot"), name="gin_trgm_ops"), name="mot_trigrammes")]

    def __str__(self) -> str:
        return self.mot
