"""Incidents: the remedy that each of them says, « Réessayer » once."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from viewflow.workflow.models import Task
from viewflow.workflow.timers import fire_due_timers

from backoffice.pages import incidents
from backoffice.socle.erreurs import Conflit
from notifications.models import Envoi, EtatEnvoi
from structures.models import Habilitation
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from tests.navigation import client, texte
from workflows import supervision
from workflows.domaine import decisions, equipe, lots, minuteries, publication, taches
from workflows.enums import ActionLot, EtatDossier, TypeEvenement
from workflows.models import Dossier, Evenement, Tache
from workflows.regles import participants

from .jeu_de_taches import envoyes

pytestmark = pytest.mark.django_db


def reessayer(monde: Any, genre: str, numero: int) -> Any:
    return client(monde.gestionnaire).post(f"/supervision/incidents/{genre}/{numero}/reessayer/")


def dernier(dossier: Dossier) -> Evenement:
    return dossier.evenements.select_related("acteur").last()


def test_a_task_that_nobody_can_do_says_the_remedy(monde: Any, dossier: Dossier) -> None:
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    fabrique.envoye(dossier, monde.referent)
    assert incidents.compter()["sans-acteur"] == 0
    Habilitation.objects.filter(user=monde.direction).update(fin=timezone.localdate())
    [vu] = client(monde.gestionnaire).get("/supervision/incidents/").context["incidents"]
    assert (vu.genre, vu.precision) == (
        "sans-acteur",
        "Les droits de ceux qui avaient ce rôle sur cet établissement ont pris fin, ou n’ont pas commencé.",
    )
    numero = monde.eg.identifiant[1:]
    assert vu.ailleurs == ("Ouvrir un compte", f"/comptes/creer/?role=direction&finess={numero}")
    assert client(monde.gestionnaire).post(f"/supervision/incidents/sans-acteur/{vu.cle}/reessayer/").status_code == 404
    assert fabrique.tache(dossier) in supervision.ouvertes(personne=True)


def test_a_mail_leaves_again_once(monde: Any, settings: Any) -> None:
    settings.EMAIL_HOST = "localhost"
    envoyes(1)
    courriel = Envoi.objects.filter(destinataire=monde.gestionnaire).first()
    Envoi.objects.filter(pk=courriel.pk).update(etat=EtatEnvoi.ECHEC, erreur="550", prochaine_tentative=None)
    page = client(monde.gestionnaire).get(f"/supervision/incidents/courriel/{courriel.pk}/reessayer/")
    assert "Le courriel part de nouveau" in texte(page)
    assert reessayer(monde, "courriel", courriel.pk).status_code == 302
    courriel.refresh_from_db()
    assert (courriel.etat, courriel.reexpedie_par) == (EtatEnvoi.A_ENVOYER, monde.gestionnaire)
    assert reessayer(monde, "courriel", courriel.pk).status_code == 409


def test_a_timer_fires_once(monde: Any) -> None:
    [d] = envoyes(1)
    rappel = Task.objects.filter(process=d.processus_id, status="SCHEDULED").order_by("scheduled").first()
    assert reessayer(monde, "minuterie", rappel.pk).status_code == 409  # not due
    Task.objects.filter(pk=rappel.pk).update(scheduled=timezone.now() - timedelta(hours=1))
    assert reessayer(monde, "minuterie", rappel.pk).status_code == 302
    assert [e.type for e in d.evenements.order_by("-pk")[:2]] == [TypeEvenement.INCIDENT_REPRIS, TypeEvenement.RAPPEL]
    assert dernier(d).acteur == monde.gestionnaire
    encore = reessayer(monde, "minuterie", rappel.pk)
    assert encore.status_code == 409
    assert f"{monde.gestionnaire} a déjà repris cet incident" in texte(encore)
    assert (fire_due_timers(), d.evenements.filter(type=TypeEvenement.RAPPEL).count()) == (0, 1)


def test_a_step_in_error_is_done_again_or_set_aside(monde: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    dossiers = envoyes(2)

    def en_panne(*_: Any, **__: Any) -> None:
        raise RuntimeError("gabarit illisible")

    with monkeypatch.context() as panne:
        panne.setattr(minuteries, "sonner", en_panne)
        for d in dossiers:
            rappel = Task.objects.filter(process=d.processus_id, status="SCHEDULED").order_by("scheduled").first()
            Task.objects.filter(pk=rappel.pk).update(scheduled=timezone.now() - timedelta(hours=1))
        fire_due_timers()
        fautives = [Task.objects.get(process=d.processus_id, status="ERROR") for d in dossiers]
        refus = reessayer(monde, "etape", fautives[0].pk)
        assert (refus.status_code, "gabarit illisible" in texte(refus)) == (409, True)
        assert Task.objects.filter(status="ERROR").count() == 2
    page = texte(client(monde.gestionnaire).get("/supervision/incidents/?genre=etape"))
    assert "L’étape « Rappel par courriel » est en erreur" in page.replace("\xa0", " ")
    assert "gabarit illisible" in page
    assert reessayer(monde, "etape", fautives[0].pk).status_code == 302
    assert [e.type for e in dossiers[0].evenements.order_by("-pk")[:2]] == [
        TypeEvenement.INCIDENT_REPRIS,
        TypeEvenement.RAPPEL,
    ]
    assert reessayer(monde, "etape", fautives[0].pk).status_code == 409
    decisions.approuver(tache=fabrique.tache(dossiers[1]).pk, acteur=monde.gestionnaire)
    assert reessayer(monde, "etape", fautives[1].pk).status_code == 302
    assert "classée sans suite" in dernier(dossiers[1]).details["texte"]
    assert not dossiers[1].evenements.filter(type=TypeEvenement.RAPPEL).exists()
    assert incidents.compter()["etape"] == 0


def test_a_task_of_somebody_who_left_goes_back_to_the_queue_once(monde: Any) -> None:
    [d] = envoyes(1)
    tache, partie = fabrique.tache(d), repertoire.gestionnaire("partie")
    taches.prendre(numero=tache.pk, acteur=partie)
    assert reessayer(monde, "tenue", tache.pk).status_code == 409  # she can still do it
    Habilitation.objects.filter(user=partie).update(fin=timezone.localdate())
    [vu] = incidents.lire(incidents.compter(), "tenue")
    assert (vu.cle, vu.precision) == (tache.pk, "Prise par partie.")
    assert reessayer(monde, "tenue", tache.pk).status_code == 302
    assert Tache.objects.select_related("tache").get(pk=tache.pk).tache.owner is None
    assert (dernier(d).type, dernier(d).acteur) == (TypeEvenement.INCIDENT_REPRIS, monde.gestionnaire)
    assert "a déjà repris cet incident" in texte(reessayer(monde, "tenue", tache.pk))
    with pytest.raises(Conflit, match=r"^gestionnaire a remis cette tâche dans la file le .* vous pouvez la prendre"):
        equipe.reprendre(numero=tache.pk, acteur=repertoire.gestionnaire(), motif="Absente", vu=partie.pk)


def test_a_lot_that_stopped_goes_on(monde: Any) -> None:
    tache = fabrique.tache(*envoyes(1))
    lot = lots.lancer(acteur=monde.gestionnaire, action=ActionLot.PRENDRE, jeton=uuid4(), choisies=[(tache.pk, "")])
    assert reessayer(monde, "lot", lot.pk).status_code == 409  # it has only just begun
    type(lot).objects.filter(pk=lot.pk).update(cree_le=timezone.now() - timedelta(hours=1))
    [vu] = incidents.lire(incidents.compter(), "lot")
    assert (vu.precision, vu.gene) == ("1 tâche à traiter.", "gestionnaire attend la fin de ce traitement.")
    reprise = client(monde.gestionnaire).post(f"/supervision/incidents/lot/{lot.pk}/reessayer/", follow=True)
    assert "le traitement quitte la liste dès qu’il avance" in texte(reprise)
    lots.travailler(lot.pk)
    assert reessayer(monde, "lot", lot.pk).status_code == 409
    assert incidents.compter()["lot"] == 0


def test_a_publication_that_fails_is_an_incident_until_it_would_pass(
    monde: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    [d] = envoyes(1)
    approbatrice = repertoire.gestionnaire("approbatrice")

    def en_panne(*_: Any) -> None:
        raise RuntimeError("disque plein")

    with monkeypatch.context() as panne:
        panne.setattr(publication, "enregistrer", en_panne)
        for _ in range(2):  # the same cause twice is one incident
            with pytest.raises(Conflit, match="pour une raison technique") as refus:
                decisions.approuver(tache=fabrique.tache(d).pk, acteur=approbatrice)
            assert refus.value.code == "publication_en_panne"
        assert fabrique.relu(d).etat == EtatDossier.APPROBATION
        assert d.evenements.filter(type=TypeEvenement.PUBLICATION_ECHOUEE).count() == 1
        [vu] = incidents.lire(incidents.compter(), "publication")
        assert vu.cle == d.pk
        assert reessayer(monde, "publication", d.pk).status_code == 409
        assert incidents.compter()["publication"] == 1
        rappel = Task.objects.filter(process=d.processus_id, status="SCHEDULED").order_by("scheduled").first()
        Task.objects.filter(pk=rappel.pk).update(scheduled=timezone.now() - timedelta(hours=1))
        assert reessayer(monde, "minuterie", rappel.pk).status_code == 302  # another incident of the same dossier
        with pytest.raises(Conflit, match="pour une raison technique"):
            decisions.approuver(tache=fabrique.tache(d).pk, acteur=approbatrice)
        assert d.evenements.filter(type=TypeEvenement.PUBLICATION_ECHOUEE).count() == 1
        assert incidents.compter()["publication"] == 1
    Envoi.objects.all().update(etat=EtatEnvoi.NON_EXPEDIE)
    avant = set(Envoi.objects.values_list("pk", flat=True))
    assert reessayer(monde, "publication", d.pk).status_code == 302
    assert fabrique.relu(d).etat == EtatDossier.APPROBATION  # nobody approved in their place
    [averti] = Envoi.objects.exclude(pk__in=avant)
    assert (averti.type_code, averti.destinataire) == ("approbation_a_refaire", approbatrice)
    assert "n’a pas été enregistrée (approbatrice)." in averti.corps_texte
    assert set(participants(d)) == {d.envoye_par, approbatrice}  # not who took up the incident
    assert incidents.compter()["publication"] == 0
    assert reessayer(monde, "publication", d.pk).status_code == 409
    decisions.approuver(tache=fabrique.tache(d).pk, acteur=approbatrice)
    assert fabrique.relu(d).etat == EtatDossier.PUBLIE
