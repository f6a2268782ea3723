"""Base view, error pages, health."""

from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

from django.conf import settings
from django.contrib.auth.mixins import AccessMixin
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.template.loader import get_template
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View
from django.views.decorators.cache import never_cache
from django_htmx.http import HttpResponseClientRedirect

from . import saisie
from .support import support


class VueProtegee(AccessMixin, View):
    """A page for signed-in people.

    ``autoriser(request)`` runs before the method and raises ``Introuvable`` (someone else's establishment: 404) or
    ``Interdit`` (wrong role on something visible: 403). ``self.kwargs`` is already there. Put it first among the bases.
    """

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return self.handle_no_permission()
        self.autoriser(request)
        return super().dispatch(request, *args, **kwargs)

    def autoriser(self, request: HttpRequest) -> None:
        """Nothing to refuse here; subclasses raise."""

    def handle_no_permission(self) -> HttpResponseBase:  # type: ignore[override]
        """To the login page; an htmx request leaves the page it is on, rather than show a login inside a fragment."""
        if getattr(self.request, "htmx", False):
            page = decouper(self.request.headers.get("HX-Current-URL", ""))
            suite = f"{page.path}?{page.query}" if page.query else page.path
            return HttpResponseClientRedirect(f"{reverse(settings.LOGIN_URL)}?next={quote(suite or '/')}")
        if self.request.method == "POST":
            return session_terminee(self.request)
        return super().handle_no_permission()


def entier(brut: str | None) -> int | None:
    """A number of a form or of an address, None when it is none."""
    return int(brut) if brut and brut.isascii() and brut.isdecimal() and len(brut) < 19 else None


def decouper(adresse: str) -> SplitResult:
    """An address that a browser sent, in parts; one that is none counts as empty."""
    try:
        return urlsplit(adresse)
    except ValueError:
        return urlsplit("")


def page_precedente(request: HttpRequest) -> str:
    """The page one came from when it is one of ours, to offer a way back; else the home page."""
    venue = decouper(request.headers.get("referer", ""))
    chemin = f"{venue.path}?{venue.query}" if venue.query else venue.path
    # The path alone may name another host: http://ours//theirs/, which a browser reads as //theirs/.
    if venue.netloc in ("", request.get_host()) and url_has_allowed_host_and_scheme(chemin, allowed_hosts=None):
        return chemin
    return "/"


def fragment(request: HttpRequest, gabarit: str, contexte: dict[str, Any], statut: int) -> HttpResponse:
    """The answer to an htmx request: a message for the zone of alerts, whatever the request aimed at."""
    reponse = render(request, gabarit, contexte, status=statut)
    reponse["HX-Retarget"] = "#alertes"
    reponse["HX-Reswap"] = "innerHTML show:top"
    return reponse


def veut_fragment(request: HttpRequest) -> bool:
    htmx = getattr(request, "htmx", None)
    return htmx is not None and bool(htmx) and not htmx.boosted


def _page(request: HttpRequest, gabarit: str, titre: str, message: str, statut: int) -> HttpResponse:
    lignes = saisie.lignes(request)
    if veut_fragment(request):
        contexte = {"titre": titre, "message": message, "messages_champs": [], "saisie": lignes}
        return fragment(request, "erreurs/_refus.html", contexte, statut)
    return render(request, gabarit, {"saisie": lignes, "retour": page_precedente(request)}, status=statut)


def session_terminee(request: HttpRequest, reason: str = "") -> HttpResponse:
    """« Votre session est terminée »: a POST without a session or with an old token. What was typed stays, to copy."""
    return _page(
        request,
        "erreurs/session.html",
        "Votre session est terminée",
        "Rien n’a été enregistré. Rechargez la page, reconnectez-vous, puis recommencez.",
        403,
    )


def requete_illisible_400(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Drawn like the 500 page, for what was sent can't be read: nothing of it is asked again."""
    contexte = {"nom_produit": settings.NOM_PRODUIT, **support()}
    return HttpResponse(get_template("400.html").render(contexte), status=400)


def refuse_403(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(
        request, "403.html", "Cette action ne vous est pas ouverte", "Votre compte ne donne pas ce droit.", 403
    )


def introuvable_404(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(
        request,
        "404.html",
        "Introuvable",
        "Ce que vous demandez n’existe plus, ou votre compte ne le voit pas. Rechargez la page.",
        404,
    )


def erreur_500(request: HttpRequest) -> HttpResponse:
    """Drawn without context processors: whatever is broken must not break this page too."""
    contexte = {"nom_produit": settings.NOM_PRODUIT, "saisie": saisie.lignes(request), **support()}
    return HttpResponse(get_template("500.html").render(contexte), status=500)


@never_cache
def vive(request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nothing of anybody."""
    return HttpResponse("vivant\n", content_type="text/plain; charset=utf-8")


_migrations_appliquees = False


def _manquantes() -> bool:
    global _migrations_appliquees
    if not _migrations_appliquees:
        executeur = MigrationExecutor(connection)
        _migrations_appliquees = not executeur.migration_plan(executeur.loader.graph.leaf_nodes())
    return not _migrations_appliquees


@never_cache
def prete(request: HttpRequest) -> HttpResponse:
    """The database answers and has every migration: 200 « prêt », else 503 with the reason."""
    raison = ""
    try:
        with connection.cursor() as curseur:
            curseur.execute("SELECT 1")
        if _manquantes():
            raison = "migrations à appliquer"
    except DatabaseError:
        raison = "base de données injoignable"
    return HttpResponse(
        f"{raison or 'prêt'}\n", status=503 if raison else 200, content_type="text/plain; charset=utf-8"
    )
