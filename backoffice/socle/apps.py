from django.apps import AppConfig


class SocleConfig(AppConfig):
    name = "backoffice.socle"
    label = "socle"
    verbose_name = "Socle"
