"""A client that others wrote reads, searches and pages through everything, over a real server."""

import fhirkit
import pytest
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound

from structures.models import Ressource
from tests.factories.consommateurs import porteur

from .banc import Registre, code, lieu, offre, organisation


@pytest.fixture
def client_fhir(live_server, settings) -> SyncFHIRClient:
    settings.SITE_URL = live_server.url
    registre = Registre()
    registre.exposer(
        *(organisation(f"o{i:03}", f"Établissement {i}") for i in range(120)),
        *(offre(f"u{i:03}", f"o{i:03}", specialty=code("https://s", f"{i % 3}")) for i in range(120)),
        *(lieu(f"l{i}", 48 + i / 100, 2.3, status="active") for i in range(5)),
    )
    jeton = porteur(profil=1)["Authorization"]
    return SyncFHIRClient(f"{live_server.url}/fhir", authorization=jeton)


def test_un_client_d_ailleurs_lit_tout(client_fhir: SyncFHIRClient):
    assert client_fhir.execute("metadata", method="get")["fhirVersion"] == "4.0.1"
    une = client_fhir.reference("Organization", "o007").to_resource()
    assert (une["name"], une.id) == ("Établissement 7", "o007")
    with pytest.raises(ResourceNotFound):
        client_fhir.get("Organization", "absente")
    with pytest.raises(OperationOutcome):
        client_fhir.resources("Organization").search(_lastUpdated="hier").fetch()

    lues = {}
    for type_ in ("Organization", "HealthcareService", "Location"):
        toutes = client_fhir.resources(type_).limit(25).sort("-name").fetch_all()
        lues |= {(type_, r.id): r.serialize() for r in toutes}
        assert len(toutes) == client_fhir.resources(type_).count()
    assert lues == {(r.type, r.identifiant): r.contenu for r in Ressource.objects.all()}
    assert [p for r in lues.values() for p in fhirkit.validate(r)] == []

    recherche = client_fhir.resources("HealthcareService").search(
        specialty="https://s|1", organization__name="établissement 1"
    )
    trouvees = recherche.include("HealthcareService", "organization").limit(100).fetch_raw()
    assert {e.resource.id for e in trouvees.entry if e.search.mode == "match"} == {
        f"u{i:03}" for i in range(120) if i % 3 == 1 and str(i).startswith("1")
    }
    assert {e.resource.resourceType for e in trouvees.entry} == {"HealthcareService", "Organization"}
