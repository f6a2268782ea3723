"""« Envois »: what was mailed, to whom, and what became of it."""

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_POST

from backoffice.socle.erreurs import ErreurMetier

from . import domaine, regles, requetes
from .forms import FiltreEnvois
from .models import MARQUE_SECRET, Envoi


@login_required
@require_GET
def envois(request: HttpRequest) -> HttpResponse:
    """The list: everybody's for a supervisor, one's own otherwise."""
    filtre = FiltreEnvois(request.GET)
    filtre.is_valid()
    choix = filtre.cleaned_data
    trouves = requetes.chercher(
        request.user, etat=choix.get("etat", ""), type_code=choix.get("type", ""), q=choix.get("q", "")
    )
    return render(
        request,
        "notifications/envois.html",
        {
            "page": requetes.page(trouves, avant=choix.get("avant"), apres=choix.get("apres")),
            "filtre": filtre,
            "filtre_actif": any(choix.get(nom) for nom in ("etat", "type", "q")),
            "tout_voir": regles.peut_tout_voir(request.user),
            "serveur_configure": domaine.serveur_configure(),
        },
    )


def _envoi(request: HttpRequest, pk: int) -> Envoi:
    return get_object_or_404(regles.envois_de(request.user).select_related("destinataire", "reexpedie_par"), pk=pk)


@login_required
@require_GET
def envoi(request: HttpRequest, pk: int) -> HttpResponse:
    lu = _envoi(request, pk)
    reponse = render(
        request,
        "notifications/envoi.html",
        {
            "envoi": lu,
            "peut_reexpedier": regles.peut_reexpedier(request.user, lu) and domaine.serveur_configure(),
            "masque": MARQUE_SECRET in lu.corps_texte,
            "secret": lu.secret if regles.peut_voir_secret(request.user, lu) else "",
        },
    )
    reponse["Cache-Control"] = "no-store, private"
    return reponse


@login_required
@require_GET
@xframe_options_sameorigin
@csp_replace(
    {
        "default-src": [NONE],
        "style-src": [UNSAFE_INLINE],
        "img-src": ["data:"],
        "script-src": [NONE],
        "font-src": [NONE],
        "connect-src": [NONE],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [NONE],
        "frame-ancestors": [SELF],
        "sandbox": ["allow-popups"],
    }
)
def envoi_html(request: HttpRequest, pk: int) -> HttpResponse:
    """The formatted body, for the frame of the mail's page: no script, no form, nothing fetched, inline style only."""
    reponse = HttpResponse(_envoi(request, pk).corps_html)
    reponse["Cache-Control"] = "no-store, private"
    return reponse


@login_required
@require_POST
def reexpedier(request: HttpRequest, pk: int) -> HttpResponse:
    lu = _envoi(request, pk)
    try:
        domaine.reexpedier(envoi=lu, acteur=request.user)
    except ErreurMetier as refus:
        messages.error(request, refus.message)
    else:
        messages.success(request, "Le courriel va être expédié de nouveau.")
    return redirect("envoi", pk=lu.pk)
