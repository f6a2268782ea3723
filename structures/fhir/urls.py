"""Addresses of the exposition, under /fhir/: those of FHIR, hence in English."""

from django.urls import path, re_path

from . import jeton, vues, vues_export

urlpatterns = [
    path("jeton/", jeton.jeton, name="fhir_jeton"),
    path(".well-known/smart-configuration", jeton.configuration_smart, name="fhir_smart"),
    path("metadata", vues.metadonnees, name="fhir_metadata"),
    path("$export", vues_export.demander, name="fhir_export"),
    path("<str:type_>/$export", vues_export.demander, name="fhir_export_type"),
    path("exports/<uuid:numero>/", vues_export.suivre, name="fhir_export_suivi"),
    path("exports/<uuid:numero>/<int:rang>.ndjson", vues_export.fichier, name="fhir_export_fichier"),
    path("_history", vues.historique_de_tout, name="fhir_historique"),
    re_path(r"^(?P<type_>[A-Za-z]+)/?$", vues.chercher, name="fhir_chercher"),
    path("<str:type_>/_search", vues.chercher_par_formulaire, name="fhir_chercher_par_formulaire"),
    path("<str:type_>/_history", vues.historique_d_un_type, name="fhir_historique_type"),
    path("<str:type_>/<str:identifiant>", vues.lire, name="fhir_lire"),
    path("<str:type_>/<str:identifiant>/_history", vues.historique_d_une, name="fhir_historique_instance"),
    path("<str:type_>/<str:identifiant>/_history/<str:version>", vues.lire_version, name="fhir_lire_version"),
    # Last: nothing under /fhir/ is a page.
    re_path(r"", vues.inconnue, name="fhir_inconnue"),
]
