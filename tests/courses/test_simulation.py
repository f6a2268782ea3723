"""« Aperçu de la publication » beside others: it waits for them, undoes all of its own, and says when it can't wait."""

import threading
from functools import partial

import pytest
from django.db import connection, transaction
from django.test import Client

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit
from structures.models import Modification
from workflows.domaine import decisions
from workflows.domaine.simulation import Simulation, simuler
from workflows.domaine.taches import saisir
from workflows.enums import EtatDossier
from workflows.models import Dossier, Tache

from .conftest import ensemble

pytestmark = [pytest.mark.course, pytest.mark.usefixtures("demo")]


def envoye() -> Dossier:
    return Dossier.objects.get(nom="Plateforme de répit")  # waits for the ARS


def test_six_apercus_et_une_approbation_a_la_fois() -> None:
    dossier, ars = envoye(), User.objects.get(username="tutelle.ars")
    tache = Tache.objects.get(dossier=dossier, close_le__isnull=True)
    gestes = [partial(simuler, numero=dossier.pk, acteur=ars)] * 6
    resultats = ensemble([*gestes, partial(decisions.approuver, tache=tache.pk, acteur=ars)])
    assert Dossier.objects.get(pk=dossier.pk).etat == EtatDossier.PUBLIE
    assert Modification.objects.filter(origine=f"dossier {dossier.pk}").count() == dossier.fiches.count()
    for resultat in resultats[:6]:
        if isinstance(resultat, Conflit):  # it came after the approval
            assert resultat.code == "dossier_termine"
        else:
            assert isinstance(resultat, Simulation)
            assert resultat.empechements == []


def test_un_dossier_tenu_par_un_autre_se_dit_en_mots() -> None:
    dossier = envoye()
    tenu, fini = threading.Event(), threading.Event()

    def tenir() -> None:
        try:
            with transaction.atomic():
                saisir(dossier.pk)
                tenu.set()
                fini.wait(30)
        finally:
            connection.close()

    fil = threading.Thread(target=tenir)
    fil.start()
    assert tenu.wait(30)
    try:
        navigateur = Client()
        navigateur.force_login(User.objects.get(username="tutelle.ars"))
        with connection.cursor() as curseur:
            curseur.execute("SET lock_timeout = '200ms'")
        reponse = navigateur.post(f"/dossiers/{dossier.pk}/apercu/")
    finally:
        fini.set()
        fil.join()
        with connection.cursor() as curseur:
            curseur.execute("RESET lock_timeout")
    assert reponse.status_code == 409
    assert "Une autre personne enregistre au même moment" in reponse.content.decode()
