"""« Circuits à vérifier »: drafts that would stop once sent, with what a gestionnaire can do about it now."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from backoffice.socle.erreurs import Interdit
from backoffice.socle.vues import VueProtegee, entier
from structures.regles import est_gestionnaire

from ..alertes import circuits_a_verifier

TAILLE = 50


def exiger_gestionnaire(user: Any) -> None:
    if not est_gestionnaire(user):
        raise Interdit("sans_droit", "Cette page est réservée aux gestionnaires SESAN.")


class CircuitsView(VueProtegee):
    def autoriser(self, request: HttpRequest) -> None:
        exiger_gestionnaire(request.user)

    def get(self, request: HttpRequest) -> HttpResponse:
        toutes, apres = circuits_a_verifier(), entier(request.GET.get("apres"))
        suite = [ligne for ligne in toutes if apres is None or ligne.numero < apres]
        montrees = suite[:TAILLE]
        contexte = {
            "lignes": montrees,
            "total": len(toutes),
            "suivant": montrees[-1].numero if len(suite) > TAILLE else None,
            "debut": apres is None,
        }
        return render(request, "workflows/circuits.html", contexte)
