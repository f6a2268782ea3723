"""A team on the same tasks at the same moment, and a bulk treatment whose worker is killed."""

import time
from collections import Counter
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.utils import timezone

from backoffice.pages import domaine as departs
from structures.enums import Role
from structures.models import Habilitation
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from tests.workflows.jeu_de_taches import copier, taches_de
from workflows.domaine import decisions, equipe, lots, suivi, suppleances, taches
from workflows.enums import ActionLot
from workflows.models import Evenement, Lot, MiseDeCote, Suivi, Tache

from .conftest import ensemble, refus
from .test_pannes import base_courante, lancer

pytestmark = [pytest.mark.course, pytest.mark.timeout(300)]


@pytest.fixture
def monde(transactional_db: None) -> SimpleNamespace:
    """A task at SESAN, and six people who may do it."""
    eg = repertoire.etablissement("medico-social", nom="EHPAD TEST")
    referent = repertoire.compte(Role.REFERENT, eg)
    dossier = fabrique.brouillon(eg, referent)
    fabrique.nouvelle(dossier, referent, eg.pk)
    fabrique.envoye(dossier, referent)
    return SimpleNamespace(
        dossier=dossier, tache=fabrique.tache(dossier), gens=[repertoire.gestionnaire(f"g{i}") for i in range(6)]
    )


def test_une_equipe_sur_une_tache(monde: SimpleNamespace) -> None:
    numero, (a, b, *autres) = monde.tache.pk, monde.gens
    # Take over: one of four, from the holder that all of them saw.
    taches.prendre(numero=numero, acteur=a)
    resultats = ensemble([partial(equipe.reprendre, numero=numero, acteur=g, motif="Urgent", vu=a.pk) for g in autres])
    gagnant = Tache.objects.get(pk=numero).tache.owner
    assert [p.code for p in refus(resultats)] == ["tache_changee"] * 3
    assert all(p.message.startswith(f"{gagnant} a repris cette tâche le") for p in refus(resultats))
    # Assign against claim: the task has one holder, the other is told who.
    taches.rendre(numero=numero, acteur=gagnant)
    resultats = ensemble(
        [
            partial(equipe.attribuer, numero=numero, acteur=a, a=b, vu=None),
            partial(taches.prendre, numero=numero, acteur=a),
        ]
    )
    [perdant] = refus(resultats)
    tenue_par = Tache.objects.get(pk=numero).tache.owner
    assert (perdant.code, tenue_par) in {("tache_prise", b), ("tache_changee", a)}
    assert str(tenue_par) in perdant.message
    # Following several times at once is following.
    assert refus(ensemble([partial(suivi.suivre, numero=monde.dossier.pk, acteur=autres[0])] * 4)) == []
    assert Suivi.objects.count() == Evenement.objects.filter(type="suivi").count() == 1
    # Putting aside several times until the same day is one gesture.
    demain = timezone.localdate() + timedelta(days=1)
    assert refus(ensemble([partial(suivi.mettre_de_cote, numero=numero, acteur=tenue_par, retour_le=demain)] * 4)) == []
    assert Evenement.objects.filter(type="mise_de_cote").count() == 1
    suivi.ressortir(numero=numero, acteur=tenue_par)
    # Ending a substitution: the losers are told by whom it was.
    suppleance = suppleances.ecrire(absente=a, suppleante=b, du=timezone.localdate(), au=demain, acteur=a)
    resultats = ensemble([partial(suppleances.terminer, numero=suppleance.pk, acteur=g) for g in (a, *autres[:3])])
    suppleance.refresh_from_db()
    assert [str(suppleance.finie_par) in p.message for p in refus(resultats)] == [True] * 3
    # Put aside against decide: what is decided stays decided.
    resultats = ensemble(
        [
            partial(suivi.mettre_de_cote, numero=numero, acteur=tenue_par, retour_le=demain),
            partial(decisions.approuver, tache=numero, acteur=tenue_par),
        ]
    )
    assert {p.code for p in refus(resultats)} <= {"tache_close"}
    assert MiseDeCote.objects.count() + len(refus(resultats)) == 1
    assert fabrique.relu(monde.dossier).etat == "publie"


def test_deux_clics_et_trois_ouvriers_sur_un_lot(monde: SimpleNamespace) -> None:
    toutes = [monde.tache, *copier(monde.tache, 11)]
    demande = partial(
        lots.lancer,
        acteur=monde.gens[0],
        action=ActionLot.PRENDRE,
        jeton=uuid4(),
        choisies=[(t.pk, "") for t in toutes],
    )
    assert len({lot.pk for lot in ensemble([demande] * 4)}) == 1
    lot = Lot.objects.get()
    ensemble([partial(lots.travailler, lot.pk)] * 3)
    assert lots.travailler(lot.pk)
    assert Counter(lot.lignes.values_list("resultat", flat=True)) == {"fait": 12}
    assert Evenement.objects.filter(type="tache_prise").count() == 12


def test_partir_pendant_que_l_on_recoit_des_taches(monde: SimpleNamespace) -> None:
    """An account closed, a right ended, at the same moment as six tasks come to it: it keeps none, each is told of."""
    g, ferme, sans_droit, _, tient, autre = monde.gens
    toutes = [t.pk for t in (monde.tache, *copier(monde.tache, 11))]
    for numero in toutes[4:]:
        taches.prendre(numero=numero, acteur=tient)
    for qui, partir in (
        (ferme, partial(departs.desactiver, user=ferme, acteur=g)),
        (sans_droit, partial(departs.terminer_droit, habilitation=sans_droit.habilitations.get(), acteur=g)),
    ):
        libres = Tache.objects.filter(pk__in=toutes, tache__owner=None).values_list("pk", flat=True)[:4]
        tenues = Tache.objects.filter(pk__in=toutes, tache__owner=tient).values_list("pk", flat=True)[:4]
        recus = [partial(taches.prendre, numero=numero, acteur=qui) for numero in libres]
        recus += [partial(equipe.reprendre, numero=n, acteur=qui, motif="Urgent", vu=tient.pk) for n in tenues[:2]]
        recus += [
            partial(equipe.attribuer, numero=n, acteur=autre, a=qui, motif="Urgent", vu=tient.pk) for n in tenues[2:]
        ]
        rendues, *resultats = ensemble([partir, *recus])
        assert {p.code for p in refus(resultats)} <= {"compte_ferme", "sans_droit"}
        assert sorted(rendues) == sorted(t.pk for t in resultats if isinstance(t, Tache))
        assert taches.taches_tenues(qui) == []


def test_la_fin_d_une_suppleance_voit_la_tache_que_l_on_prend(monde: SimpleNamespace) -> None:
    """Ended as its substitute takes tasks by it: she holds none, at once, whoever came first."""
    absente, suppleante, sesan, *_ = monde.gens
    suppleante.habilitations.update(role=Role.TUTELLE, autorite="ARS-11")
    Habilitation.objects.create(user=absente, role=Role.TUTELLE, autorite_id="CD-78")
    [task] = taches_de(monde.dossier, 1)
    Tache.objects.create(
        tache=task, dossier=monde.dossier, eg=monde.dossier.eg, noeud="approbation_tutelle", autorite_id="CD-78",
        creee_le=timezone.now(), echeance=timezone.now(),
    )  # fmt: skip
    jour = timezone.localdate()
    for _ in range(3):
        suppleance = suppleances.ecrire(absente=absente, suppleante=suppleante, du=jour, au=jour, acteur=sesan)
        _, prise = ensemble(
            [
                partial(suppleances.terminer, numero=suppleance.pk, acteur=sesan),
                partial(taches.prendre, numero=task.pk, acteur=suppleante),
            ]
        )
        assert isinstance(prise, Tache) or prise.code == "sans_droit"
        assert taches.taches_tenues(suppleante) == []


OUVRIER = """
import django; django.setup()
from workflows.domaine import lots
print("pret", flush=True); input()
lots.travailler({lot})
"""


@pytest.mark.lent
def test_tuer_l_ouvrier_d_un_lot(monde: SimpleNamespace) -> None:
    """What was done is done once; the rest is picked up by the sweep's next worker."""
    toutes = [monde.tache, *copier(monde.tache, 59)]
    lot = lots.lancer(
        acteur=monde.gens[0], action=ActionLot.PRENDRE, jeton=uuid4(), choisies=[(t.pk, "") for t in toutes]
    )
    ouvrier = lancer(OUVRIER.format(lot=lot.pk), base_courante(), ROR_TESTS="1")
    assert ouvrier.stdin is not None
    assert ouvrier.stdout is not None
    assert ouvrier.stdout.readline() == "pret\n"
    ouvrier.stdin.write("\n")
    ouvrier.stdin.flush()
    for _ in range(2000):
        if lot.lignes.filter(resultat="fait").count() >= 3:
            break
        time.sleep(0.005)
    ouvrier.kill()
    ouvrier.wait()
    ouvrier.stdin.close()
    ouvrier.stdout.close()
    assert 3 <= lot.lignes.filter(resultat="fait").count() < 60
    for _ in range(200):  # until PostgreSQL has noticed that the client is dead, its line is another worker's
        if lots.travailler(lot.pk):
            break
        time.sleep(0.05)
    assert Counter(lot.lignes.values_list("resultat", flat=True)) == {"fait": 60}
    assert (
        Counter(Evenement.objects.filter(type="tache_prise").values_list("dossier", flat=True)).most_common(1)[0][1]
        == 1
    )
    assert Evenement.objects.filter(type="tache_prise").count() == 60
