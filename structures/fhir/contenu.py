"""A resource as one consumer may see it: contacts of its profile, the elements that it asks for; as text.

The text of the database is served as it is when nothing of it must change.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from ..enums import ProfilAcces
from .confidentialite import filtrer

RESUMES = ("true", "text", "data", "count", "false")
_TOUJOURS = frozenset({"resourceType", "id", "meta"})
# What R4 marks « Σ ».
_RESUME = {
    "Organization": {"identifier", "active", "type", "name", "partOf"},
    "HealthcareService": {
        "identifier", "active", "providedBy", "category", "type", "specialty", "location", "name", "comment", "photo",
    },
    "Location": {
        "identifier", "status", "operationalStatus", "name", "description", "mode", "type", "physicalType",
        "managingOrganization",
    },
}  # fmt: skip
_SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
    "display": "subsetted",
}


@dataclass(frozen=True)
class Vue:
    """``resume``: _summary; ``elements``: _elements. Both empty: the whole resource."""

    resume: str = ""
    elements: frozenset[str] = field(default_factory=frozenset)

    @property
    def entiere(self) -> bool:
        return not self.resume and not self.elements

    def montrer(self, contenu: dict[str, Any]) -> dict[str, Any]:
        if self.entiere:
            return contenu
        if self.elements:
            garde = _TOUJOURS | self.elements
        elif self.resume == "data":
            garde = frozenset(contenu.keys() - {"text"})
        else:
            garde = _TOUJOURS | (_RESUME[contenu["resourceType"]] if self.resume == "true" else {"text"})
        vu = {nom: valeur for nom, valeur in contenu.items() if nom in garde}
        meta = dict(vu.get("meta", {}))
        vu["meta"] = meta | {"tag": [*meta.get("tag", []), _SUBSETTED]}
        return vu


def representer(texte: str, profil: int | None, vue: Vue) -> str:
    """JSON of the database → JSON for this consumer. Profile None: no contact at all."""
    # Contacts and telecoms are « contact », « telecom » or extensions whose address ends so.
    if vue.entiere and (profil == ProfilAcces.TOUS or ("ontact" not in texte and "elecom" not in texte)):
        return texte
    contenu = json.loads(texte)
    permis = filtrer(contenu, profil)
    if vue.entiere and permis == contenu:
        return texte
    return json.dumps(vue.montrer(permis), ensure_ascii=False)
