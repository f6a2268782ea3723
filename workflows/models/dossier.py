"""The dossier collaboratif: a named set of patches to one EG's tree that are not true yet (model.md)."""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django_fsm import RETURN_VALUE, FSMField, FSMModelMixin, transition
from viewflow.workflow.models import Process

from backoffice.comptes.models import User
from backoffice.socle.mots import nombre, pluriel
from structures.enums import Filiere

from ..enums import BROUILLONS, ENVOYES, OUVERTS, TERMINES, EtatDossier, EtatFiche, Nature


class Processus(Process):
    """The viewflow process of a dossier."""

    class Meta:
        proxy = True


class Dossier(FSMModelMixin, models.Model):
    """One dossier. ``etat`` says what may happen to it; the process says which task is next.

    ``filiere`` and ``autorites`` are decided at the sending and do not change while the flow runs. ``empreinte``
    is the digest of the content sent, which each decision repeats; ``changements`` and ``attentions`` are its
    size and its marks. Published but for some fiches, it says how many came back (``ecartees``) and the digest of what
    was published; they are in the dossier that is ``suite_de`` this one.
    """

    eg = models.ForeignKey("structures.Fiche", models.PROTECT, related_name="dossiers", verbose_name="établissement")
    nom = models.CharField("nom", max_length=150)
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="dossiers_crees")
    processus = models.OneToOneField(Processus, models.PROTECT, related_name="dossier")
    version_flux = models.PositiveSmallIntegerField("version du circuit")  # domaine.versions
    etat = FSMField("état", default=EtatDossier.REDACTION, choices=EtatDossier, protected=True, max_length=20)
    filiere = models.CharField("filière", max_length=10, choices=Filiere, blank=True)
    autorites = ArrayField(models.CharField(max_length=20), verbose_name="tutelles", default=list, blank=True)
    cree_le = models.DateTimeField("créé le", default=timezone.now)
    envoye_le = models.DateTimeField("envoyé le", null=True)
    envoye_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="dossiers_envoyes")
    empreinte = models.CharField("empreinte du contenu envoyé", max_length=64, blank=True)
    changements = models.PositiveIntegerField("fiches touchées à l’envoi", default=0)
    attentions = ArrayField(models.CharField(max_length=20), verbose_name="marques à l’envoi", default=list, blank=True)
    motif = models.TextField("motif du renvoi ou du refus", blank=True)
    termine_le = models.DateTimeField("terminé le", null=True)
    publie_le = models.DateTimeField("publié le", null=True)
    annule = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="annulations", verbose_name="dossier publié qu’il annule"
    )
    ecartees = models.PositiveIntegerField("fiches écartées de la publication", default=0)
    empreinte_publiee = models.CharField("empreinte du contenu publié", max_length=64, blank=True)
    suite_de = models.OneToOneField(
        "self", models.PROTECT, null=True, related_name="suite", verbose_name="dossier publié en partie dont il reprend"
    )

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["eg", "etat"], name="dossier_eg_etat")]
        constraints = [
            models.UniqueConstraint(fields=["eg"], condition=Q(etat__in=OUVERTS), name="dossier_un_ouvert_par_eg"),
            models.CheckConstraint(
                condition=Q(etat=EtatDossier.PUBLIE, publie_le__isnull=False)
                | Q(~Q(etat=EtatDossier.PUBLIE), publie_le__isnull=True),
                name="dossier_publie_le",
            ),
            models.CheckConstraint(
                condition=Q(etat__in=TERMINES, termine_le__isnull=False) | Q(etat__in=OUVERTS, termine_le__isnull=True),
                name="dossier_termine_le",
            ),
            models.CheckConstraint(
                condition=~Q(etat__in=[*ENVOYES, EtatDossier.PUBLIE, EtatDossier.REFUSE])
                | (Q(envoye_le__isnull=False, envoye_par__isnull=False) & ~Q(filiere="") & ~Q(empreinte="")),
                name="dossier_envoye_signe",
            ),
            models.CheckConstraint(condition=~Q(etat=EtatDossier.REFUSE) | ~Q(motif=""), name="dossier_refus_motive"),
            models.CheckConstraint(
                condition=Q(ecartees=0, empreinte_publiee="")
                | (Q(ecartees__gt=0, etat=EtatDossier.PUBLIE) & ~Q(empreinte_publiee="")),
                name="dossier_publie_en_partie",
            ),
        ]
        triggers = [pgtrigger.Protect(name="jamais_supprime", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.nom

    def get_etat_display(self) -> str:  # type: ignore[no-redef]
        """« Publié sauf 2 fiches » when some came back."""
        mots = EtatDossier(self.etat).label
        return f"{mots} sauf {nombre(self.ecartees)} fiche{pluriel(self.ecartees)}" if self.ecartees else mots

    @property
    def est_brouillon(self) -> bool:
        return self.etat in BROUILLONS

    @property
    def est_ouvert(self) -> bool:
        return self.etat in OUVERTS

    @property
    def en_correction(self) -> bool:
        """Sent back, and not sent again: ``motif`` says why."""
        return self.est_brouillon and bool(self.motif)

    # Transitions: sources, fields of this row, state. The verbs of workflows/domaine ask who may and call them.

    @transition(field=etat, source=EtatDossier.REDACTION, target=EtatDossier.FINALISE)
    def finaliser(self) -> None:
        pass

    @transition(field=etat, source=EtatDossier.FINALISE, target=EtatDossier.REDACTION)
    def rouvrir(self) -> None:
        pass

    @transition(
        field=etat,
        source=EtatDossier.FINALISE,
        target=RETURN_VALUE(EtatDossier.VALIDATION, EtatDossier.AFFECTATION, EtatDossier.APPROBATION),
    )
    def envoyer(self, *, par: User, filiere: str, autorites: list[str], empreinte: str) -> str:
        self.envoye_le, self.envoye_par, self.motif = timezone.now(), par, ""
        self.filiere, self.autorites, self.empreinte = filiere, autorites, empreinte
        if filiere == Filiere.SANITAIRE:
            return EtatDossier.VALIDATION
        return EtatDossier.AFFECTATION if filiere == Filiere.HANDICAP and not autorites else EtatDossier.APPROBATION

    @transition(field=etat, source=EtatDossier.VALIDATION, target=EtatDossier.APPROBATION)
    def valider(self) -> None:
        pass

    @transition(field=etat, source=EtatDossier.AFFECTATION, target=EtatDossier.APPROBATION)
    def affecter(self, autorites: list[str]) -> None:
        self.autorites = autorites

    @transition(field=etat, source=[EtatDossier.VALIDATION, EtatDossier.APPROBATION], target=EtatDossier.REDACTION)
    def renvoyer(self, motif: str) -> None:
        self.motif = motif

    @transition(field=etat, source=list(ENVOYES), target=EtatDossier.REDACTION)
    def retirer(self) -> None:
        pass

    @transition(field=etat, source=EtatDossier.APPROBATION, target=EtatDossier.REFUSE)
    def refuser(self, motif: str) -> None:
        self.motif, self.termine_le = motif, timezone.now()

    @transition(field=etat, source=list(BROUILLONS), target=EtatDossier.ABANDONNE)
    def abandonner(self) -> None:
        self.termine_le = timezone.now()

    @transition(field=etat, source=EtatDossier.APPROBATION, target=EtatDossier.PUBLIE)
    def publier(self) -> None:
        self.publie_le = self.termine_le = timezone.now()


class FicheTravail(FSMModelMixin, models.Model):
    """The working copy of a touched fiche: its patch, and for each patched field the value of the register when
    the field was first patched (``base``), which the three-way merge needs.

    ``revision`` is the number of its last save, greater than that of any save before it in any dossier; each save is
    kept in ``Revision``. A fiche that the dossier no longer changes has no row.
    """

    dossier = models.ForeignKey(Dossier, models.PROTECT, related_name="fiches")
    fiche = models.ForeignKey("structures.Fiche", models.PROTECT, related_name="travaux")
    patch = models.JSONField("changements", default=dict)
    base = models.JSONField("valeurs du répertoire au premier changement", default=dict)
    etat = FSMField("état", default=EtatFiche.EN_ATTENTE, choices=EtatFiche, protected=True, max_length=20)
    revision = models.PositiveIntegerField("révision", default=0)
    modifiee_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    modifiee_le = models.DateTimeField("modifiée le", default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["dossier", "fiche"], name="travail_unique")]

    def __str__(self) -> str:
        return f"fiche {self.fiche_id} du dossier {self.dossier_id}"

    @property
    def revisions(self) -> "models.QuerySet[Revision]":
        """Every save of the fiche in the dossier, those before the working copy was last removed included."""
        return Revision.objects.filter(dossier=self.dossier_id, fiche=self.fiche_id)

    @property
    def nature(self) -> str:
        if self.patch.get("existe") is True:
            return Nature.AJOUT
        if self.patch.get("existe") is False:
            return Nature.SUPPRESSION
        return Nature.DEPLACEMENT if "parent" in self.patch else Nature.MODIFICATION

    @property
    def rouvre(self) -> bool:
        """Publishes again a fiche that the register closed: all its content is in the patch, as for a new one."""
        return self.patch.get("existe") is True and self.base.get("existe") is False

    @property
    def est_finalisee(self) -> bool:
        return self.etat == EtatFiche.FINALISEE

    @transition(field=etat, source=list(EtatFiche), target=EtatFiche.FINALISEE)
    def finaliser(self) -> None:
        pass

    @transition(field=etat, source=list(EtatFiche), target=EtatFiche.EN_ATTENTE)
    def mettre_en_attente(self) -> None:
        pass


class Revision(models.Model):
    """One save of a fiche in a dossier: what its patch became, by whom and when. Append-only: it outlives the working
    copy, so that a gesture taken back finds the saves of the copy that it brings back."""

    dossier = models.ForeignKey(Dossier, models.PROTECT, related_name="revisions")
    fiche = models.ForeignKey("structures.Fiche", models.PROTECT, related_name="+")
    numero = models.PositiveIntegerField("numéro")
    patch = models.JSONField("changements")
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    le = models.DateTimeField("le", default=timezone.now)

    class Meta:
        ordering = ["numero"]
        constraints = [models.UniqueConstraint(fields=["dossier", "fiche", "numero"], name="revision_unique")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"révision {self.numero}"
