"""A dossier that started on a version of the flow ends on the next one, moved or not (ADR 10)."""

from datetime import timedelta
from io import StringIO
from types import SimpleNamespace

import pytest
import time_machine
from django.core.management import CommandError, call_command
from viewflow.workflow.models import Task

from backoffice.socle.erreurs import Conflit
from tests.factories import dossiers as fabrique
from tests.navigation import client, texte
from tests.workflows.ecrans import url
from workflows import versions
from workflows.checks import flux_a_jour
from workflows.delais import recours
from workflows.domaine import decisions
from workflows.domaine.versions import migrer
from workflows.journaux import verifier
from workflows.management.commands import migrer_flux
from workflows.models import Dossier, Tache
from workflows.tasks import declencher_minuteries

pytestmark = pytest.mark.django_db


def en_version_1(dossier: Dossier) -> Dossier:
    """What version 1 of the flow would have left: two timers on the open tasks, not three."""
    Task.objects.filter(process=dossier.processus_id, flow_task__endswith="__timeout_3", status="SCHEDULED").delete()
    Dossier.objects.filter(pk=dossier.pk).update(version_flux=1)
    return fabrique.relu(dossier)


@pytest.fixture
def ancien(monde: SimpleNamespace, dossier: Dossier) -> Dossier:
    """Started on version 1, at the Direction."""
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    return en_version_1(fabrique.envoye(dossier, monde.referent))


def minuteries(tache: Tache) -> dict[str, object]:
    armees = Task.objects.filter(previous=tache.tache, flow_task_type="TIMER", status="SCHEDULED")
    return {t.flow_task.name.rpartition("__")[2]: t.scheduled for t in armees}


def terminer(dossier: Dossier, monde: SimpleNamespace) -> None:
    decisions.valider(tache=fabrique.tache(dossier).pk, acteur=monde.direction)
    assert set(minuteries(fabrique.tache(dossier))) == {"timeout", "timeout_2", "timeout_3"}  # the code of today
    decisions.approuver(tache=fabrique.tache(dossier).pk, acteur=monde.gestionnaire)
    assert fabrique.relu(dossier).etat == "publie"
    assert not Task.objects.filter(process=dossier.processus_id, status__in=["NEW", "SCHEDULED"]).exists()
    assert verifier(dossier).intacte


def photo() -> tuple[object, ...]:
    return (
        list(Task.objects.order_by("pk").values_list("pk", "status")),
        list(Dossier.objects.order_by("pk").values_list("version_flux", "tete_journal__rang")),
    )


def lancer(**options: bool) -> str:
    sortie = StringIO()
    call_command("migrer_flux", stdout=sortie, **options)
    return sortie.getvalue()


def test_un_dossier_neuf_suit_la_version_du_code(dossier: Dossier) -> None:
    assert fabrique.relu(dossier).version_flux == versions.VERSION
    assert migrer(numero=dossier.pk).raison == "il est déjà à cette version."


def test_un_dossier_de_la_version_1_finit_sans_migration(monde: SimpleNamespace, ancien: Dossier) -> None:
    assert set(minuteries(fabrique.tache(ancien))) == {"timeout", "timeout_2"}
    terminer(ancien, monde)
    assert fabrique.relu(ancien).version_flux == 1
    assert migrer(numero=ancien.pk).raison == "le dossier est terminé."


def test_un_dossier_de_la_version_1_finit_apres_la_migration(monde: SimpleNamespace, ancien: Dossier) -> None:
    tache = fabrique.tache(ancien)
    avant = photo()
    essai = lancer(essai=True)
    assert photo() == avant
    assert f"Validation par la Direction (tâche {tache.pk}) : recours au superviseur armé." in essai
    fait = lancer()
    assert fait.splitlines()[:-1] == essai.splitlines()[:-1]  # the report of the dry run is that of the run
    assert minuteries(tache)["timeout_3"] == recours(tache.echeance)
    apres = photo()
    assert "0 dossier(s) mis à jour" in lancer()  # again: nothing
    assert photo() == apres
    journal = texte(client(monde.referent).get(url(ancien, "journal/")))
    assert "Circuit mis à jour" in journal
    assert "De la version 1 à la version 2." in journal
    with time_machine.travel(recours(tache.echeance) + timedelta(minutes=1), tick=False):
        declencher_minuteries()
        assert ancien.evenements.filter(type="recours").count() == 1
    terminer(ancien, monde)


def test_une_tache_deja_armee_ne_l_est_pas_deux_fois(ancien: Dossier) -> None:
    """Stopped between two writings, or a dossier whose step began since: the step looks at what is there."""
    assert len(migrer(numero=ancien.pk).faits) == 1
    Dossier.objects.filter(pk=ancien.pk).update(version_flux=1)
    assert migrer(numero=ancien.pk).faits == []
    assert len(minuteries(fabrique.tache(ancien))) == 3


def test_un_dossier_qui_ne_passe_pas_ne_retient_pas_les_autres(
    monde: SimpleNamespace, ancien: Dossier, monkeypatch: pytest.MonkeyPatch
) -> None:
    autre = en_version_1(fabrique.brouillon(monde.ailleurs, monde.voisin))
    inconnu = Task.objects.filter(process=ancien.processus_id, status="NEW")
    assert inconnu.update(flow_task="workflows/flows.DossierFlow.etape_disparue") == 1
    assert [(v.version, v.dossiers, v.courante) for v in versions.par_version()] == [(1, 2, False)]
    assert [a.id for a in flux_a_jour(None, databases=["default"])] == ["workflows.W001", "workflows.W002"]
    sortie = StringIO()
    with pytest.raises(CommandError, match="1 dossier\\(s\\) mis à jour, 1 laissé"):
        call_command("migrer_flux", stdout=sortie)
    assert f"Dossier {ancien.pk} : laissé tel quel, il se tient sur une étape que le circuit n’a plus" in (
        sortie.getvalue()
    )
    assert [(v.version, v.dossiers) for v in versions.par_version()] == [(2, 1), (1, 1)]
    inconnu.update(flow_task="workflows/flows.DossierFlow.validation_direction")

    def occupe(**kwargs: object) -> None:
        raise Conflit("occupe", "Une autre personne travaille dessus.")

    with monkeypatch.context() as remplace:
        remplace.setattr(migrer_flux, "migrer", occupe)
        with pytest.raises(CommandError, match="0 dossier\\(s\\) mis à jour, 1 laissé"):
            call_command("migrer_flux", stdout=StringIO())
    lancer()
    assert flux_a_jour(None, databases=["default"]) == []
    assert flux_a_jour(None, databases=None) == []
    assert Dossier.objects.filter(pk__in=[ancien.pk, autre.pk], version_flux=2).count() == 2


def test_la_version_suivante_n_est_pas_reculee(ancien: Dossier) -> None:
    Dossier.objects.filter(pk=ancien.pk).update(version_flux=3)
    assert migrer(numero=ancien.pk).raison == "il suit la version 3, que ce code ne connaît pas."
