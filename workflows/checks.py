"""What a start says of the running processes: behind the flow, or standing on a node that it no longer has."""

from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.db import ProgrammingError, transaction

from . import versions


@checks.register(checks.Tags.database)
def flux_a_jour(app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Run by ``migrate`` and ``check --database default``."""
    if not databases:
        return []
    try:
        with transaction.atomic():
            derriere, perdus = versions.a_migrer().count(), versions.noeuds_disparus()
    except ProgrammingError:  # before the first migration
        return []
    alertes: list[checks.CheckMessage] = []
    if derriere:
        alertes.append(
            checks.Warning(
                f"{derriere} dossier(s) ouvert(s) ne suivent pas la version {versions.VERSION} du circuit.",
                hint="manage.py migrer_flux --essai, puis manage.py migrer_flux.",
                id="workflows.W001",
            )
        )
    if perdus:
        noeuds = ", ".join(f"{nom} ({nombre})" for nom, nombre in sorted(perdus.items()))
        alertes.append(
            checks.Warning(
                f"Des tâches se tiennent sur des étapes que le circuit n’a plus : {noeuds}.",
                hint="Remettez ces noms dans workflows/flows.py : ils sont dans la base.",
                id="workflows.W002",
            )
        )
    return alertes
