"""What a code implies, as a gestionnaire sets it."""

from typing import Any

from django import forms

from backoffice.socle.champs_formulaire import ChoixField, ChoixMultipleField

from ..domaine.associations import CHAMPS, CIBLES, LIBELLES, Valeurs, possibles


class RegleForm(forms.Form):
    """The fields of a nature (domaine/associations.py); ``valeurs`` gives them as the verb takes them."""

    use_required_attribute = False

    def __init__(self, *args: Any, nature: str, tenues: Valeurs, **kwargs: Any) -> None:
        super().__init__(*args, **{"initial": _initiales(tenues), **kwargs})
        self.nature = nature
        for champ, permises in possibles(nature).items():
            choix = [(code, f"{code} {mot}" if champ == "cibles" else mot) for code, mot in permises.items()]
            if champ in ("filiere", "champ"):
                self.fields[champ] = ChoixField(label=LIBELLES[champ], choices=choix)
            elif champ == "autorites":
                self.fields[champ] = forms.MultipleChoiceField(
                    label=LIBELLES[champ], choices=choix, required=False, widget=forms.CheckboxSelectMultiple,
                    help_text="Deux types approuvent ensemble. Aucun : la règle suivante décide.",
                )  # fmt: skip
            else:
                fermes = [(code, code) for code in tenues.get(champ, ()) if code not in permises]
                self.fields[champ] = ChoixMultipleField(
                    label=f"{LIBELLES[champ]} ({CIBLES[nature]})", choices=choix, fermes=fermes, required=False
                )
        self.order_fields(CHAMPS[nature])

    @property
    def valeurs(self) -> Valeurs:
        lues = self.cleaned_data
        return {
            champ: (lues[champ],) if champ in ("filiere", "champ") else tuple(sorted(lues[champ]))
            for champ in CHAMPS[self.nature]
        }  # fmt: skip


def _initiales(tenues: Valeurs) -> dict[str, Any]:
    return {c: v[0] if c in ("filiere", "champ") and v else list(v) for c, v in tenues.items()}
