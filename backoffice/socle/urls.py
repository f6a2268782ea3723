"""Health and the catalogue of components."""

from django.urls import path

from . import catalogue, vues

urlpatterns = [
    path("sante/vive", vues.vive, name="sante-vive"),
    path("sante/prete", vues.prete, name="sante-prete"),
    path("aide/composants/", catalogue.composants, name="aide-composants"),
]
