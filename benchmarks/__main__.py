"""``make bench``: every benchmark, on a private cluster without fsync; figures of one run on one machine.

``python -m benchmarks publication flux`` runs those only. ``registre`` runs by name only, in a process of its own: its
register of national size takes minutes to make the first time (benchmarks/national.py).
"""

import subprocess
import sys
from importlib import import_module

from backoffice.embarque.prive import cluster_prive

from .environnement import preparer

NOMS = (
    "publication",
    "espace",
    "diff",
    "flux",
    "boite",
    "supervision",
    "importation",
    "exposition",
    "referentiels",
    "exports",
    "fhir",
    "export_fhir",
    "demarrage",
)


def main(noms: list[str]) -> int:
    inconnus = [nom for nom in noms if nom not in (*NOMS, "registre")]
    if inconnus:
        print(f"Unknown benchmark: {', '.join(inconnus)}. Choose among {', '.join(NOMS)}, registre.", file=sys.stderr)
        return 2
    choisis = noms or list(NOMS)
    if "registre" in choisis:
        subprocess.run([sys.executable, "-m", "benchmarks.registre"], check=True)
        if choisis == ["registre"]:
            return 0
    with cluster_prive() as base:
        preparer(base)
        from structures.domaine.enregistrer import ecarts

        for nom in NOMS[:-1]:
            if nom in choisis:
                getattr(import_module(f".{nom}", __package__), f"mesurer_{nom}")()
            if nom == "publication":
                assert ecarts() == []
    if "demarrage" in choisis:
        from .demarrage import mesurer_demarrage

        mesurer_demarrage()
    return 0


sys.exit(main(sys.argv[1:]))
