"""Two types of the tests, people, and a real SMTP server on this machine."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from django.db import transaction

from backoffice.comptes import domaine as comptes
from backoffice.comptes.models import User
from notifications import regles, rendu, reveil
from notifications.domaine import notifier
from notifications.models import Envoi
from notifications.types import CompteOuvert

MOT_DE_PASSE = "Hirondelle-de-mer-42"


class Recu:
    """What the server accepted, and how it answers: ``reponses[address]`` to RCPT TO, ``corps`` to DATA."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.reponses: dict[str, str] = {}
        self.corps = "250 OK"
        self.expediteur = "250 OK"
        self.lenteur = 0.0
        self.connexions = 0

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        self.connexions += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        if self.expediteur.startswith("250"):
            envelope.mail_from = address
        return self.expediteur

    async def handle_RCPT(self, server, session, envelope, address, options):
        reponse = self.reponses.get(address, "250 OK")
        if reponse.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reponse

    async def handle_DATA(self, server, session, envelope):
        await asyncio.sleep(self.lenteur)
        if self.corps.startswith("250"):
            self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        return self.corps

    @property
    def adresses(self) -> list[str]:
        return sorted(m["To"] for m in self.messages)


@pytest.fixture(autouse=True)
def au_propre(settings, monkeypatch) -> Iterator[None]:
    """No wake-up thread, no supervisor from another app, no middleware but this project's own."""
    monkeypatch.setattr(reveil, "_publier", lambda: None)
    monkeypatch.setattr(regles, "_superviseur", lambda user: user.username.startswith("gestionnaire"))
    settings.LOGIN_REDIRECT_URL = "/"
    yield
    rendu._gabarit.cache_clear()


def port_libre() -> int:
    with socket.socket() as prise:
        prise.bind(("127.0.0.1", 0))
        return prise.getsockname()[1]


@pytest.fixture
def smtp(settings) -> Iterator[Recu]:
    """A real SMTP server, and the settings that lead to it."""
    recu = Recu()
    controleur = Controller(recu, hostname="127.0.0.1", port=port_libre())
    controleur.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controleur.port
    settings.EMAIL_TIMEOUT = 5
    settings.DEFAULT_FROM_EMAIL = "ROR <ror@sante.example>"
    yield recu
    controleur.stop()


@pytest.fixture
def compte(db) -> Callable[..., User]:
    def ouvrir(identifiant: str, **autres: str) -> User:
        donnees = {"email": f"{identifiant}@example.org", "prenom": "", "nom": "", **autres}
        donnees = {cle: valeur or identifiant.title() for cle, valeur in donnees.items()}
        user, _ = comptes.creer_compte(identifiant=identifiant, acteur=None, annoncer=False, **donnees)
        return comptes.changer_mot_de_passe(user=user, nouveau=MOT_DE_PASSE)

    return ouvrir


@pytest.fixture
def annoncer() -> Callable[..., int]:
    """An event announced in its transaction, with the type at hand."""

    def _annoncer(*users: User, cle: str = "evenement:1", **autres) -> int:
        with transaction.atomic():
            return notifier(
                autres.pop("type_", CompteOuvert),
                destinataires=users,
                cle=cle,
                contexte={"identifiant": "x", "secret": "-", **autres.pop("contexte", {})},
                **autres,
            )

    return _annoncer


def etats() -> dict[str, str]:
    """Address → state."""
    return dict(Envoi.objects.order_by("pk").values_list("adresse", "etat"))
