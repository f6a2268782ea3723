"""The question that a new Type d'UO asks: what to do with the values that are not known to go with it."""

from typing import Any, NamedTuple

from backoffice.socle.mots import nombre, pluriel
from structures.champs import CHAMPS

from ..domaine.type_uo import Avis, avis
from ..forms import RETIRER, FicheDossierForm


class Valeur(NamedTuple):
    """A value that may be taken off; ``envoi`` is what its checkbox sends."""

    envoi: str
    libelle: str
    retiree: bool


class Question(NamedTuple):
    """``type_uo``: the code asked about, which the answer repeats. ``champs``: (label, values) to look at."""

    type_uo: str
    ancien: str
    nouveau: str
    phrase: str
    champs: list[tuple[str, list[Valeur]]]


def question(form: FicheDossierForm, fiche: int) -> Question | None:
    """What a valid form asks before it is saved; None when the type stays, was answered for, or agrees with
    everything that is typed."""
    data: Any = form.data
    type_uo: str = data.get("type_uo", "")
    if not form.type_change or data.get("type_vu") == type_uo:
        return None
    lu = avis(fiche, {**form.etat, **form.etat_saisi()}, type_uo)
    if not lu.inconnues:
        return None
    types: Any = form.fields["type_uo"]
    libelles: dict[str, str] = dict(types.choices)
    cochees = set(data.getlist(RETIRER))
    champs = [
        (CHAMPS[nom].libelle, [Valeur(f"{nom}:{c}", _libelle(form, nom, c), f"{nom}:{c}" in cochees) for c in codes])
        for nom, codes in lu.inconnues.items()
    ]
    ancien = str(form.etat["type_uo"])
    return Question(type_uo, libelles.get(ancien, ancien), libelles.get(type_uo, type_uo), _phrase(lu), champs)


def _libelle(form: FicheDossierForm, nom: str, code: str) -> str:
    champ: Any = form.fields[nom]
    return dict([*champ.fermes, *champ.choices]).get(code, code)


def _phrase(lu: Avis) -> str:
    if lu.du_type and lu.unites == 1:
        return "L’autre unité de ce type au répertoire ne propose pas les valeurs ci-dessous."
    if lu.du_type:
        return (
            f"Aucune des {nombre(lu.unites)} autres unités de ce type au répertoire ne propose les valeurs ci-dessous."
        )
    if lu.unites:
        return (
            "Le répertoire n’a pas d’autre unité de ce type. Dans le même champ d’activité, "
            f"{nombre(lu.unites)} autre{pluriel(lu.unites)} unité{pluriel(lu.unites)} "
            f"{'ne proposent' if lu.unites > 1 else 'ne propose'} pas les valeurs ci-dessous."
        )
    return "Le répertoire n’a pas d’autre unité de ce type ni de ce champ d’activité : rien ne dit ce qui va avec lui."
