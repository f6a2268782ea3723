"""What holds on every page: the provisional password first, and the end of idle sessions."""

import time
from collections.abc import Callable
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

Reponse = Callable[[HttpRequest], HttpResponse]


class PremierMotDePasse:
    """While the password is provisional, every address leads to the page that replaces it (acceptance 11)."""

    def __init__(self, get_response: Reponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Without a session there is nobody to ask for: no query.
        if self._permis(request.path) or SESSION_KEY not in request.session:
            return self.get_response(request)
        user = request.user
        if not (user.is_authenticated and user.doit_changer_mot_de_passe):
            return self.get_response(request)
        adresse = reverse("mot_de_passe")
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Redirect": adresse})
        if request.method == "GET" and request.path != "/":
            adresse += "?" + urlencode({"next": request.get_full_path()})
        return redirect(adresse)

    def _permis(self, chemin: str) -> bool:
        if chemin.startswith((settings.STATIC_URL, "/sante/")):
            return True
        return chemin in {reverse("connexion"), reverse("deconnexion"), reverse("mot_de_passe")}


class Activite:
    """A session ends SESSION_COOKIE_AGE after its last use; its row is touched at most every five minutes.

    (SESSION_SAVE_EVERY_REQUEST would write on every GET.)
    """

    PAS = 300

    def __init__(self, get_response: Reponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        session = request.session
        if SESSION_KEY in session:
            maintenant = int(time.time())
            if maintenant - session.get("vu_le", 0) >= self.PAS:
                session["vu_le"] = maintenant
        return self.get_response(request)
