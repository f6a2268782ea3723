"""Addresses of the inbox and of the decisions."""

from django.urls import path

from .vues import decisions, tache, taches

urlpatterns = [
    path("taches/", taches.Taches.as_view(), name="taches"),
    path("taches/<int:numero>/", tache.UneTache.as_view(), name="tache"),
    path("taches/<int:numero>/prendre/", decisions.Prendre.as_view(), name="tache_prendre"),
    path("taches/<int:numero>/rendre/", decisions.Rendre.as_view(), name="tache_rendre"),
    path("taches/<int:numero>/valider/", decisions.Valider.as_view(), name="tache_valider"),
    path("taches/<int:numero>/approuver/", decisions.Approuver.as_view(), name="tache_approuver"),
    path("taches/<int:numero>/renvoyer/", decisions.Renvoyer.as_view(), name="tache_renvoyer"),
    path("taches/<int:numero>/refuser/", decisions.Refuser.as_view(), name="tache_refuser"),
    path("taches/<int:numero>/affecter/", decisions.Affecter.as_view(), name="tache_affecter"),
]
