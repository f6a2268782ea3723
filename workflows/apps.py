from collections.abc import Collection
from typing import Any

from django.apps import AppConfig

_EXPORTS = [
    ("taches", "Tâches", "taches"),
    ("vues-taches", "Vues de mes tâches", "vues_taches"),
    ("traitements", "Traitements", "lots_demandes"),
    ("traitement", "Résultat d’un traitement", "lot"),
    ("absences", "Absences", "absences"),
    ("dossiers", "Dossiers collaboratifs", "dossiers"),
    ("circuits", "Circuits à vérifier", "circuits"),
    ("journal", "Journal d’un dossier", "journal"),
    ("decisions", "Décisions d’un dossier", "decisions"),
    ("controles", "Contrôles d’un dossier", "controles"),
    ("commentaires", "Commentaires d’un dossier", "commentaires"),
]


class WorkflowsConfig(AppConfig):
    name = "workflows"
    label = "workflows"
    verbose_name = "Dossiers"

    def ready(self) -> None:
        from backoffice.comptes.domaine import definir_au_depart
        from backoffice.exports import registre
        from backoffice.socle import menu
        from structures.affichage import enregistrer_regle_dossiers

        menu.enregistrer(menu.EntreeMenu(30, "Dossiers collaboratifs", "dossiers", visible=_a_un_role))
        menu.enregistrer_lien_compte(menu.LienCompte(50, "Absences", "absences", visible=_a_un_role))
        menu.enregistrer_lien_compte(menu.LienCompte(60, "Mes traitements", "traitements", visible=_a_un_role))
        enregistrer_regle_dossiers(_dossiers_vus)
        for nom, titre, lu in _EXPORTS:
            registre.enregistrer(nom, titre, f"workflows.vues.exports.{lu}")
        definir_au_depart(_au_depart)


def _a_un_role(user: Any) -> bool:
    """Whoever holds a habilitation has dossiers to look at, or may have."""
    from .regles import roles_de

    return bool(roles_de(user))


def _au_depart(user: Any, acteur: Any) -> None:
    """Whose account closes holds no task and stands in for nobody."""
    from .domaine import suppleances, taches

    suppleances.terminer_celles_de(user, acteur)
    taches.rendre_les_taches_de([user.pk])


def _dossiers_vus(user: Any, numeros: Collection[int]) -> set[int]:
    """Who may open the dossiers that the register names: in a yellow banner, in the history of a fiche."""
    from .regles import dossiers_visibles

    return set(dossiers_visibles(user).filter(pk__in=numeros).values_list("pk", flat=True))
