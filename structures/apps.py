from django.apps import AppConfig

_EXPORTS = [
    ("etablissements", "Établissements", "export.etablissements"),
    ("unites", "Unités", "export.unites"),
    ("recherches", "Mes recherches", "export.recherches"),
    ("signalements", "Signalements", "export.signalements"),
    ("historique", "Historique d’une fiche", "export.historique"),
    ("comparaison", "Deux dates comparées", "export.comparaison"),
    ("nomenclatures", "Nomenclatures", "nomenclatures.exporter_listes"),
    ("associations", "Associations", "associations.exporter_regles"),
    ("codes", "Codes d’une nomenclature", "nomenclatures.exporter_codes"),
    ("codes-tenus", "Fiches et codes", "nomenclatures.exporter_tenants"),
    ("a-relire", "Établissements à relire", "export_gestion.a_relire"),
    ("imports", "Imports", "export_gestion.importations"),
    ("import", "Bilan d’un import", "export_gestion.bilan"),
    ("consommateurs", "Consommateurs", "export_gestion.consommateurs"),
    ("usage", "Usage d’un consommateur", "export_gestion.usage"),
    ("refus", "Refus d’un consommateur", "export_gestion.refus"),
    ("journal-acces", "Journal d’un accès", "export_gestion.journal_acces"),
    ("livraisons", "Livraisons d’un abonnement", "export_gestion.livraisons"),
]


class StructuresConfig(AppConfig):
    name = "structures"
    label = "structures"
    verbose_name = "Répertoire"

    def ready(self) -> None:
        from backoffice.exports import registre
        from backoffice.socle import menu

        from . import checks  # noqa: F401  registers the checks
        from .importations import genres
        from .importations.associations import ASSOCIATIONS
        from .importations.communes.application import COMMUNES
        from .importations.genre_finess import FINESS
        from .importations.nos.application import NOS

        for genre in (FINESS, NOS, ASSOCIATIONS, COMMUNES):
            genres.enregistrer(genre)
        menu.enregistrer(menu.EntreeMenu(20, "Répertoire", "repertoire"))
        menu.enregistrer_lien_compte(menu.LienCompte(40, "Signalements", "signalements"))
        menu.enregistrer_description_compte(_decrire)
        for nom, titre, lu in _EXPORTS:
            registre.enregistrer(nom, titre, f"structures.vues.{lu}")


def _decrire(user):
    from backoffice.socle.menu import DescriptionCompte

    from .requetes import habilitation_principale

    return DescriptionCompte(*habilitation_principale(user))
