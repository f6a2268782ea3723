"""The examples of the national guide, built from fiches that say the same: they come out equal but for ids.

What an example says that no field of ours holds, and what ours says more, is listed here.
"""

import json
from datetime import date, datetime
from typing import Any

import fhirkit
import pytest
from django.test import override_settings

from structures.enums import Niveau
from structures.fhir.chargement import referentiel, referentiel_des_listes
from structures.fhir.ressources import ressources
from structures.models import Fiche, VersionFiche

from .officielles import DONNEES

pytestmark = pytest.mark.django_db

EXEMPLES = DONNEES / "fhir" / "examples"
CREEE = datetime.fromisoformat("2023-12-09T14:30:00+01:00")
STANDARD = {
    "nature": "06",
    "confidentialite": "1",
    "telecoms": [{"canal": "2", "valeur": "01.01.01.01.01", "confidentialite": "1"}],
}


def fiche(identifiant: str, niveau: str, parent: str = "", creee_le: datetime = CREEE, **champs: Any) -> VersionFiche:
    """A version that the database never saw."""
    parent_ = Fiche(pk=2, identifiant=parent, niveau=Niveau.EG) if parent else None
    identite = Fiche(pk=1, identifiant=identifiant, niveau=niveau, creee_le=creee_le)
    return VersionFiche(fiche=identite, niveau=niveau, parent=parent_, eg=identite, **champs)


def interne(niveau: str, nom: str, parent: str) -> VersionFiche:
    return fiche("ZZZ", niveau, parent, nom=nom)


CAS: dict[str, VersionFiche] = {
    "organization-ej": fiche(
        "2921317258", Niveau.EJ, nom="Quiétude", siren="921317258", statut_juridique="72",
        adresse_voie="103 rue des Bourguignons", code_postal="92270", commune="92009",
    ),
    "organization-eg": fiche(
        "392131725800020", Niveau.EG, "1111", nom="Quiétude BOIS COLOMBES", siret="92131725800020", categorie="460",
        adresse_voie="45 rue du général Leclerc", code_postal="92270", commune="92009",
        places_aide_sociale_permanentes=12, contacts={"a": STANDARD},
    ),
    "organization-oi-1": interne(Niveau.POLE, "Pôle Chirurgical B", "3536"),
    "organization-oi-2": interne(Niveau.SERVICE, "Tête et Cou", "3537"),
    "organization-oi-3": interne(Niveau.UF, "Neurochirurgie", "6963"),
    "healthcareservice-saad-saisie": fiche(
        "ZZZ", Niveau.UO, "2424", nom="Services à domicile quiétude Bois Colombes", type_uo="30", champ_activite="04",
        activites=["298", "299"], familles_serafin=["019", "020"], mode_prise_en_charge="59", mode_gestion="02",
        actes=["0784", "0785", "0786", "0787"], publics=["01"], territoire=["92009"],
        age_min=60, age_min_unite="an", age_max=120, age_max_unite="an", contacts={"a": STANDARD},
        horaires={"02/2023-12-18": {jour: [["09:00", "17:00"]] for jour in "12345"}},
    ),
    "healthcareservice-mco-v0.7.0": fiche(
        "06/0099999", Niveau.UO, "999999", datetime.fromisoformat("2017-11-27T17:12:28+00:00"),
        nom="5812  Chirurgie gynécologique - HOSPITALISATION COMPLETE", type_uo="157", champ_activite="01",
        activites=["022"], ouverture_annuelle="02", age_min=15, age_min_unite="an", age_max=150, age_max_unite="an",
        horaires={"01/2025-04-07": {jour: [["00:00", "24:00"]] for jour in "1234567"}},
        contacts={"a": {**STANDARD, "telecoms": [{"canal": "2", "valeur": "0199999999", "confidentialite": "1"}]}},
    ),
}  # fmt: skip


# What only the example says: no field of ours holds it.
SANS_CHAMP = {
    "organization-eg": ["extension[accomodation-family]"],
    "healthcareservice-mco-v0.7.0": [
        "characteristic[R253-TypeMaternite]",
        "extension[questionnaire-used-as-a-template]",
    ],
}
# What only ours says: that it is active, the region of a resource, and where the examples do without
# what the guide knows.
DIT_EN_PLUS = {
    **{nom: ["active", "meta.tag"] for nom in CAS},
    "healthcareservice-mco-v0.7.0": ["active"],
    "organization-eg": ["active", "meta.tag", "extension[nb-permanent-social-help-place]"],
    "healthcareservice-saad-saisie": [
        "active", "meta.tag", "identifier.type", "availableTime.extension[effective-opening-closing-date]",
        "extension[patient-type].extension[ageRange].valueRange.low.code",
        "extension[patient-type].extension[ageRange].valueRange.low.system",
        "extension[patient-type].extension[ageRange].valueRange.high.code",
        "extension[patient-type].extension[ageRange].valueRange.high.system",
    ],
}  # fmt: skip


@pytest.mark.skipif(not EXEMPLES.exists(), reason=f"no examples of the guide in {EXEMPLES}")
@pytest.mark.parametrize("nom", CAS)
def test_un_exemple_du_guide(nom):
    # Our typical weeks begin on a Monday, those of the example on a Tuesday.
    exemple = json.loads((EXEMPLES / f"{nom}.json").read_text(encoding="utf-8").replace("2025-04-08", "2025-04-07"))
    version = CAS[nom]
    with override_settings(PREFIXE_REGION="06"):
        construite = ressources(version, version, referentiel([version], referentiel_des_listes()), date(2025, 4, 8))[0]
    assert fhirkit.validate(construite) == []
    for chemin in SANS_CHAMP.get(nom, ()):
        retirer(exemple, chemin)
    for chemin in DIT_EN_PLUS.get(nom, ()):
        retirer(construite, chemin)
    assert sans_ids(construite) == sans_ids(exemple)


def retirer(objet: dict[str, Any], chemin: str) -> None:
    """Take away what is at « name[part of what it says].name »; it must be there."""
    ici, _, suite = chemin.partition(".")
    nom, _, mot = ici.removesuffix("]").partition("[")
    if not isinstance(objet[nom], list):
        if suite:
            retirer(objet[nom], suite)
        else:
            del objet[nom]
        return
    vises = [element for element in objet[nom] if mot in json.dumps(element)]
    assert vises, chemin
    if suite:
        for element in vises:
            retirer(element, suite)
        return
    objet[nom] = [element for element in objet[nom] if element not in vises]
    if not objet[nom]:
        del objet[nom]


def sans_ids(contenu: Any) -> Any:
    """Order and ids left aside, and labels: ours are those of newer lists."""
    if isinstance(contenu, list):
        return sorted((sans_ids(x) for x in contenu), key=str)
    if not isinstance(contenu, dict):
        return contenu
    lu = {cle: sans_ids(x) for cle, x in sorted(contenu.items()) if cle not in ("id", "lastUpdated", "display")}
    if "reference" in lu:
        lu["reference"] = lu["reference"].split("/")[0]
    return lu
