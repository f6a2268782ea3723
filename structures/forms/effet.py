"""The date from which a change of a fiche is true."""

from datetime import date
from typing import Any

from django import forms
from django.utils import timezone

from backoffice.socle.champs_formulaire import DateField, TexteField


class DateEffetForm(forms.Form):
    """« Date à laquelle les modifications doivent être prises en compte »; a reason for a gestionnaire in the past."""

    use_required_attribute = False
    date_effet = DateField(label="Date à laquelle les modifications doivent être prises en compte")
    motif = TexteField(
        label="Motif",
        lignes=2,
        required=False,
        max_length=2000,
        help_text="Obligatoire pour une date passée : pourquoi le changement prend effet avant aujourd’hui.",
    )

    def __init__(self, *, gestionnaire: bool, data: Any = None, jour: date | None = None) -> None:
        """Only a gestionnaire may choose a day in the past, and is asked why."""
        super().__init__(data, initial={"date_effet": jour or timezone.localdate()})
        self.fields["date_effet"].help_text = (
            "Aujourd’hui : les changements sont visibles tout de suite. "
            "Une date à venir : ils le seront ce jour-là, et peuvent être annulés d’ici là."
        )
        if gestionnaire:
            return
        del self.fields["motif"]
        self.fields["date_effet"].widget.attrs["min"] = timezone.localdate().isoformat()
