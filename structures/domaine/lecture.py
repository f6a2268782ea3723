"""What a form is filled from, and what others did since: the state of a fiche and the ``jeton`` that names a moment."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import NamedTuple

from django.db.models import Count, Max, Q
from django.utils import timezone

from backoffice.comptes.models import User

from ..champs import LIES
from ..models import Fiche, Modification
from .enregistrer import lire_changements
from .patches import Etat, Patch
from .plier import Changement, plier


class Lecture(NamedTuple):
    """What a form was filled from: the state on ``jour`` and the ``jeton`` to send back with the save."""

    etat: Etat
    jeton: str
    jour: date


class Passage(NamedTuple):
    """Somebody who changed a field, and when."""

    qui: str
    quand: datetime


def lire(fiche: Fiche, jour: date | None = None, sans: Modification | None = None) -> Lecture | None:
    """The content of a fiche on a day, with the token of its modifications; None when it does not exist then.

    ``sans``: as if this modification had not been entered."""
    jour = jour or timezone.localdate()
    etat = etat_parmi(changements_de(fiche, sans), jour)
    return None if etat is None else Lecture(etat, jeton_de(fiche), jour)


def relire(fiche: Fiche, jeton: str, jour: date, sans: Modification | None = None) -> Etat | None:
    """What ``lire`` answered when it gave this ``jeton``: the fold of what was entered and not cancelled by then.
    None when the token is unreadable or the fiche did not exist on that day."""
    return relire_toutes({fiche.pk: (jeton, jour)}, sans)[fiche.pk]


def relire_toutes(lectures: Mapping[int, tuple[str, date]], sans: Modification | None = None) -> dict[int, Etat | None]:
    """``relire`` of several fiches, each by its token and day, in one statement."""
    lignes: dict[int, list[tuple[int, date, Patch, datetime | None]]] = {fiche: [] for fiche in lectures}
    modifications = Modification.objects.filter(fiche__in=lectures).order_by("pk")
    for fiche, *ligne in modifications.values_list("fiche_id", "pk", "date_effet", "patch", "annulee_le"):
        lignes[fiche].append((ligne[0], ligne[1], ligne[2], ligne[3]))
    return {fiche: _etat_au(jeton, lignes[fiche], jour, sans) for fiche, (jeton, jour) in lectures.items()}


def _etat_au(
    jeton: str, lignes: Iterable[tuple[int, date, Patch, datetime | None]], jour: date, sans: Modification | None
) -> Etat | None:
    if (moment := _lire_jeton(jeton)) is None:
        return None
    derniere, annulees = moment
    connues = [ligne for ligne in lignes if ligne[0] <= derniere]
    annulations = sorted((quand, pk) for pk, _, _, quand in connues if quand is not None)
    defaites = {pk for _, pk in annulations[:annulees]} | ({sans.pk} if sans else set())
    return etat_parmi((Changement(effet, pk, patch) for pk, effet, patch, _ in connues if pk not in defaites), jour)


def etat_connu(fiche: Fiche, moment: datetime) -> Etat | None:
    """What the register said of the fiche at this moment: the fold of what was entered and not cancelled by then, on
    that day. None when the fiche did not exist."""
    lignes = fiche.modifications.filter(saisie_le__lte=moment).exclude(annulee_le__lte=moment).order_by("pk")
    changements = (Changement(effet, pk, patch) for effet, pk, patch in lignes.values_list("date_effet", "pk", "patch"))
    return etat_parmi(changements, timezone.localdate(moment))


def passages_depuis(fiche: Fiche, jeton: str) -> dict[str, Passage]:
    """The last person who changed each field since the token was given, by entering a change or cancelling one."""
    if (moment := _lire_jeton(jeton)) is None:
        return {}
    derniere, annulees = moment
    recentes = fiche.modifications.filter(Q(pk__gt=derniere) | Q(annulee_le__isnull=False)).select_related(
        "auteur", "annulee_par"
    )
    annulations = sorted((m.annulee_le, m.pk, m) for m in recentes if m.annulee_le)
    evenements = [(quand, m.annulee_par, m) for quand, _, m in annulations[annulees:]]
    evenements += [(m.saisie_le, m.auteur, m) for m in recentes if m.pk > derniere and m.annulee_le is None]
    return {
        nom: Passage(str(qui or m.origine or "Un import"), quand)
        for quand, qui, m in sorted(evenements, key=lambda e: (e[0], e[2].pk))
        for touche in m.patch
        for nom in (touche, LIES.get(touche, touche))
    }


def deja_saisi(
    fiche: Fiche, jeton: str, *, acteur: User, patch: Patch, date_effet: date, remplace: Modification | None = None
) -> bool:
    """The same person entered the very same change since the token was given: this is the second click of two."""
    if (moment := _lire_jeton(jeton)) is None:
        return False
    siennes = fiche.modifications.vivantes().filter(pk__gt=moment[0], auteur=acteur, remplace=remplace)
    return any(m.patch == patch for m in siennes.filter(date_effet=date_effet))


def jeton_de(fiche: Fiche) -> str:
    etat = fiche.modifications.aggregate(derniere=Max("pk"), annulees=Count("pk", filter=Q(annulee_le__isnull=False)))
    return f"{etat['derniere']}.{etat['annulees']}"


def changements_de(fiche: Fiche, sans: Modification | None = None) -> list[Changement]:
    """The live modifications of a fiche, ready to fold; without ``sans``."""
    changements = lire_changements([fiche.pk]).get(fiche.pk, [])
    return [c for c in changements if sans is None or c.ordre != sans.pk]


def etat_parmi(changements: Iterable[Changement], jour: date) -> Etat | None:
    """The state on a day of the fold of these changes; None when the fiche does not exist then."""
    for periode in plier(changements):
        if periode.du <= jour and (periode.au is None or jour < periode.au):
            return periode.etat
    return None


def _lire_jeton(jeton: str) -> tuple[int, int] | None:
    derniere, _, annulees = jeton.partition(".")
    if not (derniere.isdecimal() and annulees.isdecimal() and len(jeton) < 40):
        return None
    return int(derniere), int(annulees)
