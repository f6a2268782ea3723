"""Organization: EJ, EG, and the internal organisation (Pôle, Service, UF). Profile « ror-organization »."""

from typing import Any

from ...enums import Niveau
from ...models import VersionFiche
from .commun import (
    CONFIDENTIALITE_CONTACT,
    LIBRE,
    TELEPHONE_FIXE,
    Referentiel,
    Ressource,
    adresse,
    contact_point,
    contacts,
    creation,
    entete,
    extension,
    partie,
    periode,
    reference,
)

STRUCTURES = "urn:oid:1.2.250.1.71.4.2.2"  # national identifiers of structures
FINESS = "http://finess.esante.gouv.fr"
SIRENE = "http://sirene.fr"
INTERNES = "https://oi.esante.gouv.fr"
_SYSTEMES = {"1": FINESS, "2": SIRENE, "3": SIRENE, "40": STRUCTURES}  # by type of identifier (G07)
TYPES_INTERNES = {Niveau.POLE: "1", Niveau.SERVICE: "2", Niveau.UF: "3"}  # R207
AIDE_SOCIALE = "02"  # R241
TERRITOIRE_DE_SANTE = "4"  # R201


def organisation(version: VersionFiche, referentiel: Referentiel) -> Ressource:
    """The Organization of a fiche of any level but UO."""
    niveau = Niveau(version.niveau)
    lue = entete("Organization", "ror-organization", version.fiche.identifiant, referentiel)
    lue["extension"] = [creation(version.fiche), *_vie(version, niveau, referentiel)]
    if niveau == Niveau.EG:
        lue["extension"] += _etablissement(version, referentiel)
    lue["active"] = True  # what is closed for good is no longer exposed
    lue["identifier"] = _identifiants(version, niveau, referentiel)
    if types := [referentiel.concept(liste, code) for liste, code in _types(version, niveau) if code]:
        lue["type"] = types
    lue["name"] = version.nom
    if version.nom_operationnel:
        lue["alias"] = [version.nom_operationnel]
    if version.telephone:
        lue["telecom"] = [contact_point(referentiel, TELEPHONE_FIXE, version.telephone, LIBRE)]
    if ou := adresse(version, referentiel):
        lue["address"] = ou
    if version.parent is not None:
        lue["partOf"] = reference("Organization", version.parent)
    if joints := _contacts(version, referentiel):
        lue["contact"] = joints
    return lue


def _identifiants(version: VersionFiche, niveau: Niveau, referentiel: Referentiel) -> list[dict[str, Any]]:
    if niveau in TYPES_INTERNES:
        type_ = referentiel.concept("R345", "42")
        return [{"type": type_, "system": INTERNES, "value": version.fiche.identifiant}]
    numeros = {
        "40": version.fiche.identifiant,
        "1": version.finess,
        "2": version.siren,
        "3": version.siret,
    }
    return [
        {"type": referentiel.concept("G07", type_), "system": _SYSTEMES[type_], "value": numero}
        for type_, numero in numeros.items()
        if numero
    ]


def _types(version: VersionFiche, niveau: Niveau) -> list[tuple[str, str]]:
    if niveau == Niveau.EJ:
        return [("R72", version.statut_juridique), ("R69", agregat(version.statut_juridique))]
    if niveau == Niveau.EG:
        return [("R66", version.categorie), ("R73", version.participation_sph)]
    return [("R207", TYPES_INTERNES[niveau])]


def agregat(statut: str) -> str:
    """The second aggregate (R69) of a legal status (R72), by the ranges in which FINESS numbers them."""
    if not statut.isdigit() or statut == "000":
        return ""
    numero = int(statut)
    if numero == 90:
        return "3100"
    if numero < 8:
        return "1100"
    if numero < 40:
        return "1200"
    return "2100" if numero < 70 else "2200"


def _vie(version: VersionFiche, niveau: Niveau, referentiel: Referentiel) -> list[dict[str, Any]]:
    """When it opened and closed; a closing that is exposed is to come, or provisional."""
    dites = []
    if jours := periode(version.date_ouverture, version.date_fermeture):
        dites.append(extension("http://hl7.org/fhir/StructureDefinition/organization-period", valuePeriod=jours))
    if niveau == Niveau.EJ and version.date_ouverture:
        dites.append(extension("ror-organization-creation-date", valueDate=version.date_ouverture.isoformat()))
    if version.type_fermeture:
        type_ = referentiel.concept("R286", version.type_fermeture)
        dites.append(extension("ror-organization-closing-type", valueCodeableConcept=type_))
    return dites


def _etablissement(version: VersionFiche, referentiel: Referentiel) -> list[dict[str, Any]]:
    permanentes, temporaires = version.places_aide_sociale_permanentes, version.places_aide_sociale_temporaires
    dites = []
    if permanentes or temporaires:
        aide = referentiel.concept("R241", AIDE_SOCIALE)
        dites.append(extension("ror-organization-financial-help-type", valueCodeableConcept=aide))
    if permanentes is not None:
        dites.append(extension("ror-organization-nb-permanent-social-help-place", valueInteger=permanentes))
    if temporaires is not None:
        dites.append(extension("ror-organization-nb-temporary-social-help-place", valueInteger=temporaires))
    dites += [
        extension("ror-organization-accessibility-location", valueCodeableConcept=referentiel.concept("R202", code))
        for code in version.accessibilite
    ]
    if version.territoire_sante:
        type_ = referentiel.concept("R201", TERRITOIRE_DE_SANTE)
        parties = [
            partie("codeTerritorialDivision", valueCodeableConcept={"text": version.territoire_sante}),
            partie("typeTerritorialDivision", valueCodeableConcept=type_),
        ]
        dites.append(extension("ror-territorial-division", extension=parties))
    if version.commentaire:
        dites.append(extension("ror-organization-comment", valueString=version.commentaire))
    return dites


def _contacts(version: VersionFiche, referentiel: Referentiel) -> list[dict[str, Any]]:
    joints = []
    for contact in contacts(version):
        niveau = referentiel.concept("R283", contact.niveau)
        joint: dict[str, Any] = {"extension": [extension(CONFIDENTIALITE_CONTACT, valueCodeableConcept=niveau)]}
        if contact.fonction:
            fonction = referentiel.concept("R251", contact.fonction)
            joint["extension"].append(extension("ror-contact-function-contact", valueCodeableConcept=fonction))
        if contact.nature:
            joint["purpose"] = referentiel.concept("R287", contact.nature)
        if contact.nom:
            joint["name"] = {"text": contact.nom}
        if contact.telecoms:
            joint["telecom"] = [contact_point(referentiel, *telecom) for telecom in contact.telecoms]
        joints.append(joint)
    return joints
