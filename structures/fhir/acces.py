"""Who may read /fhir/: bearer token, origin, scope, quota; and the count of what each consumer does.

A browser's session gives nothing here. Every view of the exposition but ``metadata`` and the token is wrapped:

    @reserve_aux_consommateurs("read")
    def lire(request, acces, type_, identifiant): ...

The view gets ``acces`` after the request. When its address names a type (``type_``), the scope for it was checked; a
view that reads several asks ``acces.peut_lire``. ``acces.ressources = n`` counts the resources that it gives, and
``acces.interaction = "…"`` corrects the name of what was asked. A business error becomes an OperationOutcome.
"""

import functools
import hashlib
import ipaddress
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Concatenate, NamedTuple, cast

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from backoffice.comptes.limites import adresse_de
from backoffice.socle.erreurs import ErreurMetier

from ..domaine import consommation
from ..enums import Portee
from ..models import Consommateur
from .issue import issue
from .parametres import TYPES

_CODES = {403: "forbidden", 404: "not-found", 409: "conflict", 422: "invalid", 429: "throttled"}

Vue = Callable[Concatenate[HttpRequest, "Acces", ...], HttpResponseBase]


def etendre(portees: Iterable[str]) -> frozenset[str]:
    """The scopes with those that they imply: « system/*.read » reads each type."""
    donnees = set(portees)
    if Portee.TOUT in donnees:
        donnees |= {Portee.lire(nom) for nom in TYPES}
    return frozenset(donnees)


@dataclass
class Acces:
    """What one request may do, and what is counted of it."""

    consommateur: Consommateur
    portees: frozenset[str]
    interaction: str
    ressources: int = 0

    @property
    def profil(self) -> int:
        """Which contacts it sees: structures.enums.ProfilAcces."""
        return self.consommateur.profil

    def peut_lire(self, type_: str) -> bool:
        return Portee.lire(type_) in self.portees


@dataclass(frozen=True)
class Refus:
    statut: int
    code: str
    texte: str
    attente: int = 0

    def reponse(self) -> HttpResponse:
        entetes = {"Cache-Control": "no-store"}
        if self.statut == 401:
            entetes["WWW-Authenticate"] = 'Bearer realm="ROR", error="invalid_token"'
        if self.statut == 403 and self.code == "forbidden":
            entetes["WWW-Authenticate"] = 'Bearer realm="ROR", error="insufficient_scope"'
        if self.attente:
            entetes["Retry-After"] = str(self.attente)
        return issue(self.statut, self.code, self.texte, **entetes)


class Porteur(NamedTuple):
    """Who a token is of, what it carries, until when."""

    consommateur: Consommateur
    portees: frozenset[str]
    fin: datetime


# By hand, for every request asks it: the ORM takes longer to write it than PostgreSQL to answer.
_PORTEUR = """
    SELECT c.*, j.scope AS portees_du_jeton, j.expires AS fin_du_jeton
    FROM oauth2_provider_accesstoken j JOIN structures_consommateur c ON c.id = j.application_id
    WHERE j.token_checksum = %s
"""


def _porteur(request: HttpRequest) -> Porteur | None:
    sorte, _, brut = request.headers.get("Authorization", "").partition(" ")
    if sorte.lower() != "bearer" or not brut.strip():
        return None
    empreinte = hashlib.sha256(brut.strip().encode()).hexdigest()
    for lu in Consommateur.objects.raw(_PORTEUR, [empreinte]):
        return Porteur(lu, etendre(lu.portees_du_jeton.split()), lu.fin_du_jeton)
    return None


def origine_permise(consommateur: Consommateur, request: HttpRequest) -> bool:
    """From one of its networks, when it has any."""
    if not consommateur.reseaux:
        return True
    adresse = adresse_de(request)
    if adresse is None:
        return False
    return any(ipaddress.ip_address(adresse) in ipaddress.ip_network(reseau) for reseau in consommateur.reseaux)


def _refus(request: HttpRequest, fin: datetime, acces: Acces, type_: str, portee: str) -> Refus | None:
    """The first rule that the request breaks. ``fin``: of its token."""
    if fin <= timezone.now():
        return Refus(401, "expired", "Ce jeton a expiré : demandez-en un autre à /fhir/jeton/.")
    if acces.consommateur.suspendu:
        return Refus(401, "suppressed", "L’accès de ce consommateur est suspendu : contactez le support.")
    if not origine_permise(acces.consommateur, request):
        return Refus(403, "security", "Ce consommateur n’est pas attendu depuis cette adresse.")
    if type_ in TYPES and not acces.peut_lire(type_):
        return Refus(403, "forbidden", f"Ce jeton ne porte pas {Portee.lire(type_)}.")
    if portee and portee not in acces.portees:
        return Refus(403, "forbidden", f"Ce jeton ne porte pas {portee}.")
    if atteint := consommation.prendre(acces.consommateur):
        combien = (
            f"{acces.consommateur.quota_jour} requêtes par jour"
            if atteint.de_la_journee
            else f"{acces.consommateur.quota_minute} requêtes par minute"
        )
        texte = f"Quota atteint ({combien}) : réessayez dans {atteint.attente} secondes."
        return Refus(429, "throttled", texte, atteint.attente)
    return None


def reserve_aux_consommateurs(interaction: str, *, portee: str = "") -> Callable[[Vue], Callable[..., Any]]:
    """Let consumers in, and nobody else; ``interaction`` names what is counted, in the words of FHIR (read, vread,
    search-type, history-instance, history-type, history-system, operation…). ``portee``: one more scope to have."""

    def decorer(vue: Vue) -> Callable[..., Any]:
        @csrf_exempt  # no cookie gives anything here
        @functools.wraps(vue)
        def enveloppe(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            debut = time.perf_counter()
            porteur = _porteur(request)
            if porteur is None:
                return Refus(401, "login", "Présentez un jeton obtenu à /fhir/jeton/, encore valide.").reponse()
            consommateur, type_ = porteur.consommateur, str(kwargs.get("type_", ""))
            portees = porteur.portees & etendre(consommateur.portees)
            acces = Acces(consommateur, portees, f"{interaction} {type_}" if type_ in TYPES else interaction)
            refus = _refus(request, porteur.fin, acces, type_, portee)
            if refus is not None:
                consommation.noter_refus(
                    consommateur.pk,
                    acces.interaction,
                    statut=refus.statut,
                    motif=refus.texte,
                    chemin=request.get_full_path(),
                )
                return _compter(acces, refus.reponse(), debut, refus=True)
            try:
                reponse = vue(request, acces, *args, **kwargs)
            except ErreurMetier as erreur:
                reponse = issue(erreur.statut, _CODES.get(erreur.statut, "processing"), erreur.message)
            except BaseException:
                _compter(acces, HttpResponse(status=500), debut)
                raise
            return _compter(acces, reponse, debut)

        return enveloppe

    return decorer


def _compter(acces: Acces, reponse: HttpResponseBase, debut: float, *, refus: bool = False) -> HttpResponseBase:
    """Count the answer: now, or at its end when it is streamed."""

    def ecrire(octets: int) -> None:
        consommation.compter(
            acces.consommateur.pk,
            acces.interaction,
            statut=reponse.status_code,
            duree_ms=round((time.perf_counter() - debut) * 1000),
            ressources=acces.ressources,
            octets=octets,
            refus=refus,
        )

    if isinstance(reponse, StreamingHttpResponse):
        reponse.streaming_content = _suivre(cast(Iterable[bytes], reponse.streaming_content), ecrire)
    elif isinstance(reponse, HttpResponse):
        ecrire(len(reponse.content))
    return reponse


def _suivre(morceaux: Iterable[bytes], ecrire: Callable[[int], None]) -> Iterator[bytes]:
    octets = 0
    try:
        for morceau in morceaux:
            octets += len(morceau)
            yield morceau
    finally:
        ecrire(octets)
