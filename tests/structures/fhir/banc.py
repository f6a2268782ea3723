"""Resources put by hand where the projector puts them, for the tests of what reads them."""

import json
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from structures.fhir.index import INDEX_VIDE, Index, indexer
from structures.models import Fiche, Ressource, RessourceVersion

_MAINTENANT = datetime(2026, 11, 20, 8, 0, tzinfo=timezone.get_default_timezone())


def organisation(identifiant: str, nom: str = "Établissement", **plus: Any) -> dict[str, Any]:
    return {"resourceType": "Organization", "id": identifiant, "name": nom, **plus}


def offre(identifiant: str, de: str = "", **plus: Any) -> dict[str, Any]:
    lien = {"providedBy": {"reference": f"Organization/{de}"}} if de else {}
    return {"resourceType": "HealthcareService", "id": identifiant, "name": f"Unité {identifiant}", **lien, **plus}


def lieu(identifiant: str, latitude: float, longitude: float, **plus: Any) -> dict[str, Any]:
    place = {"latitude": latitude, "longitude": longitude}
    return {"resourceType": "Location", "id": identifiant, "name": f"Lieu {identifiant}", "position": place, **plus}


def code(systeme: str, *codes: str) -> list[dict[str, Any]]:
    return [{"coding": [{"system": systeme, "code": c}]} for c in codes]


class Registre:
    """Writes versions one after the other, as the projector does: strictly later each time."""

    def __init__(self) -> None:
        self.fiche = Fiche.objects.create(niveau="EJ", identifiant="1000000000")
        self.quand = _MAINTENANT

    def exposer(self, *contenus: dict[str, Any]) -> None:
        self._ecrire({(c["resourceType"], c["id"]): c for c in contenus})

    def retirer(self, type_: str, identifiant: str) -> None:
        self._ecrire({(type_, identifiant): None})

    def _ecrire(self, contenus: dict[tuple[str, str], dict[str, Any] | None]) -> None:
        self.quand += timedelta(milliseconds=1)
        avant = {(r.type, r.identifiant): r for r in Ressource.objects.all()}
        ressources, versions = [], []
        for (type_, identifiant), contenu in contenus.items():
            ancienne = avant.get((type_, identifiant))
            version = ancienne.version + 1 if ancienne else 1
            action = "delete" if contenu is None else "update" if ancienne and ancienne.contenu else "create"
            if contenu is not None:
                dates = {"versionId": str(version), "lastUpdated": self.quand.isoformat(timespec="milliseconds")}
                contenu = contenu | {"meta": contenu.get("meta", {}) | dates}
            commun = {"type": type_, "identifiant": identifiant, "fiche": self.fiche, "version": version,
                      "maj": self.quand, "contenu": contenu}  # fmt: skip
            index = indexer(contenu) if contenu else INDEX_VIDE
            ressources.append(Ressource(**commun, **index._asdict()))
            versions.append(RessourceVersion(**commun, action=action))
        Ressource.objects.bulk_create(
            ressources,
            update_conflicts=True,
            unique_fields=["type", "identifiant"],
            update_fields=["version", "maj", "contenu", *Index._fields],
        )
        RessourceVersion.objects.bulk_create(versions)


def lire(reponse: Any) -> dict[str, Any]:
    return json.loads(reponse.content)
