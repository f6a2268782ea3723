"""What the national guide makes mandatory in a resource, and what an R4 validator that is none of ours says of it."""

from typing import Any

import fhirkit

from structures.fhir.index import valeurs

# Where each mandatory element of a profile is, by type; an Organization has that of its level.
ELEMENTS = {
    "Organization": {
        "identifier": "identifier.value",
        "name": "name",
        "meta.lastUpdated": "meta.lastUpdated",
        "extension:ror-meta-creation-date": "extension[ror-meta-creation-date].valueDateTime",
        "type": "type.coding.code",
    },
    "HealthcareService": {
        "identifier": "identifier.value",
        "name": "name",
        "meta.lastUpdated": "meta.lastUpdated",
        "extension:ror-meta-creation-date": "extension[ror-meta-creation-date].valueDateTime",
        "extension:ror-healthcareservice-sensitive-unit": (
            "extension[ror-healthcareservice-sensitive-unit].valueBoolean"
        ),
        "extension:ror-healthcareservice-patient-type.ageRange": (
            "extension[ror-healthcareservice-patient-type].extension[ageRange].valueRange.low.value"
        ),
        "ageRange.high": "extension[ror-healthcareservice-patient-type].extension[ageRange].valueRange.high.value",
        "category": "category.coding.code",
        "type": "type.coding.code",
        "specialty": "specialty.coding.code",
        "characteristic:careMode": "characteristic.coding.code",
        "providedBy": "providedBy.reference",
        "location": "location.reference",
    },
    "Location": {
        "meta.lastUpdated": "meta.lastUpdated",
        "extension:ror-meta-creation-date": "extension[ror-meta-creation-date].valueDateTime",
        "extension:ror-commune-cog": "extension[ror-commune-cog].valueCodeableConcept.coding.code",
    },
}


def fautes(contenu: dict[str, Any], *, sauf: frozenset[str] = frozenset()) -> list[str]:
    """What is wrong with a resource, as it is stored; ``sauf``: elements that it may lack."""
    return [f"{contenu['resourceType']} {x.severity} {x.path} {x.message}" for x in fhirkit.validate(contenu)] + [
        f"{contenu['resourceType']} n’a pas {nom}"
        for nom, chemin in ELEMENTS[contenu["resourceType"]].items()
        if nom not in sauf and not valeurs(contenu, chemin)
    ]


# An EJ without legal status is exposed (structures/fhir/visibilite.py).
SANS_TYPE = frozenset({"type"})
