"""Words that sentences and templates share: dates, numbers, plurals."""

import datetime
from typing import Any

from django.utils import timezone

INSECABLE = "\u00a0"
FINE = "\u202f"
MOIS = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()
JOURS = "lundi mardi mercredi jeudi vendredi samedi dimanche".split()


def en_heure_locale(valeur: datetime.datetime) -> datetime.datetime:
    return timezone.localtime(valeur) if timezone.is_aware(valeur) else valeur


def en_date(valeur: Any) -> datetime.date | None:
    if isinstance(valeur, datetime.datetime):
        return en_heure_locale(valeur).date()
    if isinstance(valeur, datetime.date):
        return valeur
    if isinstance(valeur, str) and valeur:
        try:
            return datetime.date.fromisoformat(valeur[:10])
        except ValueError:
            return None
    return None


def date_longue(valeur: Any, avec: str = "") -> str:
    """« 3 mars 2027 », « 1er mars 2027 »; ``:"jour"`` puts the weekday in front, ``:"heure"`` « à 14 h 05 » behind."""
    jour = en_date(valeur)
    if jour is None:
        return ""
    quantieme = "1er" if jour.day == 1 else str(jour.day)
    texte = f"{quantieme}{INSECABLE}{MOIS[jour.month - 1]}{INSECABLE}{jour.year}"
    if avec == "jour":
        texte = f"{JOURS[jour.weekday()]} {texte}"
    if avec == "heure" and isinstance(valeur, datetime.datetime):
        heure = en_heure_locale(valeur)
        texte = f"{texte} à {heure.hour}{INSECABLE}h{INSECABLE}{heure.minute:02d}"
    return texte


def nombre(valeur: Any) -> str:
    """« 12 345 » with thin no-break spaces, « 1,5 » with a comma; anything that is no number comes back as text."""
    if valeur is None or valeur == "":
        return ""
    if isinstance(valeur, bool):
        return str(valeur)
    try:
        texte = f"{valeur:,}" if isinstance(valeur, int | float) else f"{int(str(valeur)):,}"
    except (TypeError, ValueError):
        return str(valeur)
    return texte.replace(",", FINE).replace(".", ",").replace("-", "\u2212")


def plafonne(combien: int, plafond: int) -> int | str:
    """The number, or « 1 000+ » for more than ``plafond``: what a counter says that stopped counting there."""
    return combien if combien <= plafond else f"{nombre(plafond)}+"


def pluriel(valeur: Any, formes: str = "s") -> str:
    """``{{ n }} dossier{{ n|pluriel }}``, ``{{ n|pluriel:"al,aux" }}``. French: 0 and 1 are singular."""
    try:
        n = len(valeur) if hasattr(valeur, "__len__") and not isinstance(valeur, str) else float(valeur)
    except (TypeError, ValueError):
        return ""
    singulier, _, plusieurs = formes.rpartition(",")
    return plusieurs if abs(n) >= 2 else singulier


def edition(version: str) -> str:
    """« 20230718120000 », as official files number their editions, in words: « 18/07/2023 ». Others as they are."""
    try:
        jour = datetime.datetime.strptime(version, "%Y%m%d%H%M%S")  # noqa: DTZ007 (of no zone)
    except (TypeError, ValueError):
        return version
    return f"{jour:%d/%m/%Y}" if f"{jour:%H%M}" in ("0000", "1200") else f"{jour:%d/%m/%Y à %H:%M}"
