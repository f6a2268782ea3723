"""Accounts in Django's admin, and the admin's own doors closed on the product's login."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.admin import UserAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from import_export.admin import ImportExportModelAdmin

from backoffice.socle.erreurs import ErreurMetier

from . import domaine
from .models import User
from .resources import CompteResource


def _connexion(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    """The admin's login page would let the limits of ``limites`` be walked round."""
    if request.user.is_authenticated:
        raise PermissionDenied
    suite = request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index")
    return redirect(reverse("connexion") + "?" + urlencode({REDIRECT_FIELD_NAME: suite}))


def _mot_de_passe(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    return redirect("mot_de_passe")


admin.site.login = _connexion  # type: ignore[method-assign,assignment]
admin.site.password_change = _mot_de_passe  # type: ignore[method-assign,assignment]


@admin.register(User)
class CompteAdmin(ImportExportModelAdmin, UserAdmin):
    """Accounts are opened on the product's own screen or by import; here they are looked at and corrected."""

    resource_classes = [CompteResource]
    list_display = ("username", "last_name", "first_name", "email", "is_active", "doit_changer_mot_de_passe")
    list_filter = ("is_active", "doit_changer_mot_de_passe", "is_staff")
    ordering = ("username",)
    fieldsets = (
        (None, {"fields": ("username", "last_name", "first_name", "email")}),
        ("État", {"fields": ("is_active", "doit_changer_mot_de_passe", "last_login", "date_joined")}),
        ("Administration technique", {"fields": ("is_staff", "is_superuser", "groups", "user_permissions")}),
    )
    readonly_fields = ("is_active", "doit_changer_mot_de_passe", "last_login", "date_joined")
    actions = ["donner_mot_de_passe", "desactiver", "reactiver"]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        if request.user.is_superuser:
            return self.readonly_fields
        return (*self.readonly_fields, "is_staff", "is_superuser", "groups", "user_permissions")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def user_change_password(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # Nobody types somebody else's password: « Donner un mot de passe provisoire » draws and mails one.
        raise PermissionDenied

    def _pour_chacun(self, request: HttpRequest, comptes: QuerySet[User], verbe: Any, fait: str) -> None:
        reussis = 0
        for user in comptes:
            try:
                verbe(user=user, acteur=request.user)
                reussis += 1
            except ErreurMetier as refus:
                self.message_user(request, f"{user.username} : {refus.message}", messages.WARNING)
        if reussis:
            self.message_user(request, f"{reussis} compte(s) {fait}.", messages.SUCCESS)

    @admin.action(description="Donner un mot de passe provisoire", permissions=["change"])
    def donner_mot_de_passe(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._pour_chacun(request, queryset, domaine.redonner_mot_de_passe, "avec un mot de passe provisoire")

    @admin.action(description="Désactiver", permissions=["change"])
    def desactiver(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._pour_chacun(request, queryset, domaine.desactiver_compte, "désactivé(s)")

    @admin.action(description="Réactiver", permissions=["change"])
    def reactiver(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._pour_chacun(request, queryset, domaine.reactiver_compte, "réactivé(s)")
