"""What a resource can be found by, from its JSON alone."""

import pytest

from structures.fhir.index import INDEX_VIDE, LONGUEUR_JETON, indexer, jeton

GUIDE = "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/"
R239, R13 = "https://nos/R239", "https://nos/R13"


def _code(systeme: str, code: str) -> dict:
    return {"coding": [{"system": systeme, "code": code, "display": "…"}]}


def offre(**plus: object) -> dict:
    return {
        "resourceType": "HealthcareService",
        "id": "1",
        "meta": {"tag": [{"system": "https://nos/R30", "code": "11"}]},
        "extension": [
            {"url": GUIDE + "ror-healthcareservice-sensitive-unit", "valueBoolean": False},
            {
                "url": GUIDE + "ror-healthcareservice-patient-type",
                "extension": [
                    {"url": "ageRange", "valueRange": {"low": {"value": 6, "code": "mo"}, "high": {"value": 3}}},
                    {"url": "supportedPatientInfo", "valueCodeableConcept": _code(R239, "01")},
                ],
            },
            {
                "url": GUIDE + "ror-territorial-division",
                "extension": [{"url": "codeTerritorialDivision", "valueCodeableConcept": _code(R13, "92009")}],
            },
        ],
        "identifier": [{"type": _code("https://nos/R355", "35"), "value": "11/0000123"}],
        "active": True,
        "providedBy": {"reference": "Organization/7"},
        "location": [{"reference": "Location/8"}, {"reference": "Location/9"}],
        "name": "Unité de Soins — L’Été",
        **plus,
    }


def test_chaque_forme_d_une_question():
    index = indexer(offre())
    assert index.jetons == sorted([
        "_tag", "_tag=11", "_tag|https://nos/R30|11", "_tag|https://nos/R30|",
        "active", "active=true", "active||true",
        "age-range-high", "age-range-low",
        "identifier", "identifier=11/0000123", "identifier||11/0000123",
        "identifier:of-type|https://nos/R355|35|11/0000123",
        "intervention-zone", "intervention-zone=92009", f"intervention-zone|{R13}|92009", f"intervention-zone|{R13}|",
        "location", "name", "name=Unité de Soins — L’Été", "organization",
        "patient-type", "patient-type=01", f"patient-type|{R239}|01", f"patient-type|{R239}|",
    ])  # fmt: skip
    assert (index.textes, index.tri) == ("\nname|unite de soins l ete\n", "unite de soins l ete")
    assert (index.age_min, index.age_max) == (6 * 30.4375, 3 * 365.25)
    assert index.references == ["organization|Organization/7", "location|Location/8", "location|Location/9"]
    assert (index.latitude, index.longitude) == (None, None)


def test_un_lieu_a_une_place_et_une_adresse():
    lieu = {
        "resourceType": "Location", "id": "8", "name": "Site", "position": {"latitude": 48.85, "longitude": 2.35},
        "address": {"line": ["1 rue A", "Bât. B"], "city": "PARIS", "postalCode": "75001"},
        "managingOrganization": {"reference": "Organization/7"},
    }  # fmt: skip
    index = indexer(lieu)
    assert (index.latitude, index.longitude) == (48.85, 2.35)
    assert index.textes == (
        "\nname|site\naddress|1 rue a\naddress|bat b\naddress|paris\naddress|75001"
        "\naddress-city|paris\naddress-postalcode|75001\n"
    )
    assert index.references == ["organization|Organization/7"]


@pytest.mark.parametrize("contenu", [{"resourceType": "Organization", "id": "1"}, {"resourceType": "Location"}])
def test_rien_a_trouver(contenu):
    assert indexer(contenu) == INDEX_VIDE == ([], "", "", None, None, None, None, [], [], [], [])


def test_un_jeton_tient_dans_l_index():
    long = "name=" + "é" * 3000
    assert len(jeton(long)) == LONGUEUR_JETON + 65
    assert jeton(long) != jeton(long + "e")
    assert jeton("name=court") == "name=court"
