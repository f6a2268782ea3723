"""Refusals become pages; a few security headers."""

import logging
from collections.abc import Callable
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from . import saisie
from .erreurs import Conflit, ErreurMetier, Invalide
from .vues import fragment, page_precedente, veut_fragment

journal = logging.getLogger(__name__)

# In this order: lock not available, deadlock, statement timeout, serialization failure.
_ETATS_OCCUPES = {"55P03", "40P01", "57014", "40001"}

TITRES = {
    403: "Cette action ne vous est pas ouverte",
    404: "Cette page n’existe pas pour vous",
    409: "La situation a changé",
    503: "Le service est momentanément indisponible",
    422: "Certaines informations sont à corriger",
}
CONSEILS = {
    403: "Si vous pensez que cette action devrait vous être ouverte, donnez au support l’adresse de cette page.",
    404: (
        "Vérifiez l’adresse, ou repartez de l’accueil. "
        "Une fiche d’un autre établissement n’est pas visible avec votre compte."
    ),
    409: "Revenez à la page précédente pour voir la situation d’aujourd’hui, puis recommencez si c’est encore utile.",
    503: "Ce que vous aviez saisi est affiché ci-dessous : gardez cette page ouverte et réessayez.",
    422: "Revenez à la page précédente et corrigez ce qui est indiqué.",
}


# Connection lost, administrator shutdown, or no state at all because nobody answered.
_ETATS_COUPES = {"", "08", "57"}


def _porte_nul(request: HttpRequest) -> bool:
    """PostgreSQL can't store a NUL, and nobody types one: refused once, here."""
    valeurs = [request.path]
    for donnees in (request.GET, request.POST if request.method == "POST" else {}):
        valeurs += [v for nom, liste in dict(donnees).items() for v in (nom, *liste)]
    return any("\x00" in v for v in valeurs)


class Indisponible(ErreurMetier):
    """The database does not answer."""

    statut = 503


def _etat_sql(erreur: BaseException | None) -> str:
    while erreur is not None:
        if etat := getattr(erreur, "sqlstate", None):
            return str(etat)
        erreur = erreur.__cause__
    return ""


class GestionErreurs:
    """Turns ``ErreurMetier`` and a database that is busy into an explained page (or a fragment for htmx)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *args: Any) -> HttpResponse | None:
        if _porte_nul(request):
            return refus(
                request,
                Invalide("caractere_nul", "Ce que vous avez envoyé contient un caractère illisible : retirez-le."),
            )
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, OperationalError) and _etat_sql(exception) in _ETATS_OCCUPES:
            journal.warning("base occupée (%s) : %s %s", _etat_sql(exception), request.method, request.path)
            exception = Conflit(
                "occupe",
                "Une autre personne enregistre au même moment. Rien n’a été enregistré de votre côté : "
                "réessayez dans quelques secondes.",
            )
        if isinstance(exception, OperationalError | InterfaceError) and _etat_sql(exception)[:2] in _ETATS_COUPES:
            journal.error("base injoignable (%s) : %s %s", _etat_sql(exception), request.method, request.path)
            exception = Indisponible(
                "base_injoignable",
                "La base de données ne répond pas pour le moment. Rien n’a été enregistré : réessayez dans une minute.",
            )
        if not isinstance(exception, ErreurMetier):
            return None
        return refus(request, exception)


def refus(request: HttpRequest, erreur: ErreurMetier) -> HttpResponse:
    """The page, or the fragment, of a refusal."""
    statut = erreur.statut
    contexte: dict[str, Any] = {
        "message": erreur.message,
        "statut": statut,
        "titre": TITRES.get(statut, "Cette action n’a pas pu être faite"),
        "conseil": CONSEILS.get(statut, ""),
        "messages_champs": [m for messages in erreur.champs.values() for m in messages],
        "saisie": saisie.lignes(request),
        "retour": page_precedente(request),
        "reessayer": request.get_full_path() if request.method == "GET" and statut == 409 else "",
    }
    if veut_fragment(request):
        return fragment(request, "erreurs/_refus.html", contexte, statut)
    return render(request, "erreurs/refus.html", contexte, status=statut)


class EntetesSecurite:
    """What no setting of Django covers. Pages of a session are never kept by a shared cache; a cookie that no
    browser of ours was given (a NUL in it) is forgotten before anything looks it up."""

    PERMISSIONS = (
        "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), "
        "magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=(), xr-spatial-tracking=()"
    )

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        for nom in [nom for nom, valeur in request.COOKIES.items() if "\x00" in valeur]:
            del request.COOKIES[nom]
        reponse = self.get_response(request)
        reponse.headers.setdefault("Permissions-Policy", self.PERMISSIONS)
        reponse.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        session = getattr(request, "session", None)
        if session is not None and session.accessed and "Cache-Control" not in reponse.headers:
            reponse.headers["Cache-Control"] = "private, no-cache"
        return reponse
