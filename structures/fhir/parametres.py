"""The search parameters, declared once: the index, the search and the capability statement read them here.
Only those of elements that our resources carry: another one would find nothing, whatever is asked.

Names and expressions are those of R4 and of the guide (SearchParameter-ror-sp-*). Where the guide searches what it no
longer carries in its examples, the expression follows the examples.
"""

from dataclasses import dataclass
from enum import StrEnum

from ..enums import LIEU, OFFRE, ORGANISATION, TYPES_EXPOSES

R4 = "http://hl7.org/fhir/SearchParameter/"
GUIDE = "https://interop.esante.gouv.fr/ig/fhir/ror/SearchParameter/ror-sp-"

TYPES = TYPES_EXPOSES


class Genre(StrEnum):
    JETON = "token"
    TEXTE = "string"
    REFERENCE = "reference"
    QUANTITE = "quantity"
    NOMBRE = "number"
    DATE = "date"
    SPECIAL = "special"


@dataclass(frozen=True, slots=True)
class Parametre:
    """``chemins`` say where its values are in the JSON (``index.valeurs``); ``colonne``, for a number, a date or a
    place, is the column of ``Ressource`` that holds it, or all of its values (``plusieurs``). ``cibles`` are the types
    that a reference leads to."""

    nom: str
    genre: Genre
    chemins: tuple[str, ...]
    definition: str
    aide: str
    cibles: tuple[str, ...] = ()
    colonne: str = ""
    plusieurs: bool = False


def _r4(type_: str, nom: str, genre: Genre, chemins: str, aide: str, *cibles: str) -> Parametre:
    return Parametre(nom, genre, tuple(chemins.split()), f"{R4}{type_}-{nom}", aide, cibles)


def _guide(nom: str, genre: Genre, chemins: str, aide: str, *, definition: str = "", colonne: str = "") -> Parametre:
    return Parametre(
        nom, genre, tuple(chemins.split()), GUIDE + (definition or nom), aide,
        colonne=colonne, plusieurs=genre in (Genre.NOMBRE, Genre.DATE),
    )  # fmt: skip


_PARTIES_ADRESSE = {"city": "city", "postalcode": "postalCode"}


def _adresse(type_: str) -> tuple[Parametre, ...]:
    parties = (
        _r4(type_, f"address-{nom}", Genre.TEXTE, f"address.{element}", f"{element} de l’adresse")
        for nom, element in _PARTIES_ADRESSE.items()
    )
    return (_r4(type_, "address", Genre.TEXTE, "address", "une partie de l’adresse"), *parties)


_COMMUNS = (
    Parametre("_id", Genre.JETON, (), f"{R4}Resource-id", "identifiant FHIR", colonne="identifiant"),
    Parametre("_lastUpdated", Genre.DATE, (), f"{R4}Resource-lastUpdated", "dernière mise à jour", colonne="maj"),
    Parametre("_tag", Genre.JETON, ("meta.tag",), f"{R4}Resource-tag", "étiquette (région)"),
    Parametre("_profile", Genre.JETON, ("meta.profile",), f"{R4}Resource-profile", "profil"),
)

_ORGANISATION = (
    _r4(ORGANISATION, "identifier", Genre.JETON, "identifier", "FINESS, SIREN, SIRET, identifiant du ROR"),
    _r4(ORGANISATION, "name", Genre.TEXTE, "name alias", "nom ou autre nom"),
    _r4(ORGANISATION, "type", Genre.JETON, "type", "statut juridique, catégorie, niveau d’organisation interne"),
    _r4(ORGANISATION, "active", Genre.JETON, "active", "en activité"),
    _r4(ORGANISATION, "partof", Genre.REFERENCE, "partOf", "l’organisation dont elle fait partie", ORGANISATION),
    *_adresse(ORGANISATION),
    _guide(
        "closing-type", Genre.JETON, "extension[ror-organization-closing-type].valueCodeableConcept",
        "type de fermeture", definition="organization-closing-type",
    ),
    _guide(
        "period-end", Genre.DATE, "extension[organization-period].valuePeriod.end",
        "date de fermeture", definition="organization-period-end", colonne="fins",
    ),
)  # fmt: skip

_PUBLIC = "extension[ror-healthcareservice-patient-type]"
_TERRITOIRE = "extension[ror-territorial-division]"
_OFFRE = (
    _r4(OFFRE, "identifier", Genre.JETON, "identifier", "identifiant de l’offre"),
    _r4(OFFRE, "name", Genre.TEXTE, "name", "nom de l’offre"),
    _r4(OFFRE, "active", Genre.JETON, "active", "en activité"),
    _r4(OFFRE, "service-category", Genre.JETON, "category", "type d’offre (J238)"),
    _r4(OFFRE, "service-type", Genre.JETON, "type", "champ d’activité (R227)"),
    _r4(OFFRE, "specialty", Genre.JETON, "specialty", "activité opérationnelle (R211), famille SERAFIN"),
    _r4(OFFRE, "characteristic", Genre.JETON, "characteristic", "mode de prise en charge, actes, accueil…"),
    _r4(OFFRE, "organization", Genre.REFERENCE, "providedBy", "l’organisation qui porte l’offre", ORGANISATION),
    _r4(OFFRE, "location", Genre.REFERENCE, "location", "le lieu de l’offre", LIEU),
    _guide(
        "patient-type", Genre.JETON, f"{_PUBLIC}.extension[supportedPatientInfo].valueCodeableConcept",
        "public pris en charge (R239)", definition="healthcareservice-patient-type",
    ),
    _guide(
        "age-range-low", Genre.QUANTITE, f"{_PUBLIC}.extension[ageRange].valueRange.low",
        "âge minimum", definition="healthcareservice-age-range-low", colonne="age_min",
    ),
    _guide(
        "age-range-high", Genre.QUANTITE, f"{_PUBLIC}.extension[ageRange].valueRange.high",
        "âge maximum", definition="healthcareservice-age-range-high", colonne="age_max",
    ),
    _guide(
        "intervention-zone", Genre.JETON,
        f"{_TERRITOIRE}.extension[codeTerritorialDivision].valueCodeableConcept "
        f"{_TERRITOIRE}.extension[typeTerritorialDivision].valueCodeableConcept",
        "commune d’intervention (COG), ou type de division", definition="healthcareservice-intervention-zone",
    ),
)  # fmt: skip

_CAPACITE = "extension[ror-location-supported-capacity]"
# Names of the guide → parts of the extension.
_CAPACITES = {
    "capacity-type": ("capacityType", "nature de la capacité (R329)"),
    "capacity-status": ("capacityStatus", "statut de la capacité (R330)"),
    "temporality-capacity": ("temporalityCapacity", "temporalité de la capacité (R331)"),
    "temporary-assignement": ("temporaryAssignement", "affectation temporaire (R337)"),
}
_COMMUNE = "extension[ror-commune-cog].valueCodeableConcept address.extension[ror-commune-cog].valueCodeableConcept"
_LIEU = (
    _r4(LIEU, "name", Genre.TEXTE, "name alias", "nom ou autre nom"),
    _r4(LIEU, "status", Genre.JETON, "status", "état"),
    _r4(LIEU, "organization", Genre.REFERENCE, "managingOrganization", "l’organisation du lieu", ORGANISATION),
    _r4(LIEU, "partof", Genre.REFERENCE, "partOf", "le lieu dont il fait partie", LIEU),
    *_adresse(LIEU),
    Parametre("near", Genre.SPECIAL, ("position",), f"{R4}Location-near", "latitude|longitude|distance|km ou m",
              colonne="latitude"),
    _guide(
        "near-insee-code", Genre.SPECIAL, _COMMUNE,
        "commune (COG)|distance|km ou m : ses lieux, et ceux autour d’eux", definition="location-near-insee-code",
    ),
    _guide("commune-cog", Genre.JETON, _COMMUNE, "commune (COG)", definition="location-commune-cog"),
    _guide(
        "equipment-type", Genre.JETON,
        "extension[ror-location-equipment].extension[equipmentType].valueCodeableConcept", "équipement (R212)",
    ),
    *(
        _guide(nom, Genre.JETON, f"{_CAPACITE}.extension[{partie}].valueCodeableConcept", aide)
        for nom, (partie, aide) in _CAPACITES.items()
    ),
    _guide(
        "nb-capacity", Genre.NOMBRE, f"{_CAPACITE}.extension[nbCapacity].valueInteger",
        "nombre d’une capacité", colonne="capacites",
    ),
    _guide(
        "capacity-update-date", Genre.DATE, f"{_CAPACITE}.extension[capacityUpdateDate].valueDateTime",
        "jour depuis lequel une capacité est ce qu’elle est", colonne="capacites_le",
    ),
)  # fmt: skip

PARAMETRES: dict[str, dict[str, Parametre]] = {
    type_: {p.nom: p for p in (*_COMMUNS, *propres)}
    for type_, propres in ((ORGANISATION, _ORGANISATION), (OFFRE, _OFFRE), (LIEU, _LIEU))
}
