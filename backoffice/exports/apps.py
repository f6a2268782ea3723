from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "backoffice.exports"
    label = "exports"
    verbose_name = "Exports"

    def ready(self) -> None:
        from backoffice.socle import menu

        menu.enregistrer_lien_compte(menu.LienCompte(70, "Mes exports", "mes_exports"))
