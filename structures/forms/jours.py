"""Two days to compare."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from backoffice.socle.champs_formulaire import DateField


class DeuxJoursForm(forms.Form):
    """A day and a later one; the year that ends today unless said."""

    use_required_attribute = False
    du = DateField(label="Comparer le répertoire au")
    au = DateField(label="avec le répertoire au")

    def __init__(self, data: Any = None) -> None:
        aujourdhui = timezone.localdate()
        super().__init__(data, initial={"du": aujourdhui - timedelta(days=365), "au": aujourdhui})

    def clean(self) -> dict[str, Any]:
        jours: dict[str, date] = super().clean() or self.cleaned_data
        for nom, jour in list(jours.items()):
            if not 1900 <= jour.year <= 2199:
                self.add_error(nom, "Le répertoire ne peut pas montrer cette date : choisissez entre 1900 et 2199.")
        if {"du", "au"} <= self.cleaned_data.keys() and jours["du"] >= jours["au"]:
            self.add_error("au", "La seconde date vient après la première.")
        return self.cleaned_data
