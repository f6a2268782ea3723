"""Accounts for the tests, opened by the verbs."""

from collections.abc import Callable

import pytest

from backoffice.comptes import domaine
from backoffice.comptes.models import User

MOT_DE_PASSE = "Hirondelle-de-mer-42"


@pytest.fixture(autouse=True)
def reglages(settings) -> None:
    """The home page belongs to another app; the two middlewares are needed whatever the project's settings."""
    settings.LOGIN_REDIRECT_URL = "/"
    siens = [f"backoffice.comptes.middleware.{nom}" for nom in ("Activite", "PremierMotDePasse")]
    rang = settings.MIDDLEWARE.index("django.contrib.auth.middleware.AuthenticationMiddleware") + 1
    absents = [nom for nom in siens if nom not in settings.MIDDLEWARE]
    settings.MIDDLEWARE = [*settings.MIDDLEWARE[:rang], *absents, *settings.MIDDLEWARE[rang:]]


@pytest.fixture
def compte(db) -> Callable[..., User]:
    """``compte("referent.hopital")``: an open account whose owner has chosen MOT_DE_PASSE."""

    def ouvrir(identifiant: str = "referent.hopital", **autres: str) -> User:
        donnees = {"email": f"{identifiant.lower()}@example.org", "prenom": "Ada", "nom": "Lefèvre", **autres}
        user, _ = domaine.creer_compte(identifiant=identifiant, acteur=None, annoncer=False, **donnees)
        return domaine.changer_mot_de_passe(user=user, nouveau=MOT_DE_PASSE)

    return ouvrir
