"""What makes a fiche exposed or not: asked by the projector and by « Pourquoi ma fiche n’est pas visible ».

A fiche is exposed when it and all those above it exist today, are open, and have what the guide makes mandatory.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum

from django.db.models import Q

from .. import requetes
from ..champs import CHAMPS, Champ, est_vide
from ..enums import Niveau
from ..models import VersionFiche

PROVISOIRE = "PRO"  # R286: closed for a time, and exposed with the dates of it

# Mandatory element (of the guide's profiles and exposition model 3.0.1; for the name and the type of an offer, of
# domain.md §3) → the fields that fill it. Those that are always there (identifier of a fiche below the EG, dates,
# unité sensible, references) are not repeated. The commune is that of every Location of the establishment. The legal
# status of an EJ is left out though the model has it as 1..1: the file of establishments, from which EJ are created,
# does not give it, and without it no real establishment would be exposed.
OBLIGATOIRES: dict[str, dict[str, tuple[str, ...]]] = {
    Niveau.EJ: {"Organization.identifier": ("finess",), "Organization.name": ("nom",)},
    Niveau.EG: {
        "Organization.identifier": ("finess",),
        "Organization.name": ("nom",),
        "Organization.type": ("categorie",),
        "Location.extension:ror-commune-cog": ("commune",),
    },
    Niveau.POLE: {"Organization.name": ("nom",)},
    Niveau.SERVICE: {"Organization.name": ("nom",)},
    Niveau.UF: {"Organization.name": ("nom",)},
    Niveau.UO: {
        "HealthcareService.name": ("nom",),
        "HealthcareService.category": ("type_uo",),
        "HealthcareService.type": ("champ_activite",),
        "HealthcareService.specialty": ("activites",),
        "HealthcareService.characteristic:careMode": ("mode_prise_en_charge",),
        "HealthcareService.extension:ror-healthcareservice-patient-type.ageRange": (
            "age_min", "age_min_unite", "age_max", "age_max_unite",
        ),
    },
}  # fmt: skip


class Cause(Enum):
    ABSENTE = "absente"  # no version today: never opened, closed, or not yet there
    FUTURE = "future"  # its opening date is to come
    FERMEE = "fermee"  # closed for good, or until a reopening that is not there yet
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a fiche is not exposed, its ancestors left aside. ``le``: since when or from when, as far as it is said."""

    cause: Cause
    le: date | None = None
    manquants: tuple[Champ, ...] = ()


def obstacle(version: VersionFiche | None, jour: date) -> Obstacle | None:
    """What keeps the fiche from being exposed on that day (of which ``version`` is), by itself."""
    if version is None:
        return Obstacle(Cause.ABSENTE)
    if version.date_ouverture and version.date_ouverture > jour:
        return Obstacle(Cause.FUTURE, version.date_ouverture)
    fermee, rouverte = version.date_fermeture, version.date_reouverture
    if fermee and fermee <= jour and version.type_fermeture != PROVISOIRE and not (rouverte and rouverte <= jour):
        return Obstacle(Cause.FERMEE, fermee)
    if manquants := manquants_a_l_exposition(version):
        return Obstacle(Cause.INCOMPLETE, manquants=manquants)
    return None


def manquants_a_l_exposition(version: VersionFiche) -> tuple[Champ, ...]:
    return tuple(
        CHAMPS[nom]
        for champs in OBLIGATOIRES[version.niveau].values()
        for nom in champs
        if est_vide(CHAMPS[nom], getattr(version, nom))
    )


def obstacles(fiche: int, versions: Mapping[int, VersionFiche], jour: date) -> list[tuple[int, Obstacle]]:
    """(fiche, obstacle) of the fiche and of each above it, from the fiche up; empty when it is exposed.

    ``versions``: those of that day, of the fiche and of all its ancestors.
    """
    trouves = []
    maillon: int | None = fiche
    while maillon is not None:
        version = versions.get(maillon)
        if (empeche := obstacle(version, jour)) is not None:
            trouves.append((maillon, empeche))
        maillon = version.parent_id if version is not None else None
    return trouves


def pourquoi(fiche: int, jour: date) -> list[tuple[VersionFiche, Obstacle]]:
    """The same of one fiche that exists on that day, with the versions that are in the way: two statements."""
    chaine = [maillon.fiche_id for maillon in requetes.fil_de(fiche, jour)]
    versions = {v.fiche_id: v for v in requetes.versions_au(jour).filter(fiche__in=chaine).select_related("fiche")}
    return [(versions[cle], obstacle) for cle, obstacle in obstacles(fiche, versions, jour) if cle in versions]


def visible_le(fiche: int, jour: date) -> date | None:
    """The first day after that one when the fiche is exposed, as far as changes are planned; None without any."""
    chaine = [maillon.fiche_id for maillon in requetes.fil_de(fiche, jour)]
    a_venir = VersionFiche.objects.filter(
        Q(validite__endswith__gt=jour) | Q(validite__upper_inf=True), fiche__in=chaine
    )
    jours = {
        quand
        for v in a_venir.only("validite", "date_ouverture", "date_reouverture")
        for quand in (v.validite.lower, v.date_ouverture, v.date_reouverture)
        if quand and quand > jour
    }
    return next(
        (quand for quand in sorted(jours) if requetes.fil_de(fiche, quand) and not pourquoi(fiche, quand)), None
    )
