"""Addresses of the inbox and of the decisions."""

from django.urls import path

from .vues import absences, boite, decisions, ecarter, gestes_tache, tache, traitements, vues_taches

urlpatterns = [
    path("absences/", absences.Absences.as_view(), name="absences"),
    path("absences/de/<int:compte>/", absences.AbsencesDe.as_view(), name="absences_de"),
    path("absences/<int:numero>/terminer/", absences.TerminerAbsence.as_view(), name="absence_terminer"),
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
    path("taches/<int:numero>/approuver-sauf/", ecarter.ApprouverSauf.as_view(), name="tache_approuver_sauf"),
    path("taches/<int:numero>/renvoyer/", decisions.Renvoyer.as_view(), name="tache_renvoyer"),
    path("taches/<int:numero>/refuser/", decisions.Refuser.as_view(), name="tache_refuser"),
    path("taches/<int:numero>/reprendre/", gestes_tache.Reprendre.as_view(), name="tache_reprendre"),
    path("taches/<int:numero>/attribuer/", gestes_tache.Attribuer.as_view(), name="tache_attribuer"),
    path("taches/<int:numero>/mettre-de-cote/", gestes_tache.MettreDeCote.as_view(), name="tache_mettre_de_cote"),
    path("taches/<int:numero>/ressortir/", gestes_tache.Ressortir.as_view(), name="tache_ressortir"),
    path("dossiers/<int:numero>/suivre/", gestes_tache.Suivre.as_view(), name="dossier_suivre"),
    path("traitements/", traitements.Traitements.as_view(), name="traitements"),
    path("traitements/apercu/", traitements.Apercu.as_view(), name="traitement_apercu"),
    path("traitements/<int:numero>/", traitements.Traitement.as_view(), name="traitement"),
    path("taches/<int:numero>/affecter/", decisions.Affecter.as_view(), name="tache_affecter"),
]
