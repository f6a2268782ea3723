"""Forms of the dossiers."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict

from backoffice.comptes.models import User
from backoffice.socle.champs_formulaire import ChoixField, EntierField, TexteField
from structures.domaine.patches import valeur
from structures.enums import ChampEG, Niveau
from structures.forms import FicheForm

from .domaine.gestes import QUANTITE_MAXIMALE
from .domaine.qualite.identite import UNITE
from .domaine.qualite.offre import CHAMPS_ADMIS
from .domaine.type_uo import CHAMPS_DU_TYPE, champs_des_types
from .enums import GENRES, GenreEvenement
from .models import Evenement

RETIRER = "retirer"  # values « champ:code » to take off with a new type


class DossierForm(forms.Form):
    """A new dossier: its establishment among those of the person, and its name (acceptance 54–56)."""

    use_required_attribute = False
    eg = ChoixField(label="Établissement", vide="Choisissez l’établissement")
    nom = TexteField(
        label="Nom du dossier",
        max_length=150,
        help_text="Ce que le dossier prépare, en quelques mots : « Ouverture de l’UHCD », « Regroupement des soins "
        "de suite ». Il est lu par tous ceux qui l’approuvent.",
    )

    def __init__(self, *, etablissements: Iterable[tuple[str, str]], data: Any = None, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        self.fields["eg"].choices = list(etablissements)  # type: ignore[attr-defined]


class FiltreJournal(forms.Form):
    """What one looks for in a journal. Something unknown in the address is ignored."""

    SYSTEME = "systeme"

    genre = forms.ChoiceField(label="Quoi", required=False, choices=[("", "Tout"), *GenreEvenement.choices])
    par = forms.ChoiceField(label="Par", required=False)

    def __init__(self, donnees: Any, *, auteurs: Iterable[User]) -> None:
        super().__init__(donnees)
        personnes = [(str(p.pk), str(p)) for p in auteurs]
        self.fields["par"].choices = [("", "Tout le monde"), *personnes, (self.SYSTEME, "Automatique")]  # type: ignore[attr-defined]

    def retenir(self, evenements: QuerySet[Evenement]) -> QuerySet[Evenement]:
        self.is_valid()
        if genre := self.cleaned_data.get("genre"):
            evenements = evenements.filter(type__in=GENRES[genre])
        if par := self.cleaned_data.get("par"):
            evenements = evenements.filter(acteur=None if par == self.SYSTEME else par)
        return evenements

    @property
    def actif(self) -> bool:
        return any(self.cleaned_data.values())


class AjouterForm(forms.Form):
    """How many fiches to create (acceptance 66)."""

    use_required_attribute = False
    quantite = EntierField(label="Combien ?", min_value=1, max_value=QUANTITE_MAXIMALE, initial=1)


class DeplacerForm(forms.Form):
    """The new place of a fiche among the legal ones: (id, name, path) triples."""

    use_required_attribute = False
    parent = forms.ChoiceField(
        label="Nouvelle place",
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choisissez la nouvelle place.",
            "invalid_choice": "Choisissez une place de la liste : cette fiche ne peut pas aller là.",
        },
    )

    def __init__(self, *, places: Sequence[tuple[int, str]], data: Any = None) -> None:
        super().__init__(data)
        self.fields["parent"].choices = [(str(cle), nom) for cle, nom in places]  # type: ignore[attr-defined]


class FicheDossierForm(FicheForm):
    """The editor of the register, for a working copy.

    A ``nouvelle`` fiche has no champ d'activité yet: every Type d'UO can be chosen. Afterwards a type of the same
    champ only (domain.md §2).

    What is typed beside a new type is followed here, so that it works without JavaScript: the name, while it is empty
    or still what the former type proposed; the values ticked ``RETIRER`` in answer to the question about ``type_vu``.
    """

    def __init__(self, *, nouvelle: bool, data: Any = None, **kwargs: Any) -> None:
        self.nouvelle = nouvelle
        super().__init__(data=data, **kwargs)
        if self.niveau == Niveau.UO:
            self._expliquer()
            if nouvelle:
                self._grouper_les_types()
            if data is not None:
                self.data = self._suivre_le_type(data)

    def _lire_options(self) -> None:
        if not self.nouvelle:
            super()._lire_options()
            return
        etat, self.etat = self.etat, {**self.etat, "champ_activite": ""}
        super()._lire_options()
        self.etat = etat

    def _grouper_les_types(self) -> None:
        """All the types in one list are long: by champ, those of the establishment first."""
        liste: Any = self.fields["type_uo"]
        champ_de, champs = champs_des_types(), dict(self._choix("R227")[0])
        admis = CHAMPS_ADMIS[ChampEG(self.champ_eg)]
        liste.widget.choices = [p for p in liste.choices if champ_de.get(p[0]) not in champs]
        for champ in sorted(champs, key=lambda code: (code not in admis, code)):
            if types := [p for p in liste.choices if champ_de.get(p[0]) == champ]:
                liste.widget.choices.append((champs[champ], types))

    def _expliquer(self) -> None:
        aides = {
            "nom": "« Unité », suivi du nom du type d’unité opérationnelle.",
            "type_uo": ""
            if self.nouvelle
            else "Les types du même champ d’activité : le champ d’une unité ne change jamais.",
            "champ_activite": "Rempli d’après le Type d’UO si vous le laissez vide. Il ne pourra plus changer après "
            "la publication.",
            "mode_prise_en_charge": "Il ne pourra plus changer après la publication.",
        }
        for nom, aide in aides.items():
            if nom in self.fields and aide:
                self.fields[nom].help_text = aide

    def _suivre_le_type(self, data: QueryDict) -> QueryDict:
        type_uo, ancien = data.get("type_uo", ""), str(valeur(self.etat, "type_uo"))
        if not type_uo or type_uo == ancien:
            return data
        data = data.copy()
        propose, nom = self.types.get(type_uo), data.get("nom", "").strip()
        if propose and nom in ("", self.types.get(ancien)):
            data["nom"] = propose
        if data.get("type_vu") == type_uo:
            for brut in data.getlist(RETIRER):
                champ, _, code = brut.partition(":")
                if champ in CHAMPS_DU_TYPE:
                    data.setlist(champ, [c for c in data.getlist(champ) if c != code])
        return data

    @property
    def type_change(self) -> bool:
        """Another type was chosen than the one that the fiche had."""
        ancien, nouveau = valeur(self.etat, "type_uo"), self.data.get("type_uo", "")
        return bool(ancien and nouveau and nouveau != ancien)

    @property
    def types(self) -> dict[str, str]:
        """The name that each type proposes, by code."""
        champ = self.fields.get("type_uo")
        return {c: nom_propose(texte) for c, texte in champ.choices if c} if isinstance(champ, ChoixField) else {}


def nom_propose(type_uo: str) -> str:
    """« Unité d’imagerie » stays itself; « Centre de crise » gives « Unité Centre de crise »."""
    return type_uo if type_uo.startswith(UNITE) else f"{UNITE} {type_uo}"
