"""The monthly reminder of rule RE1.2."""

from collections.abc import Iterable
from datetime import date

from django.db import transaction
from django.urls import reverse

from backoffice.comptes.models import User
from notifications.domaine import notifier

from .. import notifications as types
from .fraicheur import FraicheurEG

# From the 1st to the 21st: a day on which nothing ran is caught up the next one, and between the reminders of two
# months there is always more than a week.
DERNIER_JOUR = 21


@transaction.atomic
def rappeler(
    *, eg: int, identifiant: str, nom: str, fraicheur: FraicheurEG, destinataires: Iterable[User], jour: date
) -> int:
    """Mail those who edit an establishment; returns how many people the mail is for.

    Once a month and person, however many times and by however many dispatchers it is called.
    """
    phrase = (
        "Trop peu d’unités de cet établissement sont à jour."
        if not fraicheur.suffisante
        else "Sans rien faire, trop peu d’unités de cet établissement seront encore à jour dans 30 jours."
    )
    return notifier(
        types.FraicheurRappel,
        destinataires=destinataires,
        cle=f"eg:{eg}:{jour:%Y-%m}",
        contexte={"etablissement": nom, "fraicheur": fraicheur, "phrase": phrase},
        lien=reverse("fiche", args=[identifiant]),
    )
