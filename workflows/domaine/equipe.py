"""Who of a team does a task: taken over from a colleague, or given to one."""

from typing import Any

from django.db import transaction
from django.urls import reverse

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Invalide
from backoffice.socle.mots import date_longue
from notifications.domaine import notifier
from structures.regles import est_gestionnaire

from .. import notifications as types
from ..enums import TypeEvenement
from ..models import Dossier, Evenement, Tache
from ..regles import acteurs_de
from .journal import consigner
from .taches import (
    attribuer_a,
    au_nom_de,
    contexte_mail,
    exiger_ouvert,
    prise_en_main,
    refus_de_droit,
    verrouiller_preneur,
)

MOTIF_MAX = 1000


@transaction.atomic
def reprendre(*, numero: int, acteur: User, motif: str, vu: int | None) -> Tache:
    """Take over the task that a colleague holds, with a reason that she is told.

    ``vu``: who held it on the page. ``Conflit`` when that changed meanwhile, and names who changed it.
    """
    exiger_ouvert(acteur)
    tache, dossier = prise_en_main(numero)
    if refus := refus_de_droit(tache, acteur):
        raise refus
    _exiger_reservable(tache)
    detenteur = tache.tache.owner
    if detenteur is not None and detenteur.pk == acteur.pk:
        raise Conflit("deja_a_vous", "Cette tâche est déjà à votre nom.")
    if detenteur is None or detenteur.pk != vu:
        raise _change(tache, dossier)
    motif = _motif(motif, exige=True)
    details: dict[str, Any] = {"tache": tache.pk, "noeud": tache.noeud, "de": str(detenteur), "motif": motif}
    details |= au_nom_de(acteur, tache)
    attribuer_a(tache.tache, acteur)
    evenement = consigner(dossier, TypeEvenement.TACHE_REPRISE, acteur, **details)
    _dire_reprise(tache, dossier, detenteur, acteur, acteur, evenement, motif)
    return tache


@transaction.atomic
def attribuer(*, numero: int, acteur: User, a: User, vu: int | None, motif: str = "", en_nombre: bool = False) -> Tache:
    """Give a task to a colleague who may do it; she is told, and so is whoever held it.

    By a gestionnaire, or by somebody who may do the task herself. ``vu`` as in ``reprendre``; the reason is mandatory
    when somebody else holds it. ``en_nombre``: the lot tells the receiver once, at its end.
    """
    a = verrouiller_preneur(a)
    tache, dossier = prise_en_main(numero)
    if refus := refus_d_attribuer(tache, acteur):
        raise refus
    _exiger_reservable(tache)
    detenteur = tache.tache.owner
    if (detenteur.pk if detenteur else None) != vu:
        raise _change(tache, dossier)
    if detenteur is not None and detenteur.pk == a.pk:
        raise Conflit("deja_a_elle", f"Cette tâche est déjà au nom de {a}.")
    if a.pk == acteur.pk:
        raise Invalide("a_soi", "Pour vous charger de cette tâche, prenez-la, ou reprenez-la à la personne qui l’a.")
    if not a.is_active or not acteurs_de(tache).filter(pk=a.pk).exists():
        message = f"{a} ne peut pas faire cette tâche : choisissez une personne de la liste."
        raise Invalide("sans_droit", message, champs={"a": [message]})
    d_un_autre = detenteur is not None and detenteur.pk != acteur.pk
    motif = _motif(motif, exige=d_un_autre)
    attribuer_a(tache.tache, a)
    evenement = consigner(
        dossier, TypeEvenement.TACHE_ATTRIBUEE, acteur, tache=tache.pk, noeud=tache.noeud, a=str(a), motif=motif,
        de=str(detenteur) if detenteur else "",
    )  # fmt: skip
    if not en_nombre:
        notifier(
            types.TacheAttribuee, destinataires=[a], cle=f"tache:{tache.pk}:attribuee:{evenement.pk}", sauf=acteur,
            contexte=contexte_mail(dossier, tache=tache, etape=tache.etape, acteur=acteur, motif=motif),
            lien=reverse("tache", args=[tache.pk]),
        )  # fmt: skip
    if detenteur is not None:
        _dire_reprise(tache, dossier, detenteur, a, acteur, evenement, motif)
    return tache


def refus_d_attribuer(tache: Tache, acteur: User) -> Interdit | None:
    """A gestionnaire gives any task but the approval of what she sent; the others those that they may do."""
    refus = refus_de_droit(tache, acteur)
    if refus is not None and refus.code != "juge_et_partie" and est_gestionnaire(acteur):
        return None
    return refus


# -- below: what the two share --------------------------------------------------------------------------------


def _exiger_reservable(tache: Tache) -> None:
    if not tache.etape.reservable:
        raise Conflit("non_reservable", "Cette tâche est commune à l’équipe de l’établissement : elle ne se prend pas.")


def _dire_reprise(
    tache: Tache, dossier: Dossier, detenteur: User, a: User, acteur: User, evenement: Evenement, motif: str
) -> None:
    notifier(
        types.TacheReprise, destinataires=[detenteur], cle=f"tache:{tache.pk}:reprise:{evenement.pk}", sauf=acteur,
        contexte=contexte_mail(dossier, tache=tache, etape=tache.etape, acteur=acteur, a=a, motif=motif),
        lien=reverse("tache", args=[tache.pk]),
    )  # fmt: skip


def _motif(motif: str, *, exige: bool) -> str:
    motif = motif.strip()
    if (exige and not motif) or len(motif) > MOTIF_MAX:
        message = "Indiquez pourquoi : la personne qui avait la tâche le reçoit (1 000 caractères au plus)."
        raise Invalide("motif", message, champs={"motif": [message]})
    return motif


_GESTES = {
    TypeEvenement.TACHE_PRISE: "a pris cette tâche",
    TypeEvenement.TACHE_RENDUE: "a remis cette tâche dans la file",
    TypeEvenement.INCIDENT_REPRIS: "a remis cette tâche dans la file",  # with a step: the other incidents have none
    TypeEvenement.TACHE_REPRISE: "a repris cette tâche",
    TypeEvenement.TACHE_ATTRIBUEE: "a attribué cette tâche à {a}",
}


def _change(tache: Tache, dossier: Dossier) -> Conflit:
    """Whose the task is changed since the page was drawn: who did it, when, and what to do now."""
    dernier = (
        dossier.evenements.filter(type__in=_GESTES, details__contains={"tache": tache.pk, "noeud": tache.noeud})
        .select_related("acteur")
        .order_by("-pk")
        .first()
    )
    fait = "Cette tâche a changé de mains"
    if dernier:
        geste = _GESTES[TypeEvenement(dernier.type)].format(a=dernier.details.get("a", ""))
        fait = f"{dernier.acteur or 'Le système'} {geste} le {date_longue(dernier.le, 'heure')}"
    ensuite = "rechargez la page pour voir qui l’a maintenant." if tache.tache.owner else "vous pouvez la prendre."
    return Conflit("tache_changee", f"{fait}. Rien n’a été changé : {ensuite}")
