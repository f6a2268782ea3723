"""Codes, labels and names of communes that the cells of a file may say."""

import re
from collections.abc import Iterable
from datetime import date

from structures.domaine.texte import normaliser
from structures.domaine.valider import LISTES_SOEURS
from structures.requetes import Option, communes_nommees_ainsi, libelles_communes, options

CROCHETS = re.compile(r"(.*)\[([^\[\]]+)\]", re.DOTALL)


class Illisible(ValueError):
    """What is wrong with the text of a cell, in French."""


class Lexique:
    """Codes and labels of ``listes``, and of the communes that a file names. Three statements at most."""

    def __init__(self, listes: list[str], communes: Iterable[str] = (), noms: Iterable[str] = ()) -> None:
        self.codes: dict[str, dict[str, Option]] = {liste: {} for liste in listes}
        self.libelles: dict[str, dict[str, list[str]]] = {liste: {} for liste in listes}
        for option in options(listes):
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
        if trouve := CROCHETS.fullmatch(texte):
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
        trouve = CROCHETS.fullmatch(texte)
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
