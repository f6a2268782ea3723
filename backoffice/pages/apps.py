from typing import Any

from django.apps import AppConfig

_EXPORTS = [
    ("comptes", "Comptes", "comptes"),
    ("droits", "Comptes et droits, à corriger dans un tableur", "droits"),
    ("envois", "Envois", "envois"),
    ("supervision-etapes", "Dossiers ouverts, par étape", "etapes"),
    ("supervision-ages", "Tâches ouvertes, par âge", "ages"),
    ("supervision-anciennete", "Tâches ouvertes, par étape et autorité", "anciennete"),
    ("supervision-semaines", "Activité par semaine", "semaines"),
    ("supervision-autorites", "Activité par autorité", "autorites"),
    ("supervision-personnes", "Activité par personne", "personnes"),
    ("supervision-incidents", "Incidents", "en_incident"),
    ("supervision-taches", "Tâches ouvertes", "taches"),
    ("supervision-actes", "Ce qui a été fait", "actes"),
]


class PagesConfig(AppConfig):
    name = "backoffice.pages"
    label = "pages"
    verbose_name = "Pages"

    def ready(self) -> None:
        from backoffice.exports import registre
        from backoffice.socle import menu
        from notifications import regles as notifications
        from structures.importations import genres
        from structures.regles import est_gestionnaire

        from .importation_comptes import COMPTES

        notifications.definir_superviseur(est_gestionnaire)
        menu.enregistrer(menu.EntreeMenu(10, "Accueil", "accueil"))
        menu.enregistrer(
            menu.EntreeMenu(
                40, "Tâches", "taches", visible=_a_un_role, compteur=_a_faire, actif_aussi=("/signalements/",)
            )
        )
        menu.enregistrer(menu.EntreeMenu(60, "Supervision", "supervision", visible=_est_gestionnaire))
        menu.enregistrer(menu.EntreeMenu(65, "Consommateurs", "consommateurs", visible=_est_gestionnaire))
        menu.enregistrer(menu.EntreeMenu(70, "Comptes", "comptes", visible=_est_gestionnaire))
        menu.enregistrer_lien_compte(menu.LienCompte(60, "Imports", "importations", visible=_est_gestionnaire))
        menu.enregistrer_lien_compte(menu.LienCompte(65, "Nomenclatures", "nomenclatures", visible=_est_gestionnaire))
        genres.enregistrer(COMPTES)
        for nom, titre, lu in _EXPORTS:
            registre.enregistrer(nom, titre, f"backoffice.pages.exports.{lu}")


def _a_un_role(user: Any) -> bool:
    from workflows.regles import roles_de

    return bool(roles_de(user))


def _est_gestionnaire(user: Any) -> bool:
    from structures.enums import Role
    from workflows.regles import roles_de

    return Role.GESTIONNAIRE in roles_de(user)


def _a_faire(user: Any) -> int:
    """What waits for her: the tasks that she holds and those she may take, and the errors reported on her fiches;
    « 1 000 » says a thousand or more. One statement, one more to find her establishments."""
    from structures.regles import signalements_a_traiter
    from workflows.boite import a_faire
    from workflows.regles import roles_de
    from workflows.requetes import PLAFOND, compter

    roles = roles_de(user)
    listes = {"taches": a_faire(user, roles), "signalements": signalements_a_traiter(user, roles)}
    return min(sum(compter(listes).values()), PLAFOND)
