"""Text as people search it: without accents, case, punctuation, and « St » read as « Saint »."""

import re
import unicodedata

_ABREGES = {"st": "saint", "ste": "sainte", "sts": "saints", "stes": "saintes"}
_NON_MOTS = re.compile(r"[^a-z0-9]+")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss"})


def normaliser(texte: str) -> str:
    """« L'Haÿ-les-Roses », « St-Denis » → « l hay les roses », « saint denis ». Idempotent."""
    minuscules = texte.lower().translate(_LIGATURES)
    if not minuscules.isascii():
        minuscules = "".join(c for c in unicodedata.normalize("NFKD", minuscules) if not unicodedata.combining(c))
    return " ".join(_ABREGES.get(mot, mot) for mot in _NON_MOTS.sub(" ", minuscules).split())
