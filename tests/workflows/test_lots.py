"""The same gesture on many tasks: what is done, refused, told, and never done twice (the kills: tests/courses)."""

from collections import Counter
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Introuvable, Invalide
from notifications.models import Envoi
from structures.enums import Role
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from tests.workflows.jeu_de_taches import copier
from workflows.domaine import lots, publication, taches
from workflows.enums import ActionLot
from workflows.models import Decision, Dossier, Evenement, Lot, Tache
from workflows.tasks import reprendre_lots, travailler_lot

pytestmark = pytest.mark.django_db


def a_sesan(monde: SimpleNamespace, eg=None) -> Tache:
    """One more dossier of an EHPAD (no Direction on its way), sent: the task is at SESAN."""
    eg = eg or repertoire.etablissement("medico-social", nom="EHPAD voisin")
    referent = repertoire.compte(Role.REFERENT, eg)
    dossier = fabrique.brouillon(eg, referent)
    fabrique.nouvelle(dossier, referent, eg.pk)
    fabrique.envoye(dossier, referent)
    return fabrique.tache(dossier)


def lancer(acteur: User, action: ActionLot, choisies: list[Tache], a: User | None = None, **plus) -> Lot:
    paires = [(t.pk, t.dossier.empreinte if action == ActionLot.APPROUVER else "") for t in choisies]
    return lots.lancer(**{"acteur": acteur, "action": action, "jeton": uuid4(), "choisies": paires, "a": a, **plus})


def bilan(lot: Lot) -> Counter[str]:
    return Counter(lot.lignes.values_list("resultat", flat=True))


def test_deux_cents_taches_dont_trois_refusees(monde: SimpleNamespace) -> None:
    g, autre = monde.gestionnaire, repertoire.gestionnaire("sesan1")
    modele = a_sesan(monde)
    toutes = [modele, *copier(modele, 199)]
    prise, close = toutes[50], toutes[100]
    taches.prendre(numero=prise.pk, acteur=autre)
    Tache.objects.filter(pk=close.pk).update(close_le=timezone.now(), close_par=autre, issue="approuve")
    jeton = uuid4()
    lot = lancer(g, ActionLot.PRENDRE, toutes, jeton=jeton)
    assert lancer(g, ActionLot.PRENDRE, toutes[:3], jeton=jeton).pk == lot.pk  # a second click
    with pytest.raises(Introuvable):
        lancer(autre, ActionLot.PRENDRE, toutes[:3], jeton=jeton)
    Dossier.objects.filter(pk=toutes[150].dossier_id).update(envoye_par=g)  # she would judge what she sent
    assert not lots.travailler(lot.pk, secondes=0.2)  # a slice of time, then the rest
    entame = bilan(lot)["fait"]
    assert 0 < entame < 197
    assert lots.travailler(lot.pk)
    assert lots.travailler(lot.pk)  # finished: nothing is done again
    assert bilan(lot) == {"fait": 197, "refuse": 3}
    refus = {ligne.tache_id: ligne.message for ligne in lot.lignes.filter(resultat="refuse")}
    assert set(refus) == {prise.pk, close.pk, toutes[150].pk}
    assert refus[prise.pk].startswith(f"{autre} a pris cette tâche le")
    assert f"déjà été traitée par {autre}" in refus[close.pk]
    assert "une autre personne doit l’approuver" in refus[toutes[150].pk]
    assert Evenement.objects.filter(type="tache_prise", acteur=g).count() == 197
    assert Lot.objects.get(pk=lot.pk).termine_le is not None


def test_approuver_en_nombre_ce_qu_on_a_vu(monde: SimpleNamespace) -> None:
    """Approved, changed since it was seen, and one step that has nothing to approve."""
    g = monde.gestionnaire
    bonne, change = a_sesan(monde), a_sesan(monde)
    brouillon = fabrique.brouillon(monde.eg, monde.referent)
    lot = lancer(g, ActionLot.APPROUVER, [bonne, change, fabrique.tache(brouillon)])
    Dossier.objects.filter(pk=change.dossier_id).update(empreinte="0" * 64)
    assert lots.travailler(lot.pk)
    resultats = {ligne.tache_id: (ligne.resultat, ligne.message) for ligne in lot.lignes.all()}
    assert resultats[bonne.pk] == ("fait", "Approuvé et publié.")
    assert resultats[change.pk][0] == "refuse"
    assert "n’est plus celui que vous avez vu" in resultats[change.pk][1]
    assert "n’existe pas à l’étape" in resultats[fabrique.tache(brouillon).pk][1]
    assert list(Decision.objects.values_list("tache", flat=True)) == [bonne.pk]
    assert list(Envoi.objects.filter(type_code="dossier_publie").values_list("cle", flat=True).distinct())


def test_ce_qui_defait_une_approbation_en_nombre_est_au_journal(monde: SimpleNamespace, monkeypatch) -> None:
    """As after a click: a publication that fails, and a content that the register changed under."""
    en_panne, change = a_sesan(monde), a_sesan(monde)
    repertoire.publier(change.dossier.eg, {"nom": "EHPAD renommé par FINESS"})

    def panne(*_: object) -> None:
        raise RuntimeError("disque plein")

    monkeypatch.setattr(publication, "enregistrer", panne)
    lot = lancer(monde.gestionnaire, ActionLot.APPROUVER, [en_panne, change])
    assert lots.travailler(lot.pk)
    assert bilan(lot) == {"refuse": 2}
    notes = Evenement.objects.filter(type__in=["publication_echouee", "decisions_caduques"]).order_by("dossier", "pk")
    assert list(notes.values_list("dossier", "type", "acteur")) == [
        (en_panne.dossier_id, "publication_echouee", monde.gestionnaire.pk),
        (change.dossier_id, "decisions_caduques", None),
    ]
    assert not Decision.objects.exists()


def test_valider_en_nombre_puis_compte_ferme(monde: SimpleNamespace, dossier: Dossier) -> None:
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    fabrique.envoye(dossier, monde.referent)
    tache = fabrique.tache(dossier)
    premier = lancer(monde.direction, ActionLot.APPROUVER, [tache])
    User.objects.filter(pk=monde.direction.pk).update(is_active=False)
    assert lots.travailler(premier.pk)
    assert bilan(premier) == {"refuse": 1}
    User.objects.filter(pk=monde.direction.pk).update(is_active=True)
    second = lancer(monde.direction, ActionLot.APPROUVER, [tache])
    assert lots.travailler(second.pk)
    assert list(second.lignes.values_list("resultat", "message")) == [("fait", "Dossier validé.")]


def test_attribuer_en_nombre_previent_une_fois(monde: SimpleNamespace) -> None:
    g, a = monde.gestionnaire, repertoire.gestionnaire("sesan1")
    modele = a_sesan(monde)
    toutes = [modele, *copier(modele, 4)]
    lot = lancer(g, ActionLot.ATTRIBUER, toutes, a=a)
    assert lots.travailler(lot.pk)
    assert bilan(lot) == {"fait": 5}
    assert Tache.objects.filter(tache__owner=a).count() == 5
    envois = Envoi.objects.filter(destinataire=a, type_code__in=["taches_attribuees", "tache_attribuee"])
    assert [e.sujet.strip() for e in envois] == ["5 tâches à votre nom"]


def test_une_panne_n_arrete_pas_le_lot(monde: SimpleNamespace, monkeypatch) -> None:
    modele = a_sesan(monde)
    toutes = [modele, *copier(modele, 2)]
    lot = lancer(monde.gestionnaire, ActionLot.PRENDRE, toutes)
    prendre = taches.prendre

    def panne(*, numero: int, acteur: User) -> Tache:
        prise = prendre(numero=numero, acteur=acteur)
        if numero == toutes[1].pk:
            raise RuntimeError("panne")
        return prise

    monkeypatch.setattr(lots.taches, "prendre", panne)
    assert lots.travailler(lot.pk)
    assert list(lot.lignes.values_list("resultat", flat=True)) == ["fait", "erreur", "fait"]
    assert Tache.objects.get(pk=toutes[1].pk).tache.owner is None  # undone
    assert Evenement.objects.filter(type="tache_prise").count() == 2


def test_ce_qui_ne_se_lance_pas(monde: SimpleNamespace) -> None:
    tache = a_sesan(monde)
    for acteur, paires in (
        (monde.gestionnaire, []),
        (monde.voisin, [(tache.pk, "")]),
        (monde.gestionnaire, [(n, "") for n in range(501)]),
    ):
        with pytest.raises(Invalide):
            lots.lancer(acteur=acteur, action=ActionLot.PRENDRE, jeton=uuid4(), choisies=paires)
    for action, a in ((ActionLot.ATTRIBUER, None), (ActionLot.PRENDRE, monde.gestionnaire)):
        with pytest.raises(Invalide):
            lancer(monde.gestionnaire, action, [tache], a=a)
    assert not Lot.objects.exists()


def test_un_lot_delaisse_est_repris(monde: SimpleNamespace, time_machine) -> None:
    modele = a_sesan(monde)
    lot = lancer(monde.gestionnaire, ActionLot.PRENDRE, [modele, *copier(modele, 1)])
    minute = timedelta(minutes=1)
    assert not Lot.objects.en_souffrance(minute).exists()
    time_machine.move_to(timezone.now() + 2 * minute)
    assert list(Lot.objects.en_souffrance(minute)) == [lot]
    assert reprendre_lots() == 1
    assert not lots.travailler(lot.pk, secondes=0.001)
    assert not Lot.objects.en_souffrance(minute).exists()  # it moves
    travailler_lot(lot.pk)
    assert bilan(lot) == {"fait": 2}
    time_machine.move_to(timezone.now() + 2 * minute)
    assert reprendre_lots() == 0
