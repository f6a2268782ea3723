"""Refusals in the words of FHIR: one OperationOutcome, whatever went wrong."""

import json

from django.http import HttpResponse

TYPE_FHIR = "application/fhir+json; charset=utf-8"


def resultat(severite: str, code: str, texte: str) -> dict[str, object]:
    """An OperationOutcome of one issue. ``code`` is of the value set issue-type of R4."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": severite, "code": code, "diagnostics": texte}],
    }


def issue(statut: int, code: str, texte: str, **entetes: str) -> HttpResponse:
    """The answer of a refusal; ``entetes`` are headers, ``Retry_After="30"``."""
    corps = json.dumps(resultat("error", code, texte), ensure_ascii=False)
    return HttpResponse(
        corps,
        status=statut,
        content_type=TYPE_FHIR,
        headers={nom.replace("_", "-"): valeur for nom, valeur in entetes.items()},
    )
