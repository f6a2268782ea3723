"""The only subclasses of viewflow nodes: a human task that keeps its own row and writes its mails when it is
created, and the split that gives one task to each authority."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils import timezone
from viewflow.workflow import flow
from viewflow.workflow.activation import Activation
from viewflow.workflow.nodes.split import SplitActivation
from viewflow.workflow.nodes.view import ViewActivation
from viewflow.workflow.token import Token

from .delais import rappel, rappel_de_correction, recours
from .domaine import taches
from .domaine.mouvement import mouvement_de
from .enums import Issue
from .models import Tache as Suivi


class ActivationTache(ViewActivation):
    @classmethod
    def create(cls, flow_task: Any, prev_activation: Any, token: Any, data: Any = None, seed: Any = None) -> Any:
        activation = super().create(flow_task, prev_activation, token, data=data, seed=seed)
        courant = mouvement_de(activation.process)
        taches.ouvrir(activation.task, courant.dossier, courant.acteur, activation.task.data.get("autorite"))
        return activation

    @Activation.status.super()
    def complete(self) -> None:
        super().complete.original()
        courant = mouvement_de(self.process)
        taches.fermer(self.task, courant.acteur, courant.issue)

    @Activation.status.super()
    def cancel(self) -> None:
        super().cancel.original()
        taches.fermer(self.task, mouvement_de(self.process).acteur, Issue.ANNULE)


class Tache(flow.View):
    """A human step. Its words, its people and its delay come from ``enums.ETAPES`` and the settings.

    Arms three timers of the flow: the reminder before the due date, and the escalation after it, in two levels.
    """

    activation_class = ActivationTache

    def __init__(self, titre: str, *, rappel: Any, escalade: Any, recours: Any) -> None:
        super().__init__(None)
        self.Annotation(title=titre)
        self.OnTimeout(_moment_du_rappel, rappel, interrupting=False, title="Rappel")
        self.OnTimeout(_moment_de_l_escalade, escalade, interrupting=False, title="Retard")
        self.OnTimeout(_moment_du_recours, recours, interrupting=False, title="Retard qui dure")


def _echeance(activation: Any) -> datetime:
    """Of the task that this timer watches over: ``taches.ouvrir`` has just written it."""
    limite: datetime = Suivi.objects.values_list("echeance", flat=True).get(tache__leading=activation.task)
    return limite


def _moment_du_rappel(activation: Any) -> datetime:
    maintenant = timezone.now()
    moment = rappel(_echeance(activation), maintenant)
    en_correction = mouvement_de(activation.process).dossier.en_correction
    return min(moment, rappel_de_correction(maintenant)) if en_correction else moment


def _moment_de_l_escalade(activation: Any) -> datetime:
    return _echeance(activation)


def _moment_du_recours(activation: Any) -> datetime:
    return recours(_echeance(activation))


class ActivationParAutorite(SplitActivation):
    @Activation.status.super()
    def create_next(self) -> Iterator[Any]:
        jetons = Token.split_token_source(self.task.token, self.task.pk)
        suivant, _ = self.next_tasks[0]
        for code in mouvement_de(self.process).dossier.autorites:
            yield suivant._create(prev_activation=self, token=next(jetons), data={"autorite": code})


class ParAutorite(flow.Split):
    """One task of the next node for each authority of the dossier."""

    activation_class = ActivationParAutorite
