"""Addresses of the inbox and of the decisions."""

from django.urls import path

from .vues import boite, decisions, tache, vues_taches

urlpatterns = [
    path("taches/", boite.Taches.as_view(), name="taches"),
    path("taches/vues/", vues_taches.Vues.as_view(), name="vues_taches"),
    path("taches/vues/<int:pk>/", vues_taches.ModifierVue.as_view(), name="vue_taches"),
    path("taches/vues/<int:pk>/supprimer/", vues_taches.SupprimerVue.as_view(), name="vue_taches_supprimer"),
    path("taches/vues/<int:pk>/ouvrir/", vues_taches.OuvrirSur.as_view(), name="vue_taches_ouvrir"),
    path("taches/colonnes/", vues_taches.Colonnes.as_view(), name="colonnes_taches"),
    path("taches/<int:numero>/", tache.UneTache.as_view(), name="tache"),
    path("taches/<int:numero>/prendre/", decisions.Prendre.as_view(), name="tache_prendre"),
    path("taches/<int:numero>/rendre/", decisions.Rendre.as_view(), name="tache_rendre"),
    path("taches/<int:numero>/valider/", decisions.Valider.as_view(), name="tache_valider"),
    path("taches/<int:numero>/approuver/", decisions.Approuver.as_view(), name="tache_approuver"),
    path("taches/<int:numero>/renvoyer/", decisions.Renvoyer.as_view(), name="tache_renvoyer"),
    path("taches/<int:numero>/refuser/", decisions.Refuser.as_view(), name="tache_refuser"),
    path("taches/<int:numero>/affecter/", decisions.Affecter.as_view(), name="tache_affecter"),
]
