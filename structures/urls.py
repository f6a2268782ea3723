"""Addresses of the répertoire. An identifier is « 1750000001 » (EJ, EG) or « 11/0000123 » (below)."""

from django.urls import path, register_converter

from .vues import changements, fiche, modifier, repertoire


class IdentifiantConverter:
    regex = r"[0-9A-Z]{1,12}(?:/[0-9]{1,9})?"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(IdentifiantConverter, "identifiant")

_FICHE = "repertoire/<identifiant:identifiant>/"

urlpatterns = [
    path("repertoire/", repertoire.RepertoireView.as_view(), name="repertoire"),
    path("repertoire/communes/", repertoire.CommunesView.as_view(), name="communes"),
    path(_FICHE, fiche.FicheView.as_view(), name="fiche"),
    path(f"{_FICHE}structures/", repertoire.StructuresView.as_view(), name="fiche_structures"),
    path(f"{_FICHE}modifier/", modifier.ModifierView.as_view(), name="fiche_modifier"),
    path(f"{_FICHE}historique/", changements.HistoriqueView.as_view(), name="fiche_historique"),
    path(
        f"{_FICHE}changements/<int:pk>/annuler/",
        changements.AnnulerChangementView.as_view(),
        name="changement_annuler",
    ),
]
