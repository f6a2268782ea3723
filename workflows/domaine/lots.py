"""The same gesture on many tasks: asked once, then worked task by task, each in its own transaction.

A line is locked, its task is dealt with by the same verb as a click, and its result is written, all in one transaction:
a killed worker leaves lines that wait or lines that are done, never one done twice. Several workers may share a lot.
"""

import logging
from collections.abc import Sequence
from time import monotonic
from uuid import UUID

from django.db import OperationalError, transaction
from django.urls import reverse
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import ErreurMetier, Interdit, Introuvable, Invalide
from notifications.domaine import notifier

from .. import notifications as types
from ..enums import ActionLot, EtatDossier, ResultatLigne
from ..models import LigneLot, Lot, Tache
from ..regles import dossiers_visibles
from . import decisions, equipe, instantane, taches

logger = logging.getLogger(__name__)

MAXIMUM = 500
TRANCHE = 240.0  # seconds of work, well below the time limit of a Celery task; the rest is asked again


@transaction.atomic
def lancer(
    *, acteur: User, action: ActionLot, jeton: UUID, choisies: Sequence[tuple[int, str]], a: User | None = None
) -> Lot:
    """Keep what the person asks for; ``travailler`` does it. ``choisies``: (task, what was shown of it) pairs.

    The same ``jeton`` again gives the lot that it made. Tasks that the person does not see are left out.
    """
    if (action == ActionLot.ATTRIBUER) != (a is not None):
        raise Invalide("destinataire", "Choisissez la personne à qui attribuer ces tâches.")
    vus = dict(choisies)
    if len(vus) > MAXIMUM:
        raise Invalide("trop", f"Un traitement porte sur {MAXIMUM} tâches au plus : choisissez-en moins.")
    visibles = set(
        Tache.objects.filter(pk__in=vus, dossier__in=dossiers_visibles(acteur)).order_by().values_list("pk", flat=True)
    )
    if not visibles:
        raise Invalide("aucune", "Choisissez au moins une tâche.")
    lot, neuf = Lot.objects.get_or_create(jeton=jeton, defaults={"auteur": acteur, "action": action, "destinataire": a})
    if lot.auteur_id != acteur.pk:
        raise Introuvable("lot_inconnu", "Ce traitement n’existe pas.")
    if neuf:
        retenues = [(numero, vu) for numero, vu in vus.items() if numero in visibles]
        LigneLot.objects.bulk_create(
            LigneLot(lot=lot, rang=rang, tache_id=numero, vu=vu[:64]) for rang, (numero, vu) in enumerate(retenues)
        )
    return lot


def travailler(numero: int, *, secondes: float = TRANCHE) -> bool:
    """Deal with the lines of a lot that wait, for so long at most. True when the lot is finished."""
    fin = monotonic() + secondes
    while monotonic() < fin:
        if not _traiter_une_ligne(numero):
            return _terminer(numero)
    return False


@transaction.atomic
def _traiter_une_ligne(numero: int) -> bool:
    """The next line that waits and that no other worker has; False when there is none."""
    ligne = (
        LigneLot.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("lot__auteur", "lot__destinataire", "tache")
        .filter(lot=numero, resultat=ResultatLigne.A_FAIRE)
        .order_by("rang")
        .first()
    )
    if ligne is None:
        return False
    try:
        with instantane.decision_signee():  # what undid an approval is in the journal, as after a click
            ligne.message = _faire(ligne)
        ligne.resultat = ResultatLigne.FAIT
    except ErreurMetier as refus:
        ligne.resultat, ligne.message = ResultatLigne.REFUSE, refus.message
    except OperationalError:
        ligne.resultat = ResultatLigne.ERREUR
        ligne.message = "Quelqu’un travaillait sur ce dossier au même moment. Rien n’a été fait : ouvrez la tâche."
    except Exception:  # one task that fails must not stop the others; the person reads it in the report
        logger.exception("lot %s, task %s", numero, ligne.tache_id)
        ligne.resultat = ResultatLigne.ERREUR
        ligne.message = (
            "Une erreur inattendue s’est produite. Rien n’a été fait : ouvrez la tâche, ou appelez le support."
        )
    ligne.traitee_le = timezone.now()
    ligne.save(update_fields=["resultat", "message", "traitee_le"])
    return True


def _faire(ligne: LigneLot) -> str:
    """Do it with the author's rights of this moment; what is said of it."""
    lot, tache = ligne.lot, ligne.tache
    if not lot.auteur.is_active:
        raise Interdit("compte_ferme", "Le compte de la personne qui a lancé ce traitement est désactivé.")
    match ActionLot(lot.action):
        case ActionLot.PRENDRE:
            taches.prendre(numero=tache.pk, acteur=lot.auteur)
            return "À votre nom."
        case ActionLot.ATTRIBUER:
            assert lot.destinataire is not None  # a constraint of the table
            vu = int(ligne.vu) if ligne.vu.isdecimal() else None
            equipe.attribuer(numero=tache.pk, acteur=lot.auteur, a=lot.destinataire, vu=vu, en_nombre=True)
            return f"Au nom de {lot.destinataire}."
        case ActionLot.APPROUVER if tache.noeud == "validation_direction":
            decisions.valider(tache=tache.pk, acteur=lot.auteur, vu=ligne.vu)
            return "Dossier validé."
        case ActionLot.APPROUVER:
            dossier = decisions.approuver(tache=tache.pk, acteur=lot.auteur, vu=ligne.vu)
            return "Approuvé et publié." if dossier.etat == EtatDossier.PUBLIE else "Approuvé."


@transaction.atomic
def _terminer(numero: int) -> bool:
    """Close a lot that has no line left; whoever received tasks is told once. False while another worker is at it."""
    lot = Lot.objects.select_for_update(of=("self",)).select_related("auteur", "destinataire").get(pk=numero)
    if lot.lignes.filter(resultat=ResultatLigne.A_FAIRE).exists():
        return False
    if lot.termine_le is None:
        lot.termine_le = timezone.now()
        lot.save(update_fields=["termine_le"])
        nombre = lot.lignes.filter(resultat=ResultatLigne.FAIT).count()
        if lot.destinataire is not None and nombre:
            notifier(
                types.TachesAttribuees, destinataires=[lot.destinataire], cle=f"lot:{lot.pk}", sauf=lot.auteur,
                contexte={"acteur": lot.auteur, "nombre": nombre}, lien=f"{reverse('taches')}?onglet=mes-taches",
            )  # fmt: skip
    return True
