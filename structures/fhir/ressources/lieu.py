"""Location: where an establishment is, and where an offer is given, with its means. Profile « ror-location ».

An UO has no address of its own: its place is that of its establishment, of which it is a part.
"""

from typing import Any

from ...enums import Niveau
from ...models import VersionFiche
from .commun import COMMUNE_COG, Referentiel, Ressource, adresse, creation, entete, extension, partie, reference

# What is typed in a fiche: by hand, of now, without a temporary purpose (R335, R331, R337).
SAISIE_MANUELLE, COURANT, AUCUNE = "01", "01", "01"


def lieu(version: VersionFiche, eg: VersionFiche, referentiel: Referentiel) -> Ressource:
    """The Location of an EG (``version`` is ``eg``) or of an UO in it."""
    lue = entete("Location", "ror-location", version.fiche.identifiant, referentiel)
    lue["extension"] = [
        creation(version.fiche),
        extension(COMMUNE_COG, valueCodeableConcept=referentiel.commune(eg.commune)),
        *(_equipement(code, nombre, referentiel) for code, nombre in sorted(version.equipements.items())),
        *(_capacite(cle, c, version, referentiel) for cle, c in sorted(version.capacites.items())),
    ]
    lue["status"] = "active"
    lue["name"] = version.nom
    if ou := adresse(eg, referentiel):
        lue["address"] = ou[0]
    if eg.latitude is not None and eg.longitude is not None:
        lue["position"] = {"longitude": eg.longitude, "latitude": eg.latitude}
    lue["managingOrganization"] = reference("Organization", eg.fiche)
    if version.niveau == Niveau.UO:
        lue["partOf"] = reference("Location", eg.fiche)
    return lue


def _equipement(code: str, nombre: int, referentiel: Referentiel) -> dict[str, Any]:
    parties = [
        partie("equipmentType", valueCodeableConcept=referentiel.concept("R212", code)),
        partie("nbInService", valueInteger=nombre),
    ]
    return extension("ror-location-equipment", extension=parties)


def _capacite(cle: str, capacite: dict[str, Any], version: VersionFiche, referentiel: Referentiel) -> dict[str, Any]:
    jour = referentiel.jours_des_capacites[version.fiche_id, cle]
    codes = (
        ("capacityType", "R329", capacite["nature"]),
        ("capacityStatus", "R330", capacite["statut"]),
        ("temporalityCapacity", "R331", capacite.get("temporalite") or COURANT),
        ("capacitySourceType", "R335", SAISIE_MANUELLE),
        ("temporaryAssignement", "R337", AUCUNE),
    )
    parties = [partie(nom, valueCodeableConcept=referentiel.concept(liste, code)) for nom, liste, code in codes]
    parties += [
        partie("nbCapacity", valueInteger=capacite["nombre"]),
        partie("capacityUpdateDate", valueDateTime=jour.isoformat()),
    ]
    return extension("ror-location-supported-capacity", extension=parties)
