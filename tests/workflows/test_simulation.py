"""« Aperçu de la publication »: what it shows is what the publication does, and it changes nothing."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.socle.erreurs import Conflit, Introuvable
from notifications.models import Envoi
from structures.models import VersionFiche
from structures.requetes import arbre
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from workflows.domaine import decisions, gestes
from workflows.domaine.simulation import simuler

from .ecrans import url

pytestmark = pytest.mark.django_db


def base_entiere() -> dict[str, str]:
    """A digest of the rows of each table."""
    with connection.cursor() as curseur:
        curseur.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [nom for (nom,) in curseur.fetchall()]
        digests = {}
        for table in tables:
            curseur.execute(f"SELECT md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM {table} t")
            digests[table] = curseur.fetchone()[0]
    return digests


def forme(noeud) -> tuple:
    return (noeud.identifiant, noeud.nom, noeud.type_uo, [forme(enfant) for enfant in noeud.enfants])


@pytest.fixture
def prepare(monde, dossier):
    """An addition, a closing and a new name."""
    neuve = fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité neuve")
    fabrique.modifier(dossier, monde.referent, monde.uf.pk, nom="UF renommée")
    autre = repertoire.uo(monde.uf, "Unité à fermer")
    gestes.supprimer(numero=dossier.pk, acteur=monde.referent, fiches=[autre.pk])
    return neuve


@pytest.mark.usefixtures("prepare")
def test_l_apercu_d_un_brouillon_ne_change_rien(monde, dossier):
    avant = base_entiere()
    simulation = simuler(numero=dossier.pk, acteur=monde.referent)
    assert base_entiere() == avant
    assert simulation.empechements == []
    assert (simulation.avant, simulation.apres) == (
        {"EG": 1, "P": 1, "S": 1, "UF": 1, "UO": 2},
        {"EG": 1, "P": 1, "S": 1, "UF": 1, "UO": 2},
    )
    assert {n.nom for n in simulation.racine.parcours()} >= {"Unité neuve", "UF renommée"}
    assert "Unité à fermer" not in {n.nom for n in simulation.racine.parcours()}
    assert simulation.avertis == ["referent"]


@pytest.mark.usefixtures("prepare")
def test_ce_que_l_apercu_montre_est_ce_que_la_publication_fait(monde, dossier):
    fabrique.envoye(dossier, monde.referent)
    decisions.valider(tache=fabrique.tache(dossier).pk, acteur=monde.direction)
    annonce = simuler(numero=dossier.pk, acteur=monde.gestionnaire)
    assert annonce.avertis == ["direction", "referent"]  # not her own approval
    avant = Envoi.objects.count()
    decisions.approuver(tache=fabrique.tache(dossier).pk, acteur=monde.gestionnaire)
    assert forme(arbre(dossier.eg)) == forme(annonce.racine)
    mails = Envoi.objects.filter(type_code="dossier_publie").order_by("pk")[0:]
    assert Envoi.objects.count() > avant
    assert sorted(e.destinataire.username for e in mails) == annonce.avertis


@pytest.mark.usefixtures("prepare")
def test_ceux_d_ailleurs_sont_nommes_par_leur_role(monde, dossier):
    fabrique.envoye(dossier, monde.referent)
    decisions.valider(tache=fabrique.tache(dossier).pk, acteur=monde.direction)
    fabrique.renvoye(dossier, monde.gestionnaire)
    assert simuler(numero=dossier.pk, acteur=monde.referent).avertis == [
        "direction",
        "referent",
        "Gestionnaire SESAN",
    ]


def test_un_refus_est_dit_et_rien_n_est_montre(monde, dossier):
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, nom="Unité du dossier")
    repertoire.direct(monde.uo, monde.direction, {"nom": "Unité du répertoire"})
    simulation = simuler(numero=dossier.pk, acteur=monde.referent)
    assert (simulation.racine, simulation.avertis) == (None, [])
    assert len(simulation.empechements) == 1
    page = client(monde.referent).post(url(dossier, "apercu/"))
    assert page.status_code == 200
    assert "La publication serait refusée" in page.content.decode()


def test_qui_peut(monde, dossier):
    with pytest.raises(Introuvable):
        simuler(numero=dossier.pk, acteur=monde.voisin)
    decisions.abandonner(numero=dossier.pk, acteur=monde.referent)
    with pytest.raises(Conflit, match="abandonné"):
        simuler(numero=dossier.pk, acteur=monde.referent)
    assert client(monde.referent).get(url(dossier, "apercu/")).status_code == 409


def client(user) -> Client:
    navigateur = Client()
    navigateur.force_login(user)
    return navigateur


def test_la_page_se_demande_par_un_bouton(monde, dossier, prepare):
    navigateur = client(monde.referent)
    page = navigateur.get(url(dossier, "apercu/")).content.decode()
    assert "Lancer l’aperçu" in page
    assert "Unité neuve" not in page
    page = navigateur.post(url(dossier, "apercu/")).content.decode()
    assert "La publication réussirait" in page
    assert re.search(r"Unité neuve</span>.*?<b class=\"signe[^>]*>ajout</b>", page)
    assert not VersionFiche.objects.filter(fiche=prepare).exists()


def test_autant_de_requetes_pour_une_fiche_que_pour_trente(monde, dossier):
    navigateur = client(monde.referent)
    navigateur.get(url(dossier))

    def compter() -> int:
        with CaptureQueriesContext(connection) as vues:
            assert navigateur.post(url(dossier, "apercu/")).status_code == 200
        return len(vues)

    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    une = compter()
    for rang in range(3):
        fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, f"Unité {rang}")
    assert compter() == une


def test_l_apercu_refuse_ce_que_l_approbation_refuse(monde, dossier):
    """The register moved under what was sent, without any conflict: the approval refuses, the preview says so."""
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, activites=frozenset(["013", "014"]))
    fabrique.envoye(dossier, monde.referent)
    repertoire.publier(monde.uo, {"activites": {"ajoute": ["016"]}}, timezone.localdate())
    simulation = simuler(numero=dossier.pk, acteur=monde.gestionnaire)
    [phrase] = simulation.empechements
    assert "« Unité de cardiologie » (Activités opérationnelles)" in phrase
    assert simulation.racine is None
    with pytest.raises(Conflit) as refus:
        decisions.valider(tache=fabrique.tache(dossier).pk, acteur=monde.direction)
    assert refus.value.message == phrase
