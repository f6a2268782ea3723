"""What every kind of field shares: pairs of code and label, lists posted, words said everywhere."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.datastructures import MultiValueDict

Paires = Iterable[tuple[str, str]]
FERME = " (code fermé)"
OBLIGATOIRE = "Cette information est obligatoire."


def paires_de(valeur: Paires | Mapping[str, str] | None) -> list[tuple[str, str]]:
    if valeur is None:
        return []
    return [(str(c), str(lib)) for c, lib in (valeur.items() if isinstance(valeur, Mapping) else valeur)]


def liste_postee(data: Any, nom: str) -> list[str]:
    if isinstance(data, MultiValueDict) or hasattr(data, "getlist"):
        return data.getlist(nom)
    valeur = data.get(nom)
    return [] if valeur is None else list(valeur) if isinstance(valeur, list | tuple) else [valeur]
