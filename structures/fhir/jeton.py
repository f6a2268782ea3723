"""The token of a consumer: OAuth2 client credentials (RFC 6749 §4.4), and what a SMART client may discover of it.

django-oauth-toolkit keeps and checks; none of its addresses is mounted. Error texts are ASCII and English, as the RFC
wants them.
"""

import base64
import binascii
import math
import time
from typing import Any
from urllib.parse import unquote_plus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_POST
from oauth2_provider.oauth2_backends import OAuthLibCore
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.scopes import BaseScopes
from oauthlib.oauth2.rfc6749.errors import UnauthorizedClientError

from backoffice.comptes import limites

from ..domaine import consommation
from ..domaine.consommateurs import reconnaitre
from ..enums import Portee
from ..models import Consommateur
from .acces import etendre, origine_permise

INTERACTION = "jeton"
JETONS_PAR_FENETRE = 60  # given to one consumer in a quarter of an hour: each lives an hour


@sensitive_variables()
def identite(autorisation: str, identifiant: str | None, secret: str | None) -> tuple[str, str]:
    """Client identifier and secret, from the Basic header when there is one, else from the body; "" when missing."""
    genre, _, brut = autorisation.partition(" ")
    if genre.lower() != "basic":
        return identifiant or "", secret or ""
    try:
        lu = base64.b64decode(brut.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return "", ""
    nom, deux_points, reste = lu.partition(":")
    return (unquote_plus(nom), unquote_plus(reste)) if deux_points else ("", "")


class Validateur(OAuth2Validator):
    """Our secrets (the present one and the one that ends), our suspension."""

    @sensitive_variables()
    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        autorisation = request.headers.get("HTTP_AUTHORIZATION", "")
        consommateur = reconnaitre(*identite(autorisation, request.client_id, request.client_secret))
        if consommateur is None:
            return False
        if consommateur.suspendu:
            raise UnauthorizedClientError(description="This client is suspended.", request=request)
        request.client = consommateur
        return True


class Portees(BaseScopes):
    """What a consumer may ask for: its scopes, and each type when it has them all."""

    def get_all_scopes(self) -> dict[str, str]:
        return {portee.value: str(portee.label) for portee in Portee}

    def get_available_scopes(self, application: Any = None, request: Any = None, *args: Any, **kw: Any) -> list[str]:
        return sorted(etendre(application.portees))

    def get_default_scopes(self, application: Any = None, request: Any = None, *args: Any, **kw: Any) -> list[str]:
        return list(application.portees)


@csrf_exempt
@require_POST
def jeton(request: HttpRequest) -> HttpResponse:
    """A token of one hour, counted in the use of the consumer and outside its quota. After five wrong secrets in
    a quarter of an hour from one address (twenty for whatever consumers), that address waits; the consumer goes on from
    elsewhere."""
    identifiant, _ = identite(request.headers.get("Authorization", ""), request.POST.get("client_id"), None)
    adresse = limites.adresse_de(request)
    cles = {
        f"fhir consommateur {adresse} {identifiant}": limites.ESSAIS_PAR_IDENTIFIANT,
        f"fhir adresse {adresse}": limites.ESSAIS_PAR_ADRESSE,
    }
    attentes = [attente for cle, permis in cles.items() if (attente := limites.attente(cle, permis))]
    if attentes:
        secondes = math.ceil(max(attentes).total_seconds())
        return _erreur(429, "temporarily_unavailable", "Too many wrong secrets.", **{"Retry-After": str(secondes)})
    debut = time.perf_counter()
    consommateur = Consommateur.objects.filter(client_id=identifiant).first() if "\x00" not in identifiant else None
    if consommateur is not None and not origine_permise(consommateur, request):
        _noter(consommateur, request, 400, "Demande de jeton depuis une adresse inattendue.")
        return _erreur(400, "unauthorized_client", "This client is not expected from this address.")
    donnes = f"fhir jetons {identifiant}"
    if consommateur is not None and (attente := limites.attente(donnes, JETONS_PAR_FENETRE)):
        _noter(consommateur, request, 429, "Trop de demandes de jeton : chacun vaut une heure.")
        secondes = math.ceil(attente.total_seconds())
        texte = "Too many tokens: use the one you have for an hour."
        return _erreur(429, "temporarily_unavailable", texte, **{"Retry-After": str(secondes)})
    _, entetes, corps, statut = OAuthLibCore().create_token_response(request)
    if statut == 401:
        for cle in cles:
            limites.noter(cle)
    if statut != 200 and consommateur is not None:
        _noter(consommateur, request, statut, _MOTIFS.get(statut, "Demande de jeton refusée."))
    if statut == 200 and consommateur is not None:
        limites.noter(donnes)
        duree_ms = round((time.perf_counter() - debut) * 1000)
        consommation.compter(consommateur.pk, INTERACTION, statut=statut, duree_ms=duree_ms, octets=len(corps))
    reponse = HttpResponse(corps, status=statut, content_type="application/json")
    for nom, valeur in entetes.items():
        reponse[nom] = valeur
    return reponse


_MOTIFS = {401: "Demande de jeton avec un secret qui n’est pas le bon."}


def _noter(consommateur: Consommateur, request: HttpRequest, statut: int, motif: str) -> None:
    if consommateur.suspendu:
        motif = "Demande de jeton pendant la suspension."
    consommation.noter_refus(consommateur.pk, INTERACTION, statut=statut, motif=motif, chemin=request.path)


def _erreur(statut: int, erreur: str, description: str, **entetes: str) -> JsonResponse:
    entetes |= {"Cache-Control": "no-store", "Pragma": "no-cache"}
    return JsonResponse({"error": erreur, "error_description": description}, status=statut, headers=entetes)


@require_GET
def configuration_smart(request: HttpRequest) -> JsonResponse:
    """`.well-known/smart-configuration`: where the token is, which scopes exist."""
    return JsonResponse(
        {
            "token_endpoint": f"{settings.SITE_URL}/fhir/jeton/",
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "grant_types_supported": ["client_credentials"],
            "scopes_supported": [portee.value for portee in Portee],
            "capabilities": ["client-confidential-symmetric", "permission-v1"],
        }
    )
