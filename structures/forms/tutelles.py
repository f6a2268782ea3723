"""« Tutelles de l’établissement »: what a gestionnaire sets by hand."""

from typing import Any

from django import forms

from backoffice.socle.champs_formulaire import TexteField

from ..models import Autorite


class TutellesForm(forms.Form):
    use_required_attribute = False
    autorites = forms.MultipleChoiceField(
        label="Tutelles qui approuvent",
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Plusieurs tutelles approuvent ensemble : toutes doivent donner leur accord. Aucune : la règle "
        "s’applique.",
    )
    motif = TexteField(label="Motif", lignes=3, max_length=500, help_text="Gardé dans l’historique de l’établissement.")
    jeton = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["autorites"].choices = list(  # type: ignore[attr-defined]
            Autorite.objects.order_by("type", "code").values_list("code", "nom")
        )
