"""The exposition of the real establishments and 11,000 offers: first time, again, after a change of label; validated.

The file is ../shared/data/finess/finess_structureet_idf.csv, or the one that FINESS names.
"""

import os
import resource
import time
from collections import Counter
from pathlib import Path

from django.db import connection

from structures.fhir.exposition import ecarts_d_exposition, exposer, tout_reexposer
from structures.importations.finess import importer
from structures.importations.rapport import Rapport
from structures.models import Concept, Ressource, RessourceVersion
from tests.structures.guide_fhir import SANS_TYPE, fautes
from workflows.domaine import decisions

from . import jeux
from .importation import FICHIER
from .mesure import mesurer, tableau

OFFRES = 2_200  # in each of five establishments


def mesurer_exposition() -> None:
    fichier = Path(os.environ.get("FINESS", FICHIER))
    if not fichier.exists():
        print(f"Exposition: no file {fichier}; name one with FINESS=…")
        return
    importer(fichier, Rapport())
    egs = [jeux.ehpad(f"94{rang:07d}", OFFRES) for rang in range(5)]
    with connection.cursor() as curseur:
        curseur.execute("ANALYZE")
    lignes = [_mesurer("first time", exposer), _mesurer("all again, nothing changed", tout_reexposer)]
    _valider()
    Concept.objects.filter(nomenclature="R211", code="293").update(libelle="Autre libellé")
    lignes.append(_mesurer("a label of 11,000 offers changed", exposer))
    lignes += [
        _publier(egs[0]),
        _mesurer("a publication of 1,000 exposed", exposer),
        _mesurer("nothing to do", exposer),
    ]
    debut = time.perf_counter()
    assert ecarts_d_exposition() == []
    lignes.append(["verifier_exposition", "", f"{time.perf_counter() - debut:.2f}", "", "", "", ""])
    tableau(
        f"Exposition: {Ressource.objects.count()} resources, {RessourceVersion.objects.count()} versions",
        ["", "resources", "seconds", "Python s", "resources/s", "statements", "peak MB of the process"],
        lignes,
    )


def _mesurer(titre: str, geste) -> list[str]:
    with mesurer() as mesure:
        changees = geste()
    memoire = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        titre, str(changees), f"{mesure.secondes:.2f}", f"{mesure.python:.2f}", f"{changees / mesure.secondes:.0f}",
        str(mesure.instructions), f"{memoire:.0f}",
    ]  # fmt: skip


def _publier(eg) -> list[str]:
    """The publication itself, and what its marks cost of it."""
    referent, gestionnaire = jeux.acteurs(eg)
    _, tache = jeux.dossier_envoye(eg, 1000, referent)
    durees: list[float] = []

    def chronometrer(execute, sql, params, many, context):
        debut = time.perf_counter()
        resultat = execute(sql, params, many, context)
        if "structures_aexposer" in sql:
            durees.append(time.perf_counter() - debut)
        return resultat

    with mesurer() as publication, connection.execute_wrapper(chronometrer):
        decisions.approuver(tache=tache.pk, acteur=gestionnaire)
    titre = f"publication of 1,000 (its marks: {len(durees)} statement, {sum(durees) * 1000:.1f} ms)"
    return [
        titre, "", f"{publication.secondes:.2f}", f"{publication.python:.2f}", "", str(publication.instructions), "",
    ]  # fmt: skip


def _valider() -> None:
    """Every resource passes the validator and carries the guide's mandatory elements."""
    trouvees: Counter[str] = Counter()
    lues: Counter[str] = Counter()
    debut = time.perf_counter()
    for type_, niveau, contenu in Ressource.objects.values_list("type", "fiche__niveau", "contenu").iterator():
        lues[f"{type_} ({niveau})"] += 1
        trouvees.update(fautes(contenu, sauf=SANS_TYPE if niveau == "EJ" else frozenset()))
    print(f"validated in {time.perf_counter() - debut:.1f} s: {dict(lues)}; faults: {dict(trouvees)}")
    assert not trouvees
