"""The elements of the arrays of a large JSON document, one after the other: the document is never whole in memory."""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from .lecture import FichierRefuse

BLOC = 1 << 20
ELEMENT_MAX = 64 * BLOC  # characters of one element: the largest legal entity of FINESS has 2 million

_BLANCS = re.compile(r"[ \t\r\n]*")
_DECODEUR = json.JSONDecoder()


class Element(NamedTuple):
    """``cle``: of the root object. ``rang``: in its array, None when the value is none. ``ligne``: where it begins."""

    cle: str
    rang: int | None
    ligne: int
    valeur: Any


class Flux:
    """The document, read once. Refuses (``FichierRefuse``) what is not one object, with the line and the column."""

    def __init__(self, flux: BinaryIO, codec: str) -> None:
        self._flux = flux
        self._decodeur = codecs.getincrementaldecoder(codec)()
        self._texte, self._place, self._fini = "", 0, False
        self._lignes, self._marque = 1, 0  # line ends before ``_marque``, a place of ``_texte``

    def elements(self) -> Iterator[Element]:
        """Every element of every array of the root, and its other values, in the order of the document."""
        self._exiger("{")
        if self._suivant() == "}":
            self._place += 1
        else:
            while True:
                cle = self._valeur()
                if not isinstance(cle, str):
                    raise self._refus("un nom entre guillemets est attendu")
                self._exiger(":")
                if self._suivant() == "[":
                    yield from self._tableau(cle)
                else:
                    ligne = self.ligne
                    yield Element(cle, None, ligne, self._valeur())
                if self._separateur("}"):
                    break
        if self._suivant():
            raise self._refus("quelque chose suit la fin du document")

    def _tableau(self, cle: str) -> Iterator[Element]:
        self._exiger("[")
        if self._suivant() == "]":
            self._place += 1
            return
        rang = 0
        while True:
            self._suivant()
            ligne = self.ligne
            yield Element(cle, rang, ligne, self._valeur())
            rang += 1
            if self._separateur("]"):
                return

    @property
    def ligne(self) -> int:
        self._lignes += self._texte.count("\n", self._marque, self._place)
        self._marque = self._place
        return self._lignes

    def _valeur(self) -> Any:
        self._suivant()
        while True:
            try:
                valeur, fin = _DECODEUR.raw_decode(self._texte, self._place)
            except json.JSONDecodeError as erreur:
                trop_long = len(self._texte) - self._place > ELEMENT_MAX
                if trop_long or not self._completer(max(BLOC, len(self._texte) - self._place)):
                    raise self._refus(_raison(erreur, len(self._texte)), erreur.pos) from None
                continue
            except RecursionError:
                raise self._refus("des objets sont imbriqués trop profondément") from None
            # A number may go on in the next block.
            if fin == len(self._texte) and self._completer(BLOC):
                continue
            self._place = fin
            return valeur

    def _separateur(self, fin: str) -> bool:
        """Past a comma; True at the end of what was open."""
        trouve = self._suivant()
        if trouve not in (",", fin):
            raise self._refus(f"une virgule ou « {fin} » est attendue" if trouve else "")
        self._place += 1
        return trouve == fin

    def _exiger(self, signe: str) -> None:
        trouve = self._suivant()
        if trouve != signe:
            raise self._refus(f"« {signe} » est attendu" if trouve else "")
        self._place += 1

    def _suivant(self) -> str:
        """The next character that is not blank, "" at the end."""
        while True:
            blancs = _BLANCS.match(self._texte, self._place)
            assert blancs is not None
            self._place = blancs.end()
            if self._place < len(self._texte):
                return self._texte[self._place]
            if not self._completer(BLOC):
                return ""

    def _completer(self, combien: int) -> bool:
        """Read so many bytes more, and forget what is behind; False at the end of the file."""
        if self._fini:
            return False
        _ = self.ligne  # counted before it is forgotten
        brut = self._flux.read(combien)
        self._fini = not brut
        try:
            suite = self._decodeur.decode(brut, final=self._fini)
        except UnicodeDecodeError:
            raise self._refus("un caractère est illisible") from None
        self._texte = self._texte[self._place :] + suite
        self._place = self._marque = 0
        return not self._fini

    def _refus(self, raison: str, place: int | None = None) -> FichierRefuse:
        place = self._place if place is None else place
        ligne = self.ligne + self._texte.count("\n", self._place, place)
        retour = self._texte.rfind("\n", 0, place)
        return FichierRefuse(
            f"{raison or 'il s’arrête avant sa fin, il est tronqué'}.", ligne=ligne,
            colonne=place - retour if retour >= 0 else None,
        )  # fmt: skip


def _raison(erreur: json.JSONDecodeError, longueur: int) -> str:
    """Why in French; "" when the document just ends there."""
    if erreur.pos >= longueur or erreur.msg.startswith("Unterminated string"):
        return ""
    return "ce n’est pas du JSON à cet endroit"
