"""Bundles, written as text around resources that are text already."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.utils import timezone

from .conditions import base
from .issue import resultat


class Entree(NamedTuple):
    """``texte``: the resource, "" when it is deleted; ``reste``: the other elements of the entry, as JSON."""

    adresse: str
    texte: str
    reste: str


def dumps(objet: Any) -> str:
    return json.dumps(objet, ensure_ascii=False)


def instant(quand: datetime) -> str:
    return timezone.localtime(quand).isoformat(timespec="milliseconds")


def trouvee(type_: str, identifiant: str, texte: str, mode: str) -> Entree:
    return Entree(f"{type_}/{identifiant}", texte, f'"search":{{"mode":"{mode}"}}')


def avertissement(textes: Sequence[str]) -> list[Entree]:
    """What the client must know of its search, as an entry of mode « outcome ». None when there is nothing to say."""
    if not textes:
        return []
    return [Entree("", dumps(resultat("warning", "incomplete", *textes)), '"search":{"mode":"outcome"}')]


def bundle(
    genre: str,
    entrees: Iterable[Entree],
    *,
    liens: dict[str, str],
    total: int | None = None,
    maj: datetime | None = None,
) -> str:
    tete: dict[str, Any] = {"resourceType": "Bundle", "type": genre}
    if maj is not None:
        tete["meta"] = {"lastUpdated": instant(maj)}
    if total is not None:
        tete["total"] = total
    tete["link"] = [{"relation": relation, "url": url} for relation, url in liens.items()]
    corps = ",".join(_ecrire(entree) for entree in entrees)
    fin = f',"entry":[{corps}]}}' if corps else "}"  # R4: no empty list
    return dumps(tete)[:-1] + fin


def _ecrire(entree: Entree) -> str:
    adresse = f'"fullUrl":{dumps(f"{base()}/{entree.adresse}")},' if entree.adresse else ""
    ressource = f'"resource":{entree.texte},' if entree.texte else ""
    return f"{{{adresse}{ressource}{entree.reste}}}"
