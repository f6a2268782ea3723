"""Nomenclatures (NOS), what they imply for each other, and the official list of communes (COG)."""

from datetime import date

import pghistory
import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q

from ..enums import ChampEG, Filiere, NatureConcept


def _expose(champ: str) -> pgtrigger.Trigger:
    """Consumers read this column with the codes of every fiche: a change marks them all (exposition.AExposer)."""
    return pgtrigger.Trigger(
        name=f"expose_{champ}",
        when=pgtrigger.After,
        operation=pgtrigger.UpdateOf(champ),
        condition=pgtrigger.Condition(f"OLD.{champ} IS DISTINCT FROM NEW.{champ}"),
        func="INSERT INTO structures_aexposer (fiche_id) VALUES (NULL); RETURN NULL;",
    )


@pghistory.track()
class Nomenclature(models.Model):
    """A code list, known here by its national number (« R211 »). ``url`` is its FHIR code system.

    Two official files feed it: the one that makes its codes (``nom``, ``version``), and another that completes them
    (``complement``): the value set of the ROR, whose labels win over those of a terminology, or for a list that is a
    value set itself (J238) its terminology, which dates the codes.
    """

    code = models.CharField("code", max_length=20, primary_key=True)
    nom = models.CharField("nom officiel", max_length=120)
    libelle = models.CharField("libellé", max_length=200)
    url = models.CharField("système (URL)", max_length=300, blank=True)
    oid = models.CharField("OID", max_length=100, blank=True)
    version = models.CharField("version", max_length=40, blank=True)
    complement = models.CharField("complétée par", max_length=120, blank=True)
    version_complement = models.CharField("version du complément", max_length=40, blank=True)

    class Meta:
        ordering = ["code"]
        verbose_name = "nomenclature"
        triggers = [_expose("url")]

    def __str__(self) -> str:
        return f"{self.code} {self.libelle}"


class ConceptQuerySet(models.QuerySet["Concept"]):
    def ouverts(self, jour: date) -> "ConceptQuerySet":
        """Codes that can be newly chosen on that day."""
        return self.filter(Q(date_fin__isnull=True) | Q(date_fin__gt=jour))


@pghistory.track()
class Concept(models.Model):
    """One code of a list. A closed code (``date_fin`` reached) stays readable where it is held (domain.md §3).

    ``du_jeu``: the label is that of the ROR value set, and no terminology changes it. ``remplace_par``: the code of
    the same list that the official file proposes instead of a closed one, "" for most.
    """

    nomenclature = models.ForeignKey(Nomenclature, models.PROTECT, related_name="concepts")
    code = models.CharField("code", max_length=40)
    libelle = models.CharField("libellé", max_length=400)
    date_debut = models.DateField("début de validité", null=True, blank=True)
    date_fin = models.DateField("fin de validité", null=True, blank=True)
    du_jeu = models.BooleanField("libellé du jeu de valeurs", default=False)
    remplace_par = models.CharField("remplacé par", max_length=40, blank=True, default="")

    objects = ConceptQuerySet.as_manager()

    class Meta:
        ordering = ["nomenclature", "code"]
        verbose_name = "concept"
        constraints = [
            models.UniqueConstraint(fields=["nomenclature", "code"], name="concept_unique"),
            models.CheckConstraint(
                condition=Q(date_fin__isnull=True)
                | Q(date_debut__isnull=True)
                | Q(date_fin__gte=models.F("date_debut")),
                name="concept_fin_apres_debut",
            ),
        ]
        triggers = [_expose("libelle")]

    def __str__(self) -> str:
        return f"{self.code} {self.libelle}"


@pghistory.track()
class Association(models.Model):
    """What one concept implies for another. Type → champ is derived, not official; famille → activité is ASS_A14."""

    nature = models.CharField("nature", max_length=20, choices=NatureConcept)
    source = models.ForeignKey(Concept, models.PROTECT, related_name="associations")
    cible = models.ForeignKey(Concept, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["nature", "source"]
        constraints = [models.UniqueConstraint(fields=["nature", "source", "cible"], name="association_unique")]

    def __str__(self) -> str:
        return f"{self.source_id} → {self.cible_id}"


@pghistory.track()
class RegleCategorie(models.Model):
    """What the FINESS category of an establishment implies: champ, filière, and for handicap the kinds of
    authority that approve by default (« ARS », « CD »), resolved to the authority of the département."""

    categorie = models.CharField("catégorie (R66)", max_length=4, primary_key=True)
    champ = models.CharField("champ", max_length=20, choices=ChampEG)
    filiere = models.CharField("filière", max_length=10, choices=Filiere)
    autorites = ArrayField(models.CharField(max_length=4), verbose_name="types d’autorité", default=list, blank=True)

    class Meta:
        ordering = ["categorie"]
        verbose_name = "règle de catégorie"
        verbose_name_plural = "règles de catégorie"

    def __str__(self) -> str:
        return self.categorie


@pghistory.track()
class RegleTarification(models.Model):
    """Kinds of authority that a mode of tarification (R74) implies (domain.md §6)."""

    mode = models.CharField("mode de tarification (R74)", max_length=4, primary_key=True)
    autorites = ArrayField(models.CharField(max_length=4), verbose_name="types d’autorité", default=list, blank=True)

    class Meta:
        ordering = ["mode"]
        verbose_name = "règle de tarification"
        verbose_name_plural = "règles de tarification"

    def __str__(self) -> str:
        return self.mode


class Departement(models.Model):
    code = models.CharField("code", max_length=3, primary_key=True)
    nom = models.CharField("nom", max_length=60)
    region = models.CharField("région", max_length=3)

    class Meta:
        ordering = ["code"]
        verbose_name = "département"

    def __str__(self) -> str:
        return f"{self.nom} ({self.code})"


class CommuneQuerySet(models.QuerySet["Commune"]):
    def actuelles(self) -> "CommuneQuerySet":
        """Those that still exist: the only ones that can be newly chosen."""
        return self.filter(date_fin__isnull=True)


class Commune(models.Model):
    """A commune or an arrondissement municipal of the COG. 1,441 names are shared: show ``libelle``.

    One that is no more (``date_fin``: the first day without it) stays readable where a past version holds it;
    ``devenue`` is the code that took over all of it, "" when it was split or nobody knows.
    """

    code = models.CharField("code INSEE", max_length=5, primary_key=True)
    nom = models.CharField("nom", max_length=100)
    type = models.CharField("type", max_length=30)
    departement = models.CharField("département", max_length=3)
    region = models.CharField("région", max_length=3, blank=True)
    codes_postaux = ArrayField(models.CharField(max_length=5), verbose_name="codes postaux", default=list, blank=True)
    epci = models.CharField("EPCI", max_length=9, blank=True)
    epci_nom = models.CharField("nom de l’EPCI", max_length=150, blank=True)
    population = models.PositiveIntegerField("population", null=True, blank=True)
    date_fin = models.DateField("fin", null=True, blank=True)
    devenue = models.CharField("devenue", max_length=5, blank=True, default="")
    recherche = models.CharField("texte de recherche", max_length=200, editable=False)

    objects = CommuneQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        indexes = [
            GinIndex(OpClass(models.F("recherche"), name="gin_trgm_ops"), name="commune_recherche"),
            models.Index(fields=["departement"], name="commune_departement"),
        ]
        triggers = [_expose("nom")]

    def __str__(self) -> str:
        return self.libelle

    @property
    def libelle(self) -> str:
        return f"{self.nom} ({self.departement})"
