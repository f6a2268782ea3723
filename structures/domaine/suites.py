"""What becomes of a change once entered: a planned one is cancelled or entered again, a past one is undone.

The history stays honest: nothing is rewritten. A new modification points at the one it replaces (``remplace``, which
is cancelled) or undoes (``inverse``, which stays). The database refuses a second one of the same.
"""

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Invalide
from backoffice.socle.mots import date_longue

from ..champs import CHAMPS, libelle
from ..enums import Source
from ..models import Fiche, Modification
from ..regles import droits_sur, peut_annuler
from .enregistrer import annuler, verrouiller
from .fusion import Heurt, heurts, sans_heurts
from .lecture import changements_de, etat_parmi, jeton_de
from .modifier import modifier, refuser_si_reservee
from .patches import Etat, Patch, appliquer, inverser, utile

RESERVEE = (
    "Cette modification porte aussi sur ce que seuls les gestionnaires SESAN peuvent changer : demandez-leur de "
    "l’annuler."
)

# -- a planned change -----------------------------------------------------------------------------------


@transaction.atomic
def annuler_prevue(*, modification: Modification, acteur: User) -> None:
    """Cancel a planned direct change: by its author or a gestionnaire, until its day (domain.md §4)."""
    fiche, modification = _verrouiller_prevue(modification, acteur)
    refuser_si_reservee(fiche)
    annuler(modification, acteur)


@transaction.atomic
def modifier_prevue(
    *, modification: Modification, acteur: User, patch: Patch, date_effet: date, jeton: str, motif: str = ""
) -> Modification:
    """Enter a planned direct change again, with other values or another day. Returns the modification that replaces it.

    ``patch`` is relative to the fiche without the change (``lire`` with ``sans``). Same rules and refusals as
    ``modifier``; refuses too somebody who may not cancel it (``Interdit``), a change that is not planned any more
    (``Conflit``: who did what, when), the same change on the same day (``Invalide``).
    """
    fiche, modification = _verrouiller_prevue(modification, acteur)
    if (patch, date_effet, motif) == (modification.patch, modification.date_effet, modification.motif):
        raise Invalide("rien_a_modifier", "Rien n’a changé : ce changement est déjà prévu ainsi.")
    return modifier(
        fiche=fiche,
        acteur=acteur,
        patch=patch,
        date_effet=date_effet,
        jeton=jeton,
        motif=motif,
        remplace=modification,
        inverse=modification.inverse,
    )


def refuser_si_pas_prevue(modification: Modification) -> None:
    """``Conflit`` that says what became of a change that can't be cancelled or entered again any more."""
    if modification.annulee_le is not None:
        suite = Modification.objects.filter(remplace=modification).first()
        geste = f"modifié : il est prévu le {date_longue(suite.date_effet)}" if suite else "annulé"
        raise Conflit(
            "deja_annulee",
            f"Ce changement a déjà été {geste}, par {modification.annulee_par} le "
            f"{date_longue(modification.annulee_le, 'heure')}. Rechargez la fiche pour voir son état.",
        )
    if modification.source != Source.DIRECT or modification.date_effet <= timezone.localdate():
        raise Conflit(
            "deja_en_vigueur",
            "Ce changement est déjà en vigueur : il ne s’annule plus ici. Défaites-le depuis l’historique de la fiche.",
        )


def _verrouiller_prevue(modification: Modification, acteur: User) -> tuple[Fiche, Modification]:
    fiche, modification = _relire(modification)
    if not peut_annuler(acteur, modification):
        raise Interdit("sans_droit", "Seuls l’auteur du changement et les gestionnaires peuvent l’annuler.")
    refuser_si_pas_prevue(modification)
    return fiche, modification


# -- a past change --------------------------------------------------------------------------------------


class Retour(NamedTuple):
    """What undoing a change would do on a day: the fiche then, the patch, and what was changed again since."""

    etat: Etat
    patch: Patch
    heurts: list[Heurt]
    derniers: dict[str, Modification]  # the last modification of each field that was changed again

    @property
    def champs(self) -> set[str]:
        return set(self.patch)


def retour_de(modification: Modification, jour: date) -> Retour | None:
    """The undoing of a past change, seen on ``jour``: the fields go back to what the change found, element by element
    for lists. What somebody changed again since is left alone and listed. None when the fiche does not exist then."""
    changements = changements_de(modification.fiche)
    etat = etat_parmi(changements, jour)
    if etat is None:
        return None
    avant: Etat = {}
    for c in changements:
        if (c.date_effet, c.ordre) < (modification.date_effet, modification.pk):
            avant = appliquer(avant, c.patch)
    pose = appliquer(avant, modification.patch)
    inverse = inverser(avant, modification.patch)
    trouves = heurts(pose, etat, inverse)
    noms = {h.nom for h in trouves}
    patch = utile(etat, sans_heurts(pose, etat, inverse, noms))
    depuis = (
        Modification.objects.vivantes()
        .filter(fiche=modification.fiche_id, date_effet__range=(modification.date_effet, jour))
        .select_related("auteur")
        .order_by("date_effet", "pk")
    )
    derniers = {nom: m for m in depuis if m.pk != modification.pk for nom in noms & m.patch.keys()} if noms else {}
    return Retour(etat, patch, trouves, derniers)


@transaction.atomic
def defaire(
    *, modification: Modification, acteur: User, champs: Collection[str], date_effet: date, motif: str = ""
) -> Modification:
    """Undo a past direct change from ``date_effet`` on, by its inverse. Returns the modification that undoes it.

    ``champs``: the fields that the person saw going back. Same rules and refusals as ``modifier`` and as
    ``refuser_si_indefaisable``; refuses too (``Conflit``, with who and when) one whose fields were changed again
    since, unless she saw that they stay as they are; a day before its own (``Invalide``).
    """
    fiche, modification = _relire(modification)
    refuser_si_indefaisable(modification, acteur)
    if date_effet < modification.date_effet:
        phrase = f"Choisissez une date à partir du {date_longue(modification.date_effet)}, jour où elle a pris effet."
        raise Invalide("date_trop_tot", phrase, champs={"date_effet": [phrase]})
    retour = retour_de(modification, date_effet)
    if retour is not None and retour.champs != set(champs):
        raise Conflit(
            "apercu_perime",
            "Ce que cette annulation changerait n’est plus ce que la page montrait"
            f"{_par_qui(retour, fiche)}. Relisez l’aperçu, puis confirmez-le s’il vous convient.",
        )
    if retour is not None and not retour.patch:
        raise Conflit("rien_a_defaire", rien_a_defaire(retour, fiche))
    return modifier(
        fiche=fiche,
        acteur=acteur,
        patch=retour.patch if retour else {},
        date_effet=date_effet,
        jeton=jeton_de(fiche),
        motif=motif,
        inverse=modification,
    )


def refuser_si_indefaisable(modification: Modification, acteur: User) -> None:
    """Refuses somebody who may not change the fiche, or not all that the change changed (``Interdit``); a change that
    can't be undone here, or was already: why, and where it can (``Conflit``)."""
    modifiables = {champ.nom for champ in droits_sur(acteur, modification.fiche).champs_modifiables}
    if not modifiables:
        raise Interdit("sans_droit", "Vous n’avez pas le droit de modifier cette fiche.")
    if modification.source != Source.DIRECT:
        raise Conflit(
            "pas_directe",
            f"Cette modification vient de « {modification.origine or Source(modification.source).label} » : elle ne "
            "se défait pas ici. Modifiez la fiche, ou ouvrez un dossier collaboratif s’il s’agit d’une création, d’un "
            "déplacement, d’un type d’UO ou d’une fermeture.",
        )
    if modification.annulee_le is not None:
        raise Conflit(
            "deja_annulee",
            f"Ce changement a été annulé par {modification.annulee_par} le "
            f"{date_longue(modification.annulee_le, 'heure')} : il n’y a rien à défaire.",
        )
    if modification.date_effet > timezone.localdate():
        raise Conflit("pas_en_vigueur", "Ce changement n’est pas encore en vigueur : annulez-le sur la fiche.")
    deja = Modification.objects.vivantes().filter(inverse=modification).select_related("auteur").first()
    if deja is not None:
        raise Conflit(
            "deja_defaite",
            f"{deja.auteur} a déjà défait cette modification le {date_longue(deja.saisie_le, 'heure')}, avec effet au "
            f"{date_longue(deja.date_effet)}. Rechargez l’historique pour le voir.",
        )
    if not modification.patch.keys() <= modifiables:
        raise Interdit("champ_reserve", RESERVEE)


def rien_a_defaire(retour: Retour, fiche: Fiche) -> str:
    """Why undoing would change nothing."""
    if retour.heurts:
        return (
            f"Rien ne peut être défait : tout ce que cette modification avait changé l’a été de nouveau depuis"
            f"{_par_qui(retour, fiche)}. Modifiez la fiche si une valeur est à reprendre."
        )
    return "Rien à défaire : la fiche contient déjà les valeurs d’avant cette modification."


def _par_qui(retour: Retour, fiche: Fiche) -> str:
    """« : « Nom » par Ada le 3 mars 2027 à 10:00 », empty when nothing was changed again."""
    faits = [
        f"« {libelle(CHAMPS[h.nom], fiche.niveau)} » par {m.auteur or m.origine or 'un import'} "
        f"le {date_longue(m.saisie_le, 'heure')}"
        for h in retour.heurts
        if (m := retour.derniers.get(h.nom)) is not None
    ]
    return f" : {', '.join(faits)}" if faits else ""


def _relire(modification: Modification) -> tuple[Fiche, Modification]:
    """The fiche, locked, and the modification as it is under that lock."""
    fiche = verrouiller([modification.fiche_id])[modification.fiche_id]
    return fiche, Modification.objects.select_related("fiche", "annulee_par", "inverse").get(pk=modification.pk)
