from django.urls import path

from . import views

urlpatterns = [
    path("exports/", views.MesExports.as_view(), name="mes_exports"),
    path("exports/<int:numero>/annuler/", views.Annuler.as_view(), name="export_annuler"),
    path("exports/<int:numero>/fichier/", views.Telecharger.as_view(), name="export_fichier"),
    path("exports/<slug:nom>/preparer/", views.Preparer.as_view(), name="export_preparer"),
    path("exports/<slug:nom>.<slug:forme>", views.Exporter.as_view(), name="exporter"),
]
