"""What the resources of the guide (ans.fhir.fr.ror) have in common: codings, extensions, contacts, addresses.

Builders are pure: they read versions and a ``Referentiel`` that somebody loaded, and return JSON.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings

from ...domaine.valider import LIBRE, RESTREINT, TRES_RESTREINT
from ...models import Fiche, VersionFiche

GUIDE = "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/"
CONFIDENTIALITE_CONTACT = f"{GUIDE}ror-contact-confidentiality-level"  # of Organization.contact
CONFIDENTIALITE = f"{GUIDE}ror-confidentiality-level"  # of ror-healthcareservice-contact
CONFIDENTIALITE_TELECOM = f"{GUIDE}ror-telecom-confidentiality-level"
CANAL_TELECOM = f"{GUIDE}ror-telecom-communication-channel"
CONTACT_OFFRE = f"{GUIDE}ror-healthcareservice-contact"
TELECOM_OFFRE = f"{GUIDE}ror-healthcareservice-contact-telecom"
DIVISION = f"{GUIDE}ror-territorial-division"
COMMUNE_COG = f"{GUIDE}ror-commune-cog"

TELEPHONE_FIXE, COURRIEL = "2", "3"  # R200
# ContactPoint.system of R4 by channel of R200.
_SYSTEMES = {"1": "phone", "2": "phone", "3": "email", "4": "url", "6": "fax", "8": "phone", "9": "email"}

Ressource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Referentiel:
    """What the codes of a lot of fiches mean: URL by list, label by (list, code), name by commune; and the day of each
    capacity, by (fiche, key): the first one from which it is what it is."""

    urls: Mapping[str, str]
    libelles: Mapping[tuple[str, str], str]
    communes: Mapping[str, str]
    jours_des_capacites: Mapping[tuple[int, str], date]

    def coding(self, liste: str, code: str) -> dict[str, str]:
        coding = {"system": self.urls.get(liste, ""), "code": code, "display": self.libelles.get((liste, code), "")}
        return {cle: mot for cle, mot in coding.items() if mot}

    def concept(self, liste: str, code: str) -> dict[str, Any]:
        return {"coding": [self.coding(liste, code)]}

    def commune(self, code: str) -> dict[str, Any]:
        """A COG code, as the guide writes it: R13, whose concepts are our communes."""
        coding = {"system": self.urls.get("R13", ""), "code": code, "display": self.communes.get(code, "")}
        return {"coding": [{cle: mot for cle, mot in coding.items() if mot}]}


def id_fhir(identifiant: str) -> str:
    """« 11/0000123 » → « 11-0000123 »: a FHIR id knows no slash."""
    return identifiant.replace("/", "-")


def entete(type_: str, profil: str, identifiant: str, referentiel: Referentiel) -> Ressource:
    """Type, id and meta but for version and date, which the projector gives."""
    region = {"system": referentiel.urls.get("R30", ""), "code": settings.PREFIXE_REGION}
    return {
        "resourceType": type_,
        "id": id_fhir(identifiant),
        "meta": {"profile": [GUIDE + profil], "tag": [{cle: mot for cle, mot in region.items() if mot}]},
    }


def reference(type_: str, fiche: Fiche) -> dict[str, str]:
    return {"reference": f"{type_}/{id_fhir(fiche.identifiant)}"}


def extension(url: str, **valeur: Any) -> dict[str, Any]:
    """``extension("nom", valueString="…")``, ``extension("nom", extension=[…])``; a name is one of the guide's."""
    return {"url": url if url.startswith("http") else GUIDE + url, **valeur}


def partie(url: str, **valeur: Any) -> dict[str, Any]:
    """A named part of a complex extension."""
    return {"url": url, **valeur}


def creation(fiche: Fiche) -> dict[str, Any]:
    return extension("ror-meta-creation-date", valueDateTime=fiche.creee_le.isoformat(timespec="seconds"))


def adresse(version: VersionFiche, referentiel: Referentiel) -> list[dict[str, Any]]:
    """Nothing, or one address: the town in its postal form, as the guide writes it."""
    lignes = [ligne for ligne in (version.adresse_complement, version.adresse_voie) if ligne]
    ville = referentiel.communes.get(version.commune, "").upper()
    lue = {"line": lignes, "city": ville, "postalCode": version.code_postal}
    lue = {cle: contenu for cle, contenu in lue.items() if contenu}
    return [lue] if lue else []


def periode(du: date | None, au: date | None) -> dict[str, str]:
    return {cle: jour.isoformat() for cle, jour in (("start", du), ("end", au)) if jour}


def contact_point(referentiel: Referentiel, canal: str, valeur: str, niveau: str) -> dict[str, Any]:
    return {
        "extension": [
            extension(CANAL_TELECOM, valueCodeableConcept=referentiel.concept("R200", canal)),
            extension(CONFIDENTIALITE_TELECOM, valueCodeableConcept=referentiel.concept("R283", niveau)),
        ],
        "system": _SYSTEMES.get(canal, "other"),
        "value": valeur,
    }


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact as it may be told: levels filled in, those of a sensitive unit hardened (domain.md §3)."""

    nature: str
    nom: str
    fonction: str
    niveau: str
    telecoms: tuple[tuple[str, str, str], ...]  # channel, value, level


def contacts(version: VersionFiche) -> Iterable[Contact]:
    for _, contact in sorted(version.contacts.items()):
        niveau = TRES_RESTREINT if version.unite_sensible else contact.get("confidentialite") or RESTREINT
        yield Contact(
            contact.get("nature", ""),
            contact.get("nom", ""),
            contact.get("fonction", ""),
            niveau,
            tuple(
                (t.get("canal", ""), t["valeur"], max(niveau, t.get("confidentialite") or niveau))
                for t in contact.get("telecoms", ())
                if t.get("valeur")
            ),
        )


__all__ = [
    "CANAL_TELECOM", "COMMUNE_COG", "CONFIDENTIALITE", "CONFIDENTIALITE_CONTACT", "CONFIDENTIALITE_TELECOM",
    "CONTACT_OFFRE", "COURRIEL", "DIVISION", "GUIDE", "LIBRE", "RESTREINT", "TELECOM_OFFRE", "TELEPHONE_FIXE",
    "TRES_RESTREINT", "Contact", "Referentiel", "Ressource", "adresse", "contact_point", "contacts", "creation",
    "entete", "extension", "id_fhir", "partie", "periode", "reference",
]  # fmt: skip
