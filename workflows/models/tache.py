"""What the product knows of a human task beside viewflow's row: whose it is, and by when."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from viewflow.workflow.models import Task

from structures.enums import Filiere

from ..enums import ETAPES, Etape, Issue
from .dossier import Dossier

# Orders of the inbox beside the due date: column → name of the index of the open tasks in this order.
_ORDRES = {
    "creee_le": "tache_ouverte_age",
    "noeud": "tache_ouverte_etape",
    "lieu": "tache_ouverte_lieu",
    "departement": "tache_ouverte_dept",
    "filiere": "tache_ouverte_filiere",
    "expediteur": "tache_ouverte_exped",
    "changements": "tache_ouverte_taille",
}

# How a task ends when somebody dealt with it: what ``workflows.durees`` counts.
TRANCHEES = (
    Issue.FINALISE, Issue.ENVOYE, Issue.VALIDE, Issue.AFFECTE, Issue.APPROUVE, Issue.RENVOYE, Issue.REFUSE,
)  # fmt: skip


class Tache(models.Model):
    """A human task, open until ``close_le``. Its number is that of the viewflow task, which holds the owner.

    ``autorite`` is set on ``approbation_tutelle`` only. ``sans_acteur``: nobody could do it when it was created,
    an incident that the gestionnaires see (domain.md §6). ``restait``: what was left of its delay when the dossier went
    back for correction, the clock having stopped since; null when the delay is whole.

    ``lieu`` to ``attentions`` are what the inbox sorts and filters by, as things were when it opened
    (``domaine.classement``): ``expediteur`` is the author of a draft, whose ``changements`` are 0.
    """

    tache = models.OneToOneField(Task, models.PROTECT, primary_key=True, related_name="suivi")
    dossier = models.ForeignKey(Dossier, models.PROTECT, related_name="taches")
    eg = models.ForeignKey("structures.Fiche", models.PROTECT, related_name="+")
    noeud = models.CharField("étape", max_length=40)
    autorite = models.ForeignKey("structures.Autorite", models.PROTECT, null=True, related_name="+")
    creee_le = models.DateTimeField("créée le", default=timezone.now)
    echeance = models.DateTimeField("échéance")
    restait = models.PositiveSmallIntegerField("jours ouvrés qui restaient", null=True)
    sans_acteur = models.BooleanField("sans acteur", default=False)
    lieu = models.CharField("établissement, pour le tri", max_length=150, blank=True)
    departement = models.CharField("département", max_length=3, blank=True)
    filiere = models.CharField("filière", max_length=10, choices=Filiere, blank=True)
    expediteur = models.CharField("expéditeur, pour le tri", max_length=150, blank=True)
    changements = models.PositiveIntegerField("fiches touchées", default=0)
    attentions = ArrayField(models.CharField(max_length=20), verbose_name="marques d’attention", default=list)
    close_le = models.DateTimeField("close le", null=True)
    close_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    issue = models.CharField("issue", max_length=20, choices=Issue, blank=True)

    class Meta:
        ordering = ["echeance", "pk"]
        indexes = [
            models.Index(fields=["noeud", "eg"], name="tache_ouverte_eg", condition=Q(close_le__isnull=True)),
            models.Index(
                fields=["echeance", "tache"], name="tache_ouverte_echeance", condition=Q(close_le__isnull=True)
            ),
            *(
                models.Index(fields=[colonne, "tache"], name=nom, condition=Q(close_le__isnull=True))
                for colonne, nom in _ORDRES.items()
            ),
            models.Index(
                Coalesce(F("autorite"), Value("")),
                F("tache"),
                name="tache_ouverte_autorites",
                condition=Q(close_le__isnull=True),
            ),
            GinIndex(fields=["attentions"], name="tache_ouverte_marques", condition=Q(close_le__isnull=True)),
            models.Index(
                fields=["autorite"],
                name="tache_ouverte_autorite",
                condition=Q(close_le__isnull=True, autorite__isnull=False),
            ),
            models.Index(fields=["close_par", "close_le"], name="tache_close_par", condition=Q(close_le__isnull=False)),
            models.Index(
                fields=["noeud", "autorite", "-close_le"], name="tache_durees", condition=Q(issue__in=TRANCHEES)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(close_le__isnull=True, issue="") | (Q(close_le__isnull=False) & ~Q(issue="")),
                name="tache_close_avec_issue",
            ),
            models.CheckConstraint(
                condition=Q(noeud="approbation_tutelle", autorite__isnull=False)
                | (~Q(noeud="approbation_tutelle") & Q(autorite__isnull=True)),
                name="tache_autorite_si_tutelle",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.noeud} {self.pk}"

    @property
    def etape(self) -> Etape:
        return ETAPES[self.noeud]

    @property
    def suspension(self) -> str:
        """What the clock that stopped left, in words; nothing for a whole delay or a task that is done."""
        if self.restait is None or self.close_le is not None:
            return ""
        reste = f"il restait {self.restait} jour{'s' if self.restait > 1 else ''}"
        minimum = settings.REPRISE_JOURS_MINIMUM
        return f"délai suspendu pendant la correction : {reste}" + (
            f", porté à {minimum}" if self.restait < minimum else ""
        )

    @property
    def en_retard(self) -> bool:
        return self.close_le is None and self.echeance < timezone.now()
