from django.apps import AppConfig


class ComptesConfig(AppConfig):
    name = "backoffice.comptes"
    label = "comptes"
    verbose_name = "Comptes"
