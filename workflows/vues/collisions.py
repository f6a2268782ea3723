"""The ways out of a collision of the tree that are no gesture on it: give a change up, delete all the same."""

from django.http import HttpRequest, HttpResponse

from backoffice.socle.erreurs import Invalide
from backoffice.socle.vues import entier

from ..domaine import gestes
from .gestes import VueAction

VERBES = {
    "annuler_changement": (gestes.annuler_changement, "Le changement est abandonné."),
    "confirmer_suppression": (gestes.confirmer_suppression, "La suppression est confirmée."),
}


class CollisionView(VueAction):
    """Done at once: the banner that offers it says what happened and what becomes of it."""

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        fiche = entier(request.POST.get("fiche")) or 0  # it may no longer be in the tree
        if request.POST.get("verbe") not in VERBES:
            raise Invalide("choix", "Choisissez comment régler cette situation.")
        verbe, phrase = VERBES[request.POST["verbe"]]
        verbe(numero=numero, acteur=self.acteur, fiche=fiche)
        return self.fait(phrase, fiche if fiche in self.espace.arbre.noeuds else None)
