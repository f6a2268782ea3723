"""The life of a human task: opened by the flow, taken, given back, concluded."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from viewflow.workflow.models import Task
from viewflow.workflow.status import STATUS

from backoffice.comptes.domaine import verrouiller
from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Introuvable
from backoffice.socle.mots import date_longue
from notifications.domaine import notifier
from structures.models import VersionFiche
from structures.regles import gestionnaires

from .. import notifications as types
from ..enums import TypeEvenement
from ..models import Dossier, MiseDeCote, Processus, Suppleance, Tache
from ..regles import (
    acteurs_de,
    approbations_conjointes,
    perimetre,
    peut_faire,
    pour_qui,
    retenues_par_sa_signature,
    supplee,
)
from . import horloge
from .classement import classer
from .journal import consigner
from .mouvement import mouvement


def saisir(numero: int) -> Dossier:
    """Lock a dossier for a verb, in the house order: process, then dossier. ``Introuvable`` when there is none.

    Every verb on a dossier goes through here: one writer at a time, so that no decision is taken twice.
    """
    processus = Processus.objects.select_for_update(of=("self",)).filter(dossier=numero).first()
    if processus is None:
        raise Introuvable("dossier_inconnu", "Ce dossier n’existe pas.")
    dossier = Dossier.objects.select_related("eg").select_for_update(of=("self",), no_key=True).get(pk=numero)
    dossier.processus = processus
    return dossier


def nom_eg(dossier: Dossier) -> str:
    """Today's name of the establishment, or its identifier before its first publication."""
    nom = (
        VersionFiche.objects.filter(fiche=dossier.eg_id, validite__contains=timezone.localdate())
        .values_list("nom", flat=True)
        .first()
    )
    return nom or dossier.eg.identifiant


def contexte_mail(dossier: Dossier, **plus: Any) -> dict[str, Any]:
    return {"dossier": dossier, "etablissement": nom_eg(dossier), **plus}


def ouvrir(task: Task, dossier: Dossier, acteur: User | None, autorite: str | None) -> Tache:
    """Called by the flow when a human task is created: due date, journal, one mail a person who can do it.

    When nobody can, it is an incident told to the gestionnaires at once, never a silence (domain.md §6).
    """
    tache = Tache(
        tache=task,
        dossier=dossier,
        eg_id=dossier.eg_id,
        noeud=task.flow_task.name,
        autorite_id=autorite,
        creee_le=timezone.now(),
    )
    horloge.donner_le_delai(tache)
    personnes = list(acteurs_de(tache))
    tache.sans_acteur = not personnes
    classer(tache, dossier)
    tache.save(force_insert=True)
    if personnes:
        contexte = contexte_mail(dossier, tache=tache, etape=tache.etape, acteur=acteur)
        consigner(dossier, TypeEvenement.TACHE_CREEE, None, tache=tache.pk, noeud=tache.noeud, autorite=autorite)
        notifier(
            types.TacheCreee, destinataires=personnes, cle=f"tache:{tache.pk}", contexte=contexte,
            lien=reverse("tache", args=[tache.pk]), sauf=acteur,
        )  # fmt: skip
    else:
        _dire_sans_acteur(tache, dossier, acteur)
    return tache


def _dire_sans_acteur(tache: Tache, dossier: Dossier, acteur: User | None) -> None:
    consigner(
        dossier, TypeEvenement.SANS_ACTEUR, None, tache=tache.pk, noeud=tache.noeud, autorite=tache.autorite_id
    )  # fmt: skip
    notifier(
        types.TacheSansActeur, destinataires=gestionnaires(), cle=f"tache:{tache.pk}:sans_acteur",
        contexte=contexte_mail(dossier, tache=tache, etape=tache.etape, acteur=acteur),
        lien=reverse("dossier", args=[dossier.pk]),
    )  # fmt: skip


def laisser_a_d_autres(dossier: Dossier, acteur: User) -> None:
    """Once somebody has approved for an authority, what is left to the others is no longer hers (ADR 9): what she held
    goes back to the queue, and what nobody else can do is an incident at once."""
    for tache in retenues_par_sa_signature(acteur).filter(dossier=dossier).select_related("tache__owner"):
        tache.dossier = dossier
        _remettre_si_perdue(tache)
        if not acteurs_de(tache).exists():
            _dire_sans_acteur(tache, dossier, acteur)


def fermer(task: Task, acteur: User | None, issue: str) -> None:
    """Called by the flow when a human task ends, done or cancelled."""
    Tache.objects.filter(pk=task.pk, close_le__isnull=True).update(
        close_le=timezone.now(), close_par=acteur, issue=issue
    )


def conclure(tache: Tache, dossier: Dossier, acteur: User | None, issue: str) -> None:
    """End a task of a locked dossier with ``issue`` and let the flow go on, in this transaction.

    ``acteur`` has been checked by the verb. The dossier already has its new state: the flow reads it.
    """
    task = tache.tache
    task.process = dossier.processus
    activation = task.flow_task.activation_class(task)
    if task.status == STATUS.NEW:
        task.owner = acteur
        task.status = STATUS.ASSIGNED
    with mouvement(dossier, acteur, issue):
        activation.start(None)
        activation.execute()


def tache_ouverte(numero: int, dossier: Dossier) -> Tache:
    """The task if it is still open; otherwise ``Conflit`` says who closed it, when and how."""
    tache = Tache.objects.select_related("tache__owner", "close_par").get(pk=numero)
    if tache.close_le is None:
        tache.dossier = dossier
        return tache
    quand = date_longue(tache.close_le, "heure")
    qui = f"par {tache.close_par} " if tache.close_par else ""
    raise Conflit(
        "tache_close",
        f"Cette tâche a déjà été traitée {qui}le {quand} : {tache.get_issue_display().lower()}. "
        "Votre décision n’a pas été enregistrée. Ouvrez le dossier pour voir où il en est.",
    )


JUGE_ET_PARTIE = "Vous avez envoyé ce dossier : une autre personne doit l’approuver."
DEJA_APPROUVE = "Vous avez approuvé ce dossier pour une autre tutelle : quelqu’un d’autre doit se prononcer ici."
SANS_DROIT = "Votre habilitation ne permet pas de faire cette tâche."


def autoriser(tache: Tache, acteur: User) -> None:
    """Refuse a person who may not do the task, and one whose colleague has taken it and still may."""
    if refus := refus_de(tache, acteur):
        raise refus


def refus_de(tache: Tache, acteur: User) -> Interdit | Conflit | None:
    """Why this person can't do this open task now; None when she can."""
    if refus := refus_de_droit(tache, acteur):
        return refus
    proprietaire = tache.tache.owner
    if proprietaire is not None and proprietaire.pk != acteur.pk and supplee(acteur, proprietaire):
        return None
    return refus_de_mains(tache, acteur)


def refus_de_mains(tache: Tache, acteur: User) -> Conflit | None:
    """Somebody else holds the task, and still may do it: one takes it over from her, and says why."""
    proprietaire = tache.tache.owner
    if proprietaire is None or proprietaire.pk == acteur.pk:
        return None
    if proprietaire.is_active and peut_faire(proprietaire, tache):
        depuis = tache.tache.assigned
        quand = f" le {date_longue(depuis, 'heure')}" if depuis else ""
        return Conflit(
            "tache_prise",
            f"{proprietaire} a pris cette tâche{quand}. Si vous devez vous en charger, reprenez-la en disant pourquoi.",
        )
    return None


def au_nom_de(acteur: User, tache: Tache) -> dict[str, str]:
    """What the journal adds to a gesture of somebody who stands in for another: « Y, pour X »."""
    absente = absente_de(acteur, tache)
    return {"pour": str(absente)} if absente else {}


def absente_de(acteur: User, tache: Tache) -> User | None:
    """For whom she does this task, when it is not in her own name."""
    return pour_qui(acteur, [tache]).get(tache.pk)


def refus_de_droit(tache: Tache, acteur: User) -> Interdit | None:
    """Whoever holds the task, why this person may not do it; None when she may."""
    if peut_faire(acteur, tache):
        return None
    sienne = Tache.objects.filter(perimetre(acteur), pk=tache.pk)
    if tache.etape.neutre and tache.dossier.envoye_par_id == acteur.pk and sienne.exists():
        return Interdit("juge_et_partie", JUGE_ET_PARTIE)
    if tache.autorite_id and retenues_par_sa_signature(acteur).filter(pk=tache.pk).exists():
        return _deja_approuve(tache, acteur)
    return Interdit("sans_droit", SANS_DROIT)


def _deja_approuve(tache: Tache, acteur: User) -> Interdit:
    siennes = approbations_conjointes().filter(dossier=tache.dossier_id, acteur=acteur.pk)
    sienne = siennes.select_related("autorite", "pour").latest("le")
    pour = f", à la place de {sienne.pour}" if sienne.pour else ""
    return Interdit(
        "deja_approuve",
        f"Vous avez approuvé ce dossier le {date_longue(sienne.le, 'heure')} ({sienne.autorite}){pour}. Une "
        "approbation conjointe demande une personne par tutelle : un autre membre doit se prononcer "
        f"({tache.autorite}). S’il n’y en a pas, demandez à SESAN un droit ou une suppléance pour quelqu’un d’autre.",
    )


def prise_en_main(numero: int) -> tuple[Tache, Dossier]:
    """Lock the dossier of a task that is still open; every verb on a task begins so."""
    dossier_id = Tache.objects.filter(pk=numero).values_list("dossier_id", flat=True).first()
    if dossier_id is None:
        raise Introuvable("tache_inconnue", "Cette tâche n’existe pas.")
    dossier = saisir(dossier_id)
    return tache_ouverte(numero, dossier), dossier


def verrouiller_preneur(user: User) -> User:
    """Lock the account of whoever takes a task and what she stands in by, before the process: what ends the account,
    the right or the substitution then waits, and sees the task; or has ended it already.

    Every verb that puts a task in somebody's name begins so.
    """
    user = verrouiller(user)
    siennes = Suppleance.objects.en_cours().filter(suppleante=user.pk).order_by("pk")
    list(siennes.select_for_update(no_key=True).values_list("pk", flat=True))
    return user


def exiger_ouvert(acteur: User) -> None:
    if not verrouiller_preneur(acteur).is_active:
        raise Interdit("compte_ferme", "Votre compte vient d’être désactivé : cette tâche n’est pas à votre nom.")


@transaction.atomic
def prendre(*, numero: int, acteur: User) -> Tache:
    """Claim a task: it leaves « À prendre » of the others. Refuses (``Conflit``) one that a colleague holds, an absent
    one too: deciding for her needs no claim."""
    exiger_ouvert(acteur)
    tache, dossier = prise_en_main(numero)
    if not tache.etape.reservable:
        raise Conflit("non_reservable", "Cette tâche est commune à l’équipe de l’établissement : elle ne se prend pas.")
    if refus := refus_de_droit(tache, acteur) or refus_de_mains(tache, acteur):
        raise refus
    if tache.tache.owner_id != acteur.pk:
        details: dict[str, Any] = {"tache": tache.pk, "noeud": tache.noeud} | au_nom_de(acteur, tache)
        attribuer_a(tache.tache, acteur)
        consigner(dossier, TypeEvenement.TACHE_PRISE, acteur, **details)
    return tache


@transaction.atomic
def rendre(*, numero: int, acteur: User) -> Tache:
    """Give a task back to the common queue; only its owner can."""
    tache, dossier = prise_en_main(numero)
    if tache.tache.owner_id != acteur.pk:
        raise Conflit("pas_a_vous", "Cette tâche n’est pas à votre nom : il n’y a rien à rendre.")
    attribuer_a(tache.tache, None)
    consigner(dossier, TypeEvenement.TACHE_RENDUE, acteur, tache=tache.pk, noeud=tache.noeud)
    return tache


def attribuer_a(task: Task, acteur: User | None) -> None:
    """Write whose the task is; the verb has checked. It comes back in sight of the one who now has it."""
    task.owner = acteur
    task.status = STATUS.ASSIGNED if acteur else STATUS.NEW
    task.assigned = timezone.now() if acteur else None
    task.save(update_fields=["owner", "status", "assigned"])
    if acteur:
        MiseDeCote.objects.filter(tache=task.pk, user=acteur).delete()


def taches_tenues(user: User) -> list[int]:
    """Numbers of the open tasks in the person's name."""
    tenues = Tache.objects.filter(close_le__isnull=True, tache__owner=user)
    return list(tenues.order_by("pk").values_list("pk", flat=True))


def rendre_les_taches_de(users: Iterable[int]) -> list[int]:
    """Return to the queue the open tasks of people who can no longer do them. Returns their numbers.

    Called when an account, a habilitation or a substitution ends, and by a sweep for those whose last day has passed.
    """
    rendues: list[int] = []
    prises = Tache.objects.filter(close_le__isnull=True, tache__owner__in=list(users))
    for numero, dossier_id in prises.order_by("dossier_id", "pk").values_list("pk", "dossier_id"):
        with transaction.atomic():
            dossier = saisir(dossier_id)
            tache = Tache.objects.select_related("tache__owner").filter(pk=numero, close_le__isnull=True).first()
            if tache is None:
                continue
            tache.dossier = dossier
            if _remettre_si_perdue(tache):
                rendues.append(tache.pk)
    return rendues


def _remettre_si_perdue(tache: Tache) -> bool:
    """Back to the queue when its owner can no longer do it; True when it was."""
    proprietaire = tache.tache.owner
    if proprietaire is None or (proprietaire.is_active and peut_faire(proprietaire, tache)):
        return False
    attribuer_a(tache.tache, None)
    consigner(
        tache.dossier, TypeEvenement.TACHE_RENDUE, None, tache=tache.pk, noeud=tache.noeud,
        proprietaire=proprietaire.username,
    )  # fmt: skip
    return True
