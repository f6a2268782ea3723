"""What the search derives from the register."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models

from .fiche import Fiche


class IndexEG(models.Model):
    """Every word and code under which an establishment was, is or will be found: where a search starts.

    Without time, hence more than true on any one day: the search asks the versions of the day about what it finds
    here. Derived, only added to, by structures/domaine/indexer.py with the versions.
    """

    eg = models.OneToOneField(Fiche, models.PROTECT, primary_key=True, related_name="index")
    texte = models.TextField("mots")  # each between spaces, as domaine.texte.normaliser writes them
    codes = ArrayField(models.CharField(max_length=50), verbose_name="codes")  # « R211/013 », « J238/149 », « D/75 »

    class Meta:
        indexes = [
            GinIndex(OpClass(models.F("texte"), name="gin_trgm_ops"), name="index_eg_texte"),
            GinIndex(fields=["codes"], name="index_eg_codes"),
        ]

    def __str__(self) -> str:
        return f"index de l’établissement {self.eg_id}"


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
