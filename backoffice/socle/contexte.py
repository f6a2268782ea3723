"""Context processor of the shell. Lazy: a fragment that shows no header asks the database nothing."""

from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from . import menu as registre
from .support import support


class Shell:
    """What ``base.html`` reads, as ``shell.…``; each part is computed once, when it is shown."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    nom_produit = property(lambda self: settings.NOM_PRODUIT)
    version = property(lambda self: settings.VERSION)
    url_code_source = property(lambda self: settings.URL_CODE_SOURCE)
    support = property(lambda self: support())

    @cached_property
    def connecte(self) -> bool:
        user = getattr(self._request, "user", None)
        return bool(user is not None and user.is_authenticated)

    @cached_property
    def identifiant(self) -> str:
        return self._request.user.get_username() if self.connecte else ""

    @cached_property
    def menu(self) -> list[dict[str, Any]]:
        return registre.entrees_pour(self._request)

    @cached_property
    def compte(self) -> registre.DescriptionCompte:
        return registre.description_compte(self._request.user) if self.connecte else registre.DescriptionCompte()

    @cached_property
    def liens_compte(self) -> list[dict[str, str]]:
        return registre.liens_compte_pour(self._request)

    @cached_property
    def recherche(self) -> str:
        return self._request.GET.get("q", "")[:200]

    url_accueil = property(lambda self: registre.adresse(registre.NOM_URL_ACCUEIL) or "/")
    url_recherche = property(lambda self: registre.adresse(registre.NOM_URL_RECHERCHE))
    url_connexion = property(lambda self: registre.adresse(registre.NOM_URL_CONNEXION))
    url_deconnexion = property(lambda self: registre.adresse(registre.NOM_URL_DECONNEXION))
    url_accessibilite = property(lambda self: registre.adresse(registre.NOM_URL_ACCESSIBILITE))
    url_aide = property(lambda self: registre.adresse(registre.NOM_URL_AIDE))


def shell(request: HttpRequest) -> dict[str, Any]:
    return {"shell": Shell(request)}
