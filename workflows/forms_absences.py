"""The form of an absence and of who stands in."""

from typing import Any

from django import forms

from backoffice.comptes.models import User
from backoffice.socle.champs_formulaire import OBLIGATOIRE, ChoixField, DateField

from .regles import suppleantes_possibles


class AbsenceForm(forms.Form):
    """``partout``: written by a gestionnaire, who may also name somebody from elsewhere by her identifier."""

    du = DateField(label="Premier jour", error_messages={"required": OBLIGATOIRE})
    au = DateField(label="Dernier jour", help_text="Inclus.", error_messages={"required": OBLIGATOIRE})
    suppleante = ChoixField(label="Qui supplée", required=False)
    identifiant = forms.CharField(
        label="Ou une personne d’un autre établissement ou d’une autre autorité",
        required=False,
        max_length=150,
        help_text="Son identifiant de connexion. Elle doit tenir un droit semblable.",
    )
    motif = forms.CharField(
        label="Motif", required=False, max_length=200,
        help_text="Facultatif : congés, formation… Ne donnez aucun renseignement de santé.",
    )  # fmt: skip

    def __init__(self, *arguments: Any, absente: User, partout: bool, **nommes: Any) -> None:
        super().__init__(*arguments, **nommes)
        collegues = {str(u.pk): u for u in suppleantes_possibles(absente, partout=False)}
        self.collegues = collegues
        self.fields["suppleante"].choices = [(cle, str(u)) for cle, u in collegues.items()]  # type: ignore[attr-defined]
        if not partout:
            del self.fields["identifiant"]

    def clean(self) -> dict[str, Any]:
        lus: dict[str, Any] = super().clean() or {}
        nommee = (lus.pop("identifiant", "") or "").strip()
        choisie = self.collegues.get(lus.get("suppleante") or "")
        if nommee:
            choisie = User.objects.filter(username__iexact=nommee).first()
            if choisie is None:
                self.add_error("identifiant", "Aucun compte ne porte cet identifiant.")
        elif choisie is None and "suppleante" not in self.errors:
            self.add_error("suppleante", "Choisissez qui supplée.")
        return {**lus, "suppleante": choisie}
