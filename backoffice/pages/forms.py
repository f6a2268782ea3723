"""Forms of the accounts; filters of the supervision."""

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import QuerySet
from django.utils import timezone

from backoffice.socle.champs_formulaire import OBLIGATOIRE, ChoixField, DateField
from structures.enums import Role
from structures.models import Autorite
from workflows import supervision
from workflows.enums import ACTES, ETAPES
from workflows.models import Tache

from .domaine import ROLES_DEMANDES


class DroitForm(forms.Form):
    """The wanted right: acceptance 6 to 8."""

    role = ChoixField(label="Droit demandé", choices=ROLES_DEMANDES)
    finess = forms.CharField(
        label="Numéro FINESS",
        required=False,
        max_length=20,
        help_text="Pour un Référent ou une Direction : 9 caractères, celui de l’établissement (EG), ou de l’entité "
        "juridique (EJ) pour tous ses établissements.",
    )
    autorite = ChoixField(label="Autorité", required=False, help_text="Pour une tutelle.")

    def __init__(self, *arguments: Any, **nommes: Any) -> None:
        super().__init__(*arguments, **nommes)
        self.fields["autorite"].choices = Autorite.objects.order_by("type", "code").values_list("pk", "nom")  # type: ignore[attr-defined]


class CompteForm(DroitForm):
    """A new account with its first right."""

    identifiant = forms.CharField(
        label="Identifiant",
        max_length=150,
        help_text="Lettres, chiffres et @ . + - _ ; par exemple prenom.nom.",
        error_messages={"required": OBLIGATOIRE},
    )
    prenom = forms.CharField(label="Prénom", max_length=150, error_messages={"required": OBLIGATOIRE})
    nom = forms.CharField(label="Nom", max_length=150, error_messages={"required": OBLIGATOIRE})
    email = forms.EmailField(
        label="Adresse électronique",
        help_text="L’identifiant et le mot de passe provisoire y sont envoyés.",
        error_messages={"required": OBLIGATOIRE, "invalid": "Cette adresse n’est pas complète : nom@domaine.fr."},
    )
    field_order = ("identifiant", "prenom", "nom", "email", "role", "finess", "autorite")


class NouveauDroitForm(DroitForm):
    """One more right, with its dates."""

    debut = DateField(label="À partir du", required=False, help_text="Aujourd’hui si rien n’est indiqué.")
    fin = DateField(
        label="Jusqu’au", required=False, help_text="Premier jour sans ce droit. Rien : jusqu’à nouvel ordre."
    )


class FiltreComptes(forms.Form):
    """Filters by GET; something unknown in the address is ignored rather than refused."""

    q = forms.CharField(label="Nom, identifiant ou adresse", required=False, max_length=100)
    role = forms.ChoiceField(label="Droit", required=False, choices=[("", "Tous les droits"), *Role.choices])
    etat = forms.ChoiceField(
        label="Compte", required=False, choices=[("", "Actifs"), ("tous", "Tous"), ("desactives", "Désactivés")]
    )
    apres = forms.CharField(required=False, max_length=150, widget=forms.HiddenInput)
    avant = forms.CharField(required=False, max_length=150, widget=forms.HiddenInput)


# -- supervision: filters by GET; something unknown in the address is ignored --------------------------


class _Filtre(forms.Form):
    apres = forms.IntegerField(required=False, widget=forms.HiddenInput)

    @property
    def choix(self) -> dict[str, Any]:
        """What is valid among what was asked for."""
        self.is_valid()
        return {nom: valeur for nom, valeur in self.cleaned_data.items() if valeur not in ("", None)}

    def requete(self, **page: int | None) -> str:
        """The query string of these choices; ``page``: which of its pages."""
        gardes = {nom: v for nom, v in self.choix.items() if nom not in ("apres", "avant")} | page
        return urlencode({nom: "oui" if v is True else v for nom, v in gardes.items() if v not in (False, None)})


class FiltreTachesOuvertes(_Filtre):
    etape = forms.ChoiceField(required=False, choices=[(noeud, noeud) for noeud in ETAPES])
    autorite = forms.CharField(required=False, max_length=20)
    tranche = forms.ChoiceField(required=False, choices=[(t.cle, t.libelle) for t in supervision.TRANCHES])
    retard = forms.BooleanField(required=False)
    personne = forms.BooleanField(required=False)
    avant = forms.IntegerField(required=False)

    @property
    def taches(self) -> QuerySet[Tache]:
        return supervision.ouvertes(**{n: v for n, v in self.choix.items() if n not in ("apres", "avant")})


class FiltrePeriode(_Filtre):
    """The last twelve weeks unless said; two years at most, of this century: a calendar has ends."""

    SEMAINES = 12
    _LISIBLE = tuple(
        borne(jour, "Choisissez une date entre 2000 et 2099.")
        for borne, jour in ((MinValueValidator, date(2000, 1, 1)), (MaxValueValidator, date(2099, 12, 31)))
    )
    du = DateField(label="Du", required=False, validators=_LISIBLE)
    au = DateField(label="Au", required=False, validators=_LISIBLE)

    def clean(self) -> dict[str, Any]:
        du, au = self.cleaned_data.get("du"), self.cleaned_data.get("au") or timezone.localdate()
        if du and du > au:
            self.add_error("du", "Le début est après la fin.")
        elif du and (au - du).days > 740:
            self.add_error("du", "Deux ans au plus.")
        return self.cleaned_data

    @property
    def periode(self) -> supervision.Periode:
        choix = self.choix
        au = choix.get("au") or timezone.localdate()
        return supervision.Periode(choix.get("du") or self._lundi(au, self.SEMAINES), au)

    @staticmethod
    def _lundi(jour: date, semaines: int) -> date:
        return jour - timedelta(days=jour.weekday() + 7 * (semaines - 1))

    @classmethod
    def raccourcis(cls) -> list[tuple[str, dict[str, str]]]:
        aujourdhui = timezone.localdate()
        return [
            (mot, {"du": cls._lundi(aujourdhui, semaines).isoformat(), "au": aujourdhui.isoformat()})
            for mot, semaines in (("4 semaines", 4), ("12 semaines", 12), ("Un an", 53))
        ]


class FiltreActes(FiltrePeriode):
    mesure = forms.ChoiceField(required=False, choices=[(type_, type_) for type_ in ACTES])
    personne = forms.IntegerField(required=False)
    etape = forms.ChoiceField(required=False, choices=[(noeud, noeud) for noeud in ETAPES])
    autorite = forms.CharField(required=False, max_length=20)
    reponse = forms.ChoiceField(required=False, choices=[(issue, issue) for issue in supervision.REPONSES])

    @property
    def actes(self) -> QuerySet[Any]:
        """Decisions when a step is asked for, else events."""
        choix = self.choix
        if "etape" in choix:
            return supervision.decisions(
                self.periode, noeud=choix["etape"], autorite=choix.get("autorite", ""), issue=choix.get("reponse", "")
            )
        return supervision.actes(self.periode, type_=choix.get("mesure", ""), personne=choix.get("personne"))
