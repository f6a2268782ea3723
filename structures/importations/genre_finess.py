"""FINESS as a kind of import: its options, and its report line by line."""

from collections.abc import Iterator
from pathlib import Path

from ..enums import SortDetail
from . import classement
from .bilan import Bilan, Detail
from .finess import TOUTES_REGIONS, importer
from .genres import Genre, Option
from .rapport import Rapport, nom_du_champ
from .suivi import Suivi


def _importer(chemin: Path, suivi: Suivi) -> Bilan:
    rapport = Rapport(fichier="")
    importer(
        chemin,
        rapport,
        region=str(suivi.options.get("region", "")),
        sans_geolocalisation=bool(suivi.options.get("sans_geolocalisation")),
        suivi=suivi,
    )
    return Bilan(list(rapport.resume()), rapport.nombres(), _details(rapport))


def _details(rapport: Rapport) -> Iterator[Detail]:
    for fate, ligne, finess, nom, fiche, champ, avant, apres in classement.effets():
        mot = nom_du_champ(champ) if champ else ""
        yield Detail(SortDetail(fate), ligne, "", finess, nom, fiche, mot, avant, apres)
    for r in sorted(rapport.refus):
        portee = "ligne refusée" if r.ligne_entiere else "valeur refusée"
        champ = nom_du_champ(r.champ)
        yield Detail(
            SortDetail.REFUSE, r.ligne, champ, r.finess, champ=champ, apres=r.valeur, raison=f"{r.raison} ({portee})"
        )
    for c in sorted(rapport.conserves):
        champ = nom_du_champ(c.champ)
        yield Detail(
            SortDetail.CONSERVE, c.ligne, champ, c.finess, "", f"1{c.finess}", champ, c.repertoire, c.fichier, c.raison
        )


FINESS = Genre(
    "finess",
    "FINESS",
    "Les entités juridiques et les établissements, d’après l’extraction FINESS de data.gouv.fr (cs1100507 : lignes "
    "« structureet » puis « geolocalisation », en UTF-8 ou en ISO-8859-1).",
    (".csv", ".txt"),
    _importer,
    options=(
        Option(
            "sans_geolocalisation",
            "Ce fichier n’a pas de coordonnées",
            "Extraction cs1100502 : sans cette case, un fichier sans lignes « geolocalisation » est tenu pour tronqué.",
        ),
        Option(
            "region",
            "Établissements à suivre",
            choix=(("", "Ceux de la région"), (TOUTES_REGIONS, "Ceux de toutes les régions")),
        ),
    ),
)
