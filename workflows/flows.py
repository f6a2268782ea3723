"""The flow of a dossier collaboratif (domain.md §6). Reads like its BPMN; holds no logic.

Node names are stored in the database and never change (tests/workflows/test_noms.py).
"""

from typing import Any

from viewflow import this
from viewflow.workflow import flow, lock

from .domaine import etapes
from .models import Processus
from .noeuds import ParAutorite, Tache

# Of each human step: the reminder, the people of the step once it is late, then their supervisor (version 2).
_MINUTERIES = {"rappel": this.rappel, "escalade": this.escalade, "recours": this.recours}


class DossierFlow(flow.Flow):
    """Dossier collaboratif"""

    process_class = Processus
    process_title = "Dossier collaboratif"
    lock_impl = lock.SelectForUpdateLock(nowait=False, attempts=1)

    creation = flow.StartHandle(this.creer).Annotation(title="Création du dossier").Next(this.redaction)

    redaction = Tache("Finaliser les fiches", **_MINUTERIES).Next(this.suite_redaction)
    suite_redaction = (
        flow.Switch()
        .Annotation(title="Fiches finalisées ?")
        .Case(this.abandonne, cond=etapes.est_abandonne)
        .Default(this.envoi)
    )

    envoi = Tache("Envoyer en validation", **_MINUTERIES).Next(this.suite_envoi)
    suite_envoi = (
        flow.Switch()
        .Annotation(title="Filière ?")
        .Case(this.abandonne, cond=etapes.est_abandonne)
        .Case(this.redaction, cond=etapes.est_en_redaction)
        .Case(this.validation_direction, cond=etapes.attend_la_direction)
        .Case(this.affectation_tutelle, cond=etapes.attend_une_tutelle)
        .Case(this.tutelles, cond=etapes.releve_d_une_tutelle)
        .Default(this.approbation_sesan)
    )

    validation_direction = Tache("Validation par la Direction", **_MINUTERIES).Next(this.suite_direction)
    suite_direction = (
        flow.Switch()
        .Annotation(title="Validé ?")
        .Case(this.redaction, cond=etapes.est_en_redaction)
        .Default(this.approbation_sesan)
    )

    affectation_tutelle = Tache("Affectation à une tutelle", **_MINUTERIES).Next(this.suite_affectation)
    suite_affectation = (
        flow.Switch()
        .Annotation(title="Affecté ?")
        .Case(this.redaction, cond=etapes.est_en_redaction)
        .Default(this.tutelles)
    )

    tutelles = ParAutorite().Annotation(title="Une tâche par tutelle").Next(this.approbation_tutelle)
    approbation_tutelle = Tache("Approbation par la tutelle", **_MINUTERIES).Next(this.accord_tutelles)
    accord_tutelles = (
        flow.Join(continue_on_condition=etapes.une_tutelle_a_tranche)
        .Annotation(title="Toutes, ou un renvoi")
        .Next(this.suite_tutelle)
    )
    suite_tutelle = (
        flow.Switch()
        .Annotation(title="Décision ?")
        .Case(this.redaction, cond=etapes.est_en_redaction)
        .Case(this.refuse, cond=etapes.est_refuse)
        .Default(this.publication)
    )

    approbation_sesan = Tache("Approbation par SESAN", **_MINUTERIES).Next(this.suite_sesan)
    suite_sesan = (
        flow.Switch()
        .Annotation(title="Décision ?")
        .Case(this.redaction, cond=etapes.est_en_redaction)
        .Case(this.refuse, cond=etapes.est_refuse)
        .Default(this.publication)
    )

    publication = flow.Function(etapes.publier).Annotation(title="Publication au répertoire").Next(this.publie)

    publie = flow.End().Annotation(title="Publié")
    refuse = flow.End().Annotation(title="Refusé")
    abandonne = flow.End().Annotation(title="Abandonné")

    rappel = flow.Function(etapes.rappeler).Annotation(title="Rappel par courriel").Next(this.rappel_envoye)
    escalade = flow.Function(etapes.escalader).Annotation(title="Signalement du retard").Next(this.rappel_envoye)
    recours = flow.Function(etapes.recourir).Annotation(title="Recours aux gestionnaires").Next(this.rappel_envoye)
    rappel_envoye = flow.End().Annotation(title="Courriel écrit")

    def creer(self, activation: Any, **champs: Any) -> Any:
        return etapes.creer(activation, **champs)
