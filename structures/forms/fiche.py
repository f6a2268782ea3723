"""The form of a fiche, made from the catalogue: the direct change and the dossiers fill the same one.

    form = FicheForm(niveau="UO", champs=champs_de("UO", {Qui.PARTOUT}), etat=etat, champ_eg="sanitaire", data=…)
    form.is_valid(); patch = form.patch(etat); form.ajouter_erreurs(refus.champs)

What is missing never blocks here: completeness is another question (``champs.manquants``), the form only says
« (obligatoire) ». What a person did not touch keeps the very value of the state, so that ``patch`` holds her changes
and nothing else.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django import forms
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.socle.champs_formulaire import (
    ChoixField,
    ChoixMultipleField,
    CodesNombresField,
    CommunesField,
    ContactsField,
    DateField,
    EntierField,
    LignesField,
    SaisieCommunes,
    TexteField,
)

from ..affichage import codes_tenus
from ..champs import SECTIONS, UNITES, UNITES_AGE, Champ, Genre, est_exige, libelle
from ..communes import communes_ou_lots_nommes, communes_seules, noms_des_departements
from ..domaine.patches import Etat, Patch, difference, valeur
from ..domaine.texte import normaliser
from ..domaine.valider import LISTES_SOEURS, RESTREINT, TRES_RESTREINT, erreur_telecom
from ..models import Autorite
from ..requetes import Option, libelles_communes, options
from .groupes import Groupe, SectionForm
from .horaires import HorairesDuFormulaire
from .valeurs import initiale, saisie, tres_restreint

OUI_NON = (("oui", "Oui"), ("non", "Non"))
# Short lists keep the order of their codes; the others are sorted by label.
_TRI_PAR_CODE = {"R200", "R238", "R240", "R252", "R265", "R266", "R283", "R287", "R329", "R330"}
_LISTES = {
    Genre.HORAIRES: ("R252",),
    Genre.CAPACITES: ("R329", "R330"),
    Genre.CONTACTS: ("R200", "R251", "R283", "R287"),
}


class CommuneField(CommunesField):
    """The one commune of an address; the Python value is a list of at most one code."""

    def ajouter(self, value: Any) -> SaisieCommunes:
        if getattr(value, "ajout", "") and len(value) == 1:  # typing another name replaces the one shown
            unique = SaisieCommunes()
            unique.ajout = value.ajout
            value = unique
        return super().ajouter(value)

    def clean(self, value: Any) -> list[str]:
        codes = super().clean(value)
        if len(codes) > 1:
            raise forms.ValidationError("Une adresse n’a qu’une commune : retirez celle qui ne convient pas.")
        return codes


class FicheForm(HorairesDuFormulaire):
    """``champs``: the fields to offer; ``etat``: what the fiche holds; ``champ_eg``: field of activity of its EG.

    ``jour`` decides which codes are closed and which typical week is in force. ``montre``: what the fields show at
    first when it is not ``etat`` itself (changes to take up again). Field names are those of the catalogue, except
    ``horaires``, which is several fields (``horaires_<kind>…``).
    """

    use_required_attribute = False

    def __init__(
        self,
        *,
        niveau: str,
        champs: Sequence[Champ],
        etat: Etat,
        champ_eg: str,
        data: Any = None,
        jour: date | None = None,
        prefix: str | None = None,
        montre: Etat | None = None,
    ) -> None:
        super().__init__(data, prefix=prefix)
        self.niveau, self.champs, self.etat, self.champ_eg = niveau, list(champs), etat, champ_eg
        self.montre = etat if montre is None else montre
        self.jour = jour or timezone.localdate()
        self._lire_options()
        for champ in self.champs:
            if champ.genre is Genre.HORAIRES:
                tenus = [code for _, code in codes_tenus(champ, valeur(etat, champ.nom))]
                self._ajouter_horaires(champ, *self._choix(champ.nomenclature, tenus))
                continue
            formulaire = self._champ(champ)
            formulaire.label = _libelle_unite(champ) if champ.genre is Genre.UNITE_AGE else libelle(champ, niveau)
            formulaire.help_text = champ.aide
            if isinstance(formulaire, ChoixMultipleField | CommunesField):
                formulaire.widget.attrs["data-libelle"] = formulaire.label
            # Required in words only, see full_clean.
            formulaire.required = est_exige(champ, champ_eg) and champ.genre is not Genre.UNITE_AGE
            self.fields[champ.nom] = formulaire
            self.initial[champ.nom] = initiale(champ, valeur(self.montre, champ.nom))

    # -- choices -----------------------------------------------------------------------------------

    def _lire_options(self) -> None:
        listes: set[str] = set()
        for champ in self.champs:
            propres = _LISTES.get(champ.genre) or ((champ.nomenclature,) if champ.nomenclature else ())
            listes |= {soeur for liste in propres for soeur in LISTES_SOEURS.get(liste, (liste,))}
        par_liste: dict[str, list[Option]] = defaultdict(list)
        if listes:
            for option in options(listes, str(valeur(self.etat, "champ_activite")) if "J238" in listes else ""):
                par_liste[option.nomenclature].append(option)
        self._options = par_liste

    def _choix(self, liste: str, tenus: Iterable[str] = ()) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """(codes that can be chosen, codes that the fiche holds and that can't): pairs of code and label."""
        toutes = [o for soeur in LISTES_SOEURS.get(liste, (liste,)) for o in self._options[soeur]]
        ouvertes = [o for o in toutes if not o.ferme_au(self.jour)]
        if liste not in _TRI_PAR_CODE:
            ouvertes.sort(key=lambda o: normaliser(o.libelle))
        ouverts = {o.code for o in ouvertes}
        libelles = {o.code: o.libelle for o in toutes}
        fermes = [(code, libelles.get(code, f"code {code}")) for code in sorted(set(tenus) - ouverts) if code]
        return [(o.code, o.libelle) for o in ouvertes], fermes

    # -- fields ------------------------------------------------------------------------------------

    def _champ(self, champ: Champ) -> forms.Field:
        contenu = valeur(self.etat, champ.nom)
        if champ.genre in _SIMPLES:
            return _SIMPLES[champ.genre]()
        match champ.genre:
            case Genre.CODE:
                ouverts, fermes = self._choix(champ.nomenclature, [contenu])
                return ChoixField(choices=ouverts, fermes=fermes, required=False)
            case Genre.CODES:
                ouverts, fermes = self._choix(champ.nomenclature, contenu)
                return ChoixMultipleField(choices=ouverts, fermes=fermes, required=False)
            case Genre.AUTORITES:
                autorites = list(Autorite.objects.values_list("code", "nom"))
                return ChoixMultipleField(choices=autorites, required=False)
            case Genre.COMMUNE:
                return CommuneField(resoudre=communes_seules, lots=False, **_communes())
            case Genre.COMMUNES:
                return CommunesField(
                    resoudre=communes_ou_lots_nommes, departements=noms_des_departements, **_communes()
                )
        return self._champ_a_lignes(champ, contenu)

    def _champ_a_lignes(self, champ: Champ, contenu: Any) -> forms.Field:
        tenus: dict[str, set[str]] = defaultdict(set)
        for liste, code in codes_tenus(champ, contenu) if contenu and champ.genre in _A_LIGNES else ():
            tenus[liste].add(code)
        match champ.genre:
            case Genre.EQUIPEMENTS:
                ouverts, fermes = self._choix(champ.nomenclature, tenus[champ.nomenclature])
                return CodesNombresField(
                    choices=ouverts, fermes=fermes, ajouter="Ajouter un équipement", required=False
                )
            case Genre.CAPACITES:
                colonnes: dict[str, forms.Field] = {}
                for nom, liste in (("nature", "R329"), ("statut", "R330")):
                    ouverts, fermes = self._choix(liste, tenus[liste])
                    colonnes[nom] = ChoixField(label=nom.capitalize(), choices=ouverts, fermes=fermes)
                colonnes["nombre"] = EntierField(label="Nombre", min_value=0, max_value=99_999)
                return LignesField(
                    colonnes=colonnes,
                    mot="capacité",
                    ajouter="Ajouter une capacité",
                    uniques=("nature", "statut"),
                    avec_id=True,
                    required=False,
                )
            case Genre.CONTACTS:
                listes = {"natures": "R287", "fonctions": "R251", "canaux": "R200"}
                choix = {nom: self._choix(liste, tenus[liste]) for nom, liste in listes.items()}
                sensible = bool(valeur(self.etat, "unite_sensible"))
                return ContactsField(
                    **{nom: ouverts for nom, (ouverts, _) in choix.items()},
                    fermes={nom: fermes for nom, (_, fermes) in choix.items()},
                    confidentialites=self._choix("R283")[0],
                    confidentialite_defaut=TRES_RESTREINT if sensible else RESTREINT,
                    verifier_telecom=erreur_telecom,
                    ajouter="Ajouter un contact",
                    required=False,
                )
        return TexteField(required=False)

    # -- what was typed ----------------------------------------------------------------------------

    def full_clean(self) -> None:
        """Completeness does not block: « (obligatoire) » is only said."""
        marques = [champ for champ in self.fields.values() if champ.required]
        for champ in marques:
            champ.required = False
        try:
            super().full_clean()
        finally:
            for champ in marques:
                champ.required = True

    def etat_saisi(self) -> Etat:
        """What the fields say, in the shapes of structures/domaine/patches.py; a field in error keeps its value.

        To call on a bound form. A sensitive unit makes all its contacts très restreint (domain.md §3).
        """
        saisi: Etat = {}
        for champ in self.champs:
            avant = valeur(self.etat, champ.nom)
            if champ.genre is Genre.HORAIRES:
                saisi[champ.nom] = self._horaires_saisis(avant)
            elif champ.nom not in self.cleaned_data or self._omis(champ.nom):
                saisi[champ.nom] = avant
            else:
                saisi[champ.nom] = saisie(champ, self.cleaned_data[champ.nom], avant)
        if "contacts" in saisi and saisi.get("unite_sensible", valeur(self.etat, "unite_sensible")):
            saisi["contacts"] = {cle: tres_restreint(contact) for cle, contact in saisi["contacts"].items()}
        return saisi

    def patch(self, base: Etat) -> Patch:
        """What the person changed in ``base``, the state that the form was filled from."""
        return difference(base, self.etat_saisi())

    def ajouter_erreurs(self, champs: Mapping[str, Iterable[str]]) -> None:
        """Put the messages of an ``ErreurMetier`` beside the fields, above the form for those it does not have."""
        for nom, messages in champs.items():
            cible = self._premier(nom)
            self.add_error(cible if cible in self.fields else None, list(messages))

    def adresse(self, nom: str) -> str:
        """The id in the page of the first control of a field of the catalogue, for a link to it."""
        champ = self[self._premier(nom)]
        return str(champ.id_for_label or champ.auto_id)

    def _premier(self, nom: str) -> str:
        return self._semaines[0].nom if nom == "horaires" and self._semaines else nom

    # -- the screen --------------------------------------------------------------------------------

    def sections(self) -> list[SectionForm]:
        """The fields in the sections of the catalogue, those that are read together in one group."""
        sections = {code: SectionForm(code, titre) for code, titre in SECTIONS.items()}
        for champ in self.champs:
            groupes = sections[champ.section].groupes
            unite = f"{champ.nom}_unite"
            if champ.genre is Genre.HORAIRES:
                groupes += self._groupes_horaires()
            elif UNITES.get(champ.nom) in self.fields:
                continue
            elif unite in self.fields:
                titre = libelle(champ, self.niveau)
                groupes.append(Groupe(titre, [self[champ.nom], self[unite]], cote_a_cote=True))
            else:
                groupes.append(Groupe("", [self[champ.nom]]))
        return [s for s in sections.values() if s.groupes]


class FicheDirecteForm(FicheForm):
    """The form of a direct change, whose date d’effet is chosen after it: typical weeks wait for that date."""

    regle_lundi = (
        "La date d’effet se choisit à l’étape suivante : si elle vient après cette semaine, les horaires commencent "
        "le lundi de la semaine de la date d’effet."
    )


_SIMPLES: dict[Genre, Callable[[], forms.Field]] = {
    Genre.TEXTE: lambda: TexteField(required=False),
    Genre.TEXTE_LONG: lambda: TexteField(required=False, lignes=4),
    Genre.TEXTES: lambda: TexteField(required=False, lignes=3),
    Genre.BOOLEEN: lambda: forms.ChoiceField(choices=OUI_NON, widget=forms.RadioSelect, required=False),
    Genre.ENTIER: lambda: EntierField(required=False, min_value=0),
    Genre.DECIMAL: lambda: forms.FloatField(required=False),
    Genre.DATE: lambda: DateField(required=False),
    Genre.UNITE_AGE: lambda: ChoixField(choices=UNITES_AGE, required=False),
}
_A_LIGNES = {Genre.EQUIPEMENTS, Genre.CAPACITES, Genre.CONTACTS}


def _libelle_unite(champ: Champ) -> SafeString:
    """« Unité », and of what for those who do not see the number beside it."""
    return format_html('Unité<span class="visually-hidden">{}</span>', champ.libelle.removeprefix("Unité"))


def _communes() -> dict[str, Any]:
    try:
        url = reverse("communes")
    except NoReverseMatch:
        url = ""
    return {"url": url, "libelles": libelles_communes, "required": False}
