"""Forms of the consumers of the exposition."""

from django import forms

from backoffice.socle.champs_formulaire import EntierField, TexteField
from backoffice.socle.champs_formulaire.base import OBLIGATOIRE

from ..domaine.consommateurs import QUOTA_MAXIMUM, Reglages
from ..enums import Portee, ProfilAcces
from ..models import Consommateur


class ConsommateurForm(forms.Form):
    """What a gestionnaire decides of a consumer; the verbs check, and say where."""

    use_required_attribute = False
    nom = TexteField(label="Nom de l’outil", max_length=200)
    organisme = TexteField(label="Organisme responsable", max_length=200)
    courriel = TexteField(
        label="Courriel de contact", max_length=254, help_text="Qui prévenir d’un changement ou d’un incident."
    )
    profil = forms.TypedChoiceField(
        label="Profil d’accès",
        coerce=int,
        choices=[(0, ProfilAcces.LIBRES.label), (2, ProfilAcces.RESTREINTS.label), (1, ProfilAcces.TOUS.label)],
        widget=forms.RadioSelect,
        error_messages={"required": OBLIGATOIRE},
        help_text="Les contacts que l’outil reçoit, d’après leur confidentialité.",
    )
    portees = forms.MultipleChoiceField(
        label="Portées",
        choices=[(portee.value, f"{portee.label} ({portee.value})") for portee in Portee],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": OBLIGATOIRE},
        help_text="Ce que l’outil peut demander. « Toutes les ressources » comprend les trois premières.",
    )
    quota_minute = EntierField(label="Requêtes par minute", min_value=1, max_value=QUOTA_MAXIMUM)
    quota_jour = EntierField(label="Requêtes par jour", min_value=1, max_value=QUOTA_MAXIMUM)
    reseaux = TexteField(
        label="Réseaux d’origine",
        lignes=3,
        max_length=2000,
        required=False,
        help_text="Un par ligne, par exemple 192.0.2.0/24. Vide : l’outil peut appeler de partout.",
    )

    @classmethod
    def de(cls, consommateur: Consommateur) -> "ConsommateurForm":
        """The form as this consumer fills it."""
        c = consommateur
        return cls(
            initial={
                "nom": c.name,
                "organisme": c.organisme,
                "courriel": c.courriel,
                "profil": c.profil,
                "portees": c.portees,
                "quota_minute": c.quota_minute,
                "quota_jour": c.quota_jour,
                "reseaux": "\n".join(c.reseaux),
            }
        )

    def clean_portees(self) -> list[str]:
        portees: list[str] = self.cleaned_data["portees"]
        if Portee.TOUT in portees and {Portee.ORGANISATIONS, Portee.OFFRES, Portee.LIEUX} & set(portees):
            raise forms.ValidationError(
                "« Toutes les ressources » donne déjà tout à lire : décochez-la pour n’en donner qu’une partie."
            )
        return portees

    def reglages(self) -> Reglages:
        return Reglages(**{**self.cleaned_data, "reseaux": self.cleaned_data["reseaux"].splitlines()})


class SecretForm(forms.Form):
    """What becomes of the former secret."""

    use_required_attribute = False
    ancien = forms.ChoiceField(
        label="Le secret actuel",
        choices=[
            ("garder", "marche encore 24 heures : l’outil change de secret sans coupure"),
            ("finir", "est refusé aussitôt, avec les jetons en cours : il a pu être lu par d’autres"),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "Choisissez ce que devient le secret actuel."},
    )


class SuspensionForm(forms.Form):
    use_required_attribute = False
    motif = TexteField(
        label="Motif", lignes=3, max_length=500, help_text="Gardé au journal du consommateur. L’outil ne le reçoit pas."
    )
