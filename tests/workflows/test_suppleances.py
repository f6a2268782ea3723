"""Standing in for somebody: what it gives, to whom, what it never gives; how it ends."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Introuvable, Invalide
from notifications.models import Envoi
from structures.enums import Role
from tests.factories import dossiers as fabrique
from tests.factories.repertoire import compte, etablissement, gestionnaire, uo
from tests.navigation import client
from workflows import boite, chronologie
from workflows.domaine import decisions, suppleances, taches
from workflows.models import Dossier, Suppleance, Tache
from workflows.regles import (
    acteurs_de,
    dossiers_visibles,
    peut_editer,
    peut_faire,
    pour_qui,
    suppleantes_possibles,
    taches_de,
)
from workflows.tasks import liberer_taches

pytestmark = pytest.mark.django_db

EQUIPE = {"redaction", "envoi"}  # steps that a Référent has a part in


def suppleer(absente: User, suppleante: User, acteur: User | None = None, jours: int = 3) -> Suppleance:
    jour = timezone.localdate()
    return suppleances.ecrire(
        absente=absente, suppleante=suppleante, du=jour, au=jour + timedelta(days=jours), acteur=acteur or absente
    )


def qui(tache: Tache) -> set[str]:
    """Who may do it; the predicate and the mail's recipients say the same of everybody."""
    noms = {u.username for u in acteurs_de(tache)}
    for user in User.objects.all():
        assert peut_faire(user, tache) == (user.username in noms), user
    return noms


@pytest.fixture
def envoye(monde: SimpleNamespace, dossier: Dossier) -> Dossier:
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, nom="Unité renommée")
    return fabrique.envoye(dossier, monde.referent)


def test_la_direction_absente(monde: SimpleNamespace, envoye: Dossier) -> None:
    """A colleague of the establishment validates for her, and says so; never what she or the sender sent."""
    tache = fabrique.tache(envoye)
    assert qui(tache) == {"direction"}
    suppleance = suppleer(monde.direction, monde.collegue)
    assert qui(tache) == {"direction", "collegue"}
    assert pour_qui(monde.collegue, [tache]) == {tache.pk: monde.direction}
    assert pour_qui(monde.direction, [tache]) == {}
    suppleances.terminer(numero=suppleance.pk, acteur=monde.direction)
    assert qui(tache) == {"direction"}
    suppleer(monde.direction, monde.referent)  # who sent it
    assert qui(tache) == {"direction"}
    with pytest.raises(Interdit):
        decisions.valider(tache=tache.pk, acteur=monde.referent)


def test_elle_decide_pour_elle_et_le_journal_le_dit(monde: SimpleNamespace, envoye: Dossier) -> None:
    """Also on a task that the absent person had taken."""
    tache = fabrique.tache(envoye)
    taches.prendre(numero=tache.pk, acteur=monde.direction)
    with pytest.raises(Interdit):
        decisions.valider(tache=tache.pk, acteur=monde.collegue)
    suppleer(monde.direction, monde.collegue, acteur=monde.gestionnaire)
    prevenus = Envoi.objects.filter(type_code="suppleance_ecrite").values_list("destinataire__username", flat=True)
    assert set(prevenus) == {"direction", "collegue"}
    decisions.valider(tache=tache.pk, acteur=monde.collegue)
    evenement = envoye.evenements.get(type="valide")
    assert evenement.details["pour"] == str(monde.direction)
    assert chronologie.qui_en_mots(evenement) == f"{monde.collegue}, pour {monde.direction}"
    suite = fabrique.tache(envoye)
    assert qui(suite) == {"gestionnaire"}
    decisions.approuver(tache=suite.pk, acteur=monde.gestionnaire)
    assert "pour" not in envoye.evenements.get(type="approuve").details


def test_les_courriels_vont_aux_deux(monde: SimpleNamespace, dossier: Dossier) -> None:
    suppleer(monde.direction, monde.collegue)
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, nom="Unité renommée")
    tache = fabrique.tache(fabrique.envoye(dossier, monde.referent))
    envois = Envoi.objects.filter(cle__startswith=f"tache_creee:tache:{tache.pk}:")
    assert set(envois.values_list("destinataire__username", flat=True)) == {"direction", "collegue"}


def test_ce_que_l_absente_a_envoye_reste_a_d_autres(monde: SimpleNamespace, dossier: Dossier) -> None:
    """Not even by standing in for a third person; her own right stays whole."""
    seconde = compte(Role.DIRECTION, monde.eg, "seconde")
    suppleer(monde.direction, monde.collegue)
    suppleer(seconde, monde.collegue)
    fabrique.modifier(dossier, monde.direction, monde.uo.pk, nom="Unité renommée")
    tache = fabrique.tache(fabrique.envoye(dossier, monde.direction))
    assert qui(tache) == {"direction", "seconde"}


def test_ni_chaine_ni_role_qu_elle_n_a_pas(monde: SimpleNamespace, envoye: Dossier) -> None:
    """Y for X, Z for Y: Z gets nothing of X. A right that ends takes along what stood on it. Nothing but tasks."""
    adjointe = compte(Role.DIRECTION, monde.ailleurs, "adjointe")
    suppleer(monde.direction, monde.collegue)
    suppleer(adjointe, monde.direction, acteur=monde.gestionnaire)
    suppleer(monde.gestionnaire, gestionnaire("g2"))
    compte(Role.TUTELLE, "CD-75", "autre.tutelle")
    tache = fabrique.tache(envoye)
    assert qui(tache) == {"direction", "collegue"}
    assert {t.noeud for t in taches_de(monde.collegue)} == {
        *EQUIPE,
        tache.noeud,
    }
    troisieme = compte(Role.DIRECTION, monde.ailleurs, "troisieme")
    Suppleance.objects.filter(absente=adjointe).update(absente=monde.collegue, suppleante=troisieme)
    assert qui(tache) == {"direction", "collegue"}
    assert not dossiers_visibles(troisieme).filter(pk=envoye.pk).exists()
    monde.collegue.habilitations.update(fin=timezone.localdate())
    assert qui(tache) == {"direction"}
    monde.direction.habilitations.update(fin=timezone.localdate())
    assert qui(tache) == set()


def test_une_direction_d_ailleurs_choisie_par_sesan(monde: SimpleNamespace, envoye: Dossier) -> None:
    """Sees the dossiers that she decides on, and nothing else of the establishment; not after her last day."""
    tache = fabrique.tache(envoye)
    with pytest.raises(Invalide):
        suppleer(monde.direction, monde.voisin)
    suppleer(monde.direction, monde.voisin, acteur=monde.gestionnaire, jours=0)
    assert qui(tache) == {"direction", "voisin"}
    assert set(dossiers_visibles(monde.voisin)) == {envoye}
    assert not peut_editer(monde.voisin, envoye)
    taches.prendre(numero=tache.pk, acteur=monde.voisin)
    assert liberer_taches() == 0
    Suppleance.objects.update(du=date(2026, 1, 1), au=date(2026, 1, 2))
    assert set(dossiers_visibles(monde.voisin)) == set()
    assert liberer_taches() == 1
    assert qui(tache) == {"direction"}


def test_la_redaction_ne_se_supplee_pas(monde: SimpleNamespace, dossier: Dossier) -> None:
    suppleer(monde.direction, monde.voisin, acteur=monde.gestionnaire)
    assert qui(fabrique.tache(dossier)) == {"referent", "collegue", "direction"}
    assert list(taches_de(monde.voisin)) == []
    assert list(suppleantes_possibles(monde.referent, partout=True)) == []


def test_la_tutelle_et_ses_pairs(monde: SimpleNamespace) -> None:
    eg = etablissement("handicap", nom="IME TEST")
    referent = compte(Role.REFERENT, eg, "referent.ime")
    dossier = fabrique.brouillon(eg, referent)
    fabrique.modifier(dossier, referent, uo(eg).pk, nom="Unité renommée")
    fabrique.envoye(dossier, referent)
    departement, ars2 = compte(Role.TUTELLE, "CD-75", "departement"), compte(Role.TUTELLE, "ARS-11", "ars2")
    tache = fabrique.tache(dossier, "ARS-11")
    assert {u.username for u in suppleantes_possibles(monde.tutelle, partout=False)} == {"ars2"}
    assert {u.username for u in suppleantes_possibles(monde.tutelle, partout=True)} == {"ars2", "departement"}
    assert qui(tache) == {"tutelle", "ars2"}
    assert not dossiers_visibles(departement).exists()
    suppleer(monde.tutelle, departement, acteur=monde.gestionnaire)
    assert qui(tache) == {"tutelle", "ars2", "departement"}
    assert set(dossiers_visibles(departement)) == {dossier}
    taches.prendre(numero=tache.pk, acteur=departement)
    assert pour_qui(departement, [tache]) == {tache.pk: monde.tutelle}
    [suppleance] = Suppleance.objects.all()
    suppleances.terminer(numero=suppleance.pk, acteur=monde.gestionnaire)
    tache.tache.refresh_from_db()
    assert tache.tache.owner is None  # at once
    assert ars2 in acteurs_de(tache)


def test_refus(monde: SimpleNamespace) -> None:
    jour, d, c = timezone.localdate(), monde.direction, monde.collegue

    def refus(erreur: type[Exception], **plus: Any) -> Any:
        arguments = {"absente": d, "suppleante": c, "du": jour, "au": jour, "acteur": d} | plus
        with pytest.raises(erreur) as leve:
            suppleances.ecrire(**arguments)
        return leve.value

    hier = jour - timedelta(days=1)
    refus(Interdit, acteur=c)
    assert set(refus(Invalide, du=hier).champs) == {"du"}
    assert set(refus(Invalide, au=hier).champs) == {"au"}
    assert set(refus(Invalide, du=date(9999, 12, 31), au=date(9999, 12, 31)).champs) == {"du"}
    assert set(refus(Invalide, au=jour + timedelta(days=366)).champs) == {"au"}
    for autre in (d, monde.tutelle, monde.voisin):
        assert set(refus(Invalide, suppleante=autre).champs) == {"suppleante"}
    suppleance = suppleer(d, c)
    assert "supplée déjà" in refus(Invalide, du=jour + timedelta(days=3), au=jour + timedelta(days=5)).message
    for champs in ({"suppleante": monde.referent}, {"suppleante": d, "du": jour + timedelta(days=9)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Suppleance.objects.create(**{"absente": d, "du": jour, "au": jour + timedelta(9), "ecrite_par": d} | champs)
    with pytest.raises(Interdit):
        suppleances.terminer(numero=suppleance.pk, acteur=monde.voisin)
    with pytest.raises(Introuvable):
        suppleances.terminer(numero=0, acteur=d)
    suppleances.terminer(numero=suppleance.pk, acteur=d)
    with pytest.raises(Conflit, match="a déjà mis fin"):
        suppleances.terminer(numero=suppleance.pk, acteur=monde.gestionnaire)
    suppleer(d, c)  # an ended one leaves room


def test_l_ecran(monde: SimpleNamespace, envoye: Dossier) -> None:
    """Design a colleague, see it on both sides, end it; a gestionnaire may name somebody from elsewhere."""
    jour = timezone.localdate()
    page = client(monde.direction).get("/absences/").content.decode()
    assert "Aucune absence" in page
    assert str(monde.voisin) not in page
    saisie = {"du": f"{jour}", "au": f"{jour}", "suppleante": monde.voisin.pk}
    assert client(monde.direction).post("/absences/", saisie).status_code == 422  # not in the list
    assert client(monde.direction).post("/absences/", {}).status_code == 422
    saisie["suppleante"] = monde.collegue.pk
    assert client(monde.direction).post("/absences/", saisie).status_code == 302
    suppleance = Suppleance.objects.get()
    assert "en cours" in client(monde.collegue).get("/absences/").content.decode()
    assert client(monde.collegue).post(f"/absences/{suppleance.pk}/terminer/").status_code == 403
    assert client(monde.direction).post("/absences/", saisie).status_code == 422  # twice the same days
    assert client(monde.direction).get(f"/absences/{suppleance.pk}/terminer/").status_code == 200
    assert client(monde.direction).post(f"/absences/{suppleance.pk}/terminer/").status_code == 302
    de = f"/absences/de/{monde.direction.pk}/"
    assert "interrompue" in client(monde.gestionnaire).get(de).content.decode()
    del saisie["suppleante"]
    assert client(monde.gestionnaire).post(de, saisie | {"identifiant": "inconnue"}).status_code == 422
    assert client(monde.gestionnaire).post(de, saisie | {"identifiant": "Voisin"}).status_code == 302
    assert Suppleance.objects.get(finie_le=None).suppleante == monde.voisin
    assert "communes à l’équipe" in client(monde.referent).get("/absences/").content.decode()


def test_la_boite_dit_pour_qui(monde: SimpleNamespace, envoye: Dossier) -> None:
    """What is for the absent person is to take, even when she holds it; with her name, and so does its page."""
    tache = fabrique.tache(envoye)
    taches.prendre(numero=tache.pk, acteur=monde.direction)
    assert boite.a_faire(monde.voisin).count() == 0
    suppleer(monde.direction, monde.voisin, acteur=monde.gestionnaire)
    assert list(boite.onglets(monde.voisin)["a-prendre"]) == list(boite.a_faire(monde.voisin)) == [tache]
    pour = f"pour {monde.direction}"
    assert pour in client(monde.voisin).get("/taches/").content.decode()
    page = client(monde.voisin).get(f"/taches/{tache.pk}/").content.decode()
    assert pour in page
    assert "à sa place pendant son absence" in page
    assert "ne peut plus" not in page
    assert f"/taches/{tache.pk}/prendre/" not in page
    assert f"/taches/{tache.pk}/reprendre/" in page
    with pytest.raises(Conflit, match="reprenez-la en disant pourquoi"):
        taches.prendre(numero=tache.pk, acteur=monde.voisin)
    assert pour not in client(monde.direction).get("/taches/?onglet=mes-taches").content.decode()
