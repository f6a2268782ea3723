"""The heartbeat of an open page: where I am, who else is there."""

from typing import cast

from django.http import HttpRequest, JsonResponse

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Introuvable
from backoffice.socle.vues import VueProtegee, entier

from .. import presences, regles
from ..domaine import presence


class PresenceView(VueProtegee):
    """POST every 20 s by js/presence.js. Answers with the others, in words; once the dossier has ended, nobody."""

    http_method_names = ["post"]

    def autoriser(self, request: HttpRequest) -> None:
        dossier = regles.dossiers_visibles(request.user).filter(pk=self.kwargs["numero"]).first()
        if dossier is None:
            raise Introuvable("dossier_inconnu", "Ce dossier n’existe pas, ou il n’est pas visible avec votre compte.")
        self.dossier = dossier

    def post(self, request: HttpRequest, numero: int) -> JsonResponse:
        user = cast(User, request.user)
        if self.dossier.est_ouvert:
            presence.signaler(dossier=self.dossier, user=user, fiche=entier(request.POST.get("fiche")))
        autres = presences.presents(self.dossier, user)
        return JsonResponse({"dossier": autres.phrase, "fiches": autres.sur_les_fiches})
