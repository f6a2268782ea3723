"""The exposition over HTTP: read, vread, history, search. Plain views (docs/adr/0012)."""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NoReturn

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags, parse_http_date_safe

from ..enums import ActeConsommateur, ActionRessource, ProfilAcces
from ..models import Ressource, RessourceVersion
from . import demande, historique, recherche
from .acces import Acces, reserve_aux_consommateurs
from .bundle import dumps
from .capacites import capacites
from .contenu import Vue, representer
from .delai import en_temps_limite
from .issue import ErreurFhir
from .negociation import entetes_de, servir, strict, vue_fhir
from .parametres import TYPES

_IDENTIFIANT = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_VERSION = re.compile(r"[0-9]{1,9}")


@vue_fhir("GET")
def metadonnees(request: HttpRequest) -> HttpResponse:
    return servir(request, dumps(capacites()))


@reserve_aux_consommateurs("read")
@vue_fhir("GET")
def lire(request: HttpRequest, acces: Acces, type_: str, identifiant: str) -> HttpResponse:
    _verifier(type_, identifiant)
    vue = demande.lire_vue(request.GET.get("_summary", ""), request.GET.get("_elements", ""))
    ligne = (
        Ressource.objects.filter(type=type_, identifiant=identifiant)
        .values_list("version", "maj", recherche.CONTENU)
        .first()
    )
    if ligne is None:
        _introuvable(type_, identifiant)
    version, maj, texte = ligne
    if texte is None:
        raise ErreurFhir(410, "deleted", f"{type_}/{identifiant} n’est plus exposé.", **entetes_de(version, maj))
    entetes = entetes_de(version, maj, _variante(acces.profil, vue))
    if inchangee(request, acces, entetes["ETag"], maj, vue):
        return HttpResponse(status=304, headers={n.replace("_", "-"): v for n, v in entetes.items()})
    acces.ressources = 1
    return servir(request, representer(texte, acces.profil, vue), **entetes)


@reserve_aux_consommateurs("vread")
@vue_fhir("GET")
def lire_version(request: HttpRequest, acces: Acces, type_: str, identifiant: str, version: str) -> HttpResponse:
    _verifier(type_, identifiant)
    if not _VERSION.fullmatch(version):
        _introuvable(type_, identifiant)
    actuelle = Ressource.objects.filter(type=type_, identifiant=identifiant).values_list("version", flat=True).first()
    ligne = (
        RessourceVersion.objects.filter(type=type_, identifiant=identifiant, version=version)
        .values_list("maj", "action", recherche.CONTENU)
        .first()
    )
    if ligne is None:
        raise ErreurFhir(404, "not-found", f"{type_}/{identifiant} n’a pas de version {version}.")
    maj, action, texte = ligne
    entetes = entetes_de(int(version), maj)
    if action == ActionRessource.SUPPRESSION:
        raise ErreurFhir(410, "deleted", f"{type_}/{identifiant} n’était plus exposé à cette version.", **entetes)
    acces.ressources = 1
    return servir(request, historique.montrer(texte, acces.profil, actuelle=actuelle == int(version)), **entetes)


@reserve_aux_consommateurs("search-type")
@vue_fhir("GET")
def chercher(request: HttpRequest, acces: Acces, type_: str) -> HttpResponse:
    return _chercher(request, acces, type_)


@reserve_aux_consommateurs("search-type")
@vue_fhir("POST")
def chercher_par_formulaire(request: HttpRequest, acces: Acces, type_: str) -> HttpResponse:
    return _chercher(request, acces, type_)


@reserve_aux_consommateurs("history-instance")
@vue_fhir("GET")
def historique_d_une(request: HttpRequest, acces: Acces, type_: str, identifiant: str) -> HttpResponse:
    _verifier(type_, identifiant)
    versions = RessourceVersion.objects.filter(type=type_, identifiant=identifiant)
    if not versions.exists():
        _introuvable(type_, identifiant)
    return _historique(request, acces, versions, f"{type_}/{identifiant}/_history")


@reserve_aux_consommateurs("history-type")
@vue_fhir("GET")
def historique_d_un_type(request: HttpRequest, acces: Acces, type_: str) -> HttpResponse:
    _verifier(type_)
    return _historique(request, acces, RessourceVersion.objects.filter(type=type_), f"{type_}/_history")


@reserve_aux_consommateurs("history-system")
@vue_fhir("GET")
def historique_de_tout(request: HttpRequest, acces: Acces) -> HttpResponse:
    """Of the types that the consumer may read."""
    lisibles = [type_ for type_ in TYPES if acces.peut_lire(type_)]
    versions = (
        RessourceVersion.objects.all()
        if len(lisibles) == len(TYPES)
        else RessourceVersion.objects.filter(type__in=lisibles)
    )
    return _historique(request, acces, versions, "_history")


@reserve_aux_consommateurs("inconnue")
@vue_fhir("GET")
def inconnue(request: HttpRequest, acces: Acces) -> HttpResponseBase:
    """Whatever is asked under /fhir/ that is no address of ours."""
    raise ErreurFhir(404, "not-found", "Cette adresse n’est pas de cette exposition : voyez /fhir/metadata.")


# -- shared ------------------------------------------------------------------------------------------------


def _verifier(type_: str, identifiant: str = "0") -> None:
    if type_ not in TYPES:
        raise ErreurFhir(404, "not-supported", f"« {type_[:40]} » n’est pas exposé : {', '.join(TYPES)}.")
    if not _IDENTIFIANT.fullmatch(identifiant):
        raise ErreurFhir(404, "not-found", f"« {identifiant[:70]} » n’est pas un identifiant FHIR.")


def _introuvable(type_: str, identifiant: str) -> NoReturn:
    raise ErreurFhir(404, "not-found", f"{type_}/{identifiant} n’a jamais été exposé.")


def _variante(profil: int, vue: Vue) -> str:
    """What the profile and the view leave of a version: who is given more later must not be told that he has it."""
    if vue.entiere:
        return "" if profil == ProfilAcces.TOUS else f"-{profil}"
    dite = f"{vue.resume} {','.join(sorted(vue.elements))}"
    return f"-{profil}-{hashlib.sha256(dite.encode()).hexdigest()[:12]}"


def inchangee(request: HttpRequest, acces: Acces, etag: str, maj: datetime, vue: Vue) -> bool:
    """Whether the client has this representation already. If-None-Match goes before If-Modified-Since (RFC 9110); a
    date says nothing of another view, nor of what was read before the consumer's settings changed."""
    if connus := request.headers.get("If-None-Match"):
        faible = etag.removeprefix("W/")
        return connus.strip() == "*" or faible in {e.removeprefix("W/") for e in parse_etags(connus)}
    depuis = parse_http_date_safe(request.headers.get("If-Modified-Since", ""))
    if depuis is None or not vue.entiere or int(maj.timestamp()) > depuis:
        return False
    quand = datetime.fromtimestamp(depuis, UTC)
    return not acces.consommateur.journal.filter(acte=ActeConsommateur.MODIFICATION, le__gte=quand).exists()


def _donnees(request: HttpRequest) -> Iterator[tuple[str, str]]:
    for envoi in (request.GET, request.POST):
        for nom, valeurs in envoi.lists():
            yield from ((nom, str(valeur)) for valeur in valeurs)


def _chercher(request: HttpRequest, acces: Acces, type_: str) -> HttpResponse:
    _verifier(type_)
    with en_temps_limite():
        demandee = demande.lire(type_, _donnees(request), acces.peut_lire, strict=strict(request))
        reponse = recherche.repondre(demandee, acces.profil, acces.peut_lire)
    acces.ressources = reponse.ressources
    return servir(request, reponse.texte)


def _historique(request: HttpRequest, acces: Acces, versions: historique.Versions, adresse: str) -> HttpResponse:
    periode = historique.lire(_donnees(request), strict=strict(request))
    with en_temps_limite():
        reponse = historique.repondre(versions, adresse, periode, acces.profil)
    acces.ressources = reponse.ressources
    return servir(request, reponse.texte)
