"""« Envois »: what was mailed, to whom, and what became of it."""

from typing import cast

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.clickjacking import xframe_options_sameorigin

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit
from backoffice.socle.vues import VueProtegee

from . import domaine, regles, requetes
from .forms import FiltreEnvois
from .models import MARQUE_SECRET, Envoi

# Somebody else's screen must not find a mail in the browser's cache.
SANS_CACHE = "no-store, private"


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


def _envoi(request: HttpRequest, pk: int) -> Envoi:
    """A mail that this person may see; 404 for somebody else's."""
    return get_object_or_404(regles.envois_de(_user(request)).select_related("destinataire", "reexpedie_par"), pk=pk)


class Envois(VueProtegee):
    """The list: everybody's mails for a supervisor, one's own otherwise."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        filtre = FiltreEnvois(request.GET)
        filtre.is_valid()
        choix = filtre.cleaned_data
        trouves = requetes.chercher(
            _user(request), etat=choix.get("etat", ""), type_code=choix.get("type", ""), q=choix.get("q", "")
        )
        contexte = {
            "page": requetes.page(trouves, avant=choix.get("avant"), apres=choix.get("apres")),
            "filtre": filtre,
            "filtre_actif": any(choix.get(nom) for nom in ("etat", "type", "q")),
            "tout_voir": regles.peut_tout_voir(_user(request)),
            "serveur_configure": domaine.serveur_configure(),
        }
        return render(request, "notifications/envois.html", contexte)


class UnEnvoi(VueProtegee):
    """One mail: its headers, the text, the formatted body in a frame."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        envoi = _envoi(request, pk)
        contexte = {
            "envoi": envoi,
            "peut_reexpedier": regles.peut_reexpedier(_user(request), envoi) and domaine.serveur_configure(),
            "masque": MARQUE_SECRET in envoi.corps_texte,
            "secret": envoi.secret if regles.peut_voir_secret(_user(request), envoi) else "",
        }
        reponse = render(request, "notifications/envoi.html", contexte)
        reponse["Cache-Control"] = SANS_CACHE
        return reponse


@method_decorator(
    [
        xframe_options_sameorigin,
        csp_replace(
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
        ),
    ],
    name="dispatch",
)
class EnvoiHtml(VueProtegee):
    """The formatted body, for the frame: no script, no form, nothing fetched, inline style only."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return HttpResponse(_envoi(request, pk).corps_html, headers={"Cache-Control": SANS_CACHE})


class Reexpedier(VueProtegee):
    """« Réexpédier »; a supervisor's, 403 for the recipient himself."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        envoi = _envoi(request, pk)
        try:
            domaine.reexpedier(envoi=envoi, acteur=_user(request))
        except Conflit as refus:
            messages.error(request, refus.message)
        else:
            messages.success(request, "Le courriel va être expédié de nouveau.")
        return redirect("envoi", pk=envoi.pk)
