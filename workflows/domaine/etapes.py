"""What the flow asks and does: questions on the state of the dossier, and the verbs of its automatic nodes."""

from typing import Any

from structures.enums import Filiere

from ..enums import EtatDossier, TypeEvenement
from ..models import Dossier, Tache
from . import minuteries, publication
from .echecs import publication_suivie
from .journal import consigner
from .mouvement import mouvement_de
from .versions import VERSION


def _etat(activation: Any) -> str:
    return str(mouvement_de(activation.process).dossier.etat)


def est_en_redaction(activation: Any) -> bool:
    return _etat(activation) == EtatDossier.REDACTION


def est_refuse(activation: Any) -> bool:
    return _etat(activation) == EtatDossier.REFUSE


def est_abandonne(activation: Any) -> bool:
    return _etat(activation) == EtatDossier.ABANDONNE


def attend_la_direction(activation: Any) -> bool:
    return _etat(activation) == EtatDossier.VALIDATION


def attend_une_tutelle(activation: Any) -> bool:
    return _etat(activation) == EtatDossier.AFFECTATION


def releve_d_une_tutelle(activation: Any) -> bool:
    return bool(mouvement_de(activation.process).dossier.filiere == Filiere.HANDICAP)


def une_tutelle_a_tranche(activation: Any, actives: Any) -> bool:
    """One return, refusal or withdrawal ends the tasks of the other authorities (domain.md §6)."""
    return _etat(activation) != EtatDossier.APPROBATION


def creer(activation: Any, *, dossier: Dossier) -> Dossier:
    """Tie a new dossier to its process, before the first task is created."""
    activation.process.save()
    dossier.processus, dossier.version_flux = activation.process, VERSION
    dossier.save(force_insert=True)
    # The follow-up of a dossier is the author's, and opened by who approved the rest.
    suite = {"suite_de": dossier.suite_de_id} if dossier.suite_de_id else {}
    consigner(dossier, TypeEvenement.CREE, mouvement_de(activation.process).acteur, nom=dossier.nom, **suite)
    return dossier


def publier(activation: Any) -> None:
    """Node ``publication``: in the approver's transaction; an error undoes the approval too."""
    courant = mouvement_de(activation.process)
    with publication_suivie(courant.dossier, courant.acteur):
        publication.publier(courant.dossier, courant.acteur)


def rappeler(activation: Any) -> None:
    _sonner(activation, TypeEvenement.RAPPEL)


def escalader(activation: Any) -> None:
    _sonner(activation, TypeEvenement.ESCALADE)


def recourir(activation: Any) -> None:
    _sonner(activation, TypeEvenement.RECOURS)


def _sonner(activation: Any, type_: TypeEvenement) -> None:
    # function task <- timer task <- host task; one that is done again follows the one that failed too
    minuterie = activation.task.previous.get(flow_task_type="TIMER")
    tache = Tache.objects.select_related("dossier__eg", "tache__owner").get(tache__leading=minuterie)
    minuteries.sonner(tache, type_, minuterie.scheduled)
