"""Import and export of accounts (django-import-export). The password never comes in nor goes out."""

from typing import Any

from import_export import fields, resources
from import_export.instance_loaders import ModelInstanceLoader

from .models import User


class SansCasse(ModelInstanceLoader):
    """Finds the account whatever the case of the identifier, as the login does."""

    def get_instance(self, row: dict[str, Any]) -> User | None:
        try:
            return User.objects.get_by_natural_key(str(row.get("identifiant") or ""))
        except User.DoesNotExist:
            return None


class CompteResource(resources.ModelResource):
    """Columns identifiant, nom, prenom, email, actif; keyed by identifiant.

    A new account gets an unusable password: « Donner un mot de passe provisoire » in the list then mails one.
    """

    identifiant = fields.Field("username", "identifiant")
    nom = fields.Field("last_name", "nom")
    prenom = fields.Field("first_name", "prenom")
    email = fields.Field("email", "email")

    class Meta:
        model = User
        instance_loader_class = SansCasse
        import_id_fields = ("identifiant",)
        fields = ("identifiant", "nom", "prenom", "email")
        import_order = export_order = ("identifiant", "nom", "prenom", "email")
        clean_model_instances = True
        use_transactions = True
        skip_unchanged = True
        report_skipped = True

    def get_queryset(self) -> Any:
        return User.objects.order_by("username")

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        for colonne in ("identifiant", "nom", "prenom", "email"):
            row[colonne] = str(row.get(colonne) or "").strip()

    def import_instance(self, instance: User, row: dict[str, Any], **kwargs: Any) -> None:
        identifiant = instance.username
        super().import_instance(instance, row, **kwargs)
        if instance.pk:
            instance.username = identifiant  # found in another case: the identifier stays as the person knows it
        else:
            instance.set_unusable_password()
            instance.doit_changer_mot_de_passe = True
