"""A joint approval is given by as many people as authorities (ADR 9): who may still act, what is said, what is left."""

from types import SimpleNamespace

import pytest
from django.utils import timezone
from viewflow.workflow.models import Task

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Interdit
from notifications.models import Envoi
from structures.enums import Role
from structures.models import Habilitation
from tests.factories import dossiers as fabrique
from tests.factories.repertoire import compte, etablissement, uo
from tests.navigation import client
from workflows import boite, journaux, parcours, requetes, supervision, traitements
from workflows.domaine import decisions, equipe, taches
from workflows.enums import ActionLot, EtatDossier
from workflows.models import Suppleance, Tache
from workflows.radar import pourvoir
from workflows.regles import acteurs_de, peut_faire

pytestmark = pytest.mark.django_db
ARS, CD = "ARS-11", "CD-75"


@pytest.fixture
def conjoint(monde: SimpleNamespace) -> SimpleNamespace:
    """A dossier that ARS-11 and the département approve jointly; « deux » is a member of both."""
    eg = etablissement("handicap", nom="Foyer TEST", categorie="437")
    referent = compte(Role.REFERENT, eg, "referent.foyer")
    dossier = fabrique.brouillon(eg, referent, "Deux tutelles")
    fabrique.modifier(dossier, referent, uo(eg).pk, nom="Unité renommée")
    deux = compte(Role.TUTELLE, ARS, "deux")
    Habilitation.objects.create(user=deux, role=Role.TUTELLE, autorite_id=CD)
    dossier = fabrique.envoye(dossier, referent)
    return SimpleNamespace(
        dossier=dossier, referent=referent, deux=deux, ars=fabrique.tache(dossier, ARS), cd=fabrique.tache(dossier, CD)
    )


def qui(tache: Tache) -> set[str]:
    """Who may do it: the predicate, its twin, and the two sets that read many at once say the same."""
    noms = {u.username for u in acteurs_de(tache)}
    for user in User.objects.all():
        assert peut_faire(user, tache) == (user.username in noms), user
    assert requetes.sans_acteur().filter(pk=tache.pk).exists() == (not noms)
    assert bool(pourvoir([tache])[0].raison) == (not noms)
    return noms


def remplacer(absente: User, suppleante: User) -> Suppleance:
    jour = timezone.localdate()
    return Suppleance.objects.create(absente=absente, suppleante=suppleante, du=jour, au=jour, ecrite_par=absente)


def test_une_personne_par_tutelle(conjoint: SimpleNamespace) -> None:
    """Whoever approved for one does nothing for the other, and is told why; a new sending starts again."""
    membre = compte(Role.TUTELLE, CD, "membre.cd")
    assert qui(conjoint.cd) == {"deux", "membre.cd"}
    taches.prendre(numero=conjoint.cd.pk, acteur=conjoint.deux)
    decisions.approuver(tache=conjoint.ars.pk, acteur=conjoint.deux)
    conjoint.cd.tache.refresh_from_db()
    assert conjoint.cd.tache.owner is None  # at once
    assert conjoint.dossier.evenements.filter(type="tache_rendue", details__tache=conjoint.cd.pk).count() == 1
    assert qui(conjoint.cd) == {"membre.cd"}
    assert not boite.a_faire(conjoint.deux).exists()
    assert list(boite.onglets(conjoint.deux)["en-attente"]) == [conjoint.cd]
    for geste in (decisions.approuver, taches.prendre):
        cle = "tache" if geste is decisions.approuver else "numero"
        with pytest.raises(
            Interdit, match=r"une personne par tutelle .* \(Ville de Paris\).*demandez à SESAN"
        ) as refus:
            geste(acteur=conjoint.deux, **{cle: conjoint.cd.pk})
        assert refus.value.code == "deja_approuve"
    page = client(conjoint.deux).get(f"/taches/{conjoint.cd.pk}/").content.decode()
    assert "une personne par tutelle" in page
    assert "/approuver/" not in page
    [ligne] = traitements.apercu(conjoint.deux, ActionLot.APPROUVER, [conjoint.cd.pk])
    assert ligne.raison == taches.DEJA_APPROUVE
    assert not Envoi.objects.filter(type_code="tache_sans_acteur").exists()
    decisions.renvoyer(tache=conjoint.cd.pk, acteur=membre, motif="Incomplet.")
    dossier = fabrique.envoye(fabrique.relu(conjoint.dossier), conjoint.referent)
    assert qui(fabrique.tache(dossier, CD)) == {"deux", "membre.cd"}
    decisions.approuver(tache=fabrique.tache(dossier, CD).pk, acteur=conjoint.deux)
    decisions.approuver(tache=fabrique.tache(dossier).pk, acteur=User.objects.get(username="tutelle"))
    assert fabrique.relu(dossier).etat == EtatDossier.PUBLIE


def test_quand_il_ne_reste_personne(conjoint: SimpleNamespace, monde: SimpleNamespace) -> None:
    """The gestionnaires hear of it at once, with the reason; a right or a substitution of somebody else ends it."""
    taches.prendre(numero=conjoint.ars.pk, acteur=conjoint.deux)
    decisions.approuver(tache=conjoint.ars.pk, acteur=conjoint.deux)
    assert qui(conjoint.cd) == set()
    assert pourvoir([conjoint.cd])[0].raison == (
        "Seul quelqu’un qui a approuvé le dossier pour une autre tutelle a ce rôle pour cette autorité."
    )
    envois = Envoi.objects.filter(type_code="tache_sans_acteur", cle__contains=f":{conjoint.cd.pk}:")
    assert [e.destinataire for e in envois] == [monde.gestionnaire]
    equipe.attribuer(  # by somebody who may not do it: nobody may
        numero=conjoint.cd.pk, acteur=monde.gestionnaire, a=compte(Role.TUTELLE, CD, "venu"), vu=None
    )
    assert qui(conjoint.cd) == {"venu"}
    assert not supervision.tenues_par_des_absents().exists()


def test_en_suppleance(conjoint: SimpleNamespace, monde: SimpleNamespace) -> None:
    """A substitute signs once; nobody signs in place of whoever signed; what stands in her own name stays whole."""
    membre, autre = compte(Role.TUTELLE, CD, "membre"), compte(Role.TUTELLE, "CD-92", "autre")
    remplacer(membre, monde.tutelle)
    assert qui(conjoint.cd) == {"deux", "membre", "tutelle"}
    taches.prendre(numero=conjoint.cd.pk, acteur=monde.tutelle)
    decisions.approuver(tache=conjoint.ars.pk, acteur=monde.tutelle)
    assert qui(conjoint.cd) == {"deux", "membre"}
    Task.objects.filter(pk=conjoint.cd.pk).update(owner=monde.tutelle, status="ASSIGNED")
    assert list(supervision.tenues_par_des_absents()) == [conjoint.cd]
    remplacer(monde.tutelle, autre)
    Habilitation.objects.create(user=monde.tutelle, role=Role.TUTELLE, autorite_id=CD)
    assert qui(conjoint.cd) == {"deux", "membre"}  # « autre » gains nothing from whoever signed
    remplacer(conjoint.deux, membre)
    assert qui(conjoint.cd) == {"deux", "membre"}


def test_la_decision_dit_pour_qui(conjoint: SimpleNamespace, monde: SimpleNamespace) -> None:
    """On every screen and in every file where a decision is told; sealed with it."""
    autre = compte(Role.TUTELLE, "CD-92", "autre")
    remplacer(monde.tutelle, autre)
    decisions.approuver(tache=conjoint.ars.pk, acteur=autre)
    decision = conjoint.dossier.decisions.get()
    assert (decision.acteur, decision.pour) == (autre, monde.tutelle)
    dit = f"{autre}, pour {monde.tutelle}"
    dossier = fabrique.relu(conjoint.dossier)
    etapes = parcours.etapes_de(dossier, parcours.parcours_de(dossier), [conjoint.cd])
    assert any(f"par {dit} (" in e["detail"] for e in etapes)
    for user, adresse in (
        (conjoint.referent, f"/dossiers/{dossier.pk}/decisions/"),
        (conjoint.referent, f"/dossiers/{dossier.pk}/decisions/{decision.pk}/"),
        (conjoint.deux, f"/taches/{conjoint.cd.pk}/"),
        (conjoint.deux, f"/taches/{conjoint.ars.pk}/"),
        (monde.gestionnaire, "/supervision/actes/?etape=approbation_tutelle"),
        (monde.gestionnaire, "/supervision/actes/?mesure=approuve"),
    ):
        assert dit in client(user).get(adresse).content.decode(), adresse
    fichier = client(conjoint.referent).get(f"/exports/decisions.csv?dossier={dossier.pk}")
    assert f";{dit} (Agence" in b"".join(fichier.streaming_content).decode()
    assert journaux.verifier(dossier).intacte
    decision.pour = None
    assert journaux._sceau_decision(decision) != conjoint.dossier.evenements.get(type="approuve").details["sceau"]
