"""What each question of R4 finds: exact sets over a small register."""

import pytest
from django.test import Client

from .banc import Registre, code, lieu, lire, offre, organisation

GUIDE = "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/"
S, T = "https://nos/S", "https://nos/T"


def _age(bas: dict, haut: dict) -> dict:
    return {
        "url": GUIDE + "ror-healthcareservice-patient-type",
        "extension": [
            {"url": "ageRange", "valueRange": {"low": bas, "high": haut}},
            {"url": "supportedPatientInfo", "valueCodeableConcept": code(T, "01")[0]},
        ],
    }


def _zone(commune: str) -> dict:
    partie = {"url": "codeTerritorialDivision", "valueCodeableConcept": code(T, commune)[0]}
    return {"url": GUIDE + "ror-territorial-division", "extension": [partie]}


def _fin(jour: str) -> dict:
    return {"url": "http://hl7.org/fhir/StructureDefinition/organization-period", "valuePeriod": {"end": jour}}


def _capacite(nombre: int, jour: str) -> dict:
    parties = [{"url": "nbCapacity", "valueInteger": nombre}, {"url": "capacityUpdateDate", "valueDateTime": jour}]
    return {"url": GUIDE + "ror-location-supported-capacity", "extension": parties}


def _commune(code_: str) -> dict:
    return {"url": GUIDE + "ror-commune-cog", "valueCodeableConcept": code(T, code_)[0]}


@pytest.fixture
def peuple(registre: Registre) -> Registre:
    paris = [{"line": ["1 av. Vellefaux"], "city": "PARIS", "postalCode": "75010"}]
    finess = [{"system": "urn:finess", "value": "750000001", "type": code(S, "1")[0]}]
    registre.exposer(organisation("ej", "Fondation St-Louis, Nord", type=code(S, "72")))
    registre.exposer(
        organisation("h", "Hôpital Saint-Louis", alias=["HSL"], type=code(S, "101"), identifier=finess, active=True,
                     address=paris, partOf={"reference": "Organization/ej"}),
        organisation("t", "EHPAD Les Tilleuls", type=code(T, "101", "500"), partOf={"reference": "Organization/ej"},
                     extension=[_fin("2026-12-31")]),
        organisation("p", "Pôle A|B", partOf={"reference": "Organization/h"}, identifier=[{"value": "ZZZ"}],
                     extension=[_fin("2026-06-15"), {"url": "autre"}]),
    )  # fmt: skip
    registre.exposer(
        offre("u1", "p", specialty=code(S, "022"), location=[{"reference": "Location/l1"}],
              extension=[_age({"value": 15, "code": "a"}, {"value": 120}), _zone("92009"), _zone("75110")]),
        offre("u2", "t", specialty=code(S, "022", "023"), extension=[_age({"value": 6, "code": "mo"}, {"value": 3})]),
        offre("u3", "h", specialty=[{"coding": [{"code": "024"}]}]),
    )  # fmt: skip
    registre.exposer(
        lieu("l1", 48.874, 2.368,
             extension=[_commune("75110"), _capacite(12, "2026-01-15"), _capacite(3, "2026-11-02")]),
        lieu("l2", 48.86, 2.44, extension=[_commune("93048"), _capacite(20, "2026-11-03")]),
        lieu("l3", -21.1, 55.5, extension=[_commune("75110")]), lieu("l4", -16.5, -179.9),
        {"resourceType": "Location", "id": "l5", "name": "Sans position", "extension": [_commune("93048")]},
    )  # fmt: skip
    registre.exposer(organisation("fermee", "Hôpital fermé"))
    registre.retirer("Organization", "fermee")
    return registre


ORGANISATIONS = {
    "": "ej h p t",
    "_id=h": "h",
    "_id=h,t,absent": "h t",
    "_id:not=h,t": "ej p",
    # strings: beginning, without case, accents, punctuation; « St » is « Saint »
    "name=hopital st": "h",
    "name=HÔPITAL": "h",
    "name=hsl": "h",
    "name=louis": "",
    "name:contains=louis": "ej h",
    "name:contains=saint louis nord": "ej",
    "name:exact=Hôpital Saint-Louis": "h",
    "name:exact=hôpital saint-louis": "",
    r"name:exact=Fondation St-Louis\, Nord": "ej",
    "name:exact=Pôle A|B": "p",
    "name=ehpad,hop": "h t",
    "name=hop&name=hsl": "h",
    "name=hop&name=ehpad": "",
    "name=%25": "",
    "name=.*": "",
    "name:contains=" + "a" * 9000: "",
    "name:missing=false": "ej h p t",
    # tokens
    "type=101": "h t",
    f"type={S}|101": "h",
    f"type={T}|": "t",
    "type=|101": "",
    "type:not=101": "ej p",
    "type=72,500": "ej t",
    "type=101&type=500": "t",
    "type:missing=true": "p",
    "active=true": "h",
    "active:missing=true": "ej p t",
    "identifier=750000001": "h",
    "identifier=urn:finess|750000001": "h",
    "identifier=|ZZZ": "p",
    "identifier=|750000001": "",
    f"identifier:of-type={S}|1|750000001": "h",
    f"identifier:of-type={S}|2|750000001": "",
    # addresses
    "address-city=par": "h",
    "address-postalcode=75010": "h",
    "address=1 av": "h",
    "address-city:missing=true": "ej p t",
    # references and chains
    "partof=ej": "h t",
    "partof=Organization/ej": "h t",
    "partof=http://testserver/fhir/Organization/ej": "h t",
    "partof=https://ailleurs/fhir/Organization/ej": "",
    "partof:Organization=ej,h": "h p t",
    "partof.name=fondation": "h t",
    "partof.partof.name:contains=louis": "p",
    "partof.identifier=urn:finess|750000001": "p",
    "partof:Organization.type=72": "h t",
    "partof.name=personne": "",
    "partof:missing=true": "ej",
    # dates: ej at .001, the others of this type at .002, and at .005 and .006 the closed one
    "_lastUpdated=2026-11-20": "ej h p t",
    "_lastUpdated=ne2026-11-20": "",
    "_lastUpdated=gt2026-11-20": "",
    "_lastUpdated=ge2026-11-20&_lastUpdated=le2026": "ej h p t",
    "_lastUpdated=lt2026-11-20T08:00:00.002+01:00": "ej",
    "_lastUpdated=le2026-11-20T08:00:00.001 01:00": "ej",
    "_lastUpdated=2026-11-20T07:00:00.002Z": "h p t",
    "_lastUpdated=sa2026-11-19": "ej h p t",
    "_lastUpdated=eb2026-11": "",
    "_lastUpdated=ap2026-11-20": "ej h p t",
    "period-end=2026": "p t",
    "period-end=2026-12": "t",
    "period-end=le2026-06-15": "p",
    "period-end=lt2026-06-15,gt2026-12-30": "t",
    "period-end=ne2026-12-31": "p",
    "period-end=2026-12-31T08:00": "",
    "period-end:missing=true": "ej h",
}

OFFRES = {
    "specialty=022": "u1 u2",
    "specialty=022&specialty=023": "u2",
    "specialty=|024": "u3",
    "organization=Organization/p": "u1",
    "organization.partof.name=hop": "u1",
    "organization.name:contains=tilleuls": "u2",
    "organization.partof.partof=ej": "u1",
    "organization._id=h,t": "u2 u3",
    "location=l1": "u1",
    "location.near=48.87|2.37|2|km": "u1",
    "patient-type=01": "u1 u2",
    "intervention-zone=92009": "u1",
    f"intervention-zone={T}|75110&intervention-zone=92009": "u1",
    # ages, in any unit; a number without one is in years
    "age-range-low=15": "u1",
    "age-range-low=15|http://unitsofmeasure.org|a": "u1",
    "age-range-low=le1": "u2",
    "age-range-low=6||mo": "u2",
    "age-range-low=gt6||mo": "u1",
    "age-range-low=ge6||mo": "u1 u2",
    "age-range-low=lt26.1||wk": "u2",
    "age-range-high=ge18&age-range-low=le18": "u1",
    "age-range-high=ne3": "u1",
    "age-range-high=ap3.2": "u2",
    "age-range-low:missing=true": "u3",
    # what the draft of the guide writes « name » of
    "name=unite u": "u1 u2 u3",
}

LIEUX = {
    "": "l1 l2 l3 l4 l5",
    "near=48.874|2.368|0|km": "l1",
    "near=48.874|2.368|7|km": "l1 l2",
    "near=48.874|2.368|300|m": "l1",
    "near=48.874|2.368": "l1 l2",
    "near=-21.1|55.5|1|km,48.86|2.44|1|km": "l2 l3",
    "near=-16.5|179.9|50|km": "l4",
    "near=89|0|12000|km": "l1 l2 l4",
    "near:missing=true": "l5",
    # around a commune: its places, wherever they are, and those around the middle of them
    "near-insee-code=93048": "l1 l2 l5",
    "near-insee-code=93048|0|km": "l2 l5",
    "near-insee-code=93048|300|m": "l2 l5",
    "near-insee-code=75110|0": "l1 l3",
    "near-insee-code=99999|0": "",
    "near-insee-code:missing=true": "l4",
    "commune-cog=93048": "l2 l5",
    # numbers and dates of several capacities: one of them must do
    "nb-capacity=12": "l1",
    "nb-capacity=12.0": "l1",
    "nb-capacity=1e1": "l1",
    "nb-capacity=ne12": "l1 l2",
    "nb-capacity=gt12": "l2",
    "nb-capacity=ge12": "l1 l2",
    "nb-capacity=lt3": "",
    "nb-capacity=le3,20": "l1 l2",
    "nb-capacity=ap19": "l2",
    "nb-capacity=gt3&nb-capacity=lt12": "l1",
    "nb-capacity:missing=true": "l3 l4 l5",
    "capacity-update-date=2026-11": "l1 l2",
    "capacity-update-date=lt2026-02": "l1",
    "capacity-update-date=ge2026-11-03": "l2",
    "capacity-update-date=ge2026-11-02T12:00": "l1 l2",
    "capacity-update-date=sa2026-11-02T12:00": "l2",
    "capacity-update-date=ne2026-11-03": "l1",
    "name=lieu l1": "l1",
}


@pytest.mark.parametrize(
    ("type_", "questions"),
    [("Organization", ORGANISATIONS), ("HealthcareService", OFFRES), ("Location", LIEUX)],
    ids=["organisations", "offres", "lieux"],
)
def test_ce_que_chaque_question_trouve(peuple, consommateur: Client, type_, questions):
    def trouvees(question: str) -> str:
        reponse = consommateur.get(f"/fhir/{type_}?{question.replace('+', '%2B')}")
        assert reponse.status_code == 200, (question, reponse.content)
        return " ".join(e["resource"]["id"] for e in lire(reponse).get("entry", []))

    assert {q: trouvees(q) for q in questions} == questions


REFUSEES = [
    "_lastUpdated=hier", "_lastUpdated=2026-13", "_lastUpdated=2026-02-30", "_lastUpdated:exact=2026",
    "_count=x", "_count=-1", "_total=beaucoup", "_summary=oui", "near=x|y", "near=91|0", "near=48|2|1|lieue",
    "name:above=x", "type:contains=x", "type=|", "type=a|b|c", "identifier:of-type=a|b", "name.nom=x", "type.code=1",
    "partof:Location.name=x", "partof:missing=peut-etre", "age-range-low=jeune", "age-range-low=3||siecle",
    "partof.partof.partof.partof.partof.name=x", "_include:above=Organization:partof", "_cursor=faux",
    "name=" + ",".join("a" * 21), "type=" + ",".join("a" * 2001), "&".join(["name=a"] * 51),
    "&".join(["partof.name=a"] * 11), "_count=1_0", "_count=٣", "&".join(["name:contains=a"] * 41),
    "&".join(["near=48|2,48|2"] * 21), "near-insee-code=75110,75111", "near-insee-code=|5", "near-insee-code=1|2|km|4",
    "near-insee-code=1|-2", "near-insee-code=75110", "near=48", "near=48|2|1|km|x", "nb-capacity=deux",
    "nb-capacity:exact=2",
    "capacity-update-date=hier", "capacity-update-date=ap9999-12-31T23:00Z", "&".join(["partof.name=" + "a," * 20] * 2),
]  # fmt: skip


def test_ce_qui_ne_veut_rien_dire_est_refuse(consommateur: Client):
    for question in REFUSEES:
        type_ = (
            "HealthcareService"
            if "age" in question
            else "Location"
            if "near" in question or "capacity" in question
            else "Organization"
        )
        reponse = consommateur.get(f"/fhir/{type_}?{question}")
        assert (reponse.status_code, lire(reponse)["resourceType"]) == (400, "OperationOutcome"), question


def test_ce_qui_est_inconnu_est_ignore_et_dit_ou_refuse(peuple, consommateur: Client):
    question = "/fhir/Organization?couleur=bleu&_sort=taille&_include=Patient:general-practitioner&_id=h"
    bundle = lire(consommateur.get(question))
    assert [(e["search"]["mode"], e["resource"]["resourceType"]) for e in bundle["entry"]] == [
        ("match", "Organization"),
        ("outcome", "OperationOutcome"),
    ]
    dits = " ".join(i["diagnostics"] for i in bundle["entry"][1]["resource"]["issue"])
    assert all(mot in dits for mot in ("couleur", "taille", "general-practitioner"))
    assert bundle["link"][0]["url"] == "http://testserver/fhir/Organization?_id=h"
    assert consommateur.get(question, headers={"Prefer": "handling=strict"}).status_code == 400
    assert consommateur.get(question, headers={"Prefer": "handling=lenient"}).status_code == 200


def test_une_recherche_par_formulaire_dit_la_meme_chose(peuple, consommateur: Client):
    par_adresse = consommateur.get("/fhir/Organization?name=hop&_count=1")
    formulaire = "application/x-www-form-urlencoded"
    par_corps = consommateur.post("/fhir/Organization/_search?_count=1", "name=hop", content_type=formulaire)
    assert lire(par_corps)["entry"] == lire(par_adresse)["entry"]
    assert consommateur.post("/fhir/Organization/_search", "{}", content_type="application/json").status_code == 415


def _modes(bundle: dict) -> dict[str, str]:
    modes = {"match": [], "include": []}
    for entree in bundle["entry"]:
        modes[entree["search"]["mode"]].append(entree["resource"]["id"])
    return {mode: " ".join(sorted(ids)) for mode, ids in modes.items()}


@pytest.mark.parametrize(
    ("question", "trouvees", "incluses"),
    [
        ("HealthcareService?_include=HealthcareService:organization", "u1 u2 u3", "h p t"),
        ("HealthcareService?_id=u1&_include=HealthcareService:organization&_include:iterate=Organization:partof", "u1",
         "ej h p"),
        ("HealthcareService?_id=u1&_include=*", "u1", "l1 p"),
        ("HealthcareService?_id=u1&_include=HealthcareService:location:Location", "u1", "l1"),
        ("Organization?_id=h&_revinclude=HealthcareService:organization&_revinclude=Organization:partof", "h", "p u3"),
        ("Organization?_id=ej&_revinclude:iterate=Organization:partof&_revinclude:iterate=HealthcareService:organization",
         "ej", "h p t u1 u2 u3"),
        ("Organization?_id=h,ej&_include=Organization:partof", "ej h", ""),
        ("Location?_id=l1&_revinclude=*", "l1", "u1"),
    ],
)  # fmt: skip
def test_ce_qui_vient_avec(peuple, consommateur: Client, question, trouvees, incluses):
    assert _modes(lire(consommateur.get(f"/fhir/{question}"))) == {"match": trouvees, "include": incluses}


def test_ce_qui_est_montre(peuple, consommateur: Client):
    def premiere(question: str) -> dict:
        (entree,) = lire(consommateur.get(f"/fhir/Organization?_id=h&{question}"))["entry"]
        return entree["resource"]

    assert premiere("").keys() == {
        "resourceType", "id", "meta", "name", "alias", "type", "identifier", "active", "address", "partOf"
    }  # fmt: skip
    resume = premiere("_summary=true")
    assert resume.keys() == {"resourceType", "id", "meta", "name", "type", "identifier", "active", "partOf"}
    assert resume["meta"]["tag"][-1]["code"] == "SUBSETTED"
    assert premiere("_elements=address, name").keys() == {"resourceType", "id", "meta", "name", "address"}
    assert premiere("_summary=text").keys() == {"resourceType", "id", "meta"}
    assert premiere("_summary=false") == premiere("")
    compte = lire(consommateur.get("/fhir/Organization?_summary=count"))
    assert (compte["total"], "entry" in compte) == (4, False)


def test_une_chaine_large_se_joint_au_lieu_de_s_enumerer(peuple, consommateur: Client, monkeypatch):
    monkeypatch.setattr("structures.fhir.conditions.CIBLES_MAX", 1)
    bundle = lire(consommateur.get("/fhir/HealthcareService?organization.name:missing=false&organization.partof=ej"))
    assert _modes(bundle)["match"] == "u2 u3"


def test_trop_de_ressources_liees_se_dit(peuple, consommateur: Client, monkeypatch):
    monkeypatch.setattr("structures.fhir.recherche.INCLUS_MAX", 2)
    bundle = lire(consommateur.get("/fhir/HealthcareService?_include=HealthcareService:organization"))
    assert [e["search"]["mode"] for e in bundle["entry"]] == ["match"] * 3 + ["include"] * 2 + ["outcome"]
