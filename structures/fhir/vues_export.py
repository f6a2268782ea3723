"""Addresses of the bulk export: ask for it, follow it, cancel it, read its files. Its owner's only: 404 for another."""

import json
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from celery import current_app
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.http import http_date
from kombu.exceptions import OperationalError

from backoffice.socle.erreurs import Introuvable

from ..enums import EtatExportFhir, Portee
from ..models import ExportFhir, FichierExport
from . import export as travail
from .acces import TYPES, Acces, reserve_aux_consommateurs
from .grandeurs import lire_date
from .issue import TYPE_FHIR, ErreurFhir, issue
from .negociation import accepte_gzip

FORMATS = {"application/fhir+ndjson", "application/ndjson", "ndjson"}
CONNUS = {"_type", "_since", "_outputFormat", "_format", "_pretty"}
ATTENTE = 5  # seconds that a client waits before it asks again how far it is
TACHE = "structures.exporter_fhir"
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


class _Refus(Exception):
    def __init__(self, texte: str, code: str = "invalid") -> None:
        super().__init__(texte)
        self.code = code


@reserve_aux_consommateurs("export", portee=Portee.EXPORT)
def demander(request: HttpRequest, acces: Acces, type_: str = "") -> HttpResponseBase:
    """``$export``, or ``<type>/$export`` for one type: 202 and where to follow it."""
    if request.method not in ("GET", "POST"):
        return issue(405, "not-supported", "Un export se demande par GET ou par POST.", Allow="GET, POST")
    preferences = {p.strip().lower() for p in request.headers.get("Prefer", "").replace(";", ",").split(",")}
    if "respond-async" not in preferences:
        return issue(400, "required", "Un export est asynchrone : demandez-le avec l’en-tête Prefer: respond-async.")
    try:
        parametres = _parametres(request)
        types, depuis = _choix(parametres, acces, type_, "handling=lenient" in preferences)
    except _Refus as refus:
        return issue(400, refus.code, str(refus))
    try:
        demande = travail.demander(
            consommateur=acces.consommateur, requete=_adresse(request.get_full_path()), types=types, depuis=depuis
        )
    except travail.TropDExports:
        texte = f"{travail.SIMULTANES} exports sont déjà en cours : attendez la fin de l’un d’eux, ou annulez-le."
        return issue(429, "throttled", texte, **{"Retry-After": str(12 * ATTENTE)})
    with suppress(OperationalError):  # no broker: the sweep of beat finds it
        current_app.send_task(TACHE, [str(demande.pk)], retry=False)
    reponse = HttpResponse(status=202, content_type=TYPE_FHIR)
    reponse["Content-Location"] = _adresse(reverse("fhir_export_suivi", args=[demande.pk]))
    return reponse


@reserve_aux_consommateurs("export-status", portee=Portee.EXPORT)
def suivre(request: HttpRequest, acces: Acces, numero: UUID) -> HttpResponseBase:
    """How far it is (202), the manifest (200), or why there is none; DELETE cancels it."""
    demande = _le_sien(acces, numero)
    if request.method == "DELETE":
        travail.annuler(demande)
        return HttpResponse(status=202, content_type=TYPE_FHIR)
    if request.method not in ("GET", "HEAD"):
        return issue(405, "not-supported", "Cette adresse se lit par GET et s’annule par DELETE.", Allow="GET, DELETE")
    if demande.etat == EtatExportFhir.ECHEC:
        return issue(
            500, "exception", "Cet export a échoué. Demandez-en un autre ; s’il échoue aussi, appelez le support."
        )
    if demande.etat != EtatExportFhir.PRET:
        reponse = HttpResponse(status=202, content_type=TYPE_FHIR)
        reponse["Retry-After"] = str(ATTENTE)
        reponse["X-Progress"] = _progres(demande)
        return reponse
    manifeste = JsonResponse(_manifeste(demande), json_dumps_params={"ensure_ascii": False})
    manifeste["Expires"] = http_date(_fin(demande).timestamp())
    manifeste["Cache-Control"] = "no-store"
    return manifeste


@reserve_aux_consommateurs("export-file", portee=Portee.EXPORT)
def fichier(request: HttpRequest, acces: Acces, numero: UUID, rang: int) -> HttpResponseBase:
    """One file, gzipped for whoever accepts it."""
    if request.method not in ("GET", "HEAD"):
        return issue(405, "not-supported", "Un fichier se lit par GET.", Allow="GET, HEAD")
    demande = _le_sien(acces, numero)
    lu = FichierExport.objects.filter(export=demande, export__etat=EtatExportFhir.PRET, rang=rang).first()
    if lu is None:
        raise _inconnu()
    if not set(_types_de(lu, demande)) <= {t for t in TYPES if acces.peut_lire(t)} or demande.profil != acces.profil:
        return issue(403, "forbidden", "Vos droits ont changé depuis cet export : demandez-en un autre.")
    acces.ressources = lu.nombre
    octets = bytes(lu.contenu)
    reponse: HttpResponse | StreamingHttpResponse
    if accepte_gzip(request):
        reponse = HttpResponse(octets, content_type="application/fhir+ndjson")
        reponse["Content-Encoding"] = "gzip"
    else:
        reponse = StreamingHttpResponse(_decompresser(octets), content_type="application/fhir+ndjson")
    reponse["Vary"] = "Accept-Encoding, Authorization"
    reponse["Cache-Control"] = "no-store"
    return reponse


def _adresse(chemin: str) -> str:
    return f"{settings.SITE_URL}{chemin}"


def _inconnu() -> Introuvable:
    return Introuvable("export_inconnu", "Cet export n’existe pas, a été annulé ou a expiré.")


def _le_sien(acces: Acces, numero: UUID) -> ExportFhir:
    siens = ExportFhir.objects.filter(consommateur=acces.consommateur, pk=numero)
    demande = siens.exclude(travail.perime()).first()
    if demande is None:
        raise _inconnu()
    return demande


def _parametres(request: HttpRequest) -> Mapping[str, list[str]]:
    """Of the address, or of the Parameters of the body."""
    lus = {nom: [str(v) for v in valeurs] for nom, valeurs in request.GET.lists()}
    if request.method == "POST" and request.body:
        try:
            corps = json.loads(request.body)
            if corps["resourceType"] != "Parameters":
                raise ValueError
            for ligne in corps.get("parameter", []):
                [valeur] = [v for cle, v in ligne.items() if cle.startswith("value")]
                nom, texte = ligne["name"], str(valeur)
                if not isinstance(nom, str):
                    raise TypeError
                (nom + texte).encode()  # half of a surrogate pair is no text
                lus.setdefault(nom, []).append(texte)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise _Refus("Le corps doit être une ressource Parameters.", "structure") from None
    return lus


def _choix(
    parametres: Mapping[str, list[str]], acces: Acces, type_: str, indulgent: bool
) -> tuple[list[str], datetime | None]:
    """Types and « _since ». Refuses what can't be done, unless the client said « handling=lenient »."""
    inconnus = sorted(parametres.keys() - CONNUS)
    if inconnus and not indulgent:
        raise _Refus(f"Paramètre non pris en charge : {', '.join(inconnus)[:200]}.", "not-supported")
    for voulu in parametres.get("_outputFormat", ()):
        # « + » in an address means a space.
        if voulu.replace(" ", "+") not in FORMATS:
            raise _Refus("Le seul format est application/fhir+ndjson.", "not-supported")
    lisibles = [t for t in TYPES if acces.peut_lire(t)]
    demandes = [t.strip() for valeur in parametres.get("_type", ()) for t in valeur.split(",") if t.strip()]
    if type_:
        demandes = [type_]
    refuses = sorted(set(demandes) - set(lisibles))
    if refuses and not indulgent:
        raise _Refus(f"Ce jeton ne donne pas à exporter : {', '.join(refuses)[:200]}.", "not-supported")
    types = [t for t in lisibles if not demandes or t in demandes]
    if not types:
        raise _Refus("Aucun des types demandés ne peut être exporté.", "not-supported")
    return types, _depuis(parametres.get("_since", []))


def _depuis(valeurs: list[str]) -> datetime | None:
    if not valeurs:
        return None
    texte = valeurs[-1].replace(" ", "+")
    try:
        if not _INSTANT.fullmatch(texte):
            raise ValueError
        du = lire_date(texte).du
    except (ValueError, ErreurFhir):
        raise _Refus("_since est un instant, comme 2027-03-01T08:00:00+01:00.") from None
    assert isinstance(du, datetime)
    return du


def _progres(demande: ExportFhir) -> str:
    """A header: ASCII."""
    if demande.etat == EtatExportFhir.DEMANDE:
        return "en attente d'un travailleur"
    return f"{demande.ecrites} ressources sur {demande.total}"


def _fin(demande: ExportFhir) -> datetime:
    assert demande.termine_le is not None
    return demande.termine_le + travail.DUREE_DE_VIE


def _manifeste(demande: ExportFhir) -> dict[str, Any]:
    def lignes(fichiers: list[FichierExport], type_: str = "") -> list[dict[str, Any]]:
        return [
            {
                "type": type_ or f.type,
                "url": _adresse(reverse("fhir_export_fichier", args=[demande.pk, f.rang])),
                "count": f.nombre,
            }
            for f in fichiers
        ]

    fichiers = list(demande.fichiers.defer("contenu").order_by("rang"))
    assert demande.arrete_le is not None
    return {
        "transactionTime": timezone.localtime(demande.arrete_le).isoformat(),
        "request": demande.requete,
        "requiresAccessToken": True,
        "output": lignes([f for f in fichiers if f.type]),
        "deleted": lignes([f for f in fichiers if not f.type], "Bundle"),
        "error": [],
    }


def _types_de(fichier_: FichierExport, demande: ExportFhir) -> list[str]:
    return [fichier_.type] if fichier_.type else demande.types


def _decompresser(octets: bytes) -> Iterator[bytes]:
    flux = zlib.decompressobj(travail.GZIP)
    for debut in range(0, len(octets), 65536):
        yield flux.decompress(octets[debut : debut + 65536])
    yield flux.flush()
