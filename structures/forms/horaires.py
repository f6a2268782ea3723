"""The typical weeks of a fiche in its form: one a kind of hours, and one for each that is planned."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django import forms

from backoffice.socle import semaine as semaines
from backoffice.socle.champs_formulaire import LundiField, SemaineField
from backoffice.socle.mots import date_longue

from ..champs import Champ
from ..domaine.horaires import LUNDI_ILLISIBLE, lire_cle, lundi_admis, semaines_en_vigueur
from ..domaine.horaires import cle as cle_horaire
from ..domaine.patches import Etat, valeur
from .groupes import Groupe

Paires = list[tuple[str, str]]
OUVERTURE = "01"  # R252: the kind of hours that is always offered
_SEMAINE_VIDE = dict.fromkeys(range(1, 8), "")


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


class HorairesDuFormulaire(forms.Form):
    """The part of ``FicheForm`` that holds the field ``horaires``, which is several fields (``horaires_<kind>…``)."""

    etat: Etat
    montre: Etat
    jour: date
    regle_lundi = ""  # how the Monday of a week goes with the date d’effet, in one sentence
    pas_avant: date | None = None  # a week typed to begin before this Monday begins on it

    def __init__(self, data: Any = None, prefix: str | None = None) -> None:
        super().__init__(data, prefix=prefix)
        self._semaines: list[_Semaine] = []

    def _ajouter_horaires(self, champ: Champ, ouverts: Paires, fermes: Paires) -> None:
        """One typical week a kind of hours, the one in force, and one for each that is planned. The kinds are those
        that can be chosen and the closed ones that the fiche holds."""
        horaires, montres = valeur(self.etat, champ.nom), valeur(self.montre, champ.nom)
        en_vigueur = semaines_en_vigueur(horaires, self.jour)
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
            actuels = f"Les horaires enregistrés s’appliquent depuis le {date_longue(depuis)}." if depuis else ""
            self.fields[f"{nom}_lundi"] = LundiField(
                label="À partir de la semaine du",
                required=False,
                help_text=f"{actuels} {self.regle_lundi}".strip(),
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
        if not lundi_admis(lundi):
            self.add_error(champ, LUNDI_ILLISIBLE)
        elif semaine.cle and lundi < (depuis := lire_cle(semaine.cle)[1]):
            self.add_error(champ, f"Les horaires actuels s’appliquent depuis le {date_longue(depuis)} : choisissez "
                                  "cette semaine ou une semaine suivante.")  # fmt: skip
        elif lundi > self.jour and cle_horaire(semaine.genre, lundi) in valeur(self.etat, "horaires"):
            self.add_error(champ, f"Des horaires sont déjà prévus à partir du {date_longue(lundi)} : modifiez-les "
                                  "plus bas, ou choisissez une autre semaine.")  # fmt: skip

    @property
    def semaines_nouvelles(self) -> list[tuple[str, date]]:
        """(kind, Monday typed) of the weeks that were changed and for which the person chooses a Monday."""
        lundis = (
            (s.genre, self.cleaned_data.get(f"{s.nom}_lundi"))
            for s in self._semaines
            if not s.a_venir and self._semaine_changee(s)
        )
        return [(genre, lundi) for genre, lundi in lundis if lundi is not None]

    def attendre(self, date_effet: date) -> str:
        """Let no new week begin before the week of ``date_effet``; what refuses it, "" when nothing does."""
        self.pas_avant = date_effet - timedelta(days=date_effet.weekday())
        prevues = valeur(self.etat, "horaires")
        reportees = [genre for genre, lundi in self.semaines_nouvelles if lundi < self.pas_avant]
        if any(cle_horaire(genre, self.pas_avant) in prevues for genre in reportees):
            return (
                f"Des horaires sont déjà prévus à partir du {date_longue(self.pas_avant)} : revenez à la saisie pour "
                "les modifier, ou choisissez une autre date."
            )
        return ""

    def _omis(self, nom: str) -> bool:
        widget = self.fields[nom].widget
        return bool(widget.value_omitted_from_data(self.data, self.files, self.add_prefix(nom)))

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
            lundi = max(lundi, self.pas_avant or lundi) if lundi else None
            cle = semaine.cle if semaine.a_venir or lundi is None else cle_horaire(semaine.genre, lundi)
            if not typee and not _precede(apres, semaine.genre, cle):
                apres.pop(cle, None)  # nothing before it to put an end to
            else:
                apres[cle] = typee
        return apres

    def _groupes_horaires(self) -> list[Groupe]:
        groupes = []
        for semaine in self._semaines:
            lies = [self[nom] for nom in semaine.champs]
            vide = not semaine.cle and semaine.genre != OUVERTURE
            saisie = self.is_bound and (any(c.errors for c in lies) or self[semaine.nom].data != _SEMAINE_VIDE)
            groupes.append(Groupe(semaine.titre, lies, replie=vide and not saisie))
        # Kinds of hours in use first, the others folded below.
        return sorted(groupes, key=lambda g: g.replie)


def _precede(horaires: Mapping[str, Any], genre: str, cle: str) -> bool:
    return any(lire_cle(autre)[0] == genre and autre < cle for autre in horaires)
