"""What this server can do, from the same tables that do it: the CapabilityStatement."""

from typing import Any

from django.conf import settings

from .conditions import base
from .parametres import GUIDE, LIEU, OFFRE, ORGANISATION, PARAMETRES, TYPES, Genre

_IG = GUIDE.partition("SearchParameter/")[0]
_PROFILS = {ORGANISATION: "ror-organization", OFFRE: "ror-healthcareservice", LIEU: "ror-location"}
_LECTURES = ("read", "vread", "history-instance", "history-type", "search-type")
_EXPORT = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export"
PUBLIEE_LE = "2026-11-23"  # of this statement: change it with what it says


def capacites() -> dict[str, Any]:
    jeton, interne = f"{base()}/jeton/", "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
    return {
        "resourceType": "CapabilityStatement",
        "id": "ror-exposition",
        "url": f"{base()}/metadata",
        "version": settings.VERSION,
        "name": "RORExposition",
        "title": f"{settings.NOM_PRODUIT} : exposition",
        "status": "active",
        "date": PUBLIEE_LE,
        "kind": "instance",
        "software": {"name": settings.NOM_PRODUIT, "version": settings.VERSION},
        "implementation": {"description": "Offre publiée du répertoire", "url": base()},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "implementationGuide": [f"{_IG}ImplementationGuide/ans.fhir.fr.ror"],
        "rest": [
            {
                "mode": "server",
                "documentation": "Lecture seule de ce qui est publié. Les contacts dépendent du profil d’accès.",
                "security": {
                    "cors": True,
                    "service": [
                        {
                            "coding": [
                                {
                                    "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                                    "code": "SMART-on-FHIR",
                                }
                            ],
                            "text": "OAuth2, client_credentials, portées system/*.read",
                        }
                    ],
                    "extension": [{"url": interne, "extension": [{"url": "token", "valueUri": jeton}]}],
                },
                "resource": [_ressource(type_) for type_ in TYPES],
                "interaction": [{"code": "history-system"}],
                "operation": [{"name": "export", "definition": _EXPORT}],
            }
        ],
    }


def _ressource(type_: str) -> dict[str, Any]:
    liens = {source: [p for p in ps.values() if p.genre is Genre.REFERENCE] for source, ps in PARAMETRES.items()}
    return {
        "type": type_,
        "profile": f"{_IG}StructureDefinition/{_PROFILS[type_]}",
        "interaction": [{"code": code} for code in _LECTURES],
        "versioning": "versioned",
        "readHistory": True,
        "updateCreate": False,
        "conditionalCreate": False,
        "conditionalRead": "full-support",
        "conditionalUpdate": False,
        "conditionalDelete": "not-supported",
        "referencePolicy": ["literal"],
        "searchInclude": [f"{type_}:{p.nom}" for p in liens[type_]],
        "searchRevInclude": [f"{s}:{p.nom}" for s, ps in liens.items() for p in ps if type_ in p.cibles],
        "searchParam": [
            {"name": p.nom, "definition": p.definition, "type": p.genre.value, "documentation": p.aide}
            for p in PARAMETRES[type_].values()
        ],
    }
