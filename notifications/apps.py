from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class NotificationsConfig(AppConfig):
    name = "notifications"
    label = "notifications"
    verbose_name = "Notifications"

    def ready(self) -> None:
        from backoffice.comptes import domaine as comptes
        from backoffice.socle import menu

        from . import checks, tasks, types  # noqa: F401  registers the checks, the task and the types of this app
        from .domaine import annoncer_adresse, annoncer_mot_de_passe

        autodiscover_modules("notifications")
        comptes.definir_annonceur(annoncer_mot_de_passe)
        comptes.definir_au_changement_d_adresse(annoncer_adresse)
        menu.enregistrer_lien_compte(menu.LienCompte(50, "Envois", "envois"))
