"""What Celery beat does for the register. The truth is in the database: a missed run changes nothing but the hour."""

from celery import shared_task
from django.utils import timezone

from . import recherche, regles, requetes, suivi
from .domaine.rappels import DERNIER_JOUR, rappeler

LOT = 500


@shared_task(name="structures.rappeler_la_fraicheur")
def rappeler_la_fraicheur() -> int:
    """Remind the editors of each establishment that breaks rule RE1.2, or will within 30 days; returns for how many.

    Every day of the first three weeks of a month; the key of the mail makes it one a month.
    """
    jour = timezone.localdate()
    if jour.day > DERNIER_JOUR:
        return 0
    concernes = suivi.a_rappeler(jour)
    egs = list(concernes)
    for debut in range(0, len(egs), LOT):
        lot = egs[debut : debut + LOT]
        editeurs, noms = regles.editeurs_des(lot), requetes.noms_au(lot)
        for eg in noms:  # not those that closed in between
            identifiant, nom = noms[eg]
            rappeler(
                eg=eg,
                identifiant=identifiant,
                nom=nom,
                fraicheur=concernes[eg],
                destinataires=editeurs.get(eg, []),
                jour=jour,
            )
    return len(concernes)


@shared_task(name="structures.rafraichir_vocabulaire")
def rafraichir_vocabulaire() -> int:
    """Learn the words that came into the register since the last time; returns how many it knows."""
    return recherche.rafraichir_vocabulaire()
