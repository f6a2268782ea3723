"""What is said to a subscriber: which changes of the feed concern him, and the body that says so. No content."""

import json
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from ..models import Abonnement, Consommateur, Livraison, RessourceVersion

LOT = 100  # changes in a delivery, at most
FENETRE = 20_000  # versions of the feed read at once to find them


class Changement(NamedTuple):
    rang: int
    type: str
    identifiant: str
    version: int
    action: str
    maj: datetime


def dernier_rang() -> int:
    """Where the feed is."""
    return RessourceVersion.objects.order_by("-rang").values_list("rang", flat=True).first() or 0


def suivants(abonnement: Abonnement) -> tuple[list[Changement], int]:
    """The next changes that concern a subscription, and up to which ``rang`` the feed was read for them.

    A resource is of every département in which its establishment has ever been: whoever follows one of two hears that
    it moved to the other. One without an address in the register (an EJ that has none) concerns everybody.
    """
    with connection.cursor() as curseur:
        curseur.execute(
            """
            WITH fenetre AS (
                SELECT rang, type, identifiant, fiche_id, version, action, maj FROM structures_ressourceversion
                WHERE rang > %(curseur)s ORDER BY rang LIMIT %(fenetre)s
            ), retenus AS (
                SELECT * FROM fenetre v WHERE type = ANY(%(types)s) AND (%(departements)s::text[] = '{}' OR EXISTS (
                    SELECT FROM structures_fiche f
                    JOIN structures_versionfiche e ON e.fiche_id = coalesce(f.eg_id, f.id)
                    LEFT JOIN structures_commune c ON c.code = e.commune
                    WHERE f.id = v.fiche_id AND (c.code IS NULL OR c.departement = ANY(%(departements)s))
                )) ORDER BY rang LIMIT %(lot)s
            )
            SELECT r.rang, r.type, r.identifiant, r.version, r.action, r.maj, f.fin
            FROM (SELECT max(rang) AS fin FROM fenetre) f LEFT JOIN retenus r ON true ORDER BY r.rang
            """,
            {
                "curseur": abonnement.curseur,
                "fenetre": FENETRE,
                "types": [t for t in abonnement.types if t in abonnement.consommateur.types_lus],
                "departements": abonnement.departements,
                "lot": LOT,
            },
        )
        lignes = curseur.fetchall()
    changements = [Changement(*ligne[:6]) for ligne in lignes if ligne[0] is not None]
    if len(changements) == LOT:
        return changements, changements[-1].rang
    return changements, lignes[0][6] or abonnement.curseur


def livraison_de(
    abonnement: Abonnement, changements: Sequence[Changement], maintenant: datetime, rejoue: Livraison | None = None
) -> Livraison:
    """A delivery of these changes, of none for a trial; not saved."""
    identifiant = uuid.uuid4()
    corps: dict[str, Any] = {
        "id": str(identifiant),
        "abonnement": abonnement.pk,
        "genre": "changements" if changements else "essai",
        "cree": maintenant.isoformat(),
        "evenements": [{**c._asdict(), "maj": c.maj.isoformat()} for c in changements],
    }
    return Livraison(
        identifiant=identifiant,
        abonnement=abonnement,
        nombre=len(changements),
        premier=changements[0].rang if changements else None,
        dernier=changements[-1].rang if changements else None,
        corps=json.dumps(corps, ensure_ascii=False, separators=(",", ":")),
        rejoue=rejoue,
        cree_le=maintenant,
    )


def permis_de(livraison: Livraison, consommateur: Consommateur) -> list[Changement]:
    """The changes that a delivery says, read from its body, without those of a type that its consumer may no longer
    read."""
    evenements = json.loads(livraison.corps)["evenements"]
    changements = [Changement(**{**e, "maj": datetime.fromisoformat(e["maj"])}) for e in evenements]
    return [c for c in changements if c.type in consommateur.types_lus]
