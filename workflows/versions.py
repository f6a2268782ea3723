"""Which versions of the flow the running processes follow (ADR 10)."""

from dataclasses import dataclass

from django.db.models import Count, QuerySet

from .domaine.versions import VERSION, noeuds_disparus
from .enums import OUVERTS
from .models import Dossier

__all__ = ["VERSION", "ParVersion", "a_migrer", "noeuds_disparus", "par_version"]


@dataclass(frozen=True, slots=True)
class ParVersion:
    version: int
    dossiers: int

    @property
    def courante(self) -> bool:
        return self.version == VERSION


def par_version() -> list[ParVersion]:
    """How many open dossiers follow each version, the last one first. One statement."""
    comptes = Dossier.objects.filter(etat__in=OUVERTS).values("version_flux").order_by("-version_flux")
    return [ParVersion(c["version_flux"], c["nombre"]) for c in comptes.annotate(nombre=Count("pk"))]


def a_migrer() -> QuerySet[Dossier]:
    """Open dossiers that don't follow the version of the code, the oldest first."""
    return Dossier.objects.filter(etat__in=OUVERTS).exclude(version_flux=VERSION).order_by("pk")
