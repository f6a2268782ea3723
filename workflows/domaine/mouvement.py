"""Who moves a dossier right now, and the one instance of it that the verb and the flow share.

viewflow loads processes again at a join: what a verb knows (the person, the outcome, the locked dossier) would be
lost on the way to the nodes that follow. It travels here, for the time of one step of the flow.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from backoffice.comptes.models import User

from ..models import Dossier, Processus


@dataclass(frozen=True, slots=True)
class Mouvement:
    """``acteur`` None: the system. ``issue``: how the task being concluded ends."""

    dossier: Dossier
    acteur: User | None
    issue: str


_courant: ContextVar[Mouvement | None] = ContextVar("mouvement", default=None)


@contextmanager
def mouvement(dossier: Dossier, acteur: User | None, issue: str) -> Iterator[None]:
    jeton = _courant.set(Mouvement(dossier, acteur, issue))
    try:
        yield
    finally:
        _courant.reset(jeton)


def mouvement_de(processus: Processus) -> Mouvement:
    """The move under way on this process; outside of one (a timer) the dossier is read and nobody acts."""
    courant = _courant.get()
    if courant is not None and courant.dossier.processus_id == processus.pk:
        return courant
    return Mouvement(processus.dossier, None, "")
