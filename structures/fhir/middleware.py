"""Whatever answers under /fhir/ speaks to programs: OperationOutcome even for what no view saw, any origin, gzip."""

import gzip
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from .issue import issue
from .negociation import accepte_gzip

_RACINE = "/fhir"
# A reader of another origin sends no cookie (none is allowed) and reads these.
_ENTETES = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Content-Location, ETag, Expires, Last-Modified, Retry-After, X-Progress",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_PREALABLE = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Accept, Authorization, Content-Type, If-Modified-Since, If-None-Match, Prefer",
    "Access-Control-Max-Age": "86400",
}
_GZIP_A_PARTIR_DE = 1000
_NIVEAU = 3  # three times faster than the default, a tenth bigger
_MOTIFS = {
    400: ("invalid", "Cette requête n’est pas lisible."),
    403: ("forbidden", "Cette requête est refusée."),
    404: ("not-found", "Cette adresse n’est pas de cette exposition."),
    405: ("not-supported", "Cette exposition se lit seulement."),
    409: ("conflict", "Une écriture est en cours : réessayez dans quelques secondes."),
    413: ("too-long", "Cette requête est trop longue."),
    422: ("invalid", "Cette requête contient un caractère illisible."),
    503: ("transient", "La base de données ne répond pas : réessayez dans une minute."),
}


class PourLesProgrammes:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not (request.path_info == _RACINE or request.path_info.startswith(f"{_RACINE}/")):
            return self.get_response(request)
        if request.method == "OPTIONS":
            return HttpResponse(status=204, headers={**_ENTETES, **_PREALABLE})
        request.COOKIES.clear()  # nobody is signed in here
        reponse = self.get_response(request)
        if reponse.status_code >= 400 and "json" not in reponse.headers.get("Content-Type", ""):
            statut = 400 if reponse.status_code == 422 else reponse.status_code
            code, texte = _MOTIFS.get(reponse.status_code, ("exception", "Une erreur inattendue s’est produite."))
            reponse = issue(statut, code, texte)
        for nom, valeur in _ENTETES.items():
            reponse.headers[nom] = valeur
        _comprimer(request, reponse)
        return reponse


def _comprimer(request: HttpRequest, reponse: HttpResponseBase) -> None:
    patch_vary_headers(reponse, ["Accept-Encoding"])
    if not isinstance(reponse, HttpResponse) or reponse.streaming or reponse.has_header("Content-Encoding"):
        return
    if len(reponse.content) < _GZIP_A_PARTIR_DE or not accepte_gzip(request):
        return
    reponse.content = gzip.compress(reponse.content, compresslevel=_NIVEAU, mtime=0)
    reponse.headers["Content-Encoding"] = "gzip"
    reponse.headers["Content-Length"] = str(len(reponse.content))
