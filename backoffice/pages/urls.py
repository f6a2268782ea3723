from django.urls import path

from . import departs, guidage, supervision, views

urlpatterns = [
    path("", views.Accueil.as_view(), name="accueil"),
    path("aide/ou-modifier/", guidage.OuModifier.as_view(), name="ou_modifier"),
    path("aide/accessibilite/", views.Accessibilite.as_view(), name="accessibilite"),
    path("supervision/", supervision.Circuit.as_view(), name="supervision"),
    path("supervision/anciennete/", supervision.Anciennete.as_view(), name="supervision_anciennete"),
    path("supervision/activite/", supervision.Activite.as_view(), name="supervision_activite"),
    path("supervision/incidents/", supervision.Incidents.as_view(), name="supervision_incidents"),
    path(
        "supervision/incidents/<slug:genre>/<int:numero>/reessayer/",
        supervision.Reessayer.as_view(),
        name="supervision_reessayer",
    ),
    path("supervision/taches/", supervision.TachesOuvertes.as_view(), name="supervision_taches"),
    path("supervision/actes/", supervision.Actes.as_view(), name="supervision_actes"),
    path("comptes/", views.Comptes.as_view(), name="comptes"),
    path("comptes/modele.xlsx", views.ModeleComptes.as_view(), name="comptes_modele"),
    path("comptes/creer/", views.CreerCompte.as_view(), name="compte_creer"),
    path("comptes/<int:pk>/", views.Compte.as_view(), name="compte"),
    path("comptes/<int:pk>/droits/", views.DonnerDroit.as_view(), name="compte_donner_droit"),
    path(
        "comptes/<int:pk>/droits/<int:habilitation>/terminer/",
        departs.TerminerDroit.as_view(),
        name="compte_terminer_droit",
    ),
    path("comptes/<int:pk>/desactiver/", departs.Desactiver.as_view(), name="compte_desactiver"),
    path("comptes/<int:pk>/taches-rendues/", departs.TachesRendues.as_view(), name="compte_taches_rendues"),
    path("comptes/<int:pk>/reactiver/", views.Reactiver.as_view(), name="compte_reactiver"),
    path("comptes/<int:pk>/mot-de-passe/", views.RedonnerMotDePasse.as_view(), name="compte_mot_de_passe"),
]
