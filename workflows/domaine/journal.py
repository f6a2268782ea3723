"""One line in the journal, in the transaction of the event; and the names of the fiches that it is about.

The only writers of ``Evenement``: the chain (``chaine``, ADR 11) starts from the digest that they compute.
"""

from collections.abc import Collection, Iterable
from typing import Any

from backoffice.comptes.models import User
from structures.models import Fiche, VersionFiche

from ..models import Dossier, Evenement
from . import chaine


def consigner(
    dossier: Dossier, type_: str, acteur: User | None, *, fiche: Fiche | int | None = None, **details: Any
) -> Evenement:
    """Append an event; ``acteur`` None means the system. ``details`` must be JSON, without decimals."""
    cle = fiche.pk if isinstance(fiche, Fiche) else fiche
    evenement = Evenement(dossier=dossier, type=type_, acteur=acteur, fiche_id=cle, details=details)
    consigner_tous([evenement])
    return evenement


def consigner_tous(evenements: Iterable[Evenement]) -> None:
    """Append events in their order, in one statement."""
    ecrits = list(evenements)
    for evenement in ecrits:
        evenement.condense = chaine.condense(chaine.contenu(evenement))
    Evenement.objects.bulk_create(ecrits)


def noms_des(dossier: Dossier, fiches: Collection[int]) -> dict[int, str]:
    """Names as the dossier has them, else the last known ones; a new fiche that left the dossier is absent."""
    if not fiches:
        return {}
    versions = VersionFiche.objects.filter(fiche__in=fiches).order_by("fiche_id", "validite")
    noms: dict[int, str] = dict(versions.values_list("fiche_id", "nom"))
    touchees = dossier.fiches.filter(fiche__in=fiches).values_list("fiche_id", "patch__nom")
    return noms | {fiche: nom or noms.get(fiche, "") for fiche, nom in touchees}
