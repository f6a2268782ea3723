"""The columns of a file and the text of their cells: written from a value of a fiche, read back into one."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from typing import Any

from structures.champs import CHAMPS, CONTENU, UNITES_AGE, Champ, Forme, Genre
from structures.domaine.patches import Etat, difference, valeur
from structures.domaine.texte import normaliser
from structures.domaine.valider import LISTES_SOEURS
from structures.enums import Niveau
from structures.requetes import Option, communes_nommees_ainsi, libelles_communes, options

from ..contenu import A_LA_CREATION
from .tableau import en_texte

SEPARATEUR = " | "
IDENTIFIANT, NIVEAU, RATTACHEMENT, ACTION, VERSION = "Identifiant", "Niveau", "Rattachement", "Action", "Version"
STRUCTURE = (IDENTIFIANT, NIVEAU, RATTACHEMENT, ACTION)
NIVEAUX = frozenset({Niveau.EG, Niveau.POLE, Niveau.SERVICE, Niveau.UF, Niveau.UO})
SUR_LA_FICHE = (Genre.HORAIRES, Genre.CONTACTS)
CHAMPS_DU_FICHIER: tuple[Champ, ...] = tuple(
    c for c in CONTENU if c.qui in A_LA_CREATION and c.niveaux & NIVEAUX and c.genre not in SUR_LA_FICHE
)
_LISTES = sorted(
    {s for c in CHAMPS_DU_FICHIER if c.nomenclature for s in LISTES_SOEURS.get(c.nomenclature, (c.nomenclature,))}
    | {"R329", "R330"}
)
_CROCHETS = re.compile(r"(.*)\[([^\[\]]+)\]", re.DOTALL)
_NOMBRE = re.compile(r"(.+):\s*([\d\s]+)", re.DOTALL)
_OUI_NON = {"oui": True, "vrai": True, "1": True, "x": True, "non": False, "faux": False, "0": False}


class Illisible(ValueError):
    """What is wrong with the text of a cell, in French."""


class Lexique:
    """Codes and labels of every list of the file, and of the communes that it names. Three statements at most."""

    def __init__(self, communes: Iterable[str] = (), noms: Iterable[str] = ()) -> None:
        self.codes: dict[str, dict[str, Option]] = {liste: {} for liste in _LISTES}
        self.libelles: dict[str, dict[str, list[str]]] = {liste: {} for liste in _LISTES}
        for option in options(_LISTES):
            self.codes[option.nomenclature][option.code] = option
            self.libelles[option.nomenclature].setdefault(normaliser(option.libelle), []).append(option.code)
        self.communes = libelles_communes(communes)
        self.nommees = communes_nommees_ainsi(list(noms)) if noms else {}

    def mot(self, liste: str, code: str) -> str:
        """« Cardiologie [013] »; the bare code when no list has it."""
        for soeur in LISTES_SOEURS.get(liste, (liste,)):
            if option := self.codes[soeur].get(code):
                return f"{option.libelle} [{code}]"
        return f"[{code}]" if code else ""

    def code(self, liste: str, texte: str) -> str:
        """The code that a text names: « Label [code] », code or label."""
        listes = LISTES_SOEURS.get(liste, (liste,))
        if trouve := _CROCHETS.fullmatch(texte):
            libelle, code = normaliser(trouve[1]), trouve[2].strip()
            option = next((o for s in listes if (o := self.codes[s].get(code))), None)
            if option and libelle and libelle != normaliser(option.libelle):
                raise Illisible(f"« {texte[:80]} » : le code {code} est celui de « {option.libelle} ».")
            candidats = [code] if option else []
        else:
            candidats = [texte] if any(texte in self.codes[s] for s in listes) else []
            candidats = candidats or [c for s in listes for c in self.libelles[s].get(normaliser(texte), ())]
            if not candidats and texte.isdecimal():  # a spreadsheet made a number of « 013 »
                candidats = [c for s in listes for c in self.codes[s] if c.isdecimal() and int(c) == int(texte)]
        if not candidats:
            raise Illisible(f"« {texte[:80]} » n’est ni un code ni un libellé de la liste {liste}.")
        if len(candidats) > 1:
            raise Illisible(f"« {texte[:80]} » se dit de plusieurs codes ({', '.join(candidats)}) : écrivez le code.")
        return candidats[0]

    def est_ferme(self, liste: str, code: str, jour: date) -> bool:
        trouves = [o for s in LISTES_SOEURS.get(liste, (liste,)) if (o := self.codes[s].get(code))]
        return bool(trouves) and all(o.ferme_au(jour) for o in trouves)

    def ouverts(self, liste: str, jour: date) -> list[str]:
        """The codes that can be newly chosen."""
        listes = LISTES_SOEURS.get(liste, (liste,))
        return [c for s in listes for c, o in self.codes[s].items() if not o.ferme_au(jour)]

    def mot_commune(self, code: str) -> str:
        return f"{self.communes[code]} [{code}]" if code in self.communes else f"[{code}]"

    def commune(self, texte: str) -> str:
        trouve = _CROCHETS.fullmatch(texte)
        code = trouve[2].strip() if trouve else texte
        if code in self.communes:
            return code
        candidats = self.nommees.get(texte, [])
        if not candidats:
            raise Illisible(f"« {texte[:80]} » n’est pas une commune du code officiel géographique.")
        if len(candidats) > 1:
            noms = ", ".join(f"{nom} [{code}]" for code, nom in candidats[:5])
            raise Illisible(f"« {texte[:80]} » est le nom de plusieurs communes : {noms}.")
        return candidats[0][0]


def elements(texte: str) -> list[str]:
    return [e for brut in re.split(r"[|\n]", texte) if (e := brut.strip())]


def communes_citees(champ: Champ, texte: str) -> list[tuple[str, str]]:
    """(code, name) of the communes that a cell names, one of them "": what the lexicon has to look up."""
    if champ.genre not in (Genre.COMMUNE, Genre.COMMUNES):
        return []
    trouves = [(e, _CROCHETS.fullmatch(e)) for e in elements(texte)]
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
        case Genre.EQUIPEMENTS:
            return _joindre(f"{lexique.mot(champ.nomenclature, code)} : {n}" for code, n in contenu.items())
        case Genre.CAPACITES:
            return _joindre(
                f"{lexique.mot('R329', c['nature'])} / {lexique.mot('R330', c['statut'])} : {c['nombre']}"
                for c in contenu.values()
            )
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
        case Genre.EQUIPEMENTS:
            return dict(_equipement(champ, e, lexique) for e in elements(texte))
        case Genre.CAPACITES:
            return dict(_capacite(e, valeur(avant, champ.nom), lexique) for e in elements(texte))
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


def _entier(texte: str) -> int:
    chiffres = re.sub(r"\s", "", texte)
    if not (chiffres.isascii() and chiffres.isdecimal() and len(chiffres) < 10):
        raise Illisible(f"« {texte[:40]} » n’est pas un nombre entier positif.")
    return int(chiffres)


def _date(texte: str) -> str:
    """« 31/03/2027 » or « 2027-03-31 »."""
    jour = "-".join(p.zfill(2) for p in reversed(texte.split("/"))) if "/" in texte else texte
    try:
        return date.fromisoformat(jour).isoformat()
    except ValueError:
        raise Illisible(f"« {texte[:40]} » n’est pas une date : écrivez 31/03/2027.") from None


_SIMPLES: dict[Genre, Callable[[str], Any]] = {
    Genre.BOOLEEN: _oui_non,
    Genre.ENTIER: _entier,
    Genre.DATE: _date,
    Genre.UNITE_AGE: _unite_age,
    Genre.TEXTES: lambda texte: frozenset(elements(texte)),
}


def _nombre_de(texte: str, modele: str) -> tuple[str, int]:
    trouve = _NOMBRE.fullmatch(texte)
    if trouve is None:
        raise Illisible(f"« {texte[:80]} » : écrivez « {modele} ».")
    return trouve[1].strip(), _entier(trouve[2])


def _equipement(champ: Champ, texte: str, lexique: Lexique) -> tuple[str, int]:
    quoi, combien = _nombre_de(texte, "Scanner : 2")
    return lexique.code(champ.nomenclature, quoi), combien


def _capacite(texte: str, avant: Mapping[str, Any], lexique: Lexique) -> tuple[str, dict[str, Any]]:
    quoi, combien = _nombre_de(texte, "Lit / Installé : 12")
    nature, barre, statut = quoi.rpartition(" / ")
    if not barre:
        raise Illisible(f"« {texte[:80]} » : écrivez la nature, « / », le statut, « : » et le nombre.")
    element = {"nature": lexique.code("R329", nature.strip()), "statut": lexique.code("R330", statut.strip())}
    cles = {(c["nature"], c["statut"]): cle for cle, c in avant.items()}
    cle = cles.get((element["nature"], element["statut"]), f"{element['nature']}-{element['statut']}")
    return cle, {**avant.get(cle, {}), **element, "nombre": combien}


def codes_fermes(noms: Collection[str], avant: Etat, apres: Etat, lexique: Lexique, jour: date) -> dict[str, list[str]]:
    """By field, the closed codes that ``apres`` would bring: held ones may stay, no new one may come."""
    fermes: dict[str, list[str]] = {}
    for nom in noms:
        champ = CHAMPS[nom]
        changement = difference({nom: valeur(avant, nom)}, {nom: valeur(apres, nom)}).get(nom)
        match champ.genre:
            case Genre.CODE if changement:
                apports = [(champ.nomenclature, changement)]
            case Genre.CODES if changement:
                apports = [(champ.nomenclature, code) for code in changement.get("ajoute", ())]
            case Genre.EQUIPEMENTS if changement:
                apports = [(champ.nomenclature, code) for code in changement.get("pose", ())]
            case _:
                continue
        if trouves := [lexique.mot(liste, code) for liste, code in apports if lexique.est_ferme(liste, code, jour)]:
            fermes[nom] = trouves
    return fermes
