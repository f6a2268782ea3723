"""Forms of the reported errors."""

from collections.abc import Collection, Iterable
from typing import Any
from urllib.parse import urlencode

from django import forms

from backoffice.socle.champs_formulaire import ChoixField, TexteField

from ..champs import Champ, libelle
from ..enums import IssueSignalement, ThemeSignalement
from ..suivi import ANCIEN, ONGLETS

LONGUEUR = 4000


class SignalementForm(forms.Form):
    """« Signaler une erreur ». ``champs``: the fields of the catalogue that the person may name."""

    use_required_attribute = False
    # With JavaScript what the register says of the field comes as soon as it is chosen.
    champ = forms.ChoiceField(
        label="Champ concerné",
        required=False,
        widget=forms.Select(attrs={"hx-get": "", "hx-trigger": "change", "hx-target": "#valeur-actuelle"}),
    )
    theme = ChoixField(label="Ce qui ne va pas", choices=ThemeSignalement.choices)
    message = TexteField(
        label="Expliquez en quelques mots",
        lignes=4,
        max_length=LONGUEUR,
        help_text="Ce qui est faux, et comment vous le savez. N’écrivez aucune information sur un patient.",
    )
    valeur_proposee = TexteField(
        label="Valeur proposée", lignes=2, max_length=LONGUEUR, required=False, help_text="Ce qu’il faudrait lire."
    )

    def __init__(self, *args: Any, niveau: str, champs: Iterable[Champ], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["champ"].choices = [  # type: ignore[attr-defined]
            ("", "La fiche entière"),
            *((c.nom, libelle(c, niveau)) for c in champs),
        ]


class ClotureForm(forms.Form):
    """The two ways to close a report."""

    use_required_attribute = False
    issue = forms.ChoiceField(
        choices=[(i.value, i.label) for i in (IssueSignalement.CORRIGE, IssueSignalement.SANS_SUITE)]
    )
    reponse = TexteField(
        label="Votre réponse",
        lignes=3,
        max_length=LONGUEUR,
        required=False,
        help_text="Obligatoire pour « Sans suite ». La personne la recevra par courriel.",
    )


class FiltreSignalements(forms.Form):
    """What the address of the list says. Something unknown in it is ignored rather than refused."""

    onglet = forms.ChoiceField(required=False, choices=list(ONGLETS.items()), widget=forms.HiddenInput)
    q = forms.CharField(label="Fiche, établissement ou message", required=False, max_length=100)
    theme = forms.ChoiceField(
        label="Ce qui ne va pas", required=False, choices=[("", "Tout"), *ThemeSignalement.choices]
    )
    depuis = forms.TypedChoiceField(
        label="Signalé depuis plus de",
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", "Peu importe"), *((n, f"{n} jours") for n in (7, ANCIEN, 90))],
    )
    apres = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)
    avant = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)

    def __init__(self, donnees: Any, *, onglets: Collection[str], par_defaut: str) -> None:
        super().__init__(donnees, auto_id="filtre_%s")
        self.is_valid()
        onglet: str = self.cleaned_data.get("onglet", "")
        self.onglet_choisi = onglet if onglet in onglets else par_defaut

    @property
    def criteres(self) -> dict[str, Any]:
        return {
            "theme": self.cleaned_data.get("theme", ""),
            "q": self.cleaned_data.get("q", ""),
            "depuis": self.cleaned_data.get("depuis"),
        }

    @property
    def actif(self) -> bool:
        return any(self.criteres.values())

    def requete(self, **pages: int | None) -> str:
        """The query string of this list, at another page."""
        tout = {"onglet": self.onglet_choisi, **self.criteres, **pages}
        return urlencode({nom: v for nom, v in tout.items() if v})
