"""Codes of the nomenclatures and communes of the code officiel géographique."""

from collections.abc import Callable, Iterator

from structures.champs import Genre
from structures.domaine.patches import Etat

from .catalogue import CHAMPS_DE_DOSSIER, DOMAINE, NOS, TOUS, Constat, Gravite, Sujet, regle
from .contexte import Contexte, apports, codes_de, communes_de

_CODES = [c.nom for c in CHAMPS_DE_DOSSIER if c.nomenclature or c.genre in (Genre.CAPACITES, Genre.CONTACTS)]
_COMMUNES = [c.nom for c in CHAMPS_DE_DOSSIER if c.genre in (Genre.COMMUNE, Genre.COMMUNES)]
# What is over in a state: (field, code) → the sentence that says it.
_Finis = Callable[[Etat, Contexte], dict[tuple[str, str], str]]


def _choisis(finis: _Finis, fiche: Sujet, contexte: Contexte) -> list[tuple[str, str]]:
    """(field, sentence) of what is over and that the dossier brings in."""
    return [(champ, phrase) for (champ, _), phrase in finis(apports(fiche.patch or {}), contexte).items()]


def _tenus(finis: _Finis, fiche: Sujet, contexte: Contexte) -> list[tuple[str, str]]:
    """(field, sentence) of what is over and that the fiche held before the dossier."""
    choisis = finis(apports(fiche.patch or {}), contexte)
    return [(cle[0], phrase) for cle, phrase in finis(fiche.etat, contexte).items() if cle not in choisis]


@regle("BO-CODE-INCONNU", "Les codes existent dans leur nomenclature", Gravite.BLOQUANT, TOUS, _CODES, NOS)
def _inconnus(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    for champ, liste, code in codes_de(fiche.etat) if contexte.inconnus else ():
        if (liste, code) in contexte.inconnus:
            yield Constat(champ, f"Le code « {code[:40]} » n’existe pas dans la nomenclature {liste}.")


@regle(
    "BO-CODE-FERME", "Les codes que tient une fiche sont en vigueur",
    Gravite.AVERTISSEMENT, TOUS, _CODES, DOMAINE,
)  # fmt: skip
def _fermes_tenus(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    for champ, phrase in _tenus(_fermes, fiche, contexte):
        yield Constat(champ, f"{phrase} : retirez-le et choisissez une valeur en vigueur.")


@regle("BO-CODE-CHOISI", "Un dossier ne choisit pas un code fermé", Gravite.BLOQUANT, TOUS, _CODES, DOMAINE)
def _fermes_choisis(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    for champ, phrase in _choisis(_fermes, fiche, contexte):
        yield Constat(champ, f"{phrase} : choisissez une valeur en vigueur.")


def _fermes(etat: Etat, contexte: Contexte) -> dict[tuple[str, str], str]:
    """By (field, code), in words, the closed codes of a state."""
    return {
        (champ, code): contexte.fermes[liste, code]
        for champ, liste, code in (codes_de(etat) if contexte.fermes else ())
        if (liste, code) in contexte.fermes
    }


@regle(
    "BO-COMMUNES", "Le territoire d’intervention et l’adresse sont des communes du code officiel géographique",
    Gravite.BLOQUANT, TOUS, _COMMUNES, DOMAINE,
)  # fmt: skip
def _hors_du_cog(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    for champ, code in communes_de(fiche.etat):
        if code not in contexte.communes:
            yield Constat(champ, f"« {code[:40]} » n’est pas une commune du code officiel géographique.")


@regle(
    "BO-COMMUNE-FINIE", "Les communes que tient une fiche existent encore",
    Gravite.AVERTISSEMENT, TOUS, _COMMUNES, DOMAINE,
)  # fmt: skip
def _finies_tenues(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    for champ, phrase in _tenus(_finies, fiche, contexte):
        yield Constat(champ, phrase)


@regle(
    "BO-COMMUNE-CHOISIE", "Un dossier ne choisit pas une commune qui n’existe plus",
    Gravite.BLOQUANT, TOUS, _COMMUNES, DOMAINE,
)  # fmt: skip
def _finies_choisies(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    for champ, phrase in _choisis(_finies, fiche, contexte):
        yield Constat(champ, phrase)


def _finies(etat: Etat, contexte: Contexte) -> dict[tuple[str, str], str]:
    """By (field, code), in words, the communes of a state that are no more."""
    return {
        (champ, code): contexte.communes_finies[code]
        for champ, code in (communes_de(etat) if contexte.communes_finies else ())
        if code in contexte.communes_finies
    }
