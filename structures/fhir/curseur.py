"""Where a page ends: an opaque text, signed, that is good for the very question it was given for."""

import hashlib
from typing import Any

from django.core import signing

from .issue import ErreurFhir

SEL = "structures.fhir.curseur"


def _empreinte(question: str) -> str:
    return hashlib.sha256(question.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def ecrire(question: str, place: list[Any]) -> str:
    return signing.dumps([_empreinte(question), *place], salt=SEL, compress=True)


def lire(question: str, curseur: str) -> list[Any]:
    """The place; refused when it was altered, or given for another question."""
    try:
        empreinte, *place = signing.loads(curseur, salt=SEL)
    except (signing.BadSignature, ValueError):
        empreinte, place = None, []
    if empreinte != _empreinte(question):
        raise ErreurFhir(400, "invalid", "Ce lien de page n’est pas de cette recherche : repartez de la première page.")
    return place
