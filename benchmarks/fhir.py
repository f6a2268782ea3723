"""Search of the exposition: whole requests (token, quota, count of use, view, Bundle) beside the bare SQL of the page.

120,000 resources: 20,000 Organization, 50,000 HealthcareService, 50,000 Location, of the size of the guide's examples.
"""

import json
import random
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection
from django.test import Client
from django.utils import timezone

from structures.fhir.index import Index, indexer
from structures.models import Fiche
from tests.factories.consommateurs import porteur

from .mesure import tableau

ORGANISATIONS, OFFRES = 20_000, 50_000
FOIS, PAGE = 60, 50
NOS = "https://mos.esante.gouv.fr/NOS/"
GUIDE = "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/"
MOTS = "hôpital clinique ehpad maison résidence foyer centre service unité pôle saint louis jean marie tilleuls parc".split()


def _concept(liste: str, code: str) -> dict[str, Any]:
    systeme = f"{NOS}{liste}/FHIR/{liste}"
    return {"coding": [{"system": systeme, "code": code, "display": f"Libellé du code {code} de la liste {liste}"}]}


def _contact(hasard: random.Random) -> dict[str, Any]:
    niveau = _concept("TRE_R283-NiveauConfidentialite", hasard.choice("123"))
    telecom = [
        {"url": GUIDE + "ror-telecom-communication-channel", "valueCodeableConcept": _concept("TRE_R200-Canal", "2")},
        {"url": GUIDE + "ror-telecom-confidentiality-level", "valueCodeableConcept": niveau},
        {"url": "telecomAddress", "valueString": "0199999999"},
    ]
    parties = [
        {"url": "purposeContact", "valueCodeableConcept": _concept("TRE_R287-NatureContact", "06")},
        {"url": GUIDE + "ror-confidentiality-level", "valueCodeableConcept": niveau},
        {"url": GUIDE + "ror-healthcareservice-contact-telecom", "extension": telecom},
    ]
    return {"url": GUIDE + "ror-healthcareservice-contact", "extension": parties}


def _ressources() -> Iterator[dict[str, Any]]:
    hasard = random.Random(6)
    meta = {"versionId": "1", "lastUpdated": timezone.localtime().isoformat(timespec="milliseconds")}

    def nom() -> str:
        return " ".join(hasard.choices(MOTS, k=4)) + f" {hasard.randrange(10_000)}"

    for i in range(ORGANISATIONS):
        yield {
            "resourceType": "Organization", "id": f"1{i:09}", "meta": meta, "active": True, "name": nom(),
            "identifier": [{"system": "http://finess.esante.gouv.fr", "value": f"{i:09}", "type": _concept("G07", "1")}],
            "type": [_concept("TRE_R66-CategorieEtablissement", str(100 + hasard.randrange(300)))],
            "address": [{"city": f"VILLE {hasard.randrange(1000)}", "postalCode": f"{75000 + hasard.randrange(1000)}"}],
            **({"partOf": {"reference": f"Organization/1{hasard.randrange(i // 10 + 1):09}"}} if i > 2000 else {}),
        }  # fmt: skip
    for i in range(OFFRES):
        ages = {
            "low": {"value": hasard.randrange(70), "code": "a"},
            "high": {"value": 80 + hasard.randrange(40), "code": "a"},
        }
        public = [{"url": "ageRange", "valueRange": ages},
                  {"url": "supportedPatientInfo", "valueCodeableConcept": _concept("R239", f"{hasard.randrange(40):02}")}]  # fmt: skip
        yield {
            "resourceType": "HealthcareService", "id": f"11-{i:07}", "meta": meta, "active": True, "name": nom(),
            "extension": [{"url": GUIDE + "ror-healthcareservice-patient-type", "extension": public}, _contact(hasard)],
            "identifier": [{"type": _concept("R355", "35"), "value": f"11/{i:07}"}],
            "providedBy": {"reference": f"Organization/1{hasard.randrange(ORGANISATIONS):09}"},
            "category": [_concept("J238", str(hasard.randrange(200)))], "type": [_concept("R227", f"0{hasard.randrange(7)}")],
            "specialty": [_concept("R211", f"{hasard.randrange(400):03}") for _ in range(3)],
            "characteristic": [_concept("R210", f"{hasard.randrange(900):04}") for _ in range(6)],
            "location": [{"reference": f"Location/11-{i:07}"}],
            "availableTime": [{"daysOfWeek": [jour], "availableStartTime": "09:00:00", "availableEndTime": "17:00:00",
                               "extension": [{"url": GUIDE + "ror-available-time-type-of-time",
                                              "valueCodeableConcept": _concept("R252", "01")}]}
                              for jour in ("mon", "tue", "wed", "thu", "fri")],
        }  # fmt: skip
        yield {
            "resourceType": "Location", "id": f"11-{i:07}", "meta": meta, "status": "active", "name": nom(),
            "position": {"latitude": 48 + hasard.random(), "longitude": 1.5 + 2 * hasard.random()},
            "managingOrganization": {"reference": f"Organization/1{hasard.randrange(ORGANISATIONS):09}"},
        }  # fmt: skip


def peupler() -> None:
    fiche, maj = Fiche.objects.create(niveau="EJ", identifiant="1000000000").pk, timezone.now()
    colonnes = ("type", "identifiant", "fiche_id", "version", "maj", "contenu", *Index._fields)
    with connection.cursor() as curseur:
        noms = ", ".join(f'"{colonne}"' for colonne in colonnes)
        with curseur.copy(f"COPY structures_ressource ({noms}) FROM STDIN") as copie:
            for r in _ressources():
                copie.write_row([r["resourceType"], r["id"], fiche, 1, maj, json.dumps(r), *indexer(r)])
        curseur.execute(
            "INSERT INTO structures_ressourceversion (type, identifiant, fiche_id, version, maj, action, contenu)"
            " SELECT type, identifiant, fiche_id, version, maj, 'create', contenu FROM structures_ressource ORDER BY id"
        )
        curseur.execute("VACUUM ANALYZE structures_ressource")
        curseur.execute("ANALYZE structures_ressourceversion")


_PAGE = "SELECT contenu FROM structures_ressource WHERE type = '{}' AND contenu IS NOT NULL AND {} ORDER BY {} LIMIT 51"


def _sql(type_: str, condition: str, ordre: str = "identifiant") -> str:
    return _PAGE.format(type_, condition, ordre)


# Title, address, the same by hand: both with the parameters that a draw gives.
QUESTIONS: list[tuple[str, str, str, Callable[[random.Random], dict[str, Any]]]] = [
    ("read", "Organization/1{n:09}", "SELECT contenu FROM structures_ressource WHERE type = 'Organization'"
     " AND identifiant = '1{n:09}'", lambda h: {"n": h.randrange(ORGANISATIONS)}),
    ("identifier", "Organization?identifier={n:09}", _sql("Organization", "jetons @> '{{\"identifier={n:09}\"}}'"),
     lambda h: {"n": h.randrange(ORGANISATIONS)}),
    ("specialty, 370 found", "HealthcareService?specialty={n:03}",
     _sql("HealthcareService", "jetons @> '{{specialty={n:03}}}'"), lambda h: {"n": h.randrange(400)}),
    ("specialty, age and patient-type", "HealthcareService?specialty={n:03}&age-range-low=le{a}&patient-type={p:02}",
     _sql("HealthcareService", "jetons @> '{{specialty={n:03},patient-type={p:02}}}' AND age_min <= {a} * 365.25"),
     lambda h: {"n": h.randrange(400), "a": h.randrange(20, 70), "p": h.randrange(40)}),
    ("service-type, 7,000 found", "HealthcareService?service-type=0{t}",
     _sql("HealthcareService", "jetons @> '{{service-type=0{t}}}'"), lambda h: {"t": h.randrange(7)}),
    ("everything by date", "HealthcareService?_sort=-_lastUpdated", _sql("HealthcareService", "true", "maj DESC, identifiant"),
     lambda h: {}),
    ("name begins", "Organization?name={m}%20{o}", _sql("Organization", "textes LIKE E'%\\nname|{m} {o}%'"),
     lambda h: {"m": h.choice(MOTS[5:]), "o": h.choice(MOTS[5:])}),
    ("name contains", "Organization?name:contains={n}", _sql("Organization", "textes ~ E'\\nname\\\\|[^\\n]*{n}'"),
     lambda h: {"n": h.randrange(1000, 10_000)}),
    ("chain", "HealthcareService?organization.identifier={n:09}",
     _sql("HealthcareService", "\"references\" @> (SELECT ARRAY['organization|Organization/' || identifiant] FROM"
          " structures_ressource WHERE type = 'Organization' AND jetons @> '{{identifier={n:09}}}')"),
     lambda h: {"n": h.randrange(ORGANISATIONS)}),
    ("near, 5 km", "Location?near={lat}|{lon}|5|km",
     _sql("Location", "latitude BETWEEN {lat} - 0.046 AND {lat} + 0.046 AND longitude BETWEEN {lon} - 0.071 AND {lon} + 0.071 AND 6371 * acos(least(1, sin(radians(latitude))"
          " * sin(radians({lat})) + cos(radians(latitude)) * cos(radians({lat})) * cos(radians(longitude - {lon})))) <= 5"),
     lambda h: {"lat": 48 + h.random(), "lon": 1.5 + 2 * h.random()}),
    ("feed, newest first", "_history", "SELECT contenu FROM structures_ressourceversion ORDER BY rang DESC LIMIT 51",
     lambda h: {}),
]  # fmt: skip


def mesurer_fhir() -> None:
    peupler()
    clients = {
        profil: Client(headers=porteur(profil=profil, quota_minute=10**6, quota_jour=10**6)) for profil in (0, 1)
    }
    lignes = []
    for titre, adresse, sql, tirer in QUESTIONS:
        tirages = [tirer(random.Random(i)) for i in range(FOIS)]
        bruts = [_chronometrer(_demander, sql.format(**t)) for t in [*tirages, *tirages]][FOIS:]
        ligne = [titre, f"{_centile(bruts, 50):.1f}", f"{_centile(bruts, 95):.1f}"]
        for profil in (1, 0):
            entiers = [_chronometrer(_lire, clients[profil], adresse.format(**t)) for t in tirages]
            rapports = (f"{_centile(entiers, c) / _centile(bruts, c):.1f}" for c in (50, 95))
            ligne += [f"{_centile(entiers, 50):.1f}", f"{_centile(entiers, 95):.1f}", " / ".join(rapports)]
        lignes.append(ligne)
    entetes = ["question", "SQL p50 ms", "p95", "profile 1 p50", "p95", "/ SQL", "profile 0 p50", "p95", "/ SQL"]
    tableau(
        f"FHIR: pages of {PAGE} of {ORGANISATIONS + 2 * OFFRES:,} resources (goal: 3 times the bare SQL)",
        entetes,
        lignes,
    )


def _demander(sql: str) -> None:
    with connection.cursor() as curseur:
        curseur.execute(sql)
        curseur.fetchall()


def _lire(client: Client, adresse: str) -> None:
    reponse = client.get(f"/fhir/{adresse}")
    assert reponse.status_code == 200, (adresse, reponse.content[:300])


def _chronometrer(geste: Callable[..., None], *arguments: Any) -> float:
    debut = time.perf_counter()
    geste(*arguments)
    return (time.perf_counter() - debut) * 1000


def _centile(mesures: list[float], c: int) -> float:
    return statistics.quantiles(mesures, n=100)[c - 1]
