"""The form of a fiche, made from the catalogue: the direct change and the dossiers fill the same one.

    form = FicheForm(niveau="UO", champs=champs_de("UO", {Qui.PARTOUT}), etat=etat, champ_eg="sanitaire", data=…)
    form.is_valid(); patch = form.verifier(etat); form.ajouter_erreurs(refus.champs)

What is missing never blocks here: completeness is another question (``champs.manquants``), the form only says
« (obligatoire) ». What a person did not touch keeps the very value of the state, so that ``patch`` holds her changes
and nothing else.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

from django import forms
from django.forms.boundfield import BoundField
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.socle import semaine as semaines
from backoffice.socle.champs_formulaire import (
    ChoixField,
    ChoixMultipleField,
    CodesNombresField,
    CommunesField,
    ContactsField,
    DateField,
    EntierField,
    LignesField,
    LundiField,
    SaisieCommunes,
    SemaineField,
    TexteField,
)
from backoffice.socle.templatetags.ror import date_longue

from .affichage import codes_tenus
from .champs import SECTIONS, UNITES_AGE, Champ, Genre, est_exige, libelle
from .domaine.horaires import cle as cle_horaire
from .domaine.horaires import lire_cle, semaines_en_vigueur
from .domaine.patches import Etat, Patch, difference, valeur
from .domaine.texte import normaliser
from .domaine.valider import LISTES_SOEURS, TRES_RESTREINT, erreurs_contenu
from .models import Autorite
from .requetes import Option, communes_nommees, libelles_communes, options

OUVERTURE = "01"  # R252: the kind of hours that is always offered
RESTREINT = "2"
OUI_NON = (("oui", "Oui"), ("non", "Non"))
# Short lists keep the order of their codes; the others are sorted by label.
_TRI_PAR_CODE = {"R200", "R238", "R240", "R252", "R265", "R266", "R283", "R287", "R329", "R330"}
_LISTES = {
    Genre.HORAIRES: ("R252",),
    Genre.CAPACITES: ("R329", "R330"),
    Genre.CONTACTS: ("R200", "R251", "R283", "R287"),
}


class Groupe(NamedTuple):
    """Fields shown together, with the title of their fieldset ("" for a single field). ``replie``: folded at first."""

    titre: str
    champs: list[BoundField]
    cote_a_cote: bool = False
    replie: bool = False


@dataclass(slots=True)
class SectionForm:
    code: str
    titre: str
    groupes: list[Groupe] = field(default_factory=list)

    @property
    def en_erreur(self) -> bool:
        return any(c.errors for g in self.groupes for c in g.champs)


@dataclass(slots=True)
class _Semaine:
    """One typical week of the form. ``cle``: where it stands in the fiche; "" for a kind that has none in force."""

    nom: str
    genre: str
    titre: str
    cle: str
    a_venir: bool
    base: Mapping[str, Any]
    champs: list[str]
    retirer: str = ""


class CommuneField(CommunesField):
    """The one commune of an address; the Python value is a list of at most one code."""

    def clean(self, value: Any) -> list[str]:
        if getattr(value, "ajout", "") and len(value) == 1:  # typing another name replaces the one shown
            unique = SaisieCommunes()
            unique.ajout = value.ajout
            value = unique
        codes = super().clean(value)
        if len(codes) > 1:
            raise forms.ValidationError("Une adresse n’a qu’une commune : retirez celle qui ne convient pas.")
        return codes


class FicheForm(forms.Form):
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
        self._semaines: list[_Semaine] = []
        self._lire_options()
        for champ in self.champs:
            if champ.genre is Genre.HORAIRES:
                self._ajouter_horaires(champ)
                continue
            formulaire = self._champ(champ)
            formulaire.label = _libelle_unite(champ) if champ.genre is Genre.UNITE_AGE else libelle(champ, niveau)
            formulaire.help_text = champ.aide
            if isinstance(formulaire, ChoixMultipleField | CommunesField):
                formulaire.widget.attrs["data-libelle"] = formulaire.label
            # Required in words only, see full_clean.
            formulaire.required = est_exige(champ, champ_eg) and champ.genre is not Genre.UNITE_AGE
            self.fields[champ.nom] = formulaire
            self.initial[champ.nom] = self._initiale(champ, valeur(self.montre, champ.nom))

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
                return CommuneField(**_communes())
            case Genre.COMMUNES:
                return CommunesField(**_communes())
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
                    ajouter="Ajouter un contact",
                    required=False,
                )
        return TexteField(required=False)

    def _initiale(self, champ: Champ, contenu: Any) -> Any:
        match champ.genre:
            case Genre.BOOLEEN:
                return "oui" if contenu else "non"
            case Genre.CODES | Genre.COMMUNES | Genre.AUTORITES:
                return sorted(contenu)
            case Genre.TEXTES:
                return "\n".join(sorted(contenu))
            case Genre.COMMUNE:
                return [contenu] if contenu else []
            case Genre.CAPACITES:
                return [{**element, "id": cle} for cle, element in sorted(contenu.items())]
            case Genre.CONTACTS:
                return [{**_complet(contact), "id": cle} for cle, contact in sorted(contenu.items())]
        return contenu

    def _ajouter_horaires(self, champ: Champ) -> None:
        """One typical week a kind of hours, the one in force, and one for each that is planned."""
        horaires, montres = valeur(self.etat, champ.nom), valeur(self.montre, champ.nom)
        en_vigueur = semaines_en_vigueur(horaires, self.jour)
        ouverts, fermes = self._choix("R252", {lire_cle(c)[0] for c in horaires})
        lundi_courant = self.jour - timedelta(days=self.jour.weekday())
        for genre, titre in [*ouverts, *((c, f"{t} (code fermé)") for c, t in fermes)]:
            nom = f"{champ.nom}_{genre}"
            depuis, semaine = en_vigueur.get(genre, (None, {}))
            # A week typed before and shown again: the one key of this kind that the fiche does not hold so.
            reprise = [c for c in montres if lire_cle(c)[0] == genre and montres[c] != horaires.get(c)]
            reprise = [c for c in reprise if lire_cle(c)[1] <= self.jour or c not in horaires]
            lundi = max(lundi_courant, depuis) if depuis else lundi_courant
            self.fields[nom] = SemaineField(label=titre, required=False, type_horaire=titre)
            self.initial[nom] = montres[reprise[-1]] if reprise else semaine
            self.fields[f"{nom}_lundi"] = LundiField(
                label="À partir de la semaine du",
                required=False,
                help_text=f"Les horaires enregistrés s’appliquent depuis le {date_longue(depuis)}." if depuis else "",
            )
            self.initial[f"{nom}_lundi"] = lire_cle(reprise[-1])[1] if reprise else lundi
            cle = cle_horaire(genre, depuis) if depuis else ""
            self._semaines.append(_Semaine(nom, genre, titre, cle, False, semaine, [nom, f"{nom}_lundi"]))
            self._ajouter_semaines_a_venir(nom, genre, titre, horaires, montres)

    def _ajouter_semaines_a_venir(
        self, nom: str, genre: str, titre: str, horaires: Mapping[str, Any], montres: Mapping[str, Any]
    ) -> None:
        for cle in sorted(horaires):
            autre, lundi = lire_cle(cle)
            if autre != genre or lundi <= self.jour:
                continue
            futur = f"{nom}_{lundi.isoformat()}"
            intitule = f"{titre}, à partir du {date_longue(lundi)}"
            self.fields[futur] = SemaineField(label=intitule, required=False, type_horaire=titre)
            self.initial[futur] = montres.get(cle, horaires[cle])
            self.fields[f"{futur}_retirer"] = forms.BooleanField(label="Retirer ces horaires prévus", required=False)
            self.initial[f"{futur}_retirer"] = cle not in montres
            self._semaines.append(
                _Semaine(
                    futur, genre, intitule, cle, True, horaires[cle], [futur, f"{futur}_retirer"], f"{futur}_retirer"
                )
            )

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

    def clean(self) -> dict[str, Any]:
        for semaine in self._semaines:
            if not semaine.a_venir and self._semaine_changee(semaine):
                self._verifier_lundi(semaine)
        return self.cleaned_data

    def _semaine_changee(self, semaine: _Semaine) -> bool:
        if semaine.nom not in self.cleaned_data or self._omis(semaine.nom):
            return False
        return semaines.normaliser(semaine.base) != self.cleaned_data[semaine.nom]

    def _verifier_lundi(self, semaine: _Semaine) -> None:
        champ = f"{semaine.nom}_lundi"
        if self.has_error(champ):
            return
        lundi = self.cleaned_data.get(champ)
        if lundi is None:
            self.add_error(champ, "Indiquez la semaine à partir de laquelle ces horaires s’appliquent.")
            return
        if semaine.cle and lundi < (depuis := lire_cle(semaine.cle)[1]):
            self.add_error(champ, f"Les horaires actuels s’appliquent depuis le {date_longue(depuis)} : choisissez "
                                  "cette semaine ou une semaine suivante.")  # fmt: skip
        elif lundi > self.jour and cle_horaire(semaine.genre, lundi) in valeur(self.etat, "horaires"):
            self.add_error(champ, f"Des horaires sont déjà prévus à partir du {date_longue(lundi)} : modifiez-les "
                                  "plus bas, ou choisissez une autre semaine.")  # fmt: skip

    def _omis(self, nom: str) -> bool:
        widget = self.fields[nom].widget
        return bool(widget.value_omitted_from_data(self.data, self.files, self.add_prefix(nom)))

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
                saisi[champ.nom] = self._valeur_saisie(champ, self.cleaned_data[champ.nom], avant)
        if "contacts" in saisi and saisi.get("unite_sensible", valeur(self.etat, "unite_sensible")):
            saisi["contacts"] = {cle: _tres_restreint(contact) for cle, contact in saisi["contacts"].items()}
        return saisi

    def _valeur_saisie(self, champ: Champ, brut: Any, avant: Any) -> Any:
        match champ.genre:
            case Genre.TEXTE | Genre.TEXTE_LONG:
                return avant if _texte(brut) == _texte(avant) else _texte(brut)
            case Genre.BOOLEEN:
                return brut == "oui" if brut else avant
            case Genre.DATE:
                return brut.isoformat() if brut else None
            case Genre.COMMUNE:
                return brut[0] if brut else ""
            case Genre.CODES | Genre.COMMUNES | Genre.AUTORITES:
                return frozenset(brut)
            case Genre.TEXTES:
                return frozenset(ligne for x in brut.splitlines() if (ligne := x.strip()))
            case Genre.CAPACITES:
                return _capacites(brut, avant)
            case Genre.CONTACTS:
                return _contacts(brut, avant)
        return brut

    def _horaires_saisis(self, avant: Mapping[str, Any]) -> dict[str, Any]:
        apres = dict(avant)
        for semaine in self._semaines:
            if semaine.retirer and self.cleaned_data.get(semaine.retirer):
                apres.pop(semaine.cle, None)
                continue
            if not self._semaine_changee(semaine):
                continue
            typee = {str(j): plages for j, plages in self.cleaned_data[semaine.nom].items() if plages}
            lundi = self.cleaned_data.get(f"{semaine.nom}_lundi")
            cle = semaine.cle if semaine.a_venir or lundi is None else cle_horaire(semaine.genre, lundi)
            if not typee and not _precede(apres, semaine.genre, cle):
                apres.pop(cle, None)  # nothing before it to put an end to
            else:
                apres[cle] = typee
        return apres

    def patch(self, base: Etat) -> Patch:
        """What the person changed in ``base``, the state that the form was filled from."""
        return difference(base, self.etat_saisi())

    def verifier(self, base: Etat) -> Patch:
        """``patch``, after putting beside the fields what can't be stored (the form is then no longer valid)."""
        self.is_valid()
        patch = self.patch(base)
        if patch:
            self.ajouter_erreurs(erreurs_contenu(self.niveau, base, patch, self.jour))
        return patch

    def ajouter_erreurs(self, champs: Mapping[str, Iterable[str]]) -> None:
        """Put the messages of an ``ErreurMetier`` beside the fields, above the form for those it does not have."""
        for nom, messages in champs.items():
            cible = self._semaines[0].nom if nom == "horaires" and self._semaines else nom
            if cible in self.fields:
                self.add_error(cible, list(messages))
            else:
                self.add_error(None, list(messages))

    # -- the screen --------------------------------------------------------------------------------

    def sections(self) -> list[SectionForm]:
        """The fields in the sections of the catalogue, those that are read together in one group."""
        sections = {code: SectionForm(code, titre) for code, titre in SECTIONS.items()}
        for champ in self.champs:
            groupes = sections[champ.section].groupes
            unite = f"{champ.nom}_unite"
            if champ.genre is Genre.HORAIRES:
                groupes += self._groupes_horaires()
            elif champ.genre is Genre.UNITE_AGE and champ.nom.removesuffix("_unite") in self.fields:
                continue
            elif unite in self.fields:
                titre = libelle(champ, self.niveau)
                groupes.append(Groupe(titre, [self[champ.nom], self[unite]], cote_a_cote=True))
            else:
                groupes.append(Groupe("", [self[champ.nom]]))
        return [s for s in sections.values() if s.groupes]

    def _groupes_horaires(self) -> list[Groupe]:
        groupes = []
        for semaine in self._semaines:
            lies = [self[nom] for nom in semaine.champs]
            vide = not semaine.cle and semaine.genre != OUVERTURE
            saisie = self.is_bound and (any(c.errors for c in lies) or self[semaine.nom].data != _SEMAINE_VIDE)
            groupes.append(Groupe(semaine.titre, lies, replie=vide and not saisie))
        # Kinds of hours in use first, the others folded below.
        return sorted(groupes, key=lambda g: g.replie)


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
_SEMAINE_VIDE = dict.fromkeys(range(1, 8), "")


class DateEffetForm(forms.Form):
    """« Date à laquelle les modifications doivent être prises en compte »; a reason for a gestionnaire in the past."""

    use_required_attribute = False
    date_effet = DateField(label="Date à laquelle les modifications doivent être prises en compte")
    motif = TexteField(
        label="Motif",
        lignes=2,
        required=False,
        max_length=2000,
        help_text="Obligatoire pour une date passée : pourquoi le changement prend effet avant aujourd’hui.",
    )

    def __init__(self, *, gestionnaire: bool, data: Any = None, jour: date | None = None) -> None:
        """Only a gestionnaire may choose a day in the past, and is asked why."""
        super().__init__(data, initial={"date_effet": jour or timezone.localdate()})
        self.fields["date_effet"].help_text = (
            "Aujourd’hui : les changements sont visibles tout de suite. "
            "Une date à venir : ils le seront ce jour-là, et peuvent être annulés d’ici là."
        )
        if gestionnaire:
            return
        del self.fields["motif"]
        self.fields["date_effet"].widget.attrs["min"] = timezone.localdate().isoformat()


def _libelle_unite(champ: Champ) -> SafeString:
    """« Unité », and of what for those who do not see the number beside it."""
    return format_html('Unité<span class="visually-hidden">{}</span>', champ.libelle.removeprefix("Unité"))


def _communes() -> dict[str, Any]:
    try:
        url = reverse("communes")
    except NoReverseMatch:
        url = ""
    return {"url": url, "libelles": libelles_communes, "resoudre": communes_nommees, "required": False}


def _texte(brut: Any) -> str:
    return str(brut or "").replace("\r\n", "\n").replace("\r", "\n").strip()


def _precede(horaires: Mapping[str, Any], genre: str, cle: str) -> bool:
    return any(lire_cle(autre)[0] == genre and autre < cle for autre in horaires)


def _capacites(lignes: Iterable[Mapping[str, Any]], avant: Mapping[str, Any]) -> dict[str, Any]:
    """Capacities by their key: the one they had, else « nature-statut »."""
    apres: dict[str, Any] = {}
    for ligne in lignes:
        element = {nom: ligne[nom] for nom in ("nature", "statut", "nombre")}
        cle = ligne.get("id", "")
        if cle not in avant or cle in apres:
            cle = f"{element['nature']}-{element['statut']}"
        apres[cle] = {**avant.get(cle, {}), **element}
    return apres


def _contacts(lignes: Iterable[Mapping[str, Any]], avant: Mapping[str, Any]) -> dict[str, Any]:
    """Contacts by their key; a new one gets its own. One that was not touched keeps its very content."""
    apres: dict[str, Any] = {}
    for ligne in lignes:
        element = {nom: contenu for nom, contenu in ligne.items() if nom != "id"}
        cle = ligne.get("id", "")
        if cle not in avant or cle in apres:
            cle = uuid.uuid4().hex[:12]
        ancien = avant.get(cle, {})
        apres[cle] = ancien if ancien and _complet(ancien) == element else {**ancien, **element}
    return apres


def _complet(contact: Mapping[str, Any]) -> dict[str, Any]:
    """A contact with every key of the form; a telecom that says nothing is as confidential as its contact."""
    niveau = contact.get("confidentialite") or RESTREINT
    return {
        **{nom: contact.get(nom, "") for nom in ("nature", "nom", "fonction")},
        "confidentialite": niveau,
        "telecoms": [
            {
                "canal": t.get("canal", ""),
                "valeur": t.get("valeur", ""),
                "confidentialite": t.get("confidentialite") or niveau,
            }
            for t in contact.get("telecoms", ())
        ],
    }


def _tres_restreint(contact: Mapping[str, Any]) -> dict[str, Any]:
    telecoms = [{**t, "confidentialite": TRES_RESTREINT} for t in contact.get("telecoms", ())]
    durci = {**contact, "confidentialite": TRES_RESTREINT}
    return {**durci, "telecoms": telecoms} if "telecoms" in contact else durci
