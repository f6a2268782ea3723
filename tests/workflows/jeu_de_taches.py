"""Open tasks: of SESAN by the verbs, many in a few statements as copies of one that the verbs brought there."""

from django.utils import timezone
from viewflow.workflow.models import Task

from structures.domaine.creer import creer_etablissements
from structures.enums import ChampEG, Niveau, Role
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from workflows.models import Dossier, Processus, Tache


def copier(modele: Tache, nombre: int) -> list[Tache]:
    """``nombre`` tasks like this one, each on an empty dossier of an establishment of its own."""
    numeros, depuis = [repertoire.finess() for _ in range(nombre)], modele.dossier
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


def taches_de(dossier: Dossier, nombre: int) -> list[Task]:
    """Rows of viewflow alone, on this dossier."""
    modele = Task.objects.filter(process=dossier.processus_id).order_by("-pk")[0]
    return Task.objects.bulk_create(
        Task(process_id=dossier.processus_id, flow_task=modele.flow_task, flow_task_type="HUMAN") for _ in range(nombre)
    )


def envoyes(nombre: int) -> list[Dossier]:
    """Dossiers at SESAN, each on its own EHPAD."""
    dossiers = []
    for rang in range(nombre):
        eg = repertoire.etablissement(ChampEG.MEDICO_SOCIAL, nom=f"EHPAD {Dossier.objects.count()}")
        referent = repertoire.compte(Role.REFERENT, eg)
        d = fabrique.brouillon(eg, referent, f"Dossier envoyé {eg.pk}.{rang}")
        fabrique.nouvelle(d, referent, eg.pk)
        dossiers.append(fabrique.envoye(d, referent))
    return dossiers
