"""Forms of the inbox and of the decisions."""

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.utils.functional import cached_property

from backoffice.comptes.models import User
from backoffice.socle.champs_formulaire import DateField
from structures.enums import Filiere
from structures.models import Autorite, Departement

from .boite import AGES, ECHEANCES, TAILLES, TOUTE_MARQUE
from .enums import ETAPES
from .revue.modele import ATTENTIONS

ONGLETS = {
    "a-prendre": "À prendre",
    "mes-taches": "Mes tâches",
    "mon-equipe": "Mon équipe",
    "en-retard": "En retard",
    "en-attente": "En attente d’autres",
    "mises-de-cote": "Mises de côté",
    "terminees": "Terminées",
}
TRIS = {
    "echeance": "Échéance",
    "anciennete": "Ancienneté",
    "etablissement": "Établissement",
    "departement": "Département",
    "filiere": "Filière",
    "etape": "Étape",
    "autorite": "Autorité",
    "expediteur": "Expéditeur",
    "-taille": "Taille, les plus gros d’abord",
    "taille": "Taille, les plus petits d’abord",
}
COLONNES = {
    "etape": "Étape",
    "echeance": "Échéance",
    "changements": "Changements",
    "expediteur": "Envoyé",
    "anciennete": "Ancienneté",
    "departement": "Département",
    "filiere": "Filière",
    "autorite": "Autorité",
    "attentions": "Points d’attention",
    "qui": "Qui s’en charge",
}
HABITUELLES = ("etape", "echeance", "changements", "expediteur")
PREFIXE_COMMENTAIRE = "commentaire-"
_NUMERO: dict[str, Any] = {
    "required": False, "min_value": 1, "max_value": 2**63 - 1, "widget": forms.HiddenInput,
}  # fmt: skip


def _jours(libelle: str, choix: list[tuple[int | str, str]]) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(label=libelle, required=False, coerce=int, empty_value=None, choices=choix)


class FiltreTaches(forms.Form):
    """What the address of the inbox says. Something unknown in it is ignored rather than refused.

    ``roles`` (regles.portees) limits the choices to the steps and authorities that the person meets; ``colonnes`` are
    those that she keeps, shown when the address names none.
    """

    onglet = forms.ChoiceField(required=False, choices=list(ONGLETS.items()), widget=forms.HiddenInput)
    q = forms.CharField(label="Établissement ou dossier", required=False, max_length=100)
    etape = forms.ChoiceField(label="Étape", required=False)
    autorite = forms.ChoiceField(label="Autorité", required=False)
    departement = forms.ChoiceField(label="Département", required=False)
    filiere = forms.ChoiceField(label="Filière", required=False, choices=[("", "Toutes"), *Filiere.choices])
    echeance = _jours(
        "Échéance",
        [("", "Peu importe"), (-1, "En retard"), *((n, f"Sous {n} jours" if n else "Aujourd’hui") for n in ECHEANCES)],
    )
    age = _jours("Ouverte depuis plus de", [("", "Peu importe"), *((n, f"{n} jours") for n in AGES)])
    expediteur = forms.CharField(label="Expéditeur", required=False, max_length=100)
    taille = forms.ChoiceField(
        label="Fiches touchées",
        required=False,
        choices=[
            ("", "Peu importe"),
            *((nom, f"{du} à {au}" if au else "Plus de 100") for nom, (du, au) in TAILLES.items()),
        ],
    )
    attention = forms.ChoiceField(
        label="Point d’attention",
        required=False,
        choices=[("", "Peu importe"), (TOUTE_MARQUE, "Au moins un"), *ATTENTIONS.items()],
    )
    tri = forms.ChoiceField(label="Trier par", required=False)
    colonnes = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)
    vue = forms.IntegerField(**_NUMERO)
    apres = forms.IntegerField(**_NUMERO)
    avant = forms.IntegerField(**_NUMERO)

    def __init__(
        self, donnees: Any, *, roles: Mapping[str, set[str | None]], colonnes: Collection[str] = HABITUELLES
    ) -> None:
        super().__init__(donnees, auto_id="filtre_%s")
        self.ses_colonnes = tuple(colonnes) or HABITUELLES
        etapes = [(e.noeud, e.titre) for e in ETAPES.values() if roles.keys() & e.roles]
        self._choisir("etape", [("", "Toutes les étapes"), *etapes], utile=len(etapes) > 1)
        codes = {code for siens in roles.values() for code in siens if code}
        autorites = list(Autorite.objects.filter(pk__in=codes).values_list("pk", "nom")) if len(codes) > 1 else []
        self._choisir("autorite", [("", "Toutes les autorités"), *autorites], utile=bool(autorites))
        region = Departement.objects.filter(region=settings.PREFIXE_REGION).values_list("pk", "nom")
        self._choisir("departement", [("", "Tous"), *((code, f"{nom} ({code})") for code, nom in region)], utile=True)
        demande = self.data.get("tri", "")
        autre_sens = [(demande, TRIS[demande[1:]])] if demande not in TRIS and demande[1:] in TRIS else []
        self._choisir("tri", [("", "Échéance"), *list(TRIS.items())[1:], *autre_sens], utile=True)

    def _choisir(self, nom: str, choix: list[tuple[str, str]], *, utile: bool) -> None:
        if utile:
            self.fields[nom].choices = choix  # type: ignore[attr-defined]
        else:
            del self.fields[nom]

    @cached_property
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
        return "-fin" if self.liste == "terminees" else self.choix.get("tri") or "echeance"

    @cached_property
    def colonnes_voulues(self) -> tuple[str, ...]:
        """Keys of COLONNES, in her order."""
        dans_l_adresse = dict.fromkeys(c for c in self.choix.get("colonnes", "").split(",") if c in COLONNES)
        return tuple(dans_l_adresse) or self.ses_colonnes

    @cached_property
    def criteres(self) -> dict[str, Any]:
        """Arguments of ``boite.filtrer``."""
        choix = self.choix
        return {"texte": choix.get("q", "")} | {
            nom: choix.get(nom, "")
            for nom in ("etape", "autorite", "departement", "filiere", "expediteur", "taille", "attention")
        } | {nom: choix.get(nom) for nom in ("echeance", "age")}  # fmt: skip

    @property
    def actif(self) -> bool:
        return any(valeur not in ("", None) for valeur in self.criteres.values())

    @property
    def precis(self) -> bool:
        """A criterion of the folded part of the form is set."""
        return any(self.criteres[nom] not in ("", None) for nom in PRECISIONS)

    def requete(self, **change: Any) -> str:
        """The query string of this list without its page, with some parameters replaced."""
        voulus = {"onglet": self.liste} | {nom: self.choix.get(nom) for nom in RETENUS} | change
        return urlencode({nom: valeur for nom, valeur in voulus.items() if valeur not in ("", None)})


PRECISIONS = ("departement", "filiere", "autorite", "age", "expediteur", "taille", "attention")
# What a list keeps of its address from page to page; the page itself (apres, avant) is not part of it.
RETENUS = tuple(nom for nom in FiltreTaches.base_fields if nom not in ("onglet", "apres", "avant"))


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
    """The authorities that will approve; those of the establishment's département come first."""

    autorites = forms.MultipleChoiceField(
        label="Tutelles compétentes",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="D’abord celles de son département. Si vous en cochez plusieurs, toutes devront approuver.",
    )

    def __init__(self, *arguments: Any, departement: str, **nommes: Any) -> None:
        super().__init__(*arguments, **nommes)
        toutes = sorted(Autorite.objects.order_by("type", "code"), key=lambda a: a.departement != departement)
        self.fields["autorites"].choices = [  # type: ignore[attr-defined]
            (a.pk, f"{a.nom} (son département)" if a.departement and a.departement == departement else a.nom)
            for a in toutes
        ]


class RepriseForm(forms.Form):
    """Why a task is taken over. ``vu``: who held it on the page."""

    motif = forms.CharField(
        label="Pourquoi reprenez-vous cette tâche ?",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="La personne qui l’avait prise le reçoit par courriel.",
    )
    vu = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)


class AttributionForm(forms.Form):
    """To whom a task is given. ``vu``: who held it on the page; the reason is asked for when it is somebody else."""

    a = forms.TypedChoiceField(label="À qui ?", coerce=int)
    motif = forms.CharField(label="Motif", required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))
    vu = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)

    def __init__(self, *arguments: Any, personnes: list[User], tenue: bool, **nommes: Any) -> None:
        super().__init__(*arguments, **nommes)
        self.fields["a"].choices = [("", "Choisissez une personne"), *((p.pk, str(p)) for p in personnes)]  # type: ignore[attr-defined]
        self.fields["motif"].required = tenue
        self.fields["motif"].help_text = (
            "La personne qui a la tâche et celle qui la reçoit le lisent dans leur courriel."
            if tenue
            else "Facultatif : la personne qui reçoit la tâche le lit dans son courriel."
        )


class MiseDeCoteForm(forms.Form):
    """Until when a task is put aside."""

    retour_le = DateField(
        label="Jour où la tâche revient",
        help_text="D’ici là, elle quitte vos listes. Ni son échéance ni les listes de vos collègues ne changent.",
    )
    malgre_echeance = forms.BooleanField(
        label="Même après l’échéance",
        required=False,
        help_text="À cocher si le jour choisi vient après l’échéance : la tâche sera en retard quand elle reviendra.",
    )
