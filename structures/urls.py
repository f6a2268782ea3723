"""Addresses of the répertoire. An identifier is « 1750000001 » (EJ, EG) or « 11/0000123 » (below)."""

from django.urls import include, path, register_converter

from .vues import (
    abonnements,
    associations,
    carte,
    changements,
    communes,
    comparer,
    consommateurs,
    criteres,
    document,
    fiche,
    historique,
    importations,
    modifier,
    nomenclatures,
    personnel,
    repertoire,
    signalements,
    suivi,
    tutelles,
)


class IdentifiantConverter:
    regex = r"[0-9A-Z]{1,12}(?:/[0-9]{1,9})?"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(IdentifiantConverter, "identifiant")

_ABONNEMENTS = "consommateurs/<int:pk>/abonnements/"
_ABONNEMENT = f"{_ABONNEMENTS}<int:numero>/"
_FICHE = "repertoire/<identifiant:identifiant>/"
_IMPORT = "imports/<int:numero>/"

urlpatterns = [
    path("fhir/", include("structures.fhir.urls")),
    path("repertoire/", repertoire.RepertoireView.as_view(), name="repertoire"),
    path("repertoire/carte/", carte.CarteView.as_view(), name="carte"),
    path("repertoire/criteres/", criteres.CriteresView.as_view(), name="criteres"),
    path("repertoire/recherches/", personnel.RecherchesView.as_view(), name="recherches"),
    path("repertoire/recherches/<int:pk>/", personnel.RechercheView.as_view(), name="recherche"),
    path(
        "repertoire/recherches/<int:pk>/supprimer/",
        personnel.SupprimerRechercheView.as_view(),
        name="recherche_supprimer",
    ),
    path("associations/", associations.AssociationsView.as_view(), name="associations"),
    path("associations/<slug:nature>/", associations.AssociationsView.as_view(), name="associations"),
    path("associations/<slug:nature>/<path:cle>/", associations.AssociationView.as_view(), name="association"),
    path("nomenclatures/", nomenclatures.NomenclaturesView.as_view(), name="nomenclatures"),
    path("nomenclatures/<slug:code>/", nomenclatures.NomenclatureView.as_view(), name="nomenclature"),
    path("nomenclatures/<slug:code>/fiches/", nomenclatures.TenantsView.as_view(), name="nomenclature_fiches"),
    path("repertoire/communes/", communes.CommunesView.as_view(), name="communes"),
    path(_FICHE, fiche.FicheView.as_view(), name="fiche"),
    path(f"{_FICHE}structures/", repertoire.StructuresView.as_view(), name="fiche_structures"),
    path(f"{_FICHE}favori/", personnel.FavoriView.as_view(), name="favori"),
    path(f"{_FICHE}tutelles/", tutelles.TutellesView.as_view(), name="fiche_tutelles"),
    path(f"{_FICHE}modifier/", modifier.ModifierView.as_view(), name="fiche_modifier"),
    path(f"{_FICHE}confirmer/", suivi.ConfirmerView.as_view(), name="fiche_confirmer"),
    path(f"{_FICHE}signaler/", signalements.SignalerView.as_view(), name="fiche_signaler"),
    path("imports/", importations.ImportationsView.as_view(), name="importations"),
    path("imports/deposer/<slug:genre>/", importations.DeposerView.as_view(), name="importation_deposer"),
    path(_IMPORT, importations.ImportationView.as_view(), name="importation"),
    path(f"{_IMPORT}confirmer/", importations.ConfirmerView.as_view(), name="importation_confirmer"),
    path(f"{_IMPORT}relancer/", importations.RelancerView.as_view(), name="importation_relancer"),
    path(f"{_IMPORT}annuler/", importations.AnnulerView.as_view(), name="importation_annuler"),
    path(f"{_IMPORT}fichier/", importations.FichierImporteView.as_view(), name="importation_fichier"),
    path("signalements/", signalements.SignalementsView.as_view(), name="signalements"),
    path("signalements/<int:numero>/", signalements.SignalementView.as_view(), name="signalement"),
    path("signalements/<int:numero>/clore/", signalements.CloreView.as_view(), name="signalement_clore"),
    path("signalements/<int:numero>/retirer/", signalements.RetirerView.as_view(), name="signalement_retirer"),
    path(f"{_FICHE}historique/", historique.HistoriqueView.as_view(), name="fiche_historique"),
    path(
        f"{_FICHE}changements/<int:pk>/annuler/",
        changements.AnnulerChangementView.as_view(),
        name="changement_annuler",
    ),
    path(
        f"{_FICHE}changements/<int:pk>/modifier/",
        changements.ModifierChangementView.as_view(),
        name="changement_modifier",
    ),
    path(f"{_FICHE}changements/<int:pk>/defaire/", changements.DefaireView.as_view(), name="changement_defaire"),
    path("consommateurs/", consommateurs.ConsommateursView.as_view(), name="consommateurs"),
    path("consommateurs/creer/", consommateurs.CreerConsommateurView.as_view(), name="consommateur_creer"),
    path("consommateurs/<int:pk>/", consommateurs.ConsommateurView.as_view(), name="consommateur"),
    path(
        "consommateurs/<int:pk>/modifier/",
        consommateurs.ModifierConsommateurView.as_view(),
        name="consommateur_modifier",
    ),
    path("consommateurs/<int:pk>/secret/", consommateurs.SecretView.as_view(), name="consommateur_secret"),
    path("consommateurs/<int:pk>/suspendre/", consommateurs.SuspendreView.as_view(), name="consommateur_suspendre"),
    path("consommateurs/<int:pk>/reactiver/", consommateurs.ReactiverView.as_view(), name="consommateur_reactiver"),
    path(f"{_FICHE}imprimer/", document.ImprimerView.as_view(), name="fiche_imprimer"),
    path(f"{_FICHE}document.pdf", document.PdfView.as_view(), name="fiche_pdf"),
    path(f"{_FICHE}comparer/", comparer.ComparerView.as_view(), name="fiche_comparer"),
    path(_ABONNEMENTS, abonnements.AbonnementsView.as_view(), name="abonnements"),
    path(f"{_ABONNEMENTS}ajouter/", abonnements.AbonnementCreerView.as_view(), name="abonnement_creer"),
    path(_ABONNEMENT, abonnements.AbonnementView.as_view(), name="abonnement"),
    path(f"{_ABONNEMENT}modifier/", abonnements.AbonnementModifierView.as_view(), name="abonnement_modifier"),
    path(f"{_ABONNEMENT}secret/", abonnements.AbonnementSecretView.as_view(), name="abonnement_secret"),
    path(f"{_ABONNEMENT}renouveler/", abonnements.AbonnementRenouvelerView.as_view(), name="abonnement_renouveler"),
    path(f"{_ABONNEMENT}suspendre/", abonnements.AbonnementSuspendreView.as_view(), name="abonnement_suspendre"),
    path(f"{_ABONNEMENT}reprendre/", abonnements.AbonnementReprendreView.as_view(), name="abonnement_reprendre"),
    path(f"{_ABONNEMENT}essayer/", abonnements.AbonnementEssayerView.as_view(), name="abonnement_essayer"),
    path(f"{_ABONNEMENT}rejouer/", abonnements.AbonnementRejouerView.as_view(), name="abonnement_rejouer"),
    path(f"{_ABONNEMENT}livraisons/<int:livraison>/", abonnements.LivraisonView.as_view(), name="livraison"),
    path(
        f"{_ABONNEMENT}livraisons/<int:livraison>/rejouer/",
        abonnements.LivraisonRejouerView.as_view(),
        name="livraison_rejouer",
    ),
]
