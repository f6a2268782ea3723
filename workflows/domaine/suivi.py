"""What a person arranges for herself: a task put aside until a day, a dossier followed."""

from datetime import date, timedelta

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Introuvable, Invalide
from backoffice.socle.mots import date_longue
from notifications.domaine import notifier

from .. import notifications as types
from ..enums import Issue, TypeEvenement
from ..models import Dossier, MiseDeCote, Suivi, Tache
from ..regles import dossiers_visibles, participants
from .journal import consigner
from .taches import autoriser, contexte_mail, prise_en_main, saisir

JOURS_AU_PLUS = 90


@transaction.atomic
def mettre_de_cote(*, numero: int, acteur: User, retour_le: date, malgre_echeance: bool = False) -> MiseDeCote:
    """Hide a task from one's own lists until ``retour_le``. Past its due date only with ``malgre_echeance``."""
    tache, dossier = prise_en_main(numero)
    autoriser(tache, acteur)
    aujourdhui, echeance = timezone.localdate(), timezone.localdate(tache.echeance)
    if not aujourdhui < retour_le <= aujourdhui + timedelta(days=JOURS_AU_PLUS):
        message = f"Choisissez un jour entre demain et le {date_longue(aujourdhui + timedelta(days=JOURS_AU_PLUS))}."
        raise Invalide("jour", message, champs={"retour_le": [message]})
    if retour_le > echeance and not malgre_echeance:
        message = (
            f"L’échéance de cette tâche est le {date_longue(echeance)} : elle sera en retard ce jour-là. "
            "Choisissez un jour plus proche, ou confirmez."
        )
        raise Invalide("apres_echeance", message, champs={"retour_le": [message]})
    if deja := MiseDeCote.objects.filter(tache=tache, user=acteur, retour_le=retour_le).first():
        return deja  # sent twice: one gesture, one line of the journal
    mise, _ = MiseDeCote.objects.update_or_create(tache=tache, user=acteur, defaults={"retour_le": retour_le})
    consigner(
        dossier, TypeEvenement.MISE_DE_COTE, acteur, tache=tache.pk, noeud=tache.noeud, retour=retour_le.isoformat()
    )
    return mise


@transaction.atomic
def ressortir(*, numero: int, acteur: User) -> Tache:
    """Have a task back at once that one had put aside."""
    tache, dossier = prise_en_main(numero)
    if not MiseDeCote.objects.en_cours(acteur.pk).filter(tache=tache).exists():
        raise Conflit("pas_de_cote", "Cette tâche n’est plus mise de côté : elle est dans vos listes.")
    MiseDeCote.objects.filter(tache=tache, user=acteur).delete()
    consigner(dossier, TypeEvenement.RESSORTIE, acteur, tache=tache.pk, noeud=tache.noeud)
    return tache


@transaction.atomic
def suivre(*, numero: int, acteur: User) -> Dossier:
    """Hear of the returns, decisions and publication of a dossier. Following twice is following."""
    dossier = _dossier_visible(numero, acteur)
    if not dossier.est_ouvert:
        raise Conflit(
            "dossier_termine", f"Ce dossier est « {dossier.get_etat_display()} » : il n’y a plus rien à en suivre."
        )
    if Suivi.objects.get_or_create(dossier=dossier, user=acteur)[1]:
        consigner(dossier, TypeEvenement.SUIVI, acteur)
    return dossier


@transaction.atomic
def ne_plus_suivre(*, numero: int, acteur: User) -> Dossier:
    """Those who take part in the dossier still hear of it."""
    dossier = _dossier_visible(numero, acteur)
    if Suivi.objects.filter(dossier=dossier, user=acteur).delete()[0]:
        consigner(dossier, TypeEvenement.SUIVI_FINI, acteur)
    return dossier


def _dossier_visible(numero: int, acteur: User) -> Dossier:
    dossier = saisir(numero)
    if not dossiers_visibles(acteur).filter(pk=dossier.pk).exists():
        raise Introuvable("dossier_inconnu", "Ce dossier n’existe pas, ou ne vous est pas ouvert.")
    return dossier


_EN_CHEMIN = (Issue.VALIDE, Issue.AFFECTE, Issue.APPROUVE)


def prevenir_les_suiveurs(dossier: Dossier, tache: Tache, acteur: User, issue: str) -> None:
    """Of a decision that lets the dossier go on; its returns, its refusal and its publication have their own mails."""
    if issue in _EN_CHEMIN and dossier.est_ouvert:
        notifier(
            types.DossierAvance, destinataires=participants(dossier).filter(suivis__dossier=dossier), sauf=acteur,
            cle=f"dossier:{dossier.pk}:decision:{tache.pk}",
            contexte=contexte_mail(dossier, acteur=acteur, decision=Issue(issue).label.lower(), etape=tache.etape),
            lien=reverse("dossier", args=[dossier.pk]),
        )  # fmt: skip
