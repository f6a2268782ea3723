"""A review as a workbook: its synthesis, its changes (one row a field), its marks of attention."""

from collections.abc import Iterator
from typing import IO, Any

from backoffice.exports.fichiers import Ligne, ecrire_classeur

from ..enums import Nature
from .modele import ATTENTIONS, Changement
from .synthese import Resume

MAXIMUM = 32_000  # characters of a cell; a spreadsheet holds 32,767
_COLONNES = (
    "Changement", "Identifiant", "Niveau", "Fiche", "Emplacement", "Champ", "Avant", "Après", "État de la fiche",
)  # fmt: skip


def ecrire(identite: list[tuple[str, str]], liste: list[Changement], resume: Resume, fichier: IO[bytes]) -> None:
    """``identite``: (label, value) of what the review is about, the head of the synthesis."""
    feuilles = [
        ("Synthèse", _synthese(identite, resume)),
        ("Changements", _changements(liste)),
        ("Attentions", _attentions(liste)),
    ]
    ecrire_classeur(feuilles, fichier)


def _synthese(identite: list[tuple[str, str]], resume: Resume) -> Iterator[Ligne]:
    yield "Ce que le dossier change", ""
    yield from identite
    yield "Fiches changées", resume.total
    for _, mots in resume.comptes:
        yield "", mots
    for marque in resume.marques:
        yield f"À regarder de près : {marque.libelle}", marque.total


def _changements(liste: list[Changement]) -> Iterator[Ligne]:
    yield _COLONNES
    for c in liste:
        debut = (Nature(c.nature).label, c.identifiant, c.niveau_en_mots, c.nom, c.chemin)
        etat = "Finalisée" if c.finalisee else "En attente"
        for champ, avant, apres in _champs(c):
            yield *debut, champ, _texte(avant), _texte(apres), etat


def _champs(c: Changement) -> Iterator[tuple[str, Any, Any]]:
    """(field, before, after) of one change, its move and its closing among them."""
    match c.nature:
        case Nature.AJOUT:
            yield from ((libelle, "", valeur) for libelle, valeur in c.contenu or [["Nom", ""]])
        case Nature.DEPLACEMENT:
            yield "Rattachement", c.de, c.vers
        case Nature.SUPPRESSION:
            yield "Présence au répertoire", "Oui", "Fermée à la publication"
    yield from ((ligne["champ"], ligne["avant"], ligne["apres"]) for ligne in c.lignes)


def _attentions(liste: list[Changement]) -> Iterator[Ligne]:
    yield "Attention", "Précision", "Identifiant", "Niveau", "Fiche", "Emplacement"
    for code, libelle in ATTENTIONS.items():
        for c in liste:
            for a in c.attentions:
                if a.code == code:
                    yield libelle, a.texte, c.identifiant, c.niveau_en_mots, c.nom, c.chemin


def _texte(valeur: Any) -> str:
    texte = "\n".join(map(str, valeur)) if isinstance(valeur, list) else str(valeur)
    return texte if len(texte) <= MAXIMUM else f"{texte[:MAXIMUM]}… (suite dans l’application)"
