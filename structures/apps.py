from django.apps import AppConfig


class StructuresConfig(AppConfig):
    name = "structures"
    label = "structures"
    verbose_name = "Répertoire"

    def ready(self) -> None:
        from backoffice.exports import registre
        from backoffice.socle import menu

        from . import checks  # noqa: F401  registers the checks
        from .importations import genres
        from .importations.genre_finess import FINESS
        from .importations.nos.application import NOS

        for genre in (FINESS, NOS):
            genres.enregistrer(genre)
        menu.enregistrer(menu.EntreeMenu(20, "Répertoire", "repertoire"))
        menu.enregistrer_lien_compte(menu.LienCompte(40, "Signalements", "signalements"))
        menu.enregistrer_description_compte(_decrire)
        registre.enregistrer("etablissements", "Établissements", "structures.vues.export.etablissements")
        registre.enregistrer("unites", "Unités", "structures.vues.export.unites")
        registre.enregistrer("recherches", "Mes recherches", "structures.vues.export.recherches")
        registre.enregistrer("signalements", "Signalements", "structures.vues.export.signalements")
        registre.enregistrer("historique", "Historique d’une fiche", "structures.vues.export.historique")
        registre.enregistrer("comparaison", "Deux dates comparées", "structures.vues.export.comparaison")
        registre.enregistrer("nomenclatures", "Nomenclatures", "structures.vues.nomenclatures.exporter_listes")
        registre.enregistrer("codes", "Codes d’une nomenclature", "structures.vues.nomenclatures.exporter_codes")
        registre.enregistrer("codes-tenus", "Fiches et codes", "structures.vues.nomenclatures.exporter_tenants")


def _decrire(user):
    from backoffice.socle.menu import DescriptionCompte

    from .requetes import habilitation_principale

    return DescriptionCompte(*habilitation_principale(user))
