"""Forms of the inbox and of the decisions."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django import forms

from structures.models import Autorite

from .enums import ETAPES

ONGLETS = {
    "a-prendre": "À prendre",
    "mes-taches": "Mes tâches",
    "en-retard": "En retard",
    "terminees": "Terminées",
}
TRIS = {"echeance": "Échéance", "anciennete": "Ancienneté"}
PREFIXE_COMMENTAIRE = "commentaire-"


class FiltreTaches(forms.Form):
    """What the address of the inbox says. Something unknown in it is ignored rather than refused.

    ``roles`` (regles.portees) limits the choices to the steps and authorities that the person meets.
    """

    onglet = forms.ChoiceField(required=False, choices=list(ONGLETS.items()), widget=forms.HiddenInput)
    q = forms.CharField(label="Établissement ou dossier", required=False, max_length=100)
    etape = forms.ChoiceField(label="Étape", required=False)
    autorite = forms.ChoiceField(label="Autorité", required=False)
    tri = forms.ChoiceField(label="Trier par", required=False, choices=list(TRIS.items()))
    retard = forms.BooleanField(label="En retard seulement", required=False)
    apres = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)
    avant = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)

    def __init__(self, donnees: Any, *, roles: Mapping[str, set[str | None]]) -> None:
        super().__init__(donnees, auto_id="filtre_%s")
        etapes = [(e.noeud, e.titre) for e in ETAPES.values() if roles.keys() & e.roles]
        self._choisir("etape", [("", "Toutes les étapes"), *etapes], utile=len(etapes) > 1)
        codes = {code for siens in roles.values() for code in siens if code}
        autorites = list(Autorite.objects.filter(pk__in=codes).values_list("pk", "nom")) if len(codes) > 1 else []
        self._choisir("autorite", [("", "Toutes les autorités"), *autorites], utile=bool(autorites))

    def _choisir(self, nom: str, choix: list[tuple[str, str]], *, utile: bool) -> None:
        if utile:
            self.fields[nom].choices = choix  # type: ignore[attr-defined]
        else:
            del self.fields[nom]

    @property
    def choix(self) -> dict[str, Any]:
        """The valid part of the address."""
        self.is_valid()
        return self.cleaned_data

    @property
    def liste(self) -> str:
        """The tab: one of ONGLETS."""
        return self.choix.get("onglet") or next(iter(ONGLETS))

    @property
    def ordre(self) -> str:
        """A sort of ``boite.TRIS``."""
        return "fin" if self.liste == "terminees" else self.choix.get("tri") or "echeance"

    @property
    def criteres(self) -> dict[str, Any]:
        """Arguments of ``boite.filtrer``."""
        choix = self.choix
        return {
            "etape": choix.get("etape", ""),
            "texte": choix.get("q", ""),
            "autorite": choix.get("autorite", ""),
            "retard": bool(choix.get("retard")),
        }

    @property
    def actif(self) -> bool:
        return any(self.criteres.values())

    def requete(self, **change: Any) -> str:
        """The query string of this list without its page, with some parameters replaced."""
        choix = {nom: self.choix.get(nom) for nom in ("q", "etape", "autorite", "tri", "retard")}
        voulus = {"onglet": self.liste, **choix, "retard": "on" if choix["retard"] else "", **change}
        return urlencode({nom: valeur for nom, valeur in voulus.items() if valeur})


class DecisionForm(forms.Form):
    """What somebody types beside a decision: a reason a button, and comments on fiches (``commentaires``)."""

    motif_renvoi = forms.CharField(
        label="Motif du renvoi",
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Ce qui est à corriger. Les auteurs du dossier le reçoivent par courriel.",
    )
    motif_refus = forms.CharField(
        label="Motif du refus",
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Pourquoi ce dossier ne sera pas publié. Ses auteurs le reçoivent par courriel.",
    )

    @property
    def commentaires(self) -> dict[int, str]:
        """Comments by fiche, empty ones left out."""
        textes = {}
        for nom in self.data:
            fiche = nom.removeprefix(PREFIXE_COMMENTAIRE)
            if fiche != nom and fiche.isdecimal() and len(fiche) < 19 and self.data[nom].strip():
                textes[int(fiche)] = self.data[nom].strip()
        return textes


class AffectationForm(forms.Form):
    """The authorities that will approve."""

    autorites = forms.MultipleChoiceField(
        label="Autorités compétentes",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Si vous en cochez plusieurs, toutes devront approuver.",
    )

    def __init__(self, *arguments: Any, **nommes: Any) -> None:
        super().__init__(*arguments, **nommes)
        self.fields["autorites"].choices = [(a.pk, a.nom) for a in Autorite.objects.order_by("type", "code")]  # type: ignore[attr-defined]
