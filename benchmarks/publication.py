"""Publication of 10, 100 and 1,000 touched fiches beside raw INSERTs of the same rows, in the same run."""

import time

from django.db import connection, transaction

from structures.models import Modification, VersionFiche
from workflows.domaine import decisions

from . import jeux
from .mesure import mediane, mesurer, tableau


def _inserts_bruts(dossier: int) -> float:
    """Seconds to insert again, with multi-row INSERTs and no other work, the rows that the publication wrote."""
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
        debut = time.perf_counter()
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
        duree = time.perf_counter() - debut
        transaction.set_rollback(True)
    return duree


def mesurer_publication(tailles: tuple[int, ...] = (10, 100, 1000)) -> None:
    lignes = []
    for rang, taille in enumerate(tailles):
        eg = jeux.ehpad(f"93{rang:07d}", max(taille, 10))
        referent, gestionnaire = jeux.acteurs(eg)
        dossier, tache = jeux.dossier_envoye(eg, taille, referent)
        with mesurer() as publication:
            decisions.approuver(tache=tache.pk, acteur=gestionnaire)
        brut = mediane(lambda: _inserts_bruts(dossier.pk), 3)  # noqa: B023
        lignes.append(
            [
                str(taille), str(publication.instructions), f"{publication.secondes:.3f}", f"{brut:.3f}",
                f"{publication.secondes / brut:.1f}",
            ]
        )  # fmt: skip
    tableau(
        "Publication (approval included) beside raw INSERTs of the same rows",
        ["fiches", "statements", "publication s", "raw INSERTs s", "ratio"],
        lignes,
    )
