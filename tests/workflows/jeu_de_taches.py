"""Many open tasks of SESAN in a few statements: copies of one that the verbs brought there."""

from django.utils import timezone
from viewflow.workflow.models import Task

from structures.domaine.creer import creer_etablissements
from structures.enums import Niveau
from tests.factories.repertoire import finess
from workflows.models import Dossier, Processus, Tache


def copier(modele: Tache, nombre: int) -> list[Tache]:
    """``nombre`` tasks like this one, each on an empty dossier of an establishment of its own."""
    numeros, depuis = [finess() for _ in range(nombre)], modele.dossier
    egs = creer_etablissements([(Niveau.EG, numero) for numero in numeros])
    processus = Processus.objects.bulk_create(
        Processus(flow_class=depuis.processus.flow_class, status="NEW") for _ in numeros
    )
    dossiers = Dossier.objects.bulk_create(
        Dossier(
            eg=egs[numero], nom=f"Dossier {numero}", auteur=depuis.auteur, processus=p, etat=depuis.etat,
            filiere=depuis.filiere, autorites=[], envoye_le=timezone.now(), envoye_par=depuis.envoye_par,
            empreinte=depuis.empreinte, version_flux=depuis.version_flux,
        )
        for numero, p in zip(numeros, processus, strict=True)
    )  # fmt: skip
    origine = modele.tache
    taches = Task.objects.bulk_create(
        Task(
            process=p, flow_task=origine.flow_task, flow_task_type=origine.flow_task_type, status="NEW",
            token=origine.token,
        )
        for p in processus
    )  # fmt: skip
    return Tache.objects.bulk_create(
        Tache(tache=t, dossier=d, eg_id=d.eg_id, noeud=modele.noeud, creee_le=timezone.now(), echeance=modele.echeance)
        for t, d in zip(taches, dossiers, strict=True)
    )
