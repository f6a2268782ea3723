"""What was deposited: one file, or a zip of them. A broken one refuses the whole: nothing is half imported."""

from pathlib import Path

from ..archive import Bornes, fichiers
from ..lecture import FichierRefuse
from ..suivi import Suivi
from . import fhir, plat
from .edition import Edition

# The biggest file of the ANS has 1.5 million bytes.
BORNES = Bornes(extensions=(".json", ".csv"), fichiers=2_000, taille=8 << 20, total=128 << 20)
REFUS_MONTRES = 10
EXTENSIONS = (".json", ".csv", ".zip")


def lire(chemin: Path, nom: str, suivi: Suivi) -> tuple[list[Edition], list[str]]:
    """(editions, names of the files that are no nomenclature)."""
    editions: list[Edition] = []
    autres: list[str] = []
    refus: list[str] = []
    lus = 0
    for fichier, contenu in suivi.parcourir(fichiers(chemin, nom, BORNES), "Lecture des fichiers"):
        lus += 1
        try:
            trouvees = (fhir if fichier.lower().endswith(".json") else plat).lire(contenu, fichier)
        except FichierRefuse as erreur:
            refus.append(erreur.raison)
            continue
        editions += trouvees
        autres += [] if trouvees else [fichier]
    if refus:
        suite = f" … et {len(refus) - REFUS_MONTRES} autres" if len(refus) > REFUS_MONTRES else ""
        raise FichierRefuse(" ".join(refus[:REFUS_MONTRES]) + suite)
    if not lus:
        raise FichierRefuse("il ne contient aucun fichier .json ou .csv.")
    return editions, autres
