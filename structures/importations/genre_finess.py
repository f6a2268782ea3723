"""FINESS as a kind of import: its options, and its report line by line."""

from collections.abc import Iterator, Set
from pathlib import Path

from backoffice.socle.mots import date_longue

from ..domaine.signalements import signaler_fermetures
from ..enums import SortDetail
from .bilan import Bilan, Detail
from .effets import a_fermer, effets
from .finess import TOUTES_REGIONS, Lieu, importer
from .genres import Genre, Option
from .rapport import Rapport, nom_du_champ
from .suivi import Suivi


def _importer(chemin: Path, suivi: Suivi) -> Bilan:
    rapport = Rapport()
    lieu = importer(
        chemin,
        rapport,
        region=str(suivi.options.get("region", "")),
        sans_geolocalisation=bool(suivi.options.get("sans_geolocalisation")),
        suivi=suivi,
    )
    signalees: set[str] = set()
    if suivi.acteur and (fermes := a_fermer()):
        source = f"FINESS du {date_longue(rapport.date)}"
        faits = signaler_fermetures(fermes=fermes, acteur=suivi.acteur, source=source)
        signalees = {signalement.fiche.identifiant for signalement in faits}
    return Bilan(list(rapport.resume()), rapport.nombres(), _details(rapport, lieu, suivi, signalees), complet=True)


def _details(rapport: Rapport, lieu: Lieu, suivi: Suivi, signalees: Set[str]) -> Iterator[Detail]:
    for fate, rang, finess, nom, fiche, champ, avant, apres, raison in effets():
        ligne, colonne = lieu(rang, _CHAMPS.get(champ, champ))
        if fate == SortDetail.FERME:
            if suivi.acteur is None:
                raison += _SUITE_SANS_COMPTE
            else:
                raison += _SUITE_FERMETURE if fiche in signalees else _SUITE_DEJA_DIT
        yield Detail(SortDetail(fate), ligne, colonne, finess, nom, fiche, _mot(champ), avant, apres, raison)
    for r in sorted(rapport.refus):
        portee = "ligne refusée" if r.ligne_entiere else "valeur refusée"
        ligne, colonne = lieu(r.ligne, r.champ)
        raison = f"{r.raison} ({portee})"
        yield Detail(
            SortDetail.REFUSE, ligne, colonne, r.finess[:20], champ=_mot(r.champ), apres=r.valeur, raison=raison
        )
    for c in sorted(rapport.conserves):
        fate = SortDetail.ROUVERT if c.champ == "existe" else SortDetail.CONSERVE
        ligne, colonne = lieu(c.ligne, c.champ)
        fiche = f"1{c.finess}"
        yield Detail(fate, ligne, colonne, c.finess, "", fiche, _mot(c.champ), c.repertoire, c.fichier, c.raison)
    for ligne_doublon in rapport.doublons:
        ligne, colonne = lieu(ligne_doublon, "")
        yield Detail(SortDetail.IGNORE, ligne, colonne, raison="ligne répétée à l’identique, lue une fois")


_CHAMPS = {"region": "commune", "existe": "date_fermeture"}
_MOTS = {"region": "Région", "existe": "Ouverture", "categorie": "Catégorie"}
_SUITE_FERMETURE = " Rien n’est fermé : un signalement le dit à ceux qui peuvent modifier la fiche."
_SUITE_DEJA_DIT = " Rien n’est fermé, et aucun signalement n’est ajouté : cette fiche en porte déjà un."

_SUITE_SANS_COMPTE = " Rien n’est fermé, et personne n’est prévenu : cet import n’est au nom d’aucun compte."


def _mot(champ: str) -> str:
    return (_MOTS.get(champ) or nom_du_champ(champ)) if champ else ""


FINESS = Genre(
    "finess",
    "FINESS",
    "Les entités juridiques et les établissements, d’après les extractions FINESS de data.gouv.fr : structures en JSON "
    "(2026, compressé ou non), établissements géolocalisés (cs1100507) ou entités juridiques (cs1100501) en CSV.",
    (".csv", ".txt", ".json", ".gz"),
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
