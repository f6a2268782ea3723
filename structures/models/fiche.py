"""The register: identities, modifications (the truth) and versions (their fold). See docs/architecture.md."""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import connection, models
from django.db.models import Q
from django.utils import timezone

from ..enums import NIVEAUX_PARENTS, Niveau, Source


def prochains_identifiants(nombre: int) -> list[str]:
    """``nombre`` new permanent identifiers such as « 11/0000123 », in one statement. Never given twice."""
    with connection.cursor() as curseur:
        curseur.execute("SELECT nextval('structures_identifiant') FROM generate_series(1, %s)", [nombre])
        return [f"{settings.PREFIXE_REGION}/{numero:07d}" for (numero,) in curseur.fetchall()]


class Fiche(models.Model):
    """Who: level, permanent identifier and establishment of one node of the tree. Never updated.

    ``eg`` is the EG that the fiche belongs to, itself for an EG, null for an EJ. Identifiers: « 1 » + FINESS for
    EJ and EG, region prefix + number below (domain.md §2). Content is in ``VersionFiche``.
    """

    niveau = models.CharField("niveau", max_length=2, choices=Niveau)
    identifiant = models.CharField("identifiant", max_length=12, unique=True)
    eg = models.ForeignKey("self", models.PROTECT, null=True, related_name="fiches", verbose_name="établissement")
    creee_le = models.DateTimeField("créée le", default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["id", "niveau"], name="fiche_niveau"),
            models.UniqueConstraint(fields=["id", "niveau", "eg"], name="fiche_identite"),
            models.CheckConstraint(
                condition=Q(niveau=Niveau.EJ, eg__isnull=True)
                | Q(niveau=Niveau.EG, eg=models.F("id"))
                | Q(niveau__in=[Niveau.POLE, Niveau.SERVICE, Niveau.UF, Niveau.UO], eg__isnull=False),
                name="fiche_eg_selon_niveau",
            ),
        ]
        indexes = [models.Index(fields=["eg", "niveau"], name="fiche_eg_niveau")]
        triggers = [
            pgtrigger.ReadOnly(name="identite_immuable", fields=["niveau", "identifiant", "eg"]),
        ]

    def __str__(self) -> str:
        return f"{self.niveau} {self.identifiant}"


class ModificationQuerySet(models.QuerySet["Modification"]):
    def vivantes(self) -> "ModificationQuerySet":
        return self.filter(annulee_le__isnull=True)


class Modification(models.Model):
    """What changed: a patch that is true from ``date_effet`` on (shapes: structures/domaine/patches.py).

    Append-only: the database refuses delete, and any update but the cancellation, once. The order of entry
    within a fiche is the order of ``id``, because writers hold the lock of the fiche.
    """

    fiche = models.ForeignKey(Fiche, models.PROTECT, related_name="modifications")
    date_effet = models.DateField("date d’effet")
    patch = models.JSONField("changements")
    source = models.CharField("source", max_length=10, choices=Source)
    origine = models.CharField("origine", max_length=100, blank=True)  # « dossier 12 », « FINESS 2021-01-08 »
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    motif = models.TextField("motif", blank=True)
    saisie_le = models.DateTimeField("saisie le", default=timezone.now)
    annulee_le = models.DateTimeField("annulée le", null=True)
    annulee_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    # A planned change entered again otherwise: the old one is cancelled. A past one undone: the old one stays.
    remplace = models.ForeignKey("self", models.PROTECT, null=True, related_name="+", db_index=False)
    inverse = models.ForeignKey("self", models.PROTECT, null=True, related_name="+", db_index=False)

    objects = ModificationQuerySet.as_manager()

    class Meta:
        ordering = ["date_effet", "id"]
        indexes = [
            models.Index(fields=["fiche", "date_effet", "id"], name="modification_fiche"),
            models.Index(fields=["saisie_le"], name="modification_saisie"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(annulee_le__isnull=True, annulee_par__isnull=True)
                | Q(annulee_le__isnull=False, annulee_par__isnull=False),
                name="modification_annulation_signee",
            ),
            models.CheckConstraint(
                condition=~Q(source=Source.DIRECT) | Q(auteur__isnull=False), name="modification_directe_signee"
            ),
            models.UniqueConstraint(
                fields=["remplace"], condition=Q(remplace__isnull=False), name="modification_remplacee_une_fois"
            ),
            models.UniqueConstraint(
                fields=["inverse"],
                condition=Q(inverse__isnull=False, annulee_le__isnull=True),
                name="modification_defaite_une_fois",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="contenu_immuable", exclude=["annulee_le", "annulee_par"]),
            pgtrigger.Protect(
                name="annulee_une_fois",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.annulee_le IS NOT NULL"),
            ),
        ]

    def __str__(self) -> str:
        return f"modification {self.pk} de la fiche {self.fiche_id}"


def _texte(libelle: str, longueur: int) -> models.CharField:
    return models.CharField(libelle, max_length=longueur, blank=True, default="")


def _code(libelle: str) -> models.CharField:
    return models.CharField(libelle, max_length=40, blank=True, default="")


def _codes(libelle: str, longueur: int = 40) -> ArrayField:
    return ArrayField(models.CharField(max_length=longueur), verbose_name=libelle, default=list, blank=True)


class VersionFiche(models.Model):
    """What is true when: the content of a fiche over ``validite`` = [du, au). Derived from the modifications.

    Written by structures/domaine/enregistrer.py only, one column a field of the catalogue. ``niveau``, ``eg`` and
    ``parent_niveau`` repeat identities so that a composite foreign key and a check hold the legal parents.
    """

    # db_constraint=False: the composite foreign keys of migration 0001 hold these three references.
    fiche = models.ForeignKey(Fiche, models.PROTECT, related_name="versions", db_constraint=False)
    niveau = models.CharField("niveau", max_length=2, choices=Niveau)
    eg = models.ForeignKey(Fiche, models.PROTECT, null=True, related_name="versions_eg", db_constraint=False)
    parent = models.ForeignKey(Fiche, models.PROTECT, null=True, related_name="versions_enfants", db_constraint=False)
    # null, not "": the composite foreign key must not look for a parent that is not there
    parent_niveau = models.CharField("niveau du parent", max_length=2, null=True, choices=Niveau)  # noqa: DJ001
    validite = DateRangeField("validité")
    modification = models.ForeignKey(Modification, models.PROTECT, related_name="versions")
    recherche = models.TextField("texte de recherche", default="", editable=False)

    nom = _texte("nom", 255)
    nom_operationnel = _texte("nom opérationnel", 255)
    finess = _texte("FINESS", 9)
    siren = _texte("SIREN", 9)
    siret = _texte("SIRET", 14)
    statut_juridique = _code("statut juridique")
    categorie = _code("catégorie")
    participation_sph = _code("participation au SPH")
    code_interne = _texte("code interne", 64)
    adresse_voie = _texte("voie", 255)
    adresse_complement = _texte("complément d’adresse", 255)
    code_postal = _texte("code postal", 5)
    commune = _texte("commune", 5)
    latitude = models.FloatField("latitude", null=True)
    longitude = models.FloatField("longitude", null=True)
    telephone = _texte("téléphone", 20)
    accessibilite = _codes("accessibilité")
    territoire_sante = _texte("territoire de santé", 100)
    places_aide_sociale_permanentes = models.PositiveIntegerField("places permanentes", null=True)
    places_aide_sociale_temporaires = models.PositiveIntegerField("places temporaires", null=True)
    commentaire = models.TextField("commentaire", default="")
    type_uo = _code("type d’UO")
    champ_activite = _code("champ d’activité")
    mode_prise_en_charge = _code("mode de prise en charge")
    unite_sensible = models.BooleanField("unité sensible", default=False)
    activites = _codes("activités opérationnelles")
    familles_serafin = _codes("famille SERAFIN")
    actes = _codes("actes spécifiques")
    actes_hors_cabinet = _codes("actes hors cabinet")
    specialisations = _codes("spécialisations")
    modalites_accueil = _codes("modalités d’accueil")
    temporalite_accueil = _code("temporalité d’accueil")
    mode_gestion = _code("mode de gestion")
    ouverture_annuelle = _code("ouverture annuelle")
    publics = _codes("public pris en charge")
    age_min = models.PositiveIntegerField("âge minimum", null=True)
    age_min_unite = _texte("unité de l’âge minimum", 10)
    age_max = models.PositiveIntegerField("âge maximum", null=True)
    age_max_unite = _texte("unité de l’âge maximum", 10)
    conditions_admission = models.TextField("conditions d’admission", default="")
    conditions_accueil = models.TextField("conditions d’accueil", default="")
    informations_complementaires = models.TextField("informations complémentaires", default="")
    professions = _codes("professions")
    competences = _codes("compétences")
    equipements = models.JSONField("équipements", default=dict)
    capacites = models.JSONField("capacités", default=dict)
    horaires = models.JSONField("horaires", default=dict)
    contacts = models.JSONField("contacts", default=dict)
    boites_mssante = _codes("boîtes MSSanté", 254)
    territoire = _codes("territoire d’intervention", 5)
    date_ouverture = models.DateField("date d’ouverture", null=True)
    type_fermeture = _code("type de fermeture")
    date_fermeture = models.DateField("date de fermeture", null=True)
    date_reouverture = models.DateField("réouverture prévue", null=True)
    mode_tarification = _code("mode de tarification")
    autorite_regulation = _code("autorité de régulation")
    autorites = _codes("tutelles fixées", 20)

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="version_sans_chevauchement",
                expressions=[("fiche", RangeOperators.EQUAL), ("validite", RangeOperators.OVERLAPS)],
            ),
            models.CheckConstraint(condition=~Q(validite__isempty=True), name="version_validite_non_vide"),
            models.CheckConstraint(
                condition=Q(niveau=Niveau.EJ, parent__isnull=True, parent_niveau__isnull=True)
                | Q(
                    *[
                        # Said twice: a check that is NULL passes.
                        Q(niveau=niveau, parent_niveau__in=parents, parent_niveau__isnull=False, parent__isnull=False)
                        for niveau, parents in NIVEAUX_PARENTS.items()
                        if parents
                    ],
                    _connector=Q.OR,
                ),
                name="version_parent_legal",
            ),
            models.CheckConstraint(
                condition=Q(niveau=Niveau.EJ, eg__isnull=True) | (~Q(niveau=Niveau.EJ) & Q(eg__isnull=False)),
                name="version_eg_selon_niveau",
            ),
        ]
        indexes = [
            models.Index(fields=["eg", "niveau"], name="version_eg"),
            models.Index(fields=["parent"], name="version_parent", condition=Q(parent__isnull=False)),
            models.Index(fields=["finess"], name="version_finess", condition=~Q(finess="")),
            models.Index(fields=["categorie"], name="version_categorie", condition=Q(niveau=Niveau.EG)),
            models.Index(fields=["commune"], name="version_commune", condition=~Q(commune="")),
            GinIndex(OpClass(models.F("recherche"), name="gin_trgm_ops"), name="version_recherche"),
            # The list of establishments in its order, and what filters and counts them, without reading the rows.
            models.Index(
                fields=["recherche", "fiche"],
                include=["validite", "parent", "categorie", "commune", "latitude", "longitude"],
                name="version_liste",
                condition=Q(niveau=Niveau.EG),
            ),
            GinIndex(fields=["activites"], name="version_activites", condition=Q(niveau=Niveau.UO)),
            GinIndex(fields=["territoire"], name="version_territoire", condition=Q(niveau=Niveau.UO)),
        ]

    def __str__(self) -> str:
        return self.nom


class Reservation(models.Model):
    """What the register knows of the open dossier of an EG: its banner, and from the sending on a lock.

    Written by the dossiers (the register does not know them). One row an EG is also what makes a second open
    dossier impossible. ``envoye_le`` set: the fiches listed in ``FicheReservee`` refuse direct changes.
    """

    eg = models.OneToOneField(Fiche, models.PROTECT, primary_key=True, related_name="reservation")
    dossier = models.PositiveBigIntegerField("numéro du dossier", unique=True)
    nom = models.CharField("nom du dossier", max_length=150)
    etape = models.CharField("étape", max_length=80)
    ouverte_le = models.DateTimeField("ouverte le", default=timezone.now)
    envoye_le = models.DateTimeField("envoyé le", null=True)

    def __str__(self) -> str:
        return f"dossier {self.dossier} sur {self.eg_id}"


class FicheReservee(models.Model):
    """A fiche that a sent dossier changes: locked against direct changes until it returns or ends."""

    fiche = models.OneToOneField(Fiche, models.PROTECT, primary_key=True, related_name="reservee")
    reservation = models.ForeignKey(Reservation, models.CASCADE, related_name="fiches_reservees")

    def __str__(self) -> str:
        return f"fiche {self.fiche_id} réservée"
