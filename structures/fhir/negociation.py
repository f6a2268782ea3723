"""What both sides agree on before anything is read: method, format; and the answer in that format."""

import functools
import json
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.request import MediaType
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.http import http_date

from .issue import TYPE_FHIR, ErreurFhir

FORMATS = frozenset({"json", "application/json", "application/fhir+json", "text/json"})
FORMULAIRE = "application/x-www-form-urlencoded"
_VERSIONS = ("", "4.0", "4.0.1")

Vue = Callable[..., HttpResponseBase]


def vue_fhir(*methodes: str) -> Callable[[Vue], Vue]:
    """A view that speaks FHIR: these methods only (HEAD with GET), JSON only, refusals as OperationOutcome."""
    permises = (*methodes, "HEAD") if "GET" in methodes else methodes

    def decorer(vue: Vue) -> Vue:
        @functools.wraps(vue)
        def enveloppe(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                if request.method not in permises:
                    raise ErreurFhir(
                        405, "not-supported", "Cette exposition se lit seulement.", Allow=", ".join(permises)
                    )
                _verifier_format(request)
                reponse = vue(request, *args, **kwargs)
            except ErreurFhir as erreur:
                reponse = erreur.reponse()
            patch_vary_headers(reponse, ["Accept", "Authorization"])
            reponse.headers.setdefault("Cache-Control", "private, no-cache")
            return reponse

        return enveloppe

    return decorer


def _verifier_format(request: HttpRequest) -> None:
    if request.method == "POST" and request.content_type != FORMULAIRE:
        raise ErreurFhir(415, "not-supported", f"Envoyez les paramètres de recherche en {FORMULAIRE}.")
    # « + » of an address means a space: application/fhir json.
    if demande := request.GET.get("_format", "").strip().replace(" ", "+"):
        if demande.partition(";")[0] not in FORMATS:
            raise ErreurFhir(406, "not-supported", "Cette exposition ne parle que JSON : application/fhir+json.")
        return
    if not any(_acceptable(m) for m in request.accepted_types):
        raise ErreurFhir(
            406, "not-supported", "Cette exposition ne parle que JSON, FHIR 4.0.1 : application/fhir+json."
        )


def _acceptable(media: MediaType) -> bool:
    if media.quality == 0 or media.params.get("fhirversion", "") not in _VERSIONS:
        return False
    return any(media.match(f) for f in ("application/fhir+json", "application/json", "text/json"))


def strict(request: HttpRequest) -> bool:
    """Whether what is not understood must be refused (Prefer: handling=strict) rather than ignored."""
    return "handling=strict" in request.headers.get("Prefer", "").replace(" ", "").lower()


def accepte_gzip(request: HttpRequest) -> bool:
    codages = {}
    for un in request.headers.get("Accept-Encoding", "").lower().split(","):
        codage, _, options = un.partition(";")
        codages[codage.strip()] = options.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return codages.get("gzip", codages.get("*", False))


def servir(request: HttpRequest, texte: str, **entetes: str) -> HttpResponse:
    """``texte`` is JSON already, mostly as the database holds it."""
    if request.GET.get("_pretty") == "true":
        texte = json.dumps(json.loads(texte), ensure_ascii=False, indent=2)
    return HttpResponse(
        texte,
        content_type=TYPE_FHIR,
        headers={nom.replace("_", "-"): valeur for nom, valeur in entetes.items()},
    )


def entetes_de(version: int, maj: Any, variante: str = "") -> dict[str, str]:
    """``variante``: what sets this representation apart from the whole resource."""
    return {"ETag": f'W/"{version}{variante}"', "Last_Modified": http_date(maj.timestamp())}
