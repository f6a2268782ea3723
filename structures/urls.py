"""Addresses of the répertoire. An identifier is « 1750000001 » (EJ, EG) or « 11/0000123 » (below)."""

from django.urls import path, register_converter

from . import views


class IdentifiantConverter:
    regex = r"[0-9A-Z]{1,12}(?:/[0-9]{1,9})?"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(IdentifiantConverter, "identifiant")

urlpatterns = [
    path("repertoire/", views.RepertoireView.as_view(), name="repertoire"),
    path("repertoire/communes/", views.CommunesView.as_view(), name="communes"),
    path("repertoire/<identifiant:identifiant>/", views.FicheView.as_view(), name="fiche"),
    path("repertoire/<identifiant:identifiant>/structures/", views.StructuresView.as_view(), name="fiche_structures"),
    path("repertoire/<identifiant:identifiant>/modifier/", views.ModifierView.as_view(), name="fiche_modifier"),
    path("repertoire/<identifiant:identifiant>/historique/", views.HistoriqueView.as_view(), name="fiche_historique"),
    path(
        "repertoire/<identifiant:identifiant>/changements/<int:pk>/annuler/",
        views.AnnulerChangementView.as_view(),
        name="changement_annuler",
    ),
]
