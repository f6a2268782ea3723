"""From a version of a fiche to the resources that the national guide makes of it."""

from datetime import date

from ...enums import Niveau
from ...models import VersionFiche
from .commun import Referentiel, Ressource
from .lieu import lieu
from .offre import offre
from .organisation import organisation

# Each list whose codes are exposed; R13 (communes) has a URL only, its concepts are our communes.
LISTES = (
    "G07", "J238", "R13", "R200", "R201", "R202", "R207", "R210", "R211", "R212", "R213", "R227", "R236", "R238",
    "R239", "R240", "R241", "R243", "R245", "R247", "R251", "R252", "R265", "R266", "R283", "R286", "R287", "R30",
    "R329", "R330", "R331", "R335", "R337", "R338", "R345", "R355", "R356", "R66", "R69", "R72", "R73",
)  # fmt: skip


def ressources(version: VersionFiche, eg: VersionFiche, referentiel: Referentiel, jour: date) -> list[Ressource]:
    """Each resource of an exposed fiche. ``eg``: the version of its establishment (itself for an EJ)."""
    if version.niveau == Niveau.UO:
        return [offre(version, referentiel, jour), lieu(version, eg, referentiel)]
    if version.niveau == Niveau.EG:
        return [organisation(version, referentiel), lieu(version, version, referentiel)]
    return [organisation(version, referentiel)]


__all__ = ["LISTES", "Referentiel", "Ressource", "ressources"]
