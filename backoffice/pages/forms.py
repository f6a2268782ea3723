"""Forms of the accounts."""

from typing import Any

from django import forms

from backoffice.socle.champs_formulaire import OBLIGATOIRE, ChoixField, DateField
from structures.enums import Role
from structures.models import Autorite

from .domaine import ROLES_DEMANDES


class DroitForm(forms.Form):
    """The wanted right: acceptance 6 to 8."""

    role = ChoixField(label="Droit demandé", choices=ROLES_DEMANDES)
    finess = forms.CharField(
        label="Numéro FINESS",
        required=False,
        max_length=20,
        help_text="Pour un Référent ou une Direction : 9 caractères, celui de l’établissement (EG), ou de l’entité "
        "juridique (EJ) pour tous ses établissements.",
    )
    autorite = ChoixField(label="Autorité", required=False, help_text="Pour une tutelle.")

    def __init__(self, *arguments: Any, **nommes: Any) -> None:
        super().__init__(*arguments, **nommes)
        self.fields["autorite"].choices = Autorite.objects.order_by("type", "code").values_list("pk", "nom")  # type: ignore[attr-defined]

    def refuser(self, champs: dict[str, list[str]]) -> None:
        """Put the refusals of a verb beside their fields."""
        for champ, messages in champs.items():
            for message in messages:
                self.add_error(champ if champ in self.fields else None, message)


class CompteForm(DroitForm):
    """A new account with its first right."""

    identifiant = forms.CharField(
        label="Identifiant",
        max_length=150,
        help_text="Lettres, chiffres et @ . + - _ ; par exemple prenom.nom.",
        error_messages={"required": OBLIGATOIRE},
    )
    prenom = forms.CharField(label="Prénom", max_length=150, error_messages={"required": OBLIGATOIRE})
    nom = forms.CharField(label="Nom", max_length=150, error_messages={"required": OBLIGATOIRE})
    email = forms.EmailField(
        label="Adresse électronique",
        help_text="L’identifiant et le mot de passe provisoire y sont envoyés.",
        error_messages={"required": OBLIGATOIRE, "invalid": "Cette adresse n’est pas complète : nom@domaine.fr."},
    )
    field_order = ("identifiant", "prenom", "nom", "email", "role", "finess", "autorite")


class NouveauDroitForm(DroitForm):
    """One more right, with its dates."""

    debut = DateField(label="À partir du", required=False, help_text="Aujourd’hui si rien n’est indiqué.")
    fin = DateField(
        label="Jusqu’au", required=False, help_text="Premier jour sans ce droit. Rien : jusqu’à nouvel ordre."
    )


class FiltreComptes(forms.Form):
    """Filters by GET; something unknown in the address is ignored rather than refused."""

    q = forms.CharField(label="Nom, identifiant ou adresse", required=False, max_length=100)
    role = forms.ChoiceField(label="Droit", required=False, choices=[("", "Tous les droits"), *Role.choices])
    etat = forms.ChoiceField(
        label="Compte", required=False, choices=[("", "Actifs"), ("tous", "Tous"), ("desactives", "Désactivés")]
    )
    apres = forms.CharField(required=False, max_length=150, widget=forms.HiddenInput)
    avant = forms.CharField(required=False, max_length=150, widget=forms.HiddenInput)
