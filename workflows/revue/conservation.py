"""A review as JSON, kept for years: what a snapshot holds, and the way back to what a page shows.

    {"format": 1, "clair": [change, …], "masque": {fiche id: {"lignes": […], "contenu": […]}}}

``clair`` tells everything; ``masque`` holds what differs for those who may not read contacts *très restreint*, so
that a snapshot is read with today's rights. Neither links nor comments are part of it: they live on.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from .lecture import Lecture
from .modele import Attention, Changement, rattacher

FORMAT = 1
_HORS = {"url", "commentaires", "dessous"}
_MASQUABLES = ("lignes", "contenu")


def en_json(lecture: Lecture) -> dict[str, Any]:
    clair, masque = lecture.changements(tout_voir=True), lecture.changements(tout_voir=False)
    return {
        "format": FORMAT,
        "clair": [_en_json(c) for c in clair],
        "masque": {
            str(c.fiche): {nom: getattr(cache, nom) for nom in _MASQUABLES}
            for c, cache in zip(clair, masque, strict=True)
            if any(getattr(c, nom) != getattr(cache, nom) for nom in _MASQUABLES)
        },
    }


def _en_json(c: Changement) -> dict[str, Any]:
    donnees = {f.name: getattr(c, f.name) for f in fields(c) if f.name not in _HORS}
    return donnees | {"attentions": [asdict(a) for a in c.attentions]}


def depuis_json(contenu: Mapping[str, Any], *, tout_voir: bool) -> list[Changement]:
    masque = {} if tout_voir else contenu["masque"]
    liste = []
    for donnees in contenu["clair"]:
        lues = donnees | masque.get(str(donnees["fiche"]), {})
        lues["attentions"] = [Attention(**a) for a in donnees["attentions"]]
        liste.append(Changement(url="", **lues))
    rattacher(liste)
    return liste
