"""Dates and quantities of R4: a value is an interval as wide as it is precise, compared by its prefix."""

import math
import re
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Q
from django.utils import timezone

from .index import JOURS_PAR_CODE
from .issue import ErreurFhir

PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
_PREFIXE = re.compile(rf"({'|'.join(PREFIXES)})?(.*)", re.DOTALL)
_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)
_NOMBRE = re.compile(r"[+-]?\d{1,15}(\.(\d{1,15}))?([eE][+-]?\d{1,2})?", re.ASCII)


class Intervalle(NamedTuple):
    """[du, au), and the value itself."""

    du: datetime | float
    au: datetime | float
    valeur: datetime | float


def separer(texte: str) -> tuple[str, str]:
    """« ge2025-01 » → ("ge", "2025-01"); no prefix means eq."""
    trouve = _PREFIXE.fullmatch(texte)
    assert trouve is not None
    return trouve[1] or "eq", trouve[2]


def lire_date(texte: str) -> Intervalle:
    """An instant without a time zone is of this region's. A « + » that the address turned into a space is one again."""
    trouve = _DATE.fullmatch(texte.strip().replace(" ", "+"))
    if trouve is None:
        raise ErreurFhir(400, "invalid", f"« {texte[:40]} » n’est pas une date FHIR (AAAA-MM-JJThh:mm:ss+01:00).")
    annee, mois, jour, heure, minute, seconde, fraction, fuseau = trouve.groups()
    zone = fuseau.replace("Z", "+00:00") if fuseau else ""
    try:
        du = datetime.fromisoformat(
            f"{annee}-{mois or '01'}-{jour or '01'}T{heure or '00'}:{minute or '00'}:{seconde or '00'}"
            f".{(fraction or '0')[:6].ljust(6, '0')}{zone}"
        )
        if jour is None:
            suivant = du.replace(year=du.year + 1) if mois is None else _mois_suivant(du)
        elif heure is None:
            suivant = du + timedelta(days=1)
        else:
            suivant = du + _precision(seconde, fraction)
        if not zone:
            du, suivant = timezone.make_aware(du), timezone.make_aware(suivant)
        return Intervalle(du.astimezone(timezone.get_default_timezone()), suivant, du)
    except (ValueError, OverflowError) as erreur:
        raise ErreurFhir(400, "invalid", f"« {texte[:40]} » n’est pas une date du calendrier.") from erreur


def _mois_suivant(du: datetime) -> datetime:
    annee, mois = divmod(du.year * 12 + du.month, 12)
    return du.replace(year=annee, month=mois + 1)


def _precision(seconde: str | None, fraction: str | None) -> timedelta:
    if seconde is None:
        return timedelta(minutes=1)
    if fraction is None:
        return timedelta(seconds=1)
    return timedelta(microseconds=10 ** max(0, 6 - len(fraction)))


def lire_age(texte: str) -> Intervalle:
    """« 15 », « 15||a », « 6|http://unitsofmeasure.org|mo » → days; as precise as its last digit (R4: ±0.5 of it)."""
    nombre, _, suite = texte.partition("|")
    unite = suite.rpartition("|")[2]
    trouve = _NOMBRE.fullmatch(nombre.strip())
    if trouve is None or unite not in JOURS_PAR_CODE:
        raise ErreurFhir(
            400, "invalid", f"« {texte[:40]} » n’est pas un âge : nombre||unité, unité a, mo, wk ou d (15||a)."
        )
    exposant = int(trouve[3][1:]) if trouve[3] else 0
    par = JOURS_PAR_CODE[unite]
    moitie = 0.5 * 10.0 ** (exposant - len(trouve[2] or "")) * par
    valeur = float(nombre) * par
    if not math.isfinite(valeur):
        raise ErreurFhir(400, "invalid", f"« {texte[:40]} » n’est pas un âge.")
    return Intervalle(valeur - moitie, valeur + moitie, valeur)


def comparer(colonne: str, prefixe: str, i: Intervalle, *, ponctuelle: bool) -> Q:
    """``ponctuelle``: what is asked is an exact value (a number) rather than all of an interval (a day)."""
    du, au = (i.valeur, i.valeur) if ponctuelle else (i.du, i.au)
    apres = "gt" if ponctuelle else "gte"  # au is excluded from its interval
    avant = "lte" if ponctuelle else "lt"
    match prefixe:
        case "gt" | "sa":
            return Q((f"{colonne}__{apres}", au))
        case "lt" | "eb":
            return Q((f"{colonne}__lt", du))
        case "ge":
            return Q((f"{colonne}__gte", du))
        case "le":
            return Q((f"{colonne}__{avant}", au))
        case "ap":
            bas, haut = _autour(i)
            return Q((f"{colonne}__gte", bas), (f"{colonne}__lt", haut))
    egal = Q((f"{colonne}__gte", i.du), (f"{colonne}__lt", i.au))
    return ~egal & Q((f"{colonne}__isnull", False)) if prefixe == "ne" else egal


def _autour(i: Intervalle) -> tuple[datetime | float, datetime | float]:
    """R4: a tenth of the value, or of what separates a date from now."""
    try:
        if isinstance(i.du, datetime) and isinstance(i.au, datetime):
            marge = abs(timezone.now() - i.du) / 10
            return i.du - marge, i.au + marge
        assert isinstance(i.valeur, float)
        return min(float(i.du), i.valeur * 0.9), max(float(i.au), i.valeur * 1.1)  # type: ignore[arg-type]
    except OverflowError as erreur:
        raise ErreurFhir(400, "invalid", "Cette date est trop loin.") from erreur
