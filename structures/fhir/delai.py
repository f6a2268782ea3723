"""An expensive question ends by itself: it must hold neither a worker nor the database."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection
from psycopg.errors import QueryCanceled

from .issue import ErreurFhir


@contextmanager
def en_temps_limite() -> Iterator[None]:
    """Together, the statements of the block may take ``FHIR_DELAI_SECONDES``; then it is refused.

    The limit goes with each statement, in the same message: no round trip more, and nothing left on the connection,
    which pages share.
    """
    fin = time.monotonic() + settings.FHIR_DELAI_SECONDES

    def executer(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        reste = round((fin - time.monotonic()) * 1000)
        if reste <= 0:
            raise _trop_long()
        resultat = execute(f"SET LOCAL statement_timeout = {reste}; {sql}", params, many, context)
        context["cursor"].nextset()  # what the statement gives comes after what SET does
        return resultat

    try:
        with connection.execute_wrapper(executer):
            yield
    except OperationalError as erreur:
        if isinstance(erreur.__cause__, QueryCanceled):
            raise _trop_long() from erreur
        raise


def _trop_long() -> ErreurFhir:
    # Not 503, which says to ask the same again.
    texte = f"Cette question demande plus de {settings.FHIR_DELAI_SECONDES} secondes : ajoutez des critères."
    return ErreurFhir(422, "too-costly", texte)
