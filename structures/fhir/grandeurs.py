"""Dates, numbers and quantities of R4: what is asked is an interval as wide as it is precise; its prefix compares."""

import math
import re
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from django.utils import timezone

from .index import JOURS_PAR_CODE
from .issue import ErreurFhir

PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
_PREFIXE = re.compile(rf"({'|'.join(PREFIXES)})?(.*)", re.DOTALL)
_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)
_NOMBRE = re.compile(r"[+-]?\d{1,15}(\.(\d{1,15}))?([eE][+-]?\d{1,2})?", re.ASCII)


# Values of a column that a criterion accepts: [from, to), None where nothing bounds them.
Bornes = tuple[Any, Any]


class Intervalle(NamedTuple):
    """[du, au), and the value itself: instants, days or numbers."""

    du: Any
    au: Any
    valeur: Any


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


def _nombre(texte: str, par: float, refus: str) -> Intervalle:
    """A number times ``par``; as precise as its last digit (R4: ±0.5 of it)."""
    trouve = _NOMBRE.fullmatch(texte.strip())
    if trouve is None:
        raise ErreurFhir(400, "invalid", refus)
    exposant = int(trouve[3][1:]) if trouve[3] else 0
    moitie = 0.5 * 10.0 ** (exposant - len(trouve[2] or "")) * par
    valeur = float(texte) * par
    if not math.isfinite(valeur):
        raise ErreurFhir(400, "invalid", refus)
    return Intervalle(valeur - moitie, valeur + moitie, valeur)


# -- what a criterion accepts ------------------------------------------------------------------------------


def instants(texte: str) -> list[Bornes]:
    """« ge2025-01 », of a column of instants."""
    prefixe, reste = separer(texte)
    i = lire_date(reste)
    return _bornes(prefixe, _autour(i) if prefixe == "ap" else i)


def jours(texte: str) -> list[Bornes]:
    """The same, of a column of days: each is an interval, of which what is asked may hold a part."""
    prefixe, reste = separer(texte)
    i = lire_date(reste)
    try:
        if prefixe == "ap":
            return _bornes(prefixe, _jours_touches(_autour(i)))
        return _bornes(prefixe, _jours_entiers(i), _jours_touches(i))
    except OverflowError as erreur:
        raise _trop_loin() from erreur


def _jours_entiers(i: Intervalle) -> Intervalle:
    """[du, au) of the days that lie wholly in it; ``au`` is before ``du`` when it is a part of one day."""
    du, au = _au_lendemain(i.du), timezone.localtime(i.au).date()
    return Intervalle(du, au, du)


def _jours_touches(i: Intervalle) -> Intervalle:
    du, au = timezone.localtime(i.du).date(), _au_lendemain(i.au)
    return Intervalle(du, au, du)


def _au_lendemain(quand: datetime) -> date:
    """The first day that does not begin before."""
    local = timezone.localtime(quand)
    return local.date() + timedelta(days=local.time() != time.min)


def ages(texte: str) -> list[Bornes]:
    """« 15 », « 15||a », « le6|http://unitsofmeasure.org|mo », in days."""
    prefixe, reste = separer(texte)
    nombre, _, suite = reste.partition("|")
    unite = suite.rpartition("|")[2]
    refus = f"« {reste[:40]} » n’est pas un âge : nombre||unité, unité a, mo, wk ou d (15||a)."
    if unite not in JOURS_PAR_CODE:
        raise ErreurFhir(400, "invalid", refus)
    return _d_un_nombre(prefixe, _nombre(nombre, JOURS_PAR_CODE[unite], refus))


def nombres(texte: str) -> list[Bornes]:
    """« 12 », « ge1.5e2 »."""
    prefixe, reste = separer(texte)
    return _d_un_nombre(prefixe, _nombre(reste, 1.0, f"« {reste[:40]} » n’est pas un nombre."))


def _d_un_nombre(prefixe: str, i: Intervalle) -> list[Bornes]:
    """R4: what is asked by another prefix than eq and ne is the very number."""
    if prefixe == "ap":
        i = _autour(i)
    elif prefixe not in ("eq", "ne"):
        i = i._replace(du=i.valeur, au=math.nextafter(i.valeur, math.inf))
    return _bornes(prefixe, i)


def _bornes(prefixe: str, dedans: Intervalle, touche: Intervalle | None = None) -> list[Bornes]:
    """What the prefix accepts of ``dedans``: what lies wholly in what is asked, and may be nothing. ``touche``: what
    touches it, when that is more."""
    touche, (du, au, _) = touche or dedans, dedans
    match prefixe:
        case "gt":
            return [(au, None)]
        case "lt":
            return [(None, du)]
        case "ge":
            return [(min(du, au), None)]
        case "le":
            return [(None, max(du, au))]
        case "sa":
            return [(touche.au, None)]
        case "eb":
            return [(None, touche.du)]
        case "ne":
            return [(None, du), (max(du, au), None)]
    return [(du, au)]


def _autour(i: Intervalle) -> Intervalle:
    """R4: a tenth of the value, or of what separates a date from now."""
    try:
        if isinstance(i.du, datetime):
            marge = abs(timezone.now() - i.du) / 10
            return Intervalle(i.du - marge, i.au + marge, i.du)
        return Intervalle(min(i.du, i.valeur * 0.9), max(i.au, i.valeur * 1.1), i.valeur)
    except OverflowError as erreur:
        raise _trop_loin() from erreur


def _trop_loin() -> ErreurFhir:
    return ErreurFhir(400, "invalid", "Cette date est trop loin.")
