"""Every address of the product. Addresses are French and stable (docs: ui)."""

from django.contrib import admin
from django.urls import include, path

handler400 = "backoffice.socle.vues.requete_illisible_400"
handler403 = "backoffice.socle.vues.refuse_403"
handler404 = "backoffice.socle.vues.introuvable_404"
handler500 = "backoffice.socle.vues.erreur_500"

urlpatterns = [
    path("", include("backoffice.socle.urls")),
    path("", include("backoffice.pages.urls")),
    path("", include("backoffice.comptes.urls")),
    path("", include("backoffice.exports.urls")),
    path("", include("structures.urls")),
    path("", include("workflows.urls")),
    path("", include("notifications.urls")),
    path("fhir/", include("structures.fhir.urls")),
    path("admin/", admin.site.urls),
]
