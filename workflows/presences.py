"""Who else is in a dossier now, in words."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from backoffice.comptes.models import User

from .domaine.presence import DUREE
from .models import Dossier

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

RECENT = timedelta(minutes=10)  # who saved a fiche since is thought to be there: without JavaScript no page calls


@dataclass(frozen=True)
class Presents:
    """Names of the others in the dossier, and of those on each fiche."""

    noms: list[str]
    par_fiche: dict[int, list[str]]

    @property
    def phrase(self) -> str:
        """« Camille Martin et Jean Petit sont dans ce dossier. », empty when she is alone."""
        return _phrase(self.noms, "dans ce dossier.")

    @property
    def sur_les_fiches(self) -> dict[int, dict[str, str]]:
        return {
            fiche: {"noms": ", ".join(noms), "phrase": _phrase(noms, "sur cette fiche.")}
            for fiche, noms in self.par_fiche.items()
        }


def presents(dossier: Dossier, user: "User | AnonymousUser") -> Presents:
    """Whom she works with, for who may see the dossier; nobody once it has ended. Two statements."""
    if not dossier.est_ouvert:
        return Presents([], {})
    maintenant = timezone.now()
    la = dossier.presences.filter(vu_le__gte=maintenant - DUREE).exclude(user=user.pk).select_related("user")
    par_fiche: dict[int, list[str]] = {}
    noms = set()
    for p in la.order_by("pk"):
        noms.add(str(p.user))
        if p.fiche_id:
            par_fiche.setdefault(p.fiche_id, []).append(str(p.user))
    enregistrees = dossier.fiches.filter(modifiee_le__gte=maintenant - RECENT).exclude(modifiee_par=user.pk)
    noms |= {str(t.modifiee_par) for t in enregistrees.select_related("modifiee_par").only("dossier", "modifiee_par")}
    return Presents(sorted(noms), par_fiche)


def _phrase(noms: list[str], ou: str) -> str:
    if len(noms) < 2:
        return f"{noms[0]} est {ou}" if noms else ""
    return f"{', '.join(noms[:-1])} et {noms[-1]} sont {ou}"
