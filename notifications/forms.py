"""The filters of « Envois »."""

from django import forms

from . import registre
from .models import EtatEnvoi


class FiltreEnvois(forms.Form):
    """Filters by GET; something unknown in the address is ignored rather than refused."""

    q = forms.CharField(label="Destinataire ou sujet", required=False, max_length=100)
    etat = forms.ChoiceField(label="État", required=False, choices=[("", "Tous les états"), *EtatEnvoi.choices])
    type = forms.ChoiceField(
        label="Type",
        required=False,
        choices=lambda: [("", "Tous les types"), *((t.code, t.libelle) for t in registre.types())],
    )
    avant = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)
    apres = forms.IntegerField(required=False, min_value=0, max_value=2**63 - 1, widget=forms.HiddenInput)
