"""Tasks that nobody can do: why, and told once a working day; what a departure would leave alone."""

from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backoffice.comptes.domaine import desactiver_compte
from backoffice.pages import departs
from notifications.models import Envoi
from structures.enums import ChampEG, Role
from structures.models import Habilitation
from tests.factories import dossiers as fabrique
from tests.factories.repertoire import compte, etablissement, gestionnaire, uo
from tests.workflows.jeu_de_taches import copier
from workflows.models import Dossier, Tache
from workflows.radar import annoncer, orphelines_sans, pourvoir
from workflows.requetes import sans_acteur

pytestmark = pytest.mark.django_db
PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def envoye(monde: SimpleNamespace, dossier: Dossier) -> Dossier:
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, nom="Unité renommée")
    return fabrique.envoye(dossier, monde.referent)


def raison(dossier: Dossier) -> str:
    [pourvoi] = pourvoir([fabrique.tache(dossier)])
    assert bool(pourvoi.raison) == (not pourvoi.acteurs) == sans_acteur().filter(dossier=dossier).exists()
    return pourvoi.raison


def test_pourquoi_personne(monde: SimpleNamespace, envoye: Dossier) -> None:
    """Each reason, held against the set that says which tasks nobody can do."""
    assert raison(envoye) == ""
    siennes = monde.direction.habilitations
    siennes.update(debut=date(2020, 1, 1), fin=date(2020, 2, 1))
    assert raison(envoye).startswith("Les droits de ceux qui avaient ce rôle sur cet établissement ont pris fin")
    siennes.update(fin=None)
    monde.direction.is_active = False
    monde.direction.save()
    assert raison(envoye) == "Les comptes de ceux qui ont ce rôle sur cet établissement sont tous désactivés."
    eg = etablissement(ChampEG.MEDICO_SOCIAL, nom="EHPAD TEST")
    dossier = fabrique.brouillon(eg, compte(Role.DIRECTION, eg, "seule"))
    fabrique.modifier(dossier, dossier.auteur, uo(eg).pk, nom="Unité renommée")
    Habilitation.objects.filter(role=Role.GESTIONNAIRE).update(user=dossier.auteur)
    fabrique.envoye(dossier, dossier.auteur)
    assert raison(dossier) == "Seule la personne qui a envoyé le dossier a ce rôle à SESAN."
    tache = fabrique.tache(dossier)
    tache.noeud, tache.autorite_id = "approbation_tutelle", "CD-92"
    assert pourvoir([tache])[0].raison == "Personne n’est membre pour cette autorité."


def test_ce_qu_un_depart_laisse(monde: SimpleNamespace, envoye: Dossier) -> None:
    """What she alone can do, whoever holds it; not what was alone already. As many statements for three as for one."""

    def seules(user: Any) -> set[Tache]:
        return set(orphelines_sans(user.habilitations.all()))

    tache = fabrique.tache(envoye)
    assert seules(monde.direction) == {tache}
    assert seules(monde.referent) == seules(monde.tutelle) == set()
    compte(Role.DIRECTION, monde.ej, "groupe")  # over all the establishments of the EJ
    assert seules(monde.direction) == set()

    def statements(taches: list[Any]) -> int:
        with CaptureQueriesContext(
            connection,
        ) as lues:
            pourvoir(taches)
        return len(lues)

    assert statements([tache]) == statements([tache] * 3) == 2
    [pourvoi] = pourvoir([tache], sauf=list(monde.direction.habilitations.values_list("pk", flat=True)))
    assert [u.username for u in pourvoi.acteurs] == ["groupe"]


def test_ce_que_personne_ne_peut_faire_vient_en_tete(envoye: Dossier, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its due date, before the list is cut; and the cut is counted."""
    monkeypatch.setattr(departs, "MONTREES", 2)
    tache = fabrique.tache(envoye)
    seules = {t.pk for t in copier(tache, 2)}
    Tache.objects.filter(pk__in=seules).update(echeance=tache.echeance + timedelta(days=9))
    toutes = Tache.objects.filter(pk__in={tache.pk, *seules})
    lignes, reste = departs._pourvois(toutes, [])
    assert ({p.tache.pk for p in lignes}, reste) == (seules, 1)
    assert departs._pourvois(toutes.filter(pk=tache.pk), []).reste == 0


def test_une_fois_par_jour_ouvre_tant_que_ca_dure(monde: SimpleNamespace, envoye: Dossier) -> None:
    gestionnaire("g2")
    tache = fabrique.tache(envoye)

    def courriels() -> int:
        return Envoi.objects.filter(type_code="radar_sans_acteur").count()

    with time_machine.travel(datetime(2027, 1, 4, 8, 15, tzinfo=PARIS), tick=False) as horloge:
        assert annoncer() == courriels() == 0
        desactiver_compte(user=monde.direction, acteur=None)
        assert [annoncer(), annoncer()] == [1, 1]
        assert courriels() == 2
        envoi = Envoi.objects.filter(type_code="radar_sans_acteur").first()
        assert envoi.sujet == "1 dossier que personne ne peut faire avancer"
        assert "tous désactivés" in envoi.corps_texte
        horloge.move_to(datetime(2027, 1, 5, 8, 15, tzinfo=PARIS))
        annoncer()
        assert courriels() == 4
        horloge.move_to(datetime(2027, 1, 9, 8, 15, tzinfo=PARIS))  # a Saturday
        assert annoncer() == 0
        compte(Role.DIRECTION, monde.eg, "nouvelle")
        horloge.move_to(datetime(2027, 1, 11, 8, 15, tzinfo=PARIS))
        assert annoncer() == 0
    assert courriels() == 4
    assert tache.close_le is None
