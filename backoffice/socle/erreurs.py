"""Business errors: what a domain verb refuses, in words that the person can act on."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.forms import BaseForm


class ErreurMetier(Exception):
    """A refusal with a stable ``code`` and a French ``message``: what happened, who did it, what to do now.

    ``statut`` is the HTTP status of the page that shows it. ``champs`` maps a field name to the messages
    shown beside it; empty when the refusal concerns no field.
    """

    statut = 409

    def __init__(self, code: str, message: str, *, champs: Mapping[str, list[str]] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.champs = dict(champs or {})


class Conflit(ErreurMetier):
    """Somebody else was faster, or the thing is no longer in the state that the page showed."""

    statut = 409


class Interdit(ErreurMetier):
    """The person sees the thing but her habilitation does not give this action."""

    statut = 403


class Introuvable(ErreurMetier):
    """The thing does not exist for this person (docs: someone else's establishment is a 404)."""

    statut = 404


class Invalide(ErreurMetier):
    """What was typed can't be accepted; ``champs`` says where and why."""

    statut = 422


def reporter(form: "BaseForm", refus: ErreurMetier) -> None:
    """Show the refusal of a verb on the form that asked for it: beside its fields, what concerns none of them above."""
    for champ, phrases in (refus.champs or {"": [refus.message]}).items():
        form.add_error(champ if champ in form.fields else None, list(phrases))
