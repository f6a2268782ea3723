"""Which filière an establishment is of, which authorities approve for it, and what makes them the ones (domain.md §6).

One rule, on one establishment or on many: ``Regles`` holds the small tables that it reads.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.utils import timezone

from .domaine.cog import departement
from .enums import Filiere, OrigineTutelle
from .models import Autorite, Modification, RegleCategorie, RegleTarification, VersionFiche


class Circuit(NamedTuple):
    """``autorites``: codes, sorted; empty outside handicap, and when nothing decides (``origine`` « »)."""

    filiere: str
    autorites: list[str]
    origine: str = ""


@dataclass(frozen=True, slots=True)
class Regles:
    categories: dict[str, RegleCategorie]
    tarifications: dict[str, RegleTarification]
    autorites: dict[str, Autorite]

    def circuit(self, eg: VersionFiche) -> Circuit:
        """Set by hand on the EG; FINESS regulation authority; mode of tarification (R74); default of the category."""
        regle = self.categories.get(eg.categorie)
        filiere = regle.filiere if regle else Filiere.AUTRE.value
        if filiere != Filiere.HANDICAP:
            return Circuit(filiere, [])
        if eg.autorites:
            return Circuit(filiere, sorted(eg.autorites), OrigineTutelle.MANUELLE)
        if eg.autorite_regulation in self.autorites:
            return Circuit(filiere, [eg.autorite_regulation], OrigineTutelle.REGULATION)
        tarification = self.tarifications.get(eg.mode_tarification)
        for types, origine in (
            (tarification.autorites if tarification else [], OrigineTutelle.TARIFICATION),
            (regle.autorites if regle else [], OrigineTutelle.CATEGORIE),
        ):
            if trouvees := self.du_departement(types, departement(eg.commune)):
                return Circuit(filiere, trouvees, origine)
        return Circuit(filiere, [])

    def par_defaut(self, eg: VersionFiche) -> list[str]:
        """What its category alone would say of a handicap EG."""
        regle = self.categories.get(eg.categorie)
        return self.du_departement(regle.autorites, departement(eg.commune)) if regle else []

    def du_departement(self, types: Collection[str], du: str) -> list[str]:
        """The authorities that these kinds (« ARS », « CD ») are in a département; none unless each of them is one."""
        trouvees = [self._autorite(type_, du) for type_ in types]
        return sorted(code for code in trouvees if code) if all(trouvees) else []

    def _autorite(self, type_: str, du: str) -> str:
        du_type = [a for a in self.autorites.values() if a.type == type_]
        return next((a.pk for lieu in (du, "") for a in du_type if a.departement == lieu), "")


def regles_de(egs: Collection[VersionFiche]) -> Regles:
    """What decides for these establishments: three statements, one where none is of handicap."""
    categories = RegleCategorie.objects.in_bulk({eg.categorie for eg in egs})
    if all(regle.filiere != Filiere.HANDICAP for regle in categories.values()):
        return Regles(categories, {}, {})
    tarifications = RegleTarification.objects.in_bulk({eg.mode_tarification for eg in egs if eg.mode_tarification})
    autorites = {a.pk: a for a in Autorite.objects.order_by("pk")}
    return Regles(categories, tarifications, autorites)


def circuit_de(eg: VersionFiche) -> Circuit:
    """Who approves what is changed in an EG, as things are today. At most three statements."""
    return regles_de([eg]).circuit(eg)


def fixee_par(eg: int, avant: datetime) -> Modification | None:
    """The last change of the authorities set by hand on an EG that was in force then, with its author."""
    changements = Modification.objects.vivantes().filter(fiche=eg, patch__has_key="autorites", saisie_le__lte=avant)
    changements = changements.filter(date_effet__lte=timezone.localdate(avant))
    return changements.select_related("auteur").order_by("-date_effet", "-pk").first()
