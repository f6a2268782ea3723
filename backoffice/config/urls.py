"""Every address of the product. Addresses are French and stable (docs: ui)."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("backoffice.pages.urls")),
    path("", include("backoffice.comptes.urls")),
    path("", include("structures.urls")),
    path("", include("workflows.urls")),
    path("", include("notifications.urls")),
    path("admin/", admin.site.urls),
]
