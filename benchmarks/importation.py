"""The import of a FINESS file and of one seven times larger made from it, first and second time, beside a COPY of the
same rows in the same run.

The file is ../shared/data/finess/finess_structureet_idf.csv, or the one that FINESS names. Each import is the command
itself in a process of its own, so that its peak memory is its own: deposit of the bytes, import and report included.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from .mesure import tableau

RACINE = Path(__file__).resolve().parent.parent
FICHIER = RACINE.parent / "shared" / "data" / "finess" / "finess_structureet_idf.csv"
BASE = "importation"
FOIS = 7
SORTES = {"structureet": 32, "geolocalisation": 6}


def mesurer_importation() -> None:
    fichier = Path(os.environ.get("FINESS", FICHIER))
    if not fichier.exists():
        print(f"Import: no file {fichier}; name one with FINESS=…")
        return
    with tempfile.TemporaryDirectory() as dossier:
        grand = Path(dossier) / f"{fichier.stem}_x{FOIS}.csv"
        multiplier(fichier, grand)
        for un in (fichier, grand):
            _tableau(un, mesurer(un))


def _tableau(fichier: Path, chiffres: dict[str, Any]) -> None:
    tableau(
        f"Import of {fichier.name}: {chiffres['lignes']} rows, {chiffres['retenues']} establishments followed",
        ["", "seconds", "× COPY", "with start-up", "peak MB", "modifications"],
        [
            [
                titre,
                f"{chiffres[passe]['secondes']:.2f}",
                f"{chiffres[passe]['secondes'] / chiffres['copie']:.1f}",
                f"{chiffres[passe]['avec_demarrage']:.2f}",
                f"{chiffres[passe]['memoire_mo']:.0f}",
                str(chiffres[passe]["modifications"]),
            ]
            for titre, passe in (("first time", "premiere"), ("second time", "seconde"))
        ]
        + [["COPY of the same rows", f"{chiffres['copie']:.2f}", "1.0", "", "", ""]],
    )


def multiplier(fichier: Path, grand: Path, fois: int = FOIS) -> None:
    """Write a file so many times larger: the same establishments again under other numbers, with other EJ."""
    lignes = fichier.read_text(encoding="utf-8").splitlines()
    pris = {c[n] for ligne in lignes if (c := ligne.split(";"))[0] == "structureet" for n in (1, 2)}
    libres = (n for n in map(_finess, range(10_000_000, 99_999_999)) if n not in pris)
    with grand.open("w", encoding="utf-8") as sortie:
        sortie.write(lignes[0] + "\n")
        numeros: list[dict[str, str]] = [{} for _ in range(fois)]
        for sorte in SORTES:
            du_genre = [ligne.split(";") for ligne in lignes if ligne.startswith(f"{sorte};")]
            for tour, donnes in enumerate(numeros):
                for champs in du_genre:
                    for n in (1, 2) if sorte == "structureet" else (1,):
                        if tour and champs[n] not in donnes:
                            donnes[champs[n]] = next(libres)
                    neufs = [donnes.get(c, c) if n in (1, 2) else c for n, c in enumerate(champs)]
                    sortie.write(";".join(neufs) + "\n")


def _finess(corps: int) -> str:
    somme = sum(n // 10 + n % 10 for n in (int(c) * (2 - r % 2) for r, c in enumerate(reversed(str(corps)))))
    return f"{corps}{-somme % 10}"


def mesurer(fichier: Path | str) -> dict[str, Any]:
    """Seconds, peak memory (MB) and modifications of both imports into a fresh database, and seconds of the COPY."""
    fichier = Path(fichier)
    url = os.environ["DATABASE_URL"]
    parties = urlsplit(url)
    neuve = urlunsplit(parties._replace(path=f"/{BASE}"))
    with psycopg.connect(url, autocommit=True) as connexion:
        connexion.execute(f"DROP DATABASE IF EXISTS {BASE}")
        connexion.execute(f"CREATE DATABASE {BASE}")
        try:
            for commande in ("migrate", "charger_referentiels"):
                _lancer(neuve, commande)
            premiere, seconde = _importer(neuve, fichier), _importer(neuve, fichier)
            _lancer(neuve, "verifier_repertoire")
            copie = _copier(neuve, fichier)
        finally:
            connexion.execute(f"DROP DATABASE IF EXISTS {BASE} WITH (FORCE)")
    if seconde["modifications"]:
        raise AssertionError(f"The second import changed {seconde['modifications']} fiches.")
    return {
        "lignes": premiere.pop("lignes"), "retenues": premiere.pop("retenues"), "premiere": premiere,
        "seconde": seconde, "copie": copie,
    }  # fmt: skip


def _importer(url: str, fichier: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as dossier:
        rapport = Path(dossier) / "rapport.json"
        duree, memoire = _lancer(url, "importer", "finess", str(fichier), "--json", str(rapport))
        bilan = json.loads(rapport.read_text(encoding="utf-8"))["bilan"]
    n = bilan["nombres"]
    eg = [n[f"établissements {fait}"] for fait in ("créés", "modifiés", "inchangés")]
    return {
        "secondes": bilan["secondes"], "avec_demarrage": duree, "memoire_mo": memoire,
        "modifications": sum(eg[:2]) + n["entités juridiques créées"] + n["entités juridiques modifiées"],
        "lignes": n["lignes lues"], "retenues": sum(eg),
    }  # fmt: skip


def _lancer(url: str, *commande: str) -> tuple[float, float]:
    """(seconds, peak resident MB) of a management command."""
    debut = time.perf_counter()
    enfant = subprocess.Popen(
        [sys.executable, "-m", "django", *commande],
        cwd=RACINE,
        env={**os.environ, "DATABASE_URL": url, "PYTHONPATH": str(RACINE)},
        stdout=subprocess.DEVNULL,
    )
    _, etat, usage = os.wait4(enfant.pid, 0)
    enfant.returncode = os.waitstatus_to_exitcode(etat)
    if enfant.returncode:
        raise subprocess.CalledProcessError(enfant.returncode, commande)
    return time.perf_counter() - debut, usage.ru_maxrss / 1024


def _copier(url: str, fichier: Path) -> float:
    """Seconds to read the file and COPY its rows as they are, text columns, no index, one transaction."""
    with psycopg.connect(url) as connexion, connexion.cursor() as curseur:
        for sorte, champs in SORTES.items():
            curseur.execute(f"CREATE TABLE {sorte} ({', '.join(f'c{n} text' for n in range(champs))})")
        connexion.commit()
        debut = time.perf_counter()
        for sorte in SORTES:
            with curseur.copy(f"COPY {sorte} FROM STDIN (FORMAT csv, DELIMITER ';')") as copie:
                for ligne in _lignes(fichier, sorte):
                    copie.write(ligne)
        connexion.commit()
        return time.perf_counter() - debut


def _lignes(fichier: Path, sorte: str) -> Iterator[bytes]:
    prefixe = f"{sorte};".encode()
    with fichier.open("rb") as flux:
        yield from (ligne for ligne in flux if ligne.startswith(prefixe))
