"""What a gestionnaire does about an incident: journalled, and a second click finds it done (``Conflit``)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, transaction
from django.urls import reverse
from django.utils import timezone
from viewflow.workflow.models import Task
from viewflow.workflow.status import STATUS

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, ErreurMetier, Interdit, Introuvable
from backoffice.socle.mots import date_longue
from notifications.domaine import notifier
from structures.regles import est_gestionnaire

from .. import notifications as types
from ..enums import EtatDossier, TypeEvenement
from ..models import Dossier, Tache
from ..regles import acteurs_de, peut_faire
from .echecs import ECHECS_ET_REPRISES
from .journal import consigner
from .simulation import simuler
from .taches import attribuer_a, contexte_mail, saisir, tache_ouverte


def _exiger(acteur: User) -> None:
    if not est_gestionnaire(acteur):
        raise Interdit("sans_droit", "Seuls les gestionnaires SESAN reprennent un incident.")


def _tache_du_flux(numero: int) -> tuple[Task, Dossier]:
    """Lock the dossier of a viewflow task, then read the task."""
    dossier = Dossier.objects.filter(processus__task=numero).values_list("pk", flat=True).first()
    if dossier is None:
        raise Introuvable("incident_inconnu", "Cet incident n’existe pas.")
    verrouille = saisir(dossier)
    return Task.objects.get(pk=numero), verrouille


def _deja_repris(dossier: Dossier, par_ailleurs: str, **details: Any) -> Conflit:
    """Who dealt with it and when; ``par_ailleurs``: what to say when nobody did."""
    repris = dossier.evenements.filter(type=TypeEvenement.INCIDENT_REPRIS)
    dernier = repris.filter(details__contains=details).select_related("acteur").order_by("-pk").first()
    if dernier is None:
        return Conflit("incident_clos", par_ailleurs)
    quand = date_longue(dernier.le, "heure")
    return Conflit("incident_repris", f"{dernier.acteur} a déjà repris cet incident le {quand}. Rien n’a été refait.")


def hote(task: Task) -> Tache | None:
    """The human task that a timer, or what a timer started, is about."""
    amont = Tache.objects.select_related("tache", "dossier")
    return (
        amont.filter(tache__leading=task).first()
        or amont.filter(tache__leading__leading=task).first()
        or amont.filter(pk=task.pk).first()
    )


@transaction.atomic
def declencher(*, numero: int, acteur: User) -> None:
    """Fire an overdue timer now. Refused when it fails again: nothing is then written."""
    _exiger(acteur)
    minuterie, dossier = _tache_du_flux(numero)
    if minuterie.status != STATUS.SCHEDULED or minuterie.scheduled > timezone.now():
        raise _deja_repris(
            dossier, "Cette minuterie a été déclenchée entre-temps : il n’y a rien à faire.", tache=numero
        )
    with _encore_en_echec("La minuterie"):
        activation = minuterie.flow_task.activation_class(minuterie)
        activation.start()
        activation.execute()
    fautive = minuterie.leading.filter(status=STATUS.ERROR).order_by("pk").first()
    if fautive:
        raise _echoue_encore("La minuterie", fautive.data.get("_exception", {}).get("title", ""))
    consigner(
        dossier, TypeEvenement.INCIDENT_REPRIS, acteur, tache=numero,
        texte=f"Minuterie déclenchée à la main ; elle était prévue le {date_longue(minuterie.scheduled, 'heure')}.",
    )  # fmt: skip


@transaction.atomic
def relancer(*, numero: int, acteur: User) -> None:
    """Do again a step of the flow that ended in error; one whose task was closed since is set aside."""
    _exiger(acteur)
    etape, dossier = _tache_du_flux(numero)
    if etape.status != STATUS.ERROR:
        raise _deja_repris(dossier, "Cette étape n’est plus en erreur : il n’y a rien à faire.", tache=numero)
    concernee = hote(etape)
    activation = etape.flow_task.activation_class(etape)
    if concernee and concernee.pk == etape.pk:  # a human step: it waits for people again
        etape.status = STATUS.ASSIGNED if etape.owner_id else STATUS.NEW
        etape.finished = None
        etape.save(update_fields=["status", "finished"])
        texte = "Étape rouverte : elle attend de nouveau quelqu’un."
    elif concernee and concernee.close_le is not None:
        activation.cancel()
        texte = "Étape en erreur classée sans suite : la tâche qu’elle accompagnait est déjà traitée."
    else:
        with _encore_en_echec("L’étape"):
            activation.revive()
        texte = "Étape en erreur relancée."
    consigner(dossier, TypeEvenement.INCIDENT_REPRIS, acteur, tache=numero, texte=texte)


@contextmanager
def _encore_en_echec(quoi: str) -> Iterator[None]:
    """What is tried again may fail again: said in words, and nothing of it stays."""
    try:
        with transaction.atomic():
            yield
    except (ErreurMetier, OperationalError):
        raise
    except Exception as panne:
        raise _echoue_encore(quoi, str(panne)) from panne


def _echoue_encore(quoi: str, cause: str) -> Conflit:
    return Conflit(
        "toujours_en_echec",
        f"{quoi} échoue encore ({cause[:200] or 'cause inconnue'}). Rien n’a changé : prévenez le support.",
    )


@transaction.atomic
def remettre_en_file(*, numero: int, acteur: User) -> None:
    """Give back to the queue a task whose owner can no longer do it."""
    _exiger(acteur)
    dossier_id = Tache.objects.filter(pk=numero).values_list("dossier_id", flat=True).first()
    if dossier_id is None:
        raise Introuvable("tache_inconnue", "Cette tâche n’existe pas.")
    dossier = saisir(dossier_id)
    tache = tache_ouverte(numero, dossier)
    proprietaire = tache.tache.owner
    if proprietaire is None:
        raise _deja_repris(dossier, "Cette tâche est déjà dans la file commune.", tache=numero)
    if proprietaire.is_active and peut_faire(proprietaire, tache):
        raise Conflit(
            "tache_tenue", f"{proprietaire} peut faire cette tâche : demandez-lui de la rendre, ou reprenez-la."
        )
    attribuer_a(tache.tache, None)
    consigner(
        dossier, TypeEvenement.INCIDENT_REPRIS, acteur, tache=numero, noeud=tache.noeud,
        texte=f"Tâche remise dans la file : {proprietaire} ne peut plus la faire.",
    )  # fmt: skip


@transaction.atomic
def reessayer_publication(*, numero: int, acteur: User) -> None:
    """Try the publication of a dossier whose last approval failed, for nothing: when it would pass now, those who may
    approve are told to do it again, and the incident ends. Nobody approves in their place."""
    _exiger(acteur)
    dossier = saisir(numero)
    echec = dossier.evenements.filter(ECHECS_ET_REPRISES, le__gte=dossier.envoye_le or timezone.now()).last()
    ouvert = echec is not None and echec.type == TypeEvenement.PUBLICATION_ECHOUEE
    if echec is None or not ouvert or dossier.etat != EtatDossier.APPROBATION:
        raise _deja_repris(dossier, "Cet incident n’est plus ouvert : le dossier a avancé.", publication=numero)
    with _encore_en_echec("La publication"):
        simulation = simuler(numero=numero, acteur=acteur)
    if simulation.empechements:
        raise Conflit(
            "toujours_en_echec",
            f"La publication échouerait encore : {' '.join(simulation.empechements)} Rien n’a changé.",
        )
    consigner(
        dossier, TypeEvenement.INCIDENT_REPRIS, acteur, publication=numero,
        texte="La publication passerait maintenant : ceux qui approuvent sont invités à recommencer.",
    )  # fmt: skip
    for tache in dossier.taches.filter(close_le__isnull=True).select_related("tache__owner", "autorite"):
        tache.dossier = dossier
        notifier(
            types.ApprobationARefaire,
            destinataires=acteurs_de(tache),
            cle=f"tache:{tache.pk}:publication:{echec.pk}",
            contexte=contexte_mail(dossier, tache=tache, etape=tache.etape, echec=echec),
            lien=reverse("tache", args=[tache.pk]),
            sauf=acteur,
        )
