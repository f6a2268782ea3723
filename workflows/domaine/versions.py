"""Versions of the flow, and the move of a running process from one to the next (ADR 10).

A process keeps the version that it started with and goes on under the code of today, which knows every node of the
versions before. Moving it gives it what the later versions have on the way, on the tasks that are open now.

A new version: VERSION + 1, a step in ``PAS``, the names of its nodes in tests/workflows/test_noms.py. A step is
idempotent, changes one dossier whose locks are held, and returns what it did in words, nothing when there was nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from viewflow.workflow.fields import import_flow_by_ref
from viewflow.workflow.models import Task
from viewflow.workflow.status import STATUS

from ..enums import ETAPES, TypeEvenement
from ..models import Dossier, Tache
from .creer import FLUX
from .journal import consigner
from .taches import saisir

VERSION = 2
TERMINES = (STATUS.DONE, STATUS.CANCELED, STATUS.REVIVED)


def _armer_le_recours(dossier: Dossier) -> list[str]:
    """1 → 2: each human step has a third timer, which tells the supervisor of a delay that lasts."""
    faits = []
    for tache in Tache.objects.select_related("tache").filter(dossier=dossier, close_le__isnull=True).order_by("pk"):
        hote = tache.tache
        hote.process = dossier.processus
        minuterie: Any = hote.flow_task.flow_class.instance.node(f"{tache.noeud}__timeout_3", no_obsolete=True)
        if not Task.objects.filter(flow_task=minuterie, previous=hote).exists():
            minuterie._arm(hote.flow_task.activation_class(hote))
            faits.append(f"{ETAPES[tache.noeud].titre} (tâche {tache.pk}) : recours au superviseur armé.")
    return faits


PAS: dict[int, Callable[[Dossier], list[str]]] = {1: _armer_le_recours}


@dataclass(frozen=True, slots=True)
class Passage:
    """What a migration did to one dossier, or why it left it as it was (``raison``)."""

    dossier: int
    de: int
    vers: int
    faits: list[str]
    raison: str = ""


@transaction.atomic
def migrer(*, numero: int, essai: bool = False) -> Passage:
    """Bring the process of a dossier to ``VERSION``. Doing it twice changes nothing.

    ``essai``: everything is done, then undone: the report is that of the migration itself.
    """
    dossier = saisir(numero)
    de = dossier.version_flux
    if raison := _empechement(dossier):
        return Passage(numero, de, de, [], raison)
    faits = [fait for version in range(de, VERSION) for fait in PAS[version](dossier)]
    dossier.version_flux = VERSION
    dossier.save(update_fields=["version_flux"])
    phrases = [f"De la version {de} à la version {VERSION}.", *faits]
    consigner(dossier, TypeEvenement.FLUX_MIS_A_JOUR, None, de=de, vers=VERSION, faits=phrases)
    if essai:
        transaction.set_rollback(True)
    return Passage(numero, de, VERSION, faits)


def _empechement(dossier: Dossier) -> str:
    if not dossier.est_ouvert:
        return "le dossier est terminé."
    if dossier.version_flux == VERSION:
        return "il est déjà à cette version."
    if dossier.version_flux > VERSION:
        return f"il suit la version {dossier.version_flux}, que ce code ne connaît pas."
    if perdus := sorted(noeuds_disparus(dossier.processus_id)):
        return f"il se tient sur une étape que le circuit n’a plus : {', '.join(perdus)}."
    return ""


def noeuds_disparus(processus: int | None = None) -> dict[str, int]:
    """Names of nodes that running tasks stand on and the flow no longer has, with how many. One statement."""
    flux: Any = import_flow_by_ref(FLUX)
    ouvertes = Task.objects.filter(process__flow_class=FLUX).exclude(status__in=TERMINES)
    if processus is not None:
        ouvertes = ouvertes.filter(process=processus)
    connus = [f"{FLUX}.{noeud.name}" for noeud in flux.instance.nodes()]
    perdus: dict[str, int] = {}
    for tache in ouvertes.exclude(flow_task__in=connus).only("flow_task"):
        perdus[tache.flow_task.name] = perdus.get(tache.flow_task.name, 0) + 1
    return perdus
