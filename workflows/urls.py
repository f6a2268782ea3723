"""Addresses of the dossiers; those of the tasks are in urls_taches."""

from django.urls import include, path

from .vues import dossiers, fiche, gestes

urlpatterns = [
    path("dossiers/", dossiers.DossiersView.as_view(), name="dossiers"),
    path("dossiers/creer/", dossiers.CreerView.as_view(), name="dossier_creer"),
    path("dossiers/circuit.bpmn", dossiers.CircuitView.as_view(), name="dossier_circuit"),
    path("dossiers/<int:numero>/", dossiers.DossierView.as_view(), name="dossier"),
    path("dossiers/<int:numero>/changements/", dossiers.ChangementsView.as_view(), name="dossier_changements"),
    path("dossiers/<int:numero>/journal/", dossiers.JournalView.as_view(), name="dossier_journal"),
    path("dossiers/<int:numero>/envoyer/", dossiers.EnvoyerView.as_view(), name="dossier_envoyer"),
    path("dossiers/<int:numero>/retirer/", dossiers.RetirerView.as_view(), name="dossier_retirer"),
    path("dossiers/<int:numero>/abandonner/", dossiers.AbandonnerView.as_view(), name="dossier_abandonner"),
    path("dossiers/<int:numero>/fiches/<int:fiche>/", fiche.FicheView.as_view(), name="dossier_fiche"),
    path("dossiers/<int:numero>/fiches/<int:fiche>/menu/", gestes.MenuView.as_view(), name="dossier_menu"),
    path("dossiers/<int:numero>/ajouter/", gestes.AjouterView.as_view(), name="dossier_ajouter"),
    path("dossiers/<int:numero>/dupliquer/", gestes.DupliquerView.as_view(), name="dossier_dupliquer"),
    path("dossiers/<int:numero>/deplacer/", gestes.DeplacerView.as_view(), name="dossier_deplacer"),
    path("dossiers/<int:numero>/supprimer/", gestes.SupprimerView.as_view(), name="dossier_supprimer"),
    path("dossiers/<int:numero>/annuler/", gestes.AnnulerView.as_view(), name="dossier_annuler"),
    path("dossiers/<int:numero>/conflit/", gestes.ConflitView.as_view(), name="dossier_conflit"),
    path("", include("workflows.urls_taches")),
]
