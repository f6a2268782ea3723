from django.urls import path

from . import guidage, views

urlpatterns = [
    path("", views.Accueil.as_view(), name="accueil"),
    path("aide/ou-modifier/", guidage.OuModifier.as_view(), name="ou_modifier"),
    path("aide/accessibilite/", views.Accessibilite.as_view(), name="accessibilite"),
    path("supervision/", views.Supervision.as_view(), name="supervision"),
    path("comptes/", views.Comptes.as_view(), name="comptes"),
    path("comptes/creer/", views.CreerCompte.as_view(), name="compte_creer"),
    path("comptes/<int:pk>/", views.Compte.as_view(), name="compte"),
    path("comptes/<int:pk>/droits/", views.DonnerDroit.as_view(), name="compte_donner_droit"),
    path(
        "comptes/<int:pk>/droits/<int:habilitation>/terminer/",
        views.TerminerDroit.as_view(),
        name="compte_terminer_droit",
    ),
    path("comptes/<int:pk>/desactiver/", views.Desactiver.as_view(), name="compte_desactiver"),
    path("comptes/<int:pk>/reactiver/", views.Reactiver.as_view(), name="compte_reactiver"),
    path("comptes/<int:pk>/mot-de-passe/", views.RedonnerMotDePasse.as_view(), name="compte_mot_de_passe"),
]
