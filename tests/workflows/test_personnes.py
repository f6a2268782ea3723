"""Deleting or deactivating a person never removes a task, a dossier or its history; the task is back in the queue."""

import pytest
from django.db import ProgrammingError, connection, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from backoffice.comptes.domaine import desactiver_compte
from backoffice.comptes.models import User
from workflows import boite
from workflows.domaine import taches
from workflows.models import Dossier, Evenement, Tache
from workflows.tasks import liberer_taches


@pytest.fixture
def tache_prise(demo: None) -> Tache:
    tache = Tache.objects.get(noeud="approbation_tutelle", close_le__isnull=True)
    return taches.prendre(numero=tache.pk, acteur=User.objects.get(username="tutelle.ars"))


def test_supprimer_une_personne_est_refuse(tache_prise: Tache) -> None:
    comptes = (Tache.objects.count(), Dossier.objects.count(), Evenement.objects.count(), User.objects.count())
    with pytest.raises(ProtectedError), transaction.atomic():
        User.objects.get(username="tutelle.ars").delete()
    sans_lien = User.objects.create(username="sans.lien", email="s@essai.example")
    with pytest.raises(ProgrammingError, match="Cannot delete"), transaction.atomic():
        sans_lien.delete()
    with pytest.raises(ProgrammingError, match="Cannot delete"), transaction.atomic(), connection.cursor() as curseur:
        curseur.execute("DELETE FROM comptes_user WHERE username = 'tutelle.ars'")
    comptes = (*comptes[:3], comptes[3] + 1)
    assert comptes == (Tache.objects.count(), Dossier.objects.count(), Evenement.objects.count(), User.objects.count())


def test_une_tache_prise_sort_de_la_file_des_autres(tache_prise: Tache) -> None:
    ars, ars2 = (User.objects.get(username=u) for u in ("tutelle.ars", "tutelle.ars2"))
    assert [t.pk for t in boite.onglets(ars)["mes-taches"]] == [tache_prise.pk]
    assert list(boite.onglets(ars2)["a-prendre"]) == []


def test_un_compte_desactive_rend_ses_taches(tache_prise: Tache) -> None:
    ars, ars2 = (User.objects.get(username=u) for u in ("tutelle.ars", "tutelle.ars2"))
    desactiver_compte(user=ars, acteur=User.objects.get(username="gestionnaire"))
    # Even before anything sweeps, a colleague is not stopped by a person who can no longer act.
    taches.prendre(numero=tache_prise.pk, acteur=ars2)
    assert [t.pk for t in boite.onglets(ars2)["mes-taches"]] == [tache_prise.pk]


def test_une_habilitation_qui_finit_rend_les_taches(tache_prise: Tache) -> None:
    ars, ars2 = (User.objects.get(username=u) for u in ("tutelle.ars", "tutelle.ars2"))
    ars.habilitations.update(debut=timezone.localdate(), fin=timezone.localdate())
    assert liberer_taches() == 1
    assert liberer_taches() == 0
    assert [t.pk for t in boite.onglets(ars2)["a-prendre"]] == [tache_prise.pk]
    dernier = tache_prise.dossier.evenements.last()
    assert (dernier.type, dernier.acteur, dernier.details["proprietaire"]) == ("tache_rendue", None, "tutelle.ars")
