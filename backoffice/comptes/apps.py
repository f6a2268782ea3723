from django.apps import AppConfig


class ComptesConfig(AppConfig):
    name = "backoffice.comptes"
    label = "comptes"
    verbose_name = "Comptes"

    def ready(self) -> None:
        from backoffice.socle import menu

        menu.enregistrer_lien_compte(menu.LienCompte(90, "Changer de mot de passe", "mot_de_passe"))
