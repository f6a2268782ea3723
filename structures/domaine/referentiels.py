"""Load the starter set of nomenclatures, associations, authorities and communes shipped in structures/donnees."""

import csv
import gzip
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from ..enums import NatureConcept
from ..models import Association, Autorite, Concept, Departement, Nomenclature, RegleCategorie, RegleTarification
from .cog import texte_de_recherche

DONNEES = Path(__file__).resolve().parent.parent / "donnees"


def _lignes(nom: str) -> Iterator[dict[str, str]]:
    ouvrir = gzip.open if nom.endswith(".gz") else open
    with ouvrir(DONNEES / nom, "rt", encoding="utf-8", newline="") as fichier:  # type: ignore[operator]
        yield from csv.DictReader(fichier, delimiter=";")


@transaction.atomic
def charger_referentiels() -> dict[str, int]:
    """Create or relabel what the starter set holds; rows that are not in it stay. Returns rows by table.

    Can be run again at any time: the second run changes nothing, and what gestionnaires or official files brought since
    stays: the associations of a code that is already known, a list held in a later version, the communes.
    """
    types_connus = set(Concept.objects.filter(nomenclature="J238").values_list("code", flat=True))
    listes = tomllib.loads((DONNEES / "nomenclatures.toml").read_text(encoding="utf-8"))
    colonnes = ["nom", "libelle", "url", "oid", "version", "complement", "version_complement"]
    tenues = {n.pk: (n.version, n.version_complement) for n in Nomenclature.objects.all()}
    for code, (version, version_complement) in tenues.items():
        liste = listes.get(code, {})
        if version > liste.get("version", "") or version_complement > liste.get("version_complement", ""):
            listes.pop(code, None)
    _poser(
        Nomenclature,
        ["code"],
        colonnes,
        [{"code": c, **{k: d.get(k, "") for k in colonnes}} for c, d in listes.items()],
    )
    concepts = [
        {
            "nomenclature_id": liste,
            "code": ligne["code"],
            "libelle": ligne["libelle"],
            "date_debut": ligne["date_debut"] or None,
            "date_fin": ligne["date_fin"] or None,
            "du_jeu": "complement" in listes[liste],
        }
        for liste in listes
        for ligne in _lignes(f"concepts/{liste}.csv")
    ]
    _poser(Concept, ["nomenclature", "code"], ["libelle", "date_debut", "date_fin", "du_jeu"], concepts)
    RegleCategorie.objects.bulk_create(
        [
            RegleCategorie(
                categorie=c["code"], champ=c["champ"], filiere=c["filiere"], autorites=_types(c["autorites"])
            )
            for c in _lignes("categories.csv")
        ],
        ignore_conflicts=True,
    )
    RegleTarification.objects.bulk_create(
        [RegleTarification(mode=t["code"], autorites=_types(t["autorites"])) for t in _lignes("tarification.csv")],
        ignore_conflicts=True,
    )
    _poser(Autorite, ["code"], ["nom", "type", "departement"], list(_lignes("autorites.csv")))
    _poser(Departement, ["code"], ["nom", "region"], list(_lignes("departements.csv")))
    cles = {
        (liste, code): pk
        for pk, liste, code in Concept.objects.filter(nomenclature__in=["J238", "R227"]).values_list(
            "pk", "nomenclature_id", "code"
        )
    }
    Association.objects.bulk_create(
        [
            Association(
                nature=NatureConcept.TYPE_CHAMP,
                source_id=cles["J238", ligne["type"]],
                cible_id=cles["R227", ligne["champ"]],
            )
            for ligne in _lignes("type_champ.csv")
            if ligne["type"] not in types_connus
        ],
        ignore_conflicts=True,
    )
    return {"concepts": len(concepts), "communes": _charger_communes()}


def _types(cellule: str) -> list[str]:
    return [type_ for type_ in cellule.split("+") if type_]


def _poser(modele: Any, cles: list[str], valeurs: list[str], lignes: list[dict[str, Any]]) -> None:
    modele.objects.bulk_create(
        [modele(**ligne) for ligne in lignes], update_conflicts=True, unique_fields=cles, update_fields=valeurs
    )


def _charger_communes() -> int:
    colonnes = "code, nom, type, departement, region, codes_postaux, epci, epci_nom, population, recherche"
    with connection.cursor() as curseur:
        curseur.execute("CREATE TEMP TABLE lot (LIKE structures_commune) ON COMMIT DROP")
        curseur.execute("ALTER TABLE lot DROP COLUMN date_fin, DROP COLUMN devenue")
        with curseur.copy(f"COPY lot ({colonnes}) FROM STDIN") as copie:
            for c in _lignes("communes.csv.gz"):
                codes = [cp for cp in c["codes_postaux"].split(",") if cp]
                recherche = texte_de_recherche(c["nom"], c["departement"], codes)
                copie.write_row(
                    (
                        c["code"], c["nom"], c["type"], c["departement"], c["region"], codes,
                        c["epci"], c["epci_nom"], c["population"] or None, recherche,
                    )
                )  # fmt: skip
        curseur.execute(
            # The only names put into the statement are the columns above.
            f"""INSERT INTO structures_commune ({colonnes}, devenue) SELECT {colonnes}, '' FROM lot
                ON CONFLICT (code) DO NOTHING"""  # noqa: S608
        )
        return int(curseur.rowcount)
