"""Reported errors in tests: an EHPAD, who reports, who answers, and the mails that they get."""

from django.urls import reverse

from backoffice.comptes.models import User
from notifications.models import Envoi
from structures.domaine.signalements import signaler
from structures.enums import Role, ThemeSignalement
from structures.models import Fiche, Signalement
from tests.factories import repertoire as fabrique
from tests.formulaires import lire_formulaire
from tests.navigation import client

SIGNALE = {"theme": ThemeSignalement.INEXACT, "message": "C’est faux."}


class Monde:
    """An EHPAD with one offer, its Référent and its Direction, a reader from elsewhere, a gestionnaire."""

    def __init__(self) -> None:
        self.eg = fabrique.etablissement("medico-social", nom="EHPAD TEST")
        self.uo = fabrique.uo(self.eg, nom="Unité d’hébergement", conditions_accueil="Sur rendez-vous")
        self.referent = fabrique.compte(Role.REFERENT, self.eg, "nadia")
        self.direction = fabrique.compte(Role.DIRECTION, self.eg, "philippe")
        self.lecteur = fabrique.lecteur("lecteur")
        self.gestionnaire = fabrique.gestionnaire("sophie")

    def signaler(self, champ: str = "conditions_accueil", acteur: User | None = None, **plus: str) -> Signalement:
        return signaler(fiche=plus.pop("fiche", self.uo), acteur=acteur or self.lecteur, champ=champ, **SIGNALE | plus)


def adresse_de(fiche: Fiche) -> str:
    return reverse("fiche_signaler", args=[fiche.identifiant])


def poster(user: User, fiche: Fiche, etape: str = "signaler", **changements: str):
    """Fill the form as a browser shows it and press a button."""
    navigateur, adresse = client(user), adresse_de(fiche)
    page = navigateur.get(adresse, {"champ": changements.get("champ", "")})
    return navigateur.post(adresse, lire_formulaire(page.text, etape=etape, **changements), follow=True)


def messages(reponse) -> list[str]:
    return [str(m) for m in reponse.context["messages"]]


def courriels(type_code: str) -> list[str]:
    envois = Envoi.objects.filter(type_code=type_code).select_related("destinataire")
    return sorted(e.destinataire.username for e in envois)
