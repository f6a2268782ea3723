"""Refusals in the words of FHIR: one OperationOutcome, whatever went wrong."""

import json

from django.http import HttpResponse

TYPE_FHIR = "application/fhir+json; charset=utf-8"


class ErreurFhir(Exception):
    """What can't be answered; ``code`` is of the value set issue-type of R4, ``entetes`` are headers (Retry_After)."""

    def __init__(self, statut: int, code: str, texte: str, **entetes: str) -> None:
        super().__init__(texte)
        self.statut, self.code, self.texte, self.entetes = statut, code, texte, entetes

    def reponse(self) -> HttpResponse:
        return issue(self.statut, self.code, self.texte, **self.entetes)


def resultat(severite: str, code: str, *textes: str) -> dict[str, object]:
    """An OperationOutcome, an issue a text."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": severite, "code": code, "diagnostics": texte} for texte in textes],
    }


def issue(statut: int, code: str, texte: str, **entetes: str) -> HttpResponse:
    """The answer of a refusal."""
    corps = json.dumps(resultat("error", code, texte), ensure_ascii=False)
    return HttpResponse(
        corps,
        status=statut,
        content_type=TYPE_FHIR,
        headers={nom.replace("_", "-"): valeur for nom, valeur in entetes.items()},
    )
