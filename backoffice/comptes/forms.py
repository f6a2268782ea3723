"""Forms of the login and of the password."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, UsernameField

from . import limites
from .models import User


class ConnexionForm(AuthenticationForm):
    """One message whatever is wrong (identifier, password, closed account), so that accounts can't be guessed."""

    username = UsernameField(label="Identifiant", widget=forms.TextInput(attrs={"autofocus": True}))
    password = forms.CharField(
        label="Mot de passe",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    _refus = "L’identifiant ou le mot de passe est incorrect."
    error_messages = {"invalid_login": _refus, "inactive": _refus}
    attente: limites.TropDeTentatives | None = None

    def clean(self) -> dict[str, Any]:
        identifiant = self.cleaned_data.get("username", "")
        if identifiant and self.cleaned_data.get("password") and self.request is not None:
            try:
                limites.engager(identifiant, limites.adresse_de(self.request))
            except limites.TropDeTentatives as refus:
                self.attente = refus
                raise forms.ValidationError(refus.message, code=refus.code) from refus
        cleaned = super().clean()
        if self.user_cache is not None:
            limites.oublier(identifiant)
        return cleaned


class MotDePasseForm(forms.Form):
    """``ancien`` is asked only of somebody who changes by choice: the first time he has just typed it."""

    ancien = forms.CharField(
        label="Mot de passe actuel",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    nouveau = forms.CharField(
        label="Nouveau mot de passe",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    confirmation = forms.CharField(
        label="Confirmation du nouveau mot de passe",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        if user.doit_changer_mot_de_passe:
            del self.fields["ancien"]

    def clean_ancien(self) -> str:
        ancien: str = self.cleaned_data["ancien"]
        cle = f"\0mot-de-passe:{self.user.pk}"
        try:
            limites.engager(cle, None)
        except limites.TropDeTentatives as refus:
            raise forms.ValidationError(refus.message, code=refus.code) from refus
        if not self.user.check_password(ancien):
            raise forms.ValidationError("Le mot de passe actuel n’est pas celui-ci.", code="ancien")
        limites.oublier(cle)
        return ancien

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or self.cleaned_data
        nouveau, confirmation = donnees.get("nouveau"), donnees.get("confirmation")
        if nouveau and confirmation and nouveau != confirmation:
            self.add_error("confirmation", "Les deux saisies du nouveau mot de passe sont différentes.")
        return donnees
