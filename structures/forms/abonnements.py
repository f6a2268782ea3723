"""Forms of the webhooks."""

from typing import Any

from django import forms

from backoffice.socle.champs_formulaire import ChoixMultipleField, DateField, EntierField, TexteField

from ..enums import LIEU, OFFRE, ORGANISATION
from ..models import Departement

TYPES = (
    (ORGANISATION, "Structures : entités juridiques, établissements, pôles, services, UF"),
    (OFFRE, "Offres : unités opérationnelles"),
    (LIEU, "Lieux"),
)


class AbonnementForm(forms.Form):
    use_required_attribute = False
    adresse = forms.CharField(
        label="Adresse du destinataire",
        max_length=500,
        widget=forms.URLInput,
        help_text="Elle commence par https:// et reçoit les annonces par POST. Exemple : https://outil.example/ror",
    )
    types = forms.MultipleChoiceField(
        label="Ressources annoncées", choices=TYPES, widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choisissez au moins un type de ressource."},
    )  # fmt: skip
    departements = ChoixMultipleField(
        label="Départements", required=False, help_text="Ceux des établissements. Aucun : toute la région."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["departements"].choices = [  # type: ignore[attr-defined]
            (d.code, f"{d.code} {d.nom}") for d in Departement.objects.order_by("code")
        ]


class SuspensionForm(forms.Form):
    use_required_attribute = False
    motif = TexteField(label="Motif", lignes=2, max_length=500, help_text="Gardé au journal du consommateur.")


class RenouvellementForm(forms.Form):
    use_required_attribute = False
    garder_ancien = forms.BooleanField(
        label="Signer aussi avec l’ancien secret pendant 24 heures",
        required=False,
        initial=True,
        help_text="Le destinataire peut alors changer de secret sans rien perdre. Décochez si l’ancien est compromis.",
    )


class RejeuForm(forms.Form):
    """From a rank of the feed, or from a day."""

    use_required_attribute = False
    rang = EntierField(
        label="Depuis le rang", required=False, min_value=1,
        help_text="Le rang du premier changement à redire, tel que le destinataire l’a reçu.",
    )  # fmt: skip
    jour = DateField(label="Ou depuis le jour", required=False)

    def clean(self) -> dict[str, Any]:
        saisie: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and (saisie.get("rang") is None) == (saisie.get("jour") is None):
            self.add_error("rang", "Indiquez un rang ou un jour, l’un des deux.")
        return saisie
