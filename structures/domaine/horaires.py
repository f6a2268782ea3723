"""Semaines types: intervals by weekday, valid from a Monday until the next typical week of the same kind.

In a fiche, ``horaires`` maps « <kind R252>/<ISO Monday> » to ``{"1": [["08:00", "12:00"]], …}``: days 1 (Monday)
to 7, times « HH:MM », « 24:00 » allowed as an end, sorted and without overlap (domain.md §3).
"""

import re
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from backoffice.socle.semaine import PLAGES_MAX

OUVERTURE = "01"  # R252: the hours when people are received
_HEURE = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00")
JOURS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")

LUNDI_ILLISIBLE = "Une semaine type commence un lundi entre 1800 et 2199 : choisissez une autre semaine."

Semaine = dict[str, list[list[str]]]


def erreurs_semaine(semaine: Any) -> list[str]:
    """French sentences on what is wrong with a week; empty when it can be stored."""
    if not isinstance(semaine, dict) or any(jour not in "1234567" or len(jour) != 1 for jour in semaine):
        return ["La semaine type est illisible."]
    erreurs = []
    for jour in sorted(semaine):
        nom, precedent = JOURS[int(jour) - 1], "00:00"
        if len(semaine[jour]) > PLAGES_MAX:
            erreurs.append(f"{nom.capitalize()} : trop de plages d’heures, {PLAGES_MAX} au plus.")
            continue
        for intervalle in semaine[jour]:
            if not (isinstance(intervalle, list) and len(intervalle) == 2 and all(_est_heure(h) for h in intervalle)):
                erreurs.append(f"{nom.capitalize()} : écrivez les heures sous la forme 08:00-12:00.")
                break
            debut, fin = intervalle
            if fin <= debut:
                erreurs.append(f"{nom.capitalize()} : la fin ({fin}) doit venir après le début ({debut}).")
            elif debut < precedent:
                erreurs.append(f"{nom.capitalize()} : l’horaire {debut}-{fin} chevauche le précédent.")
            precedent = max(precedent, fin)
    return erreurs


def _est_heure(heure: Any) -> bool:
    return isinstance(heure, str) and _HEURE.fullmatch(heure) is not None


def cle(genre: str, lundi: date) -> str:
    return f"{genre}/{lundi.isoformat()}"


def lundi_admis(lundi: date) -> bool:
    """A typical week may begin then: as far as any day of a fiche."""
    return 1800 <= lundi.year < 2200


def lire_cle(cle_: str) -> tuple[str, date]:
    """(kind, Monday). Raises ``ValueError`` when the key is not of that form or the day is no Monday."""
    genre, _, jour = cle_.rpartition("/")
    lundi = date.fromisoformat(jour)
    if not genre or lundi.weekday() != 0:
        raise ValueError(cle_)
    return genre, lundi


def semaines_en_vigueur(horaires: dict[str, Semaine], jour: date) -> dict[str, tuple[date, Semaine]]:
    """For each kind of hours, the Monday and the typical week that apply on that day."""
    retenues: dict[str, tuple[date, Semaine]] = {}
    for cle_, semaine in sorted(horaires.items(), key=lambda item: lire_cle(item[0])[1]):
        genre, lundi = lire_cle(cle_)
        if lundi <= jour:
            retenues[genre] = (lundi, semaine)
    return retenues


class Ouverture(NamedTuple):
    """Open or closed at a moment, by the usual hours. ``change``: when it will be the contrary, None when it will not
    within the two weeks that follow."""

    ouvert: bool
    change: datetime | None


def ouverture(horaires: dict[str, Semaine], maintenant: datetime) -> Ouverture | None:
    """Whether the typical week of opening in force says « open » at that moment (local time); None without any.

    Public holidays are not known here: what is said is the usual hours. Intervals that touch, over midnight too, are
    one opening.
    """
    minuit = maintenant.replace(hour=0, minute=0, second=0, microsecond=0)
    if OUVERTURE not in semaines_en_vigueur(horaires, maintenant.date()):
        return None
    plages: list[tuple[datetime, datetime]] = []
    for decalage in range(15):
        jour = minuit + timedelta(days=decalage)
        semaine = semaines_en_vigueur(horaires, jour.date())[OUVERTURE][1]
        for debut, fin in sorted(semaine.get(str(jour.isoweekday()), [])):
            de, a = _a_l_heure(jour, debut), _a_l_heure(jour, fin)
            if plages and plages[-1][1] == de:
                plages[-1] = (plages[-1][0], a)
            else:
                plages.append((de, a))
    for de, a in plages:
        if de <= maintenant < a:
            return Ouverture(True, a if a < minuit + timedelta(days=15) else None)
        if maintenant < de:
            return Ouverture(False, de)
    return Ouverture(False, None)


def _a_l_heure(jour: datetime, heure: str) -> datetime:
    heures, minutes = heure.split(":")
    return jour + timedelta(hours=int(heures), minutes=int(minutes))
