"""What makes an official number or date acceptable, and the projection of coordinates. Pure."""

import math
import re
from datetime import date

_FINESS = re.compile(r"(?:[0-9]{2}|2[AB])[0-9]{7}")
_SIREN = re.compile(r"[0-9]{9}")
_SIRET = re.compile(r"[0-9]{14}")
_CORSE = {"2A": "21", "2B": "22"}
_DOUBLES = {str(n): n * 2 if n < 5 else n * 2 - 9 for n in range(10)}  # sum of the digits of the double
_LA_POSTE = "356000000"

# RGF93 / Lambert-93 on GRS 80 (IGN, NT/G 71): exponent, constant, false origins, eccentricity.
_N, _C, _X0, _Y0 = 0.7256077650532670, 11754255.4260960, 700000.0, 12655612.0498760
_E = 0.0818191910428158


def luhn(chiffres: str) -> bool:
    """True when the last digit is the Luhn key of the others."""
    return (sum(map(int, chiffres[-1::-2])) + sum(map(_DOUBLES.__getitem__, chiffres[-2::-2]))) % 10 == 0


def forme_finess(numero: str) -> bool:
    return bool(_FINESS.fullmatch(numero))


def finess_valide(numero: str) -> bool:
    """Nine characters with a Luhn key; Corsica counts 2A as 21 and 2B as 22 (domain.md §2)."""
    return forme_finess(numero) and luhn(_CORSE.get(numero[:2], numero[:2]) + numero[2:])


def siren_valide(numero: str) -> bool:
    """Nine digits with a Luhn key."""
    return bool(_SIREN.fullmatch(numero)) and luhn(numero)


def siret_valide(numero: str) -> bool:
    """Fourteen digits with a Luhn key. Establishments of La Poste: the sum of the digits is a multiple of five."""
    if not _SIRET.fullmatch(numero):
        return False
    return luhn(numero) or (numero.startswith(_LA_POSTE) and sum(map(int, numero)) % 5 == 0)


def lire_date(texte: str) -> date | None:
    """An ISO date; None when it is none."""
    try:
        return date.fromisoformat(texte) if len(texte) == 10 else None
    except ValueError:
        return None


def depuis_lambert93(x: float, y: float) -> tuple[float, float]:
    """(longitude, latitude) in degrees of a Lambert-93 position in metres; exact to the millimetre."""
    dx, dy = x - _X0, _Y0 - y
    isometrique = -math.log(math.hypot(dx, dy) / _C) / _N
    phi = 2 * math.atan(math.exp(isometrique)) - math.pi / 2
    for _ in range(8):
        e_sin = _E * math.sin(phi)
        phi = 2 * math.atan(((1 + e_sin) / (1 - e_sin)) ** (_E / 2) * math.exp(isometrique)) - math.pi / 2
    return 3 + math.degrees(math.atan2(dx, dy) / _N), math.degrees(phi)
