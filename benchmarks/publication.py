"""Publication of 1,000 and 5,000 touched fiches beside raw INSERTs of the same rows, in the same run; the preview."""

import time

from django.db import connection, transaction

from structures.models import Modification, VersionFiche
from workflows.domaine import decisions
from workflows.domaine.simulation import simuler

from . import jeux
from .mesure import mesurer, octets_ecrits, tableau


def _inserts_bruts(dossier: int) -> tuple[float, int]:
    """Seconds and bytes of log to insert again what the publication wrote: multi-row INSERTs and no other work."""
    colonnes_m = [f.column for f in Modification._meta.concrete_fields if f.column != "id"]
    colonnes_v = [f.column for f in VersionFiche._meta.concrete_fields if f.column != "id"]
    filtre = f"SELECT id FROM structures_modification WHERE origine = 'dossier {dossier}'"
    with transaction.atomic(), connection.cursor() as curseur:
        curseur.execute(f"SELECT {', '.join(colonnes_m)} FROM structures_modification WHERE id IN ({filtre})")
        modifications = curseur.fetchall()
        curseur.execute(
            f"SELECT {', '.join(colonnes_v)} FROM structures_versionfiche WHERE modification_id IN ({filtre})"
        )
        versions = curseur.fetchall()
        curseur.execute(f"DELETE FROM structures_versionfiche WHERE modification_id IN ({filtre})")
        debut, avant = time.perf_counter(), octets_ecrits()
        for table, colonnes, lignes in (
            ("structures_modification", colonnes_m, modifications),
            ("structures_versionfiche", colonnes_v, versions),
        ):
            motif = "(" + ", ".join(["%s"] * len(colonnes)) + ")"
            for i in range(0, len(lignes), 500):
                lot = lignes[i : i + 500]
                curseur.execute(
                    f"INSERT INTO {table} ({', '.join(colonnes)}) VALUES {', '.join([motif] * len(lot))}",
                    [v for ligne in lot for v in ligne],
                )
        curseur.execute("SET CONSTRAINTS ALL IMMEDIATE")
        mesure = time.perf_counter() - debut, octets_ecrits() - avant
        transaction.set_rollback(True)
    return mesure


def mesurer_publication(tailles: tuple[int, ...] = (10, 1000, 5000)) -> None:
    lignes = []
    for rang, taille in enumerate(tailles):
        eg = jeux.ehpad(f"93{rang:07d}", max(taille, 10))
        referent, gestionnaire = jeux.acteurs(eg)
        dossier, tache = jeux.dossier_envoye(eg, taille, referent)
        with mesurer() as apercu:
            simulation = simuler(numero=dossier.pk, acteur=gestionnaire)
        assert simulation.empechements == []
        with mesurer() as publication:
            decisions.approuver(tache=tache.pk, acteur=gestionnaire)
        bruts = sorted(_inserts_bruts(dossier.pk) for _ in range(3))
        secondes, octets = bruts[1]
        lignes.append(
            [
                str(taille), str(publication.instructions), f"{publication.secondes:.3f}", f"{secondes:.3f}",
                f"{publication.secondes / secondes:.1f}", f"{publication.python:.3f}",
                f"{publication.secondes * 1000 / taille:.2f}", f"{publication.octets / 1e6:.1f}", f"{octets / 1e6:.1f}",
                f"{apercu.secondes:.3f}", f"{apercu.python:.3f}", str(apercu.instructions),
            ]
        )  # fmt: skip
    tableau(
        "Publication (approval included) beside raw INSERTs of the same rows, and its preview",
        ["fiches", "statements", "publication s", "raw s", "ratio", "Python s", "ms/fiche", "log MB", "raw log MB",
         "preview s", "Python s", "statements"],
        lignes,
    )  # fmt: skip
