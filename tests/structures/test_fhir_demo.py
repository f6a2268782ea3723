"""Every resource of the demo: valid for an R4 validator that is none of ours, with what the guide makes mandatory."""

from collections import Counter

import fhirkit
import pytest

from structures.champs import CHAMPS
from structures.enums import Niveau
from structures.fhir.exposition import ecarts_d_exposition, exposer
from structures.fhir.index import valeurs
from structures.fhir.visibilite import OBLIGATOIRES
from structures.models import Ressource

pytestmark = pytest.mark.django_db

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
SANS_TYPE = {Niveau.EJ}  # an EJ without legal status is exposed (structures/fhir/visibilite.py)


def test_la_declaration_des_elements_obligatoires():
    declares = {tuple(element.split(".", 1)) for elements in OBLIGATOIRES.values() for element in elements}
    assert {(type_, nom) for type_, nom in declares if nom not in ELEMENTS[type_]} == set()
    assert {(nom, niveau) for niveau, e in OBLIGATOIRES.items() for champs in e.values() for nom in champs} == {
        ("finess", "EJ"), ("nom", "EJ"), ("finess", "EG"), ("nom", "EG"), ("categorie", "EG"), ("commune", "EG"),
        ("nom", "P"), ("nom", "S"), ("nom", "UF"), ("nom", "UO"), ("type_uo", "UO"), ("champ_activite", "UO"),
        ("activites", "UO"), ("mode_prise_en_charge", "UO"), ("age_min", "UO"), ("age_min_unite", "UO"),
        ("age_max", "UO"), ("age_max_unite", "UO"),
    }  # fmt: skip
    assert all(niveau in CHAMPS[nom].niveaux for niveau, e in OBLIGATOIRES.items() for c in e.values() for nom in c)


def test_tout_ce_que_la_demonstration_expose(demo):
    exposer()
    exposees = list(Ressource.objects.filter(contenu__isnull=False).select_related("fiche").order_by("pk"))
    fautes = Counter()
    for ressource in exposees:
        contenu = ressource.contenu
        fautes.update(f"{contenu['resourceType']} {faute.path} {faute.message}" for faute in fhirkit.validate(contenu))
        sans = {"type"} if ressource.fiche.niveau in SANS_TYPE else set()
        fautes.update(
            f"{ressource} n’a pas {nom}"
            for nom, chemin in ELEMENTS[ressource.type].items()
            if nom not in sans and not valeurs(contenu, chemin)
        )
        fautes.update(
            f"{ressource} cite {cite}"
            for chemin in ("partOf", "providedBy", "location", "managingOrganization")
            for cite in valeurs(contenu, f"{chemin}.reference")
            if not Ressource.objects.filter(type=cite.split("/")[0], identifiant=cite.split("/")[1]).exists()
        )
    assert fautes == {}
    assert {x.fiche.niveau for x in exposees} == set(Niveau)
    assert {x.type for x in exposees} == set(ELEMENTS)
    assert ecarts_d_exposition() == []
