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

from .delais import echeance, rappel
from .domaine import taches
from .domaine.mouvement import mouvement_de
from .enums import Issue


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

    Arms two timers of the flow: the reminder before the due date and the escalation after it.
    """

    activation_class = ActivationTache

    def __init__(self, titre: str, *, rappel: Any, escalade: Any) -> None:
        super().__init__(None)
        self.Annotation(title=titre)
        self.OnTimeout(_moment_du_rappel, rappel, interrupting=False, title="Rappel")
        self.OnTimeout(_moment_de_l_escalade, escalade, interrupting=False, title="Retard")


def _moment_du_rappel(activation: Any) -> datetime:
    return rappel(activation.flow_task._attached_to.name, timezone.now())


def _moment_de_l_escalade(activation: Any) -> datetime:
    return echeance(activation.flow_task._attached_to.name, timezone.now())


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
