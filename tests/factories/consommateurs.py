"""Consumers of the exposition, opened by the verbs, with a token when a test reads."""

from itertools import count

from django.test import Client

from structures.domaine.consommateurs import Reglages, creer
from structures.models import Consommateur

_numeros = count(1)


def consommateur(
    *portees: str, profil: int = 0, quota_minute: int = 1000, quota_jour: int = 100_000, reseaux: tuple[str, ...] = ()
) -> tuple[Consommateur, str]:
    """A consumer that may read everything unless told, and its secret."""
    n = next(_numeros)
    reglages = Reglages(
        nom=f"Outil d’essai {n}",
        courriel=f"outil{n}@essai.example",
        organisme="Éditeur d’essai",
        profil=profil,
        portees=portees or ("system/*.read",),
        quota_minute=quota_minute,
        quota_jour=quota_jour,
        reseaux=reseaux,
    )
    return creer(acteur=None, reglages=reglages)


def jeton(consommateur: Consommateur, secret: str, portee: str = "") -> str:
    """A token of the consumer, asked for as it would."""
    donnees = {"grant_type": "client_credentials", "client_id": consommateur.client_id, "client_secret": secret}
    reponse = Client().post("/fhir/jeton/", donnees | ({"scope": portee} if portee else {}))
    assert reponse.status_code == 200, reponse.text
    return str(reponse.json()["access_token"])


def porteur(*portees: str, **reglages: object) -> dict[str, str]:
    """The header of a new consumer, for a client: ``client.get("/fhir/…", headers=porteur())``."""
    outil, secret = consommateur(*portees, **reglages)  # type: ignore[arg-type]
    return {"Authorization": f"Bearer {jeton(outil, secret)}"}
