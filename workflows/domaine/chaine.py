"""The chain of a journal: what its digests are made of (ADR 11). Pure: a file is verified with it, without a database.

Canonical form of a value: JSON, keys sorted, no spaces, UTF-8 as it is, whole numbers only, times in UTC with
microseconds and « Z ». Digests are SHA-256 in lower case hexadecimal.

    condense  of an event: of the canonical form of its ``contenu``
    empreinte of an event: of « rang precedente condense », one space between; ``precedente`` of the first is ORIGINE

PostgreSQL computes ``empreinte`` with the same formula when it inserts the row (models/journal.py). ``sceau`` is the
digest of a row that an event speaks of, a decision or a comment: whoever alters that row leaves the journal in
disagreement with it.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..models import Commentaire, Decision, Evenement

FORMAT = 1
ORIGINE = "0" * 64


def canonique(valeur: Any) -> str:
    """Refuses (``ValueError``) a number with decimals: two programs may write it in two ways."""
    return ecrire(_sans_decimale(valeur))


def ecrire(valeur: Any) -> str:
    """The same, of anything: an altered event is exported as it is, and found at its line by who verifies the file."""
    return json.dumps(valeur, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _sans_decimale(valeur: Any) -> Any:
    match valeur:
        case float():
            raise ValueError(f"{valeur} n’a pas de forme canonique.")
        case dict():
            return {str(cle): _sans_decimale(v) for cle, v in valeur.items()}
        case list() | tuple():
            return [_sans_decimale(v) for v in valeur]
        case _:
            return valeur


def condense(valeur: Any) -> str:
    return hashlib.sha256(canonique(valeur).encode()).hexdigest()


def maillon(rang: int, precedente: str, condense: str) -> str:
    return hashlib.sha256(f"{rang} {precedente} {condense}".encode()).hexdigest()


def instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def contenu(e: Evenement) -> dict[str, Any]:
    return {
        "dossier": e.dossier_id,
        "type": str(e.type),
        "acteur": e.acteur_id,
        "fiche": e.fiche_id,
        "le": instant(e.le),
        "details": e.details,
    }


def sceau_decision(d: Decision, ecartees: Mapping[int, str]) -> str:
    """``ecartees``: the fiches that it leaves out, each with its reason."""
    return condense(
        {
            "decision": d.pk,
            "dossier": d.dossier_id,
            "tache": d.tache_id,
            "noeud": d.noeud,
            "acteur": d.acteur_id,
            "autorite": d.autorite_id,
            "issue": str(d.issue),
            "motif": d.motif,
            "empreinte": d.empreinte,
            "ecartees": dict(ecartees),
            "partielle": d.partielle,
            "le": instant(d.le),
        }
        | ({"pour": d.pour_id} if d.pour_id else {})  # not in the seals of before this column
    )


def sceau_commentaire(c: Commentaire) -> str:
    return condense(
        {
            "commentaire": c.pk,
            "dossier": c.dossier_id,
            "fiche": c.fiche_id,
            "champ": c.champ,
            "parent": c.parent_id,
            "auteur": c.auteur_id,
            "texte": c.texte,
            "le": instant(c.le),
        }
    )
