"""A typical week: ``{1: [["08:00", "12:00"], …], …}`` with days 1 (lundi) to 7 (dimanche); « 24:00 » may end a day."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

JOURS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
Semaine = dict[int, list[list[str]]]
PLAGES_MAX = 12  # intervals of a day
TEXTE_MAX = 400  # characters typed for a day

_HEURE = re.compile(r"^\s*([0-9]{1,2})\s*(?:(?:[:hH.])\s*([0-9]{1,2})?)?\s*$")
_PLAGE = re.compile(r"^(.+?)\s*(?:-|–|—|−|à|/|\bau?\b)\s*(.+)$")


def en_minutes(heure: str) -> int:
    """« 8 », « 8h », « 8h30 », « 08:30 », « 24:00 » → minutes since midnight. ValueError when it is no hour."""
    trouve = _HEURE.match(heure)
    if not trouve:
        raise ValueError(heure)
    h, m = int(trouve[1]), int(trouve[2] or 0)
    if m > 59 or h * 60 + m > 24 * 60:
        raise ValueError(heure)
    return h * 60 + m


def en_heure(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def heure_en_mots(minutes: int) -> str:
    """« 8 h », « 8 h 30 »."""
    return f"{minutes // 60}\u00a0h" + (f"\u00a0{minutes % 60:02d}" if minutes % 60 else "")


def plages_en_mots(plages: Iterable[Iterable[str]]) -> str:
    """« 8 h – 12 h, 14 h – 18 h 30 » ; « fermé » ; « 24 h/24 »."""
    bornes = [(en_minutes(d), en_minutes(f)) for d, f in plages]
    if not bornes:
        return "fermé"
    if bornes == [(0, 1440)]:
        return "24\u00a0h/24"
    return ", ".join(f"{heure_en_mots(d)}\u00a0–\u00a0{heure_en_mots(f)}" for d, f in bornes)


def lire_jour(texte: str, jour: int) -> tuple[list[list[str]], list[str]]:
    """Read « 08:00-12:00, 14:00-18:00 » for a day 1..7: (intervals in order, French refusals naming day and hours).

    Refused: what is no hour, an end before or at its beginning, two intervals that overlap, more than
    ``PLAGES_MAX`` of them or than ``TEXTE_MAX`` characters, which are not read at all.
    Intervals that touch (12:00 then 12:00) are merged.
    """
    nom = JOURS[jour - 1]
    bornes: list[tuple[int, int]] = []
    refus: list[str] = []
    if texte.strip().lower() in {"24/24", "24h/24", "24 h/24", "24h24"}:
        return [["00:00", "24:00"]], []
    if texte.strip().lower() in {"fermé", "ferme", "-"}:
        return [], []
    morceaux = [] if len(texte) > TEXTE_MAX else re.split(r"[,;\n]|\bet\b|\bpuis\b", texte)
    morceaux = [morceau for morceau in morceaux if morceau.strip()]
    if len(texte) > TEXTE_MAX or len(morceaux) > PLAGES_MAX:
        return [], [f"{nom.capitalize()} : trop de plages d’heures, {PLAGES_MAX} au plus."]
    for morceau in morceaux:
        trouve = _PLAGE.match(morceau.strip())
        try:
            if not trouve:
                raise ValueError(morceau)
            debut, fin = en_minutes(trouve[1]), en_minutes(trouve[2])
        except ValueError:
            refus.append(
                f"{nom.capitalize()} : « {morceau.strip()} » n’est pas une plage d’heures. "
                "Écrire par exemple 08:00-12:00."
            )
            continue
        if fin <= debut:
            refus.append(
                f"{nom.capitalize()} : la fin ({en_heure(fin)}) doit venir après le début ({en_heure(debut)})."
                + (" Pour minuit, écrire 24:00." if fin == 0 else "")
            )
            continue
        bornes.append((debut, fin))
    bornes.sort()
    resultat: list[tuple[int, int]] = []
    for debut, fin in bornes:
        if resultat and debut < resultat[-1][1]:
            d, f = resultat[-1]
            refus.append(
                f"{nom.capitalize()} : les plages {en_heure(d)}-{en_heure(f)} "
                f"et {en_heure(debut)}-{en_heure(fin)} se chevauchent."
            )
            continue
        if resultat and debut == resultat[-1][1]:
            resultat[-1] = (resultat[-1][0], fin)
        else:
            resultat.append((debut, fin))
    return [[en_heure(d), en_heure(f)] for d, f in resultat], refus


def jour_en_texte(plages: Iterable[Iterable[str]]) -> str:
    """The contrary of ``lire_jour``: « 08:00-12:00, 14:00-18:00 »."""
    return ", ".join(f"{d}-{f}" for d, f in plages)


def normaliser(semaine: Mapping[Any, Any] | None) -> Semaine:
    """Days as integers, all seven present (JSON turns the keys into text)."""
    source = {int(j): v for j, v in (semaine or {}).items()}
    return {j: [list(p) for p in source.get(j) or []] for j in range(1, 8)}


def lignes(semaine: Mapping[Any, Any] | None) -> list[dict[str, Any]]:
    """The seven lines that semaine.html draws; empty when the week holds nothing."""
    jours = normaliser(semaine)
    if not any(jours.values()):
        return []
    resultat = []
    for j, plages in jours.items():
        bornes = [(en_minutes(d), en_minutes(f)) for d, f in plages]
        resultat.append(
            {
                "nom": JOURS[j - 1],
                "court": JOURS[j - 1][:3].capitalize(),
                "plages": [{"x": str(d), "l": str(f - d)} for d, f in bornes],
                "mots": plages_en_mots(plages),
            }
        )
    return resultat
