"""System checks: a type without its templates fails at start-up, not on the day of the event."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import get_template

from . import registre


@register("templates")
def gabarits_presents(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    erreurs: list[CheckMessage] = []
    for type_ in registre.types():
        for partie in registre.PARTIES:
            try:
                get_template(type_.gabarit(partie))
            except (TemplateDoesNotExist, TemplateSyntaxError) as erreur:
                erreurs.append(
                    Error(f"{type_.gabarit(partie)}: {erreur!r}", obj=type_.__name__, id="notifications.E001")
                )
    return erreurs
