"""The columns of a file and the text of their cells: written from a value of a fiche, read back into one."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from typing import Any

from structures.affichage import codes_tenus
from structures.champs import CHAMPS, CONTENU, UNITES_AGE, Champ, Forme, Genre
from structures.domaine.patches import Etat, valeur
from structures.domaine.texte import normaliser
from structures.domaine.valider import LISTES_SOEURS
from structures.enums import Niveau
from structures.importations.tableau import en_texte

from ..contenu import A_LA_CREATION
from . import composes
from .lexique import CROCHETS, Illisible, Lexique, elements

SEPARATEUR = " | "
IDENTIFIANT, NIVEAU, RATTACHEMENT, ACTION, VERSION = "Identifiant", "Niveau", "Rattachement", "Action", "Version"
CREER, MODIFIER, SUPPRIMER = "creer", "modifier", "supprimer"  # what a row does
STRUCTURE = (IDENTIFIANT, NIVEAU, RATTACHEMENT, ACTION)
NIVEAUX = frozenset({Niveau.EG, Niveau.POLE, Niveau.SERVICE, Niveau.UF, Niveau.UO})
CHAMPS_DU_FICHIER: tuple[Champ, ...] = tuple(c for c in CONTENU if c.qui in A_LA_CREATION and c.niveaux & NIVEAUX)
LISTES_COMPOSEES = {
    "Capacités : nature": "R329",
    "Capacités : statut": "R330",
    "Contacts : nature": "R287",
    "Contacts : fonction": "R251",
    "Contacts : canal": "R200",
    "Contacts : confidentialité": "R283",
}
LISTES = sorted(
    {s for c in CHAMPS_DU_FICHIER if c.nomenclature for s in LISTES_SOEURS.get(c.nomenclature, (c.nomenclature,))}
    | set(LISTES_COMPOSEES.values())
)
_OUI_NON = {"oui": True, "vrai": True, "1": True, "x": True, "non": False, "faux": False, "0": False}


def communes_citees(champ: Champ, texte: str) -> list[tuple[str, str]]:
    """(code, name) of the communes that a cell names, one of them "": what the lexicon has to look up."""
    if champ.genre not in (Genre.COMMUNE, Genre.COMMUNES):
        return []
    trouves = [(e, CROCHETS.fullmatch(e)) for e in elements(texte)]
    return [(t[2].strip(), "") if t else (e if len(e) == 5 else "", e) for e, t in trouves]


# -- writing -----------------------------------------------------------------------------------------


def ecrire(champ: Champ, etat: Mapping[str, Any], lexique: Lexique) -> str | int | float:
    """The cell of a field of this state; "" when it is empty."""
    contenu = valeur(etat, champ.nom)
    match champ.genre:
        case Genre.BOOLEEN:
            return "oui" if contenu else "non"
        case _ if contenu is None or contenu == "" or (champ.forme is not Forme.VALEUR and not contenu):
            return ""
        case Genre.DATE:
            return date.fromisoformat(contenu).strftime("%d/%m/%Y")
        case Genre.CODE:
            return lexique.mot(champ.nomenclature, contenu)
        case Genre.COMMUNE:
            return lexique.mot_commune(contenu)
        case Genre.CODES:
            return _joindre(lexique.mot(champ.nomenclature, code) for code in contenu)
        case Genre.COMMUNES:
            return _joindre(map(lexique.mot_commune, contenu))
        case Genre.TEXTES:
            return _joindre(contenu)
        case _ if champ.forme is Forme.INDEXE:
            return _joindre(composes.ecrire(champ, contenu, lexique))
    return contenu  # type: ignore[no-any-return]


def _joindre(mots: Iterable[str]) -> str:
    return SEPARATEUR.join(sorted(mots))


def est_inchange(champ: Champ, texte: str, etat: Mapping[str, Any], lexique: Lexique) -> bool:
    """The cell still says what the file was given with."""
    return en_texte(ecrire(champ, etat, lexique)) == texte


# -- reading -----------------------------------------------------------------------------------------


def lire(champ: Champ, texte: str, avant: Mapping[str, Any], lexique: Lexique) -> Any:
    """The value that a text says, ``Illisible`` when it says none. ``avant``: the fiche, whose keys are kept."""
    if not texte:
        return champ.vide()
    simple = _SIMPLES.get(champ.genre)
    if simple is not None:
        return simple(texte)
    match champ.genre:
        case Genre.CODE:
            return lexique.code(champ.nomenclature, texte)
        case Genre.COMMUNE:
            return lexique.commune(texte)
        case Genre.CODES:
            return frozenset(lexique.code(champ.nomenclature, e) for e in elements(texte))
        case Genre.COMMUNES:
            return frozenset(map(lexique.commune, elements(texte)))
        case _ if champ.forme is Forme.INDEXE:
            return composes.lire(champ, texte, valeur(avant, champ.nom), lexique)
    return texte


def _oui_non(texte: str) -> bool:
    if normaliser(texte) not in _OUI_NON:
        raise Illisible(f"« {texte[:40]} » : répondez par oui ou par non.")
    return _OUI_NON[normaliser(texte)]


def _unite_age(texte: str) -> str:
    unites = {normaliser(mot): code for code, libelle in UNITES_AGE for mot in (code, libelle)}
    if (mot := normaliser(texte)) not in unites:
        raise Illisible("choisissez an, mois, semaine ou jour.")
    return unites[mot]


_SIMPLES: dict[Genre, Callable[[str], Any]] = {
    Genre.BOOLEEN: _oui_non,
    Genre.ENTIER: composes.entier,
    Genre.DATE: composes.jour,
    Genre.UNITE_AGE: _unite_age,
    Genre.TEXTES: lambda texte: frozenset(elements(texte)),
}


def codes_fermes(noms: Collection[str], avant: Etat, apres: Etat, lexique: Lexique, jour: date) -> dict[str, list[str]]:
    """By field, the closed codes that ``apres`` would bring: held ones may stay, no new one may come."""
    fermes: dict[str, list[str]] = {}
    for nom in noms:
        champ = CHAMPS[nom]
        apports = set(codes_tenus(champ, valeur(apres, nom))) - set(codes_tenus(champ, valeur(avant, nom)))
        if trouves := [lexique.mot(liste, code) for liste, code in apports if lexique.est_ferme(liste, code, jour)]:
            fermes[nom] = sorted(trouves)
    return fermes
