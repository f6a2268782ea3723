"""Addresses of the inbox and of the decisions."""

from django.urls import path

from .vues import taches

urlpatterns = [
    path("taches/", taches.Taches.as_view(), name="taches"),
    path("taches/<int:numero>/", taches.UneTache.as_view(), name="tache"),
    path("taches/<int:numero>/prendre/", taches.Prendre.as_view(), name="tache_prendre"),
    path("taches/<int:numero>/rendre/", taches.Rendre.as_view(), name="tache_rendre"),
    path("taches/<int:numero>/valider/", taches.Valider.as_view(), name="tache_valider"),
    path("taches/<int:numero>/approuver/", taches.Approuver.as_view(), name="tache_approuver"),
    path("taches/<int:numero>/renvoyer/", taches.Renvoyer.as_view(), name="tache_renvoyer"),
    path("taches/<int:numero>/refuser/", taches.Refuser.as_view(), name="tache_refuser"),
    path("taches/<int:numero>/affecter/", taches.Affecter.as_view(), name="tache_affecter"),
]
