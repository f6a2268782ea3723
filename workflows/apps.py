from typing import Any

from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    name = "workflows"
    label = "workflows"
    verbose_name = "Dossiers"

    def ready(self) -> None:
        from backoffice.socle import menu
        from structures.affichage import enregistrer_regle_dossier

        from . import regles

        menu.enregistrer(menu.EntreeMenu(30, "Dossiers collaboratifs", "dossiers", visible=regles.peut_voir_dossiers))
        enregistrer_regle_dossier(_voit_dossier)


def _voit_dossier(user: Any, numero: int) -> bool:
    """Who may open the dossier behind a yellow banner of the register."""
    from .regles import dossiers_visibles

    return dossiers_visibles(user).filter(pk=numero).exists()
