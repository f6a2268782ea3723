"""Statements per step of the flow, next to the same path in bare viewflow (no rules, mails, journal, timers)."""

from typing import Any

from django.contrib.auth import get_user_model
from viewflow import this
from viewflow.workflow import flow, lock
from viewflow.workflow.models import Process, Task

from workflows.domaine import decisions, gestes, instantane
from workflows.domaine.creer import creer
from workflows.models import Tache

from . import jeux
from .mesure import mesurer, tableau


class FluxNu(flow.Flow):
    """The same nodes as the sanitaire path, with viewflow's own views and lock."""

    process_class = Process
    lock_impl = lock.SelectForUpdateLock(nowait=False, attempts=1)

    debut = flow.StartHandle().Next(this.redaction)
    redaction = flow.View(None).Next(this.suite_redaction)
    suite_redaction = flow.Switch().Case(this.fin, cond=lambda act: False).Default(this.envoi)
    envoi = flow.View(None).Next(this.suite_envoi)
    suite_envoi = flow.Switch().Case(this.redaction, cond=lambda act: False).Default(this.approbation)
    approbation = flow.View(None).Next(this.suite)
    suite = flow.Switch().Case(this.redaction, cond=lambda act: False).Default(this.publication)
    publication = flow.Function(lambda act: None).Next(this.fin)
    fin = flow.End()


def _pas_nu(process: Any, acteur: Any) -> int:
    with mesurer() as mesure:
        task = Task.objects.get(process=process, status="NEW")
        with task.activation() as activation:
            activation.assign(acteur)
            activation.start(None)
            activation.execute()
    return mesure.instructions


def mesurer_flux() -> None:
    eg = jeux.ehpad("930000900", 10)
    referent, gestionnaire = jeux.acteurs(eg)
    uo = eg.fiches.filter(niveau="UO").first()
    assert uo is not None
    pas: dict[str, int] = {}

    def noter(nom: str, geste: Any) -> Any:
        with mesurer() as mesure:
            resultat = geste()
        pas[nom] = mesure.instructions
        return resultat

    dossier = noter("création", lambda: creer(eg=eg, nom="Flux", acteur=referent))
    noter("dernière fiche finalisée", lambda: gestes.supprimer(numero=dossier.pk, acteur=referent, fiches=[uo.pk]))
    vu = instantane.empreinte_de(dossier)
    noter("envoi", lambda: decisions.envoyer(numero=dossier.pk, acteur=referent, vu=vu))
    tache = Tache.objects.get(dossier=dossier, close_le__isnull=True)
    noter("approbation et publication", lambda: decisions.approuver(tache=tache.pk, acteur=gestionnaire))

    acteur = get_user_model().objects.get(pk=gestionnaire.pk)
    nu: list[int] = []
    with mesurer() as mesure:
        process = FluxNu.debut.run()
    nu.append(mesure.instructions)
    nu += [_pas_nu(process, acteur) for _ in range(3)]
    tableau(
        "Statements per step of the flow",
        ["step", "product (rules, locks, 2 timers a task, journal, mails)", "bare viewflow"],
        [[nom, str(n), str(b)] for (nom, n), b in zip(pas.items(), nu, strict=True)],
    )
