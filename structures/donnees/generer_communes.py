"""Generate communes.csv.gz and departements.csv from @etalab/decoupage-administratif.

    python structures/donnees/generer_communes.py PATH_OF_THE_UNPACKED_PACKAGE

Reads data/communes.json, data/epci.json and data/departements.json of the package, keeps the
communes of today and the arrondissements municipaux, and writes both files beside this script.
No network. The gzip header carries neither date nor name, so the same package gives the same bytes.
"""

import csv
import gzip
import io
import json
import sys
from pathlib import Path

ICI = Path(__file__).resolve().parent
TYPES = {"commune-actuelle", "arrondissement-municipal"}


def lire(paquet, nom):
    return json.loads((paquet / "data" / f"{nom}.json").read_text(encoding="utf-8"))


def en_csv(entetes, lignes):
    tampon = io.StringIO(newline="")
    ecrivain = csv.writer(tampon, delimiter=";", lineterminator="\n")
    ecrivain.writerow(entetes)
    ecrivain.writerows(sorted(lignes))
    return tampon.getvalue().encode("utf-8")


def lignes_communes(paquet):
    epci_de = {
        membre["code"]: (epci["code"], epci["nom"]) for epci in lire(paquet, "epci") for membre in epci["membres"]
    }
    for commune in lire(paquet, "communes"):
        if commune["type"] not in TYPES:
            continue
        # An arrondissement municipal belongs to the EPCI of its commune.
        membre = commune.get("commune", commune["code"])
        population = commune.get("population")
        yield (
            commune["code"],
            commune["nom"],
            commune["type"],
            commune["departement"],
            commune["region"],
            ",".join(commune.get("codesPostaux", [])),
            *epci_de.get(membre, ("", "")),
            "" if population is None else population,
        )


def lignes_departements(paquet):
    for departement in lire(paquet, "departements"):
        yield departement["code"], departement["nom"], departement["region"]


def generer(paquet):
    communes = en_csv(
        [
            "code",
            "nom",
            "type",
            "departement",
            "region",
            "codes_postaux",
            "epci",
            "epci_nom",
            "population",
        ],
        lignes_communes(paquet),
    )
    comprime = gzip.compress(communes, compresslevel=9, mtime=0)
    (ICI / "communes.csv.gz").write_bytes(comprime)
    departements = en_csv(["code", "nom", "region"], lignes_departements(paquet))
    (ICI / "departements.csv").write_bytes(departements)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    generer(Path(sys.argv[1]))
