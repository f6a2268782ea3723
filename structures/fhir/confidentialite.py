"""What a consumer may read of the contacts of a resource, by its access profile (domain.md §7).

Resources are stored whole and filtered when they are served. A level that cannot be read is the most confidential.
"""

from typing import Any

from ..domaine.valider import LIBRE, RESTREINT, TRES_RESTREINT
from .ressources.commun import (
    CONFIDENTIALITE,
    CONFIDENTIALITE_CONTACT,
    CONFIDENTIALITE_TELECOM,
    CONTACT_OFFRE,
    TELECOM_OFFRE,
)

# Levels (R283) that each profile reads.
NIVEAUX_LUS = {
    0: frozenset({LIBRE}),
    1: frozenset({LIBRE, RESTREINT, TRES_RESTREINT}),
    2: frozenset({LIBRE, RESTREINT}),
}


def filtrer(contenu: dict[str, Any], profil: int | None) -> dict[str, Any]:
    """The resource without the contacts and telecoms that this profile may not read; None reads none. The one given is
    left as it is; a contact goes with all that it says."""
    lus = NIVEAUX_LUS[profil] if profil is not None else frozenset()
    filtre = dict(contenu)
    _poser(filtre, "contact", [_contact(c, lus) for c in _permis(contenu.get("contact"), CONFIDENTIALITE_CONTACT, lus)])
    _poser(filtre, "telecom", _permis(contenu.get("telecom"), CONFIDENTIALITE_TELECOM, lus))
    _poser(filtre, "extension", _offre(contenu.get("extension"), lus))
    return filtre


def _contact(contact: dict[str, Any], lus: frozenset[str]) -> dict[str, Any]:
    reduit = dict(contact)
    _poser(reduit, "telecom", _permis(contact.get("telecom"), CONFIDENTIALITE_TELECOM, lus))
    return reduit


def _offre(extensions: list[dict[str, Any]] | None, lus: frozenset[str]) -> list[dict[str, Any]]:
    """Extensions, without the contacts (of an offer) and their telecoms that are not read."""
    gardees = []
    for ext in extensions or ():
        if ext["url"] != CONTACT_OFFRE:
            gardees.append(ext)
        elif _niveau(ext, CONFIDENTIALITE) in lus:
            parties = [
                p
                for p in ext.get("extension", ())
                if p["url"] != TELECOM_OFFRE or _niveau(p, CONFIDENTIALITE_TELECOM) in lus
            ]
            gardees.append({**ext, "extension": parties})
    return gardees


def _permis(elements: list[dict[str, Any]] | None, url: str, lus: frozenset[str]) -> list[dict[str, Any]]:
    return [element for element in elements or () if _niveau(element, url) in lus]


def _niveau(element: dict[str, Any], url: str) -> str:
    for ext in element.get("extension", ()):
        if ext["url"] == url:
            for coding in ext.get("valueCodeableConcept", {}).get("coding", ()):
                return str(coding.get("code", TRES_RESTREINT))
    return TRES_RESTREINT


def _poser(objet: dict[str, Any], cle: str, liste: list[dict[str, Any]]) -> None:
    """A list of FHIR is never empty: it is there or not."""
    if liste:
        objet[cle] = liste
    else:
        objet.pop(cle, None)
