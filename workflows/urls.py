"""Addresses of the dossiers; those of the tasks are in urls_taches."""

from django.urls import include, path

from .vues import commentaires, decide, dossiers, fiche, fichier, gestes, inverse, presence, revue, simulation

urlpatterns = [
    path("dossiers/", dossiers.DossiersView.as_view(), name="dossiers"),
    path("dossiers/creer/", dossiers.CreerView.as_view(), name="dossier_creer"),
    path("dossiers/circuit.bpmn", dossiers.CircuitView.as_view(), name="dossier_circuit"),
    path("dossiers/<int:numero>/", dossiers.DossierView.as_view(), name="dossier"),
    path("dossiers/<int:numero>/changements/", revue.ChangementsView.as_view(), name="dossier_changements"),
    path("dossiers/<int:numero>/changements/arbre/", revue.ArbreView.as_view(), name="dossier_arbre_obtenu"),
    path("dossiers/<int:numero>/changements/imprimer/", revue.ImprimerView.as_view(), name="dossier_imprimer"),
    path("dossiers/<int:numero>/changements.<str:forme>", revue.ExporterView.as_view(), name="dossier_exporter"),
    path("dossiers/<int:numero>/decisions/", decide.DecisionsView.as_view(), name="dossier_decisions"),
    path("dossiers/<int:numero>/decisions/<int:decision>/", decide.DecisionView.as_view(), name="dossier_decision"),
    path(
        "dossiers/<int:numero>/decisions/<int:decision>.<str:forme>",
        decide.ExporterDecisionView.as_view(),
        name="dossier_decision_exporter",
    ),
    path("dossiers/<int:numero>/journal/", dossiers.JournalView.as_view(), name="dossier_journal"),
    path("dossiers/<int:numero>/apercu/", simulation.ApercuView.as_view(), name="dossier_apercu"),
    path(
        "dossiers/<int:numero>/annuler-publication/",
        inverse.AnnulerPublicationView.as_view(),
        name="dossier_annuler_publication",
    ),
    path("dossiers/<int:numero>/fichier/", fichier.FichierView.as_view(), name="dossier_fichier"),
    path("dossiers/<int:numero>/fichier/gabarit/", fichier.GabaritView.as_view(), name="dossier_gabarit"),
    path(
        "dossiers/<int:numero>/fichier/<int:proposition>/",
        fichier.PropositionView.as_view(),
        name="dossier_proposition",
    ),
    path("dossiers/<int:numero>/envoyer/", dossiers.EnvoyerView.as_view(), name="dossier_envoyer"),
    path("dossiers/<int:numero>/retirer/", dossiers.RetirerView.as_view(), name="dossier_retirer"),
    path("dossiers/<int:numero>/abandonner/", dossiers.AbandonnerView.as_view(), name="dossier_abandonner"),
    path("dossiers/<int:numero>/fiches/<int:fiche>/", fiche.FicheView.as_view(), name="dossier_fiche"),
    path("dossiers/<int:numero>/fiches/<int:fiche>/menu/", gestes.MenuView.as_view(), name="dossier_menu"),
    path("dossiers/<int:numero>/ajouter/", gestes.AjouterView.as_view(), name="dossier_ajouter"),
    path("dossiers/<int:numero>/dupliquer/", gestes.DupliquerView.as_view(), name="dossier_dupliquer"),
    path("dossiers/<int:numero>/deplacer/", gestes.DeplacerView.as_view(), name="dossier_deplacer"),
    path("dossiers/<int:numero>/supprimer/", gestes.SupprimerView.as_view(), name="dossier_supprimer"),
    path("dossiers/<int:numero>/finaliser/", gestes.FinaliserView.as_view(), name="dossier_finaliser"),
    path("dossiers/<int:numero>/defaire/", gestes.DefaireView.as_view(), name="dossier_defaire"),
    path("dossiers/<int:numero>/annuler/", gestes.AnnulerView.as_view(), name="dossier_annuler"),
    path("dossiers/<int:numero>/commentaires/", commentaires.CommentairesView.as_view(), name="dossier_commentaires"),
    path("dossiers/<int:numero>/commentaires/<int:fil>/", commentaires.FilView.as_view(), name="dossier_fil"),
    path(
        "dossiers/<int:numero>/commentaires/<int:fil>/resoudre/",
        commentaires.ResoudreView.as_view(),
        name="dossier_fil_resoudre",
    ),
    path(
        "dossiers/<int:numero>/commentaires/<int:fil>/rouvrir/",
        commentaires.RouvrirView.as_view(),
        name="dossier_fil_rouvrir",
    ),
    path(
        "dossiers/<int:numero>/fiches/<int:fiche>/commentaires/",
        commentaires.FicheCommentairesView.as_view(),
        name="dossier_fiche_commentaires",
    ),
    path("dossiers/<int:numero>/presence/", presence.PresenceView.as_view(), name="dossier_presence"),
    path("", include("workflows.urls_taches")),
]
