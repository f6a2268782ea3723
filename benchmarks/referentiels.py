"""The imports of nomenclatures and communes on the real register of the region, first and second time, beside a COPY of
the same rows in the same run.

Files of ../shared/data: ``nos/fhir/2023-08`` whole, the four lists of ``nos/fhir/2021-10`` in both states, the 35,014
communes with 200 made-up mergers of communes that have establishments (14,463 of them, from the FINESS file).
"""

import csv
import io
import json
import os
import tempfile
import time
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from .importation import FICHIER as FINESS
from .importation import RACINE, _lancer
from .mesure import tableau

DONNEES = RACINE.parent / "shared" / "data"
BASE = "referentiels"
FUSIONS = 200
_MOUVEMENT = "MOD,DATE_EFF,TYPECOM_AV,COM_AV,LIBELLE_AV,TYPECOM_AP,COM_AP,LIBELLE_AP"


def mesurer_referentiels() -> None:
    if not FINESS.exists():
        print(f"Référentiels: no data in {DONNEES}")
        return
    url = os.environ["DATABASE_URL"]
    neuve = urlunsplit(urlsplit(url)._replace(path=f"/{BASE}"))
    with psycopg.connect(url, autocommit=True) as connexion, tempfile.TemporaryDirectory() as dossier:
        connexion.execute(f"DROP DATABASE IF EXISTS {BASE}")
        connexion.execute(f"CREATE DATABASE {BASE}")
        try:
            for commande in (["migrate"], ["charger_referentiels"], ["importer", "finess", str(FINESS)]):
                _lancer(neuve, *commande)
            lignes = _mesurer(neuve, Path(dossier))
            _lancer(neuve, "verifier_repertoire")
        finally:
            connexion.execute(f"DROP DATABASE IF EXISTS {BASE} WITH (FORCE)")
    tableau(
        "Imports of reference data, on the 14,463 establishments of the region",
        ["", "rows", "seconds", "COPY", "peak MB", "changes"],
        lignes,
    )


def _mesurer(url: str, dossier: Path) -> list[list[str]]:
    lignes = []
    nos = DONNEES / "nos" / "fhir"
    etats = {etat: sorted((nos / etat).glob("*.json")) for etat in ("2023-08", "2021-10")}
    listes = [p.name.split("-")[0] for p in etats["2021-10"]]
    recents = [p for p in etats["2023-08"] if p.name.startswith(tuple(listes))]
    for titre, fichiers, fois in (
        ("NOS 2023-08, first time", etats["2023-08"], 1), ("NOS 2023-08, second time", etats["2023-08"], 1),
        ("four lists, state of 2021", etats["2021-10"], 1), ("four lists, state of 2023", recents, 2),
    ):  # fmt: skip
        archive = dossier / "nos.zip"
        with zipfile.ZipFile(archive, "w") as zip_:
            for fichier in fichiers:
                zip_.write(fichier, fichier.name)
        for passe in range(fois):
            copie = _copier(url, _codes(fichiers))
            lignes.append(_ligne(f"{titre}{', again' if passe else ''}", url, "nos", archive, copie, "anciennes"))
    archive = dossier / "cog.zip"
    communes = _annee(url, archive)
    return lignes + [
        _ligne(f"communes and mergers, {passe} time", url, "communes", archive, _copier(url, communes))
        for passe in ("first", "second")
    ]


def _ligne(titre: str, url: str, genre: str, fichier: Path, copie: tuple[int, float], *options: str) -> list[str]:
    rapport = fichier.with_suffix(".rapport")
    arguments = [a for option in options for a in ("--option", option)]
    _, memoire = _lancer(url, "importer", genre, str(fichier), "--json", str(rapport), *arguments)
    bilan: dict[str, Any] = json.loads(rapport.read_text(encoding="utf-8"))["bilan"]
    effets = sum(bilan["sorts"].get(sort, 0) for sort in ("cree", "change", "ferme", "rouvert"))
    return [titre, str(copie[0]), f"{bilan['secondes']:.1f}", f"{copie[1]:.2f}", f"{memoire:.0f}", str(effets)]


def _codes(fichiers: Iterable[Path]) -> Iterable[Sequence[object]]:
    for fichier in fichiers:
        ressource = json.loads(fichier.read_bytes())
        inclus = ressource.get("compose", {}).get("include", [ressource])
        yield from ((ressource["url"], c["code"], c["display"]) for i in inclus for c in i.get("concept", []))


def _annee(url: str, archive: Path) -> list[Sequence[object]]:
    """The list of the year without the communes that merged into the one before them, and the movements that say so."""
    source = (DONNEES / "cog" / "communes_etalab_6.0.0.csv").read_text(encoding="utf-8")
    lues = list(csv.reader(io.StringIO(source), delimiter=";"))
    noms = {ligne[0]: ligne[1] for ligne in lues if ligne[2] == "commune-actuelle"}
    with psycopg.connect(url) as connexion:
        tenues = [
            code
            for (code,) in connexion.execute(
                "SELECT commune FROM structures_versionfiche WHERE niveau = 'EG' AND commune <> '' "
                "GROUP BY 1 ORDER BY count(*), 1"
            )
            if code in noms
        ]
    paires = list(zip(tenues[: 2 * FUSIONS : 2], tenues[1 : 2 * FUSIONS : 2], strict=True))
    finies = {avant for avant, _ in paires}
    gardees = [ligne for ligne in lues if ligne[0] not in finies]
    mouvements = [f"32,2026-01-01,COM,{a},{noms[a]},COM,{b},{noms[b]}" for a, b in paires]
    mouvements += [f"32,2026-01-01,COM,{b},{noms[b]},COM,{b},{noms[b]}" for _, b in paires]
    with zipfile.ZipFile(archive, "w") as zip_:
        zip_.writestr("liste.csv", "\n".join(";".join(ligne) for ligne in gardees) + "\n")
        zip_.writestr("mouvements.csv", "\n".join([_MOUVEMENT, *mouvements]) + "\n")
    return [tuple(ligne) for ligne in gardees[1:]]


def _copier(url: str, lignes: Iterable[Sequence[object]]) -> tuple[int, float]:
    """(rows, seconds to read them and COPY them as they are: text columns, no index, one transaction)."""
    with psycopg.connect(url) as connexion, connexion.cursor() as curseur:
        curseur.execute("DROP TABLE IF EXISTS brut")
        curseur.execute(f"CREATE TABLE brut ({', '.join(f'c{n} text' for n in range(7))})")
        connexion.commit()
        debut, combien = time.perf_counter(), 0
        with curseur.copy("COPY brut FROM STDIN") as copie:
            for ligne in lignes:
                copie.write_row([*ligne, *[None] * (7 - len(ligne))])
                combien += 1
        connexion.commit()
        return combien, time.perf_counter() - debut
