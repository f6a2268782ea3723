"""The inbox as a place to read: what each tab holds and counts, filters, every order, one's own columns and views."""

import re
from datetime import timedelta
from html import unescape
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from backoffice.comptes.models import User
from structures.enums import Role
from structures.models import Habilitation
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from tests.navigation import client, requetes_de
from tests.workflows.jeu_de_taches import copier
from workflows import boite, requetes
from workflows.domaine import decisions, suivi, taches
from workflows.forms_taches import COLONNES, HABITUELLES, ONGLETS, TRIS
from workflows.models import PreferenceTaches, Tache, VueTaches

pytestmark = pytest.mark.django_db


def a_sesan(nom: str, referent: User, eg: Any, unites: int = 1) -> Tache:
    """A dossier of a médico-social establishment, sent: its task is at SESAN."""
    dossier = fabrique.brouillon(eg, referent, nom)
    for i in range(unites):
        fabrique.nouvelle(dossier, referent, eg.pk, f"Unité {i}")
    fabrique.envoye(dossier, referent)
    return fabrique.tache(dossier)


@pytest.fixture
def file(monde: SimpleNamespace) -> SimpleNamespace:
    """Three tasks at SESAN: two senders, two départements, sizes 1, 2 and 3, ages and due dates that differ."""
    maintenant, ce_soir = timezone.now(), timezone.localtime().replace(hour=23, minute=59, second=59)
    monde.sophie, monde.marc = monde.gestionnaire, repertoire.gestionnaire("marc")
    monde.taches = []
    for rang, (nom, commune, qui) in enumerate(
        [("Résidence Béta", "92040", "zoe"), ("Foyer Alpha", "75056", "adam"), ("Centre Gamma", "92040", "adam")]
    ):
        eg = repertoire.etablissement(nom=nom, categorie="500", commune=commune)
        referent, _ = User.objects.get_or_create(username=qui, defaults={"email": f"{qui}@essai.example"})
        Habilitation.objects.create(user=referent, role=Role.REFERENT, fiche=eg)
        tache = a_sesan(f"Dossier {nom[0]}", referent, eg, unites=rang + 1)
        Tache.objects.filter(pk=tache.pk).update(
            echeance=ce_soir + timedelta(days=2 - 2 * rang),
            creee_le=maintenant - timedelta(days=5 * rang),
        )
        monde.taches.append(tache)
    return monde


def noms(reponse: Any) -> list[str]:
    return [unescape(n) for n in re.findall(r'<a class="tache-nom"[^>]*>([^<]*)</a>', reponse.content.decode())]


def colonnes(reponse: Any) -> list[str]:
    return [c.nom for c in reponse.context["colonnes"]]


def liste(user: User, requete: str = "") -> list[str]:
    return [n.removeprefix("Dossier ") for n in noms(client(user).get(f"/taches/?{requete}"))]


def nombres(user: User) -> dict[str, int]:
    return {nom: n for nom, n in requetes.compter(boite.onglets(user)).items() if n}


def test_chaque_onglet_et_son_compte(file: SimpleNamespace) -> None:
    beta, alpha, gamma = file.taches
    adam, zoe = User.objects.get(username="adam"), User.objects.get(username="zoe")
    assert nombres(file.sophie) == {"a-prendre": 3, "en-retard": 1}
    taches.prendre(numero=beta.pk, acteur=file.sophie)
    taches.prendre(numero=alpha.pk, acteur=file.marc)
    assert nombres(file.sophie) == {"a-prendre": 1, "mes-taches": 1, "mon-equipe": 1, "en-retard": 1}
    assert nombres(zoe) == {"en-attente": 1, "terminees": 2}
    assert liste(adam, "onglet=en-attente") == ["C", "F"]
    assert nombres(file.voisin) == {}
    # Somebody else's dossier that she may see and follows; one that she decided on, which goes on.
    suivi.suivre(numero=alpha.dossier_id, acteur=file.sophie)
    assert "en-attente" not in nombres(file.sophie)  # hers to do: it stays with her team
    Habilitation.objects.filter(user=adam).update(fin=timezone.localdate())
    assert nombres(adam) == {}
    suivi.mettre_de_cote(
        numero=gamma.pk, acteur=file.sophie, retour_le=timezone.localdate() + timedelta(days=3), malgre_echeance=True
    )
    assert nombres(file.sophie) == {"mes-taches": 1, "mon-equipe": 1, "mises-de-cote": 1}
    assert (boite.a_faire(file.sophie).count(), boite.a_faire(file.marc).count()) == (1, 2)
    page = client(file.sophie).get("/taches/?onglet=mises-de-cote")
    assert "mise de côté jusqu’au" in page.text
    decisions.approuver(tache=beta.pk, acteur=file.sophie)
    assert nombres(file.sophie)["terminees"] == 1


def test_ce_que_j_ai_decide_et_que_d_autres_doivent_finir(monde: SimpleNamespace, dossier: Any) -> None:
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    equipe = client(monde.referent).get("/taches/?onglet=a-prendre").text
    assert ("À faire en équipe" in equipe, 'id="en-nombre"' in equipe) == (True, False)  # nothing to tick
    fabrique.envoye(dossier, monde.referent)
    assert 'id="en-nombre"' in client(monde.direction).get("/taches/?onglet=a-prendre").text
    assert nombres(monde.collegue) == {}
    suivi.suivre(numero=dossier.pk, acteur=monde.collegue)
    assert nombres(monde.collegue) == {"en-attente": 1}
    assert nombres(monde.referent) == {"en-attente": 1, "terminees": 2}  # the fiches, the sending
    assert nombres(monde.direction) == {"a-prendre": 1}
    decisions.valider(tache=fabrique.tache(dossier).pk, acteur=monde.direction)
    assert nombres(monde.direction) == {"en-attente": 1, "terminees": 1}
    page = client(monde.direction).get("/taches/?onglet=en-attente")
    assert colonnes(page)[0] == "qui"
    assert "SESAN" in page.text
    assert "/prendre/" not in page.text


def test_filtres(file: SimpleNamespace) -> None:
    beta, alpha, _ = file.taches
    Tache.objects.filter(pk=beta.pk).update(attentions=["sensible", "type"])
    for requete, attendus in {
        "departement=75": ["F"],
        "filiere=autre": ["C", "F", "R"],
        "filiere=handicap": [],
        "expediteur=ADA": ["C", "F"],
        "taille=1-5": ["C", "F", "R"],
        "taille=6-20": [],
        "attention=une": ["R"],
        "attention=type": ["R"],
        "attention=capacite": [],
        "echeance=-1": ["C"],
        "echeance=0": ["C", "F"],
        "echeance=3": ["C", "F", "R"],
        "age=3": ["C", "F"],
        "age=3&expediteur=adam&departement=92&q=gamma": ["C"],
        # Forged or obsolete: ignored.
        "departement=99&filiere=x&taille=7&attention=y&echeance=8&age=-3&etape=nulle&autorite=ARS-11": ["C", "F", "R"],
        "tri=nom&onglet=ailleurs&colonnes=mot_de_passe&vue=12&apres=x": ["C", "F", "R"],
    }.items():
        assert liste(file.sophie, requete) == attendus, requete
    page = client(file.sophie).get("/taches/?attention=une")
    assert "Type d’UO modifié, Unité sensible" in page.text
    assert "1 tâche sur cette recherche" in page.text
    assert alpha.departement == "75"


def test_l_envoi_garde_la_taille_et_les_marques(monde: SimpleNamespace, dossier: Any) -> None:
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, unite_sensible=True)
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    assert fabrique.tache(dossier).changements == 0
    fabrique.envoye(dossier, monde.referent)
    tache = fabrique.tache(dossier)
    assert (tache.changements, tache.attentions, tache.filiere) == (2, ["sensible"], "sanitaire")
    assert (tache.lieu, tache.expediteur) == ("hopital test", "referent")
    fabrique.renvoye(dossier, monde.direction)
    assert fabrique.tache(dossier).changements == 0
    assert fabrique.relu(dossier).changements == 2


@pytest.mark.parametrize("sens", ["", "-"])
def test_chaque_tri_parcourt_tout_dans_les_deux_sens(file: SimpleNamespace, sens: str) -> None:
    toutes = boite.onglets(file.sophie)["a-prendre"]
    cle = {
        "echeance": lambda t: t.echeance, "anciennete": lambda t: t.creee_le, "etablissement": lambda t: t.lieu,
        "etape": lambda t: t.noeud, "autorite": lambda t: t.autorite_id or "", "departement": lambda t: t.departement,
        "filiere": lambda t: t.filiere, "taille": lambda t: t.changements, "expediteur": lambda t: t.expediteur,
    }  # fmt: skip
    assert {*cle, "fin"} == set(boite.TRIS)
    assert {t.removeprefix("-") for t in TRIS} == set(cle)
    for tri, valeur in cle.items():
        attendu = [t.pk for t in sorted(toutes, key=lambda t: (valeur(t), t.pk), reverse=bool(sens))]
        vues: list[int] = []
        suite = None
        for _ in range(3):
            page = boite.page_taches(toutes, tri=sens + tri, apres=suite, taille=1)
            vues.append(page.taches[0].pk)
            suite = page.suivant
        assert (vues, suite) == (attendu, None), tri
        retour = boite.page_taches(toutes, tri=sens + tri, avant=attendu[2], taille=1)
        assert [t.pk for t in retour.taches] == [attendu[1]], tri


def test_les_tetes_de_colonnes_trient(file: SimpleNamespace) -> None:
    assert liste(file.sophie, "tri=etablissement") == ["C", "F", "R"]
    assert liste(file.sophie, "tri=-taille") == ["C", "F", "R"]
    page = client(file.sophie).get("/taches/?tri=etablissement&departement=92").content.decode()
    assert 'aria-sort="ascending"><a href="?onglet=a-prendre&amp;departement=92&amp;tri=-etablissement">' in page


def test_autant_de_requetes_et_une_page_legere(file: SimpleNamespace) -> None:
    trois = requetes_de(client(file.sophie), "/taches/")
    assert trois <= 15
    for onglet in ONGLETS:
        assert requetes_de(client(file.sophie), f"/taches/?onglet={onglet}&attention=une") <= 16, onglet
    copier(file.taches[0], 60)
    Tache.objects.update(attentions=["sensible", "type"], echeance=timezone.now() - timedelta(days=40))
    page = client(file.sophie).get("/taches/")
    assert len(noms(page)) == boite.TAILLE_PAGE
    assert len(page.content) <= 60 * 1024
    Tache.objects.exclude(pk=file.taches[0].pk).update(close_le=timezone.now(), issue="approuve")
    assert requetes_de(client(file.sophie), "/taches/") == trois


# -- columns -----------------------------------------------------------------------------------------------


def test_ses_colonnes_dans_son_ordre(file: SimpleNamespace) -> None:
    navigateur = client(file.sophie)
    assert colonnes(navigateur.get("/taches/")) == list(HABITUELLES)
    rangs = {"rang_departement": "2", "rang_attentions": "1", "rang_etape": "", "rang_pirate": "1", "rang_qui": "99"}
    assert navigateur.post("/taches/colonnes/", rangs)["Location"] == "/taches/"
    assert colonnes(navigateur.get("/taches/")) == ["attentions", "departement"]
    assert colonnes(navigateur.get("/taches/?colonnes=filiere,x,etape,filiere")) == ["filiere", "etape"]
    assert colonnes(client(file.marc).get("/taches/")) == list(HABITUELLES)
    toutes = navigateur.get(f"/taches/?colonnes={','.join(COLONNES)}")
    assert colonnes(toutes) == list(COLONNES)
    navigateur.post("/taches/colonnes/", {"habituelles": "1"})
    assert colonnes(navigateur.get("/taches/")) == list(HABITUELLES)


# -- named views -------------------------------------------------------------------------------------------


def test_une_vue_se_garde_se_partage_et_s_ouvre(file: SimpleNamespace) -> None:
    sophie, marc = client(file.sophie), client(file.marc)
    corps = {
        "nom": "  Paris ", "requete": "departement=75&tri=-taille&pirate=1&apres=3&vue=9", "partagee": "on",
        "par_defaut": "on",
    }  # fmt: skip
    reponse = sophie.post("/taches/vues/", corps)
    vue = VueTaches.objects.get()
    assert (vue.nom, vue.requete) == ("Paris", "onglet=a-prendre&departement=75&tri=-taille")
    assert reponse["Location"] == f"/taches/?{vue.requete}&vue={vue.pk}"
    assert noms(sophie.get(reponse["Location"])) == ["Dossier F"]
    assert sophie.get("/taches/")["Location"] == reponse["Location"]
    assert sophie.get("/taches/?onglet=a-prendre").status_code == 200  # a tab is not the bare address

    refus = sophie.post("/taches/vues/", corps | {"nom": "PARIS"})
    assert refus.status_code == 422
    assert "Vous avez déjà une vue" in refus.text
    sophie.post("/taches/vues/", corps | {"requete": "departement=92", "remplacer": "on"})
    assert VueTaches.objects.get().requete == "onglet=a-prendre&departement=92"

    # A colleague reads it, may open on it, and cannot change it.
    page = marc.get("/taches/vues/").text
    assert str(file.sophie) in page
    assert marc.get(f"/taches/vues/{vue.pk}/").status_code == 404
    assert marc.post(f"/taches/vues/{vue.pk}/supprimer/").status_code == 404
    marc.post(f"/taches/vues/{vue.pk}/ouvrir/")
    assert marc.get("/taches/")["Location"].endswith(f"vue={vue.pk}")
    # Nobody else does: neither a tutelle nor an editor, nor once it is shared no more.
    for autre in (file.tutelle, file.voisin, file.referent):
        assert client(autre).post(f"/taches/vues/{vue.pk}/ouvrir/").status_code == 404
        assert "Paris" not in client(autre).get("/taches/vues/").text
    sophie.post(f"/taches/vues/{vue.pk}/", {"nom": "Île"})
    assert marc.get("/taches/").status_code == 200
    assert PreferenceTaches.objects.get(user=file.marc).vue_id == vue.pk  # shared again, it opens again
    sophie.post(f"/taches/vues/{vue.pk}/supprimer/")
    assert sophie.get("/taches/").status_code == 200
    assert not VueTaches.objects.exists()


def test_entre_editeurs_du_meme_etablissement(monde: SimpleNamespace) -> None:
    VueTaches.objects.create(user=monde.referent, nom="La nôtre", requete="onglet=en-retard", partagee=True)
    vues = {
        u.username: "La nôtre" in client(u).get("/taches/vues/").text
        for u in (monde.collegue, monde.direction, monde.voisin, monde.gestionnaire, monde.tutelle)
    }
    assert vues == {"collegue": True, "direction": True, "voisin": False, "gestionnaire": False, "tutelle": False}
