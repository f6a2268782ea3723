"""Reference data and habilitations in Django's admin, with previewed imports. For gestionnaires; nothing is deleted."""

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from import_export.admin import ImportExportModelAdmin
from import_export.formats import base_formats
from import_export.results import Result
from tablib import Dataset

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, ErreurMetier, reporter

from .domaine.habilitations import accorder, structure_de, terminer
from .models import (
    Association,
    Autorite,
    Commune,
    Concept,
    Consommateur,
    Departement,
    Habilitation,
    Nomenclature,
    RegleCategorie,
    RegleTarification,
)
from .regles import est_gestionnaire
from .resources import (
    AssociationResource,
    AutoriteResource,
    CommuneResource,
    ConceptResource,
    DepartementResource,
    HabilitationResource,
    NomenclatureResource,
    RegleCategorieResource,
    RegleTarificationResource,
    indexer,
)

SESSION_IMPORT = "import_en_cours"

# Consumers have screens of their own, whose verbs keep a journal; tokens are nobody's to read.
_MODELES: list[type[Model]] = [Consommateur, *apps.get_app_config("oauth2_provider").get_models()]
for _modele in _MODELES:
    if admin.site.is_registered(_modele):
        admin.site.unregister(_modele)


class CSV(base_formats.CSV):
    """CSV with « ; », as French spreadsheets write it; read in UTF-8 or Windows-1252, with « ; », « , » or tabs."""

    def is_binary(self) -> bool:
        return True  # the encoding is ours to find

    def get_read_mode(self) -> str:
        return "rb"

    def create_dataset(self, in_stream: bytes, **kwargs: Any) -> Dataset:
        try:
            texte = in_stream.decode("utf-8-sig")
        except UnicodeDecodeError:
            texte = in_stream.decode("cp1252", errors="replace")
        entete = texte.split("\n", 1)[0]
        return super().create_dataset(texte, delimiter=max(";,\t", key=entete.count), **kwargs)

    def export_data(self, dataset: Dataset, **kwargs: Any) -> bytes:
        texte: str = super().export_data(dataset, delimiter=";", **kwargs)
        return ("\ufeff" + texte).encode()  # without the mark a spreadsheet reads Windows-1252


class ReferentielAdmin(ImportExportModelAdmin):
    """Permissions come from the habilitation, not from Django's groups: one place says who may."""

    formats = [CSV, base_formats.XLSX]
    import_error_display = ("message",)
    cles: tuple[str, ...] = ()  # frozen once the row exists

    def _peut(self, request: HttpRequest) -> bool:
        user: User | AnonymousUser = request.user
        return user.is_active and (getattr(user, "is_superuser", False) or est_gestionnaire(user))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._peut(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._peut(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._peut(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._peut(request)

    def has_import_permission(self, request: HttpRequest) -> bool:
        return self._peut(request)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self._peut(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return (*super().get_readonly_fields(request, obj), *(self.cles if obj else ()))

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Remember the uploaded file in the session: the confirmation takes no other."""
        reponse: HttpResponse = super().import_action(request, **kwargs)
        formulaire = (getattr(reponse, "context_data", None) or {}).get("confirm_form")
        if formulaire is not None:
            request.session[SESSION_IMPORT] = formulaire.initial.get("import_file_name")
        return reponse

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        attendu = request.session.pop(SESSION_IMPORT, None)
        if not attendu or request.POST.get("import_file_name") != attendu:
            raise Conflit(
                "import_deja_confirme",
                "Cet import a déjà été confirmé, ou son aperçu n’est plus valable. Choisissez à nouveau le fichier.",
            )
        return super().process_import(request, **kwargs)

    def process_result(self, result: Result, request: HttpRequest) -> HttpResponse:
        """The library announces a success even when something changed since the preview and nothing was imported."""
        if not (result.has_errors() or result.has_validation_errors()):
            return super().process_result(result, request)
        fautes = [f"ligne {r.number} : {' '.join(r.error.messages)}" for r in result.invalid_rows]
        fautes += [f"ligne {r.number} : {e.error}" for r in result.error_rows for e in r.errors]
        fautes += [str(e.error) for e in result.base_errors]
        self.message_user(
            request, f"Rien n’a été importé. {' · '.join(fautes[:10])} Recommencez l’import.", messages.ERROR
        )
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")


@admin.register(Nomenclature)
class NomenclatureAdmin(ReferentielAdmin):
    resource_classes = [NomenclatureResource]
    list_display = ("code", "libelle", "version", "url")
    search_fields = ("code", "nom", "libelle")
    cles = ("code",)


@admin.register(Concept)
class ConceptAdmin(ReferentielAdmin):
    resource_classes = [ConceptResource]
    list_display = ("nomenclature_id", "code", "libelle", "date_debut", "date_fin")
    list_display_links = ("code",)
    list_filter = ("nomenclature",)
    search_fields = ("code", "libelle")
    cles = ("nomenclature", "code")


@admin.register(Association)
class AssociationAdmin(ReferentielAdmin):
    resource_classes = [AssociationResource]
    list_display = ("nature", "source", "cible")
    list_select_related = ("source", "cible")
    autocomplete_fields = ("source", "cible")
    cles = ("nature", "source")


@admin.register(RegleCategorie)
class RegleCategorieAdmin(ReferentielAdmin):
    resource_classes = [RegleCategorieResource]
    list_display = ("categorie", "filiere", "champ", "autorites")
    list_filter = ("filiere", "champ")
    search_fields = ("categorie",)
    cles = ("categorie",)


@admin.register(RegleTarification)
class RegleTarificationAdmin(ReferentielAdmin):
    resource_classes = [RegleTarificationResource]
    list_display = ("mode", "autorites")
    search_fields = ("mode",)
    cles = ("mode",)


@admin.register(Departement)
class DepartementAdmin(ReferentielAdmin):
    resource_classes = [DepartementResource]
    list_display = ("code", "nom", "region")
    search_fields = ("code", "nom")
    cles = ("code",)


@admin.register(Commune)
class CommuneAdmin(ReferentielAdmin):
    resource_classes = [CommuneResource]
    list_display = ("code", "nom", "type", "departement", "codes_postaux")
    search_fields = ("code", "recherche")
    show_full_result_count = False
    cles = ("code",)

    def save_model(self, request: HttpRequest, obj: Commune, form: Any, change: bool) -> None:
        indexer(obj)
        super().save_model(request, obj, form, change)


@admin.register(Autorite)
class AutoriteAdmin(ReferentielAdmin):
    resource_classes = [AutoriteResource]
    list_display = ("code", "nom", "type", "departement")
    search_fields = ("code", "nom")
    cles = ("code",)


class HabilitationForm(forms.ModelForm):
    """A right to give. The verb is tried while the form is checked, so that its refusals show beside the fields."""

    acteur: User
    identifiant = forms.CharField(label="Identifiant du compte", max_length=150)
    finess = forms.CharField(
        label="Numéro FINESS", max_length=20, required=False, help_text="Établissement ou entité juridique."
    )
    debut = forms.DateField(label="Début", required=False, help_text="Aujourd’hui si rien n’est indiqué.")

    class Meta:
        model = Habilitation
        fields = ("role", "autorite", "debut", "fin")

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or self.cleaned_data
        try:
            donnees["user"] = User.objects.get_by_natural_key(donnees.get("identifiant", ""))
        except User.DoesNotExist:
            self.add_error("identifiant", "Ce compte n’existe pas.")
        try:
            donnees["fiche"] = structure_de(donnees["finess"]) if donnees.get("finess") else None
            if not self.errors:
                with transaction.atomic():
                    self.accorder()
                    transaction.set_rollback(True)
        except ErreurMetier as refus:
            reporter(self, refus)
        return donnees

    def accorder(self) -> Habilitation:
        d = self.cleaned_data
        return accorder(
            user=d["user"], role=d["role"], fiche=d["fiche"], autorite=d["autorite"],
            debut=d["debut"], fin=d["fin"], acteur=self.acteur,
        )  # fmt: skip

    def _post_clean(self) -> None:
        """The verb has checked; the model does not know the person nor the structure yet."""


class FinForm(forms.ModelForm):
    acteur: User

    class Meta:
        model = Habilitation
        fields = ("fin",)

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or self.cleaned_data
        if not self.errors and "fin" in self.changed_data:
            if donnees["fin"] is None:
                self.add_error("fin", "Une habilitation terminée ne reprend pas : donnez-en une nouvelle.")
                return donnees
            try:
                with transaction.atomic():
                    terminer(
                        habilitation=Habilitation.objects.get(pk=self.instance.pk),
                        acteur=self.acteur,
                        fin=donnees["fin"],
                    )
                    transaction.set_rollback(True)
            except ErreurMetier as refus:
                reporter(self, refus)
        return donnees


@admin.register(Habilitation)
class HabilitationAdmin(ReferentielAdmin):
    """Given and ended through the verbs of structures/domaine/habilitations.py; only the end can change."""

    resource_classes = [HabilitationResource]
    list_display = ("identifiant", "role", "structure", "autorite", "debut", "fin")
    list_filter = ("role", "autorite")
    list_select_related = ("user", "fiche", "autorite")
    search_fields = ("user__username", "user__last_name", "fiche__identifiant")
    actions = ["terminer_aujourdhui"]

    @admin.display(description="compte", ordering="user__username")
    def identifiant(self, habilitation: Habilitation) -> str:
        return habilitation.user.username

    @admin.display(description="FINESS", ordering="fiche__identifiant")
    def structure(self, habilitation: Habilitation) -> str:
        return habilitation.fiche.identifiant[1:] if habilitation.fiche else ""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        formulaire = FinForm if obj else HabilitationForm
        return type(formulaire.__name__, (formulaire,), {"acteur": request.user})

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj:
            return ("identifiant", "role", "structure", "autorite", "debut", "fin")
        return ("identifiant", "role", "finess", "autorite", "debut", "fin")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("identifiant", "role", "structure", "autorite", "debut") if obj else ()

    def save_model(self, request: HttpRequest, obj: Habilitation, form: Any, change: bool) -> None:
        if not change:
            donnee = form.accorder()
            for champ in Habilitation._meta.concrete_fields:
                setattr(obj, champ.attname, getattr(donnee, champ.attname))
            obj._state.adding = False
        elif "fin" in form.changed_data:
            terminer(habilitation=obj, acteur=form.acteur, fin=form.cleaned_data["fin"])

    @admin.action(description="Terminer aujourd’hui", permissions=["change"])
    def terminer_aujourdhui(self, request: HttpRequest, queryset: QuerySet[Habilitation]) -> None:
        terminees = 0
        for habilitation in queryset.order_by("pk"):
            try:
                terminer(habilitation=habilitation, acteur=request.user)  # type: ignore[arg-type]
                terminees += 1
            except ErreurMetier as refus:
                self.message_user(request, f"{habilitation.user.username} : {refus.message}", messages.WARNING)
        if terminees:
            self.message_user(request, f"{terminees} habilitation(s) terminée(s).", messages.SUCCESS)
