"""Dossiers through the HTTP client: who sees them, the list, creation, sending, journal (acceptance 54–58, 80–82)."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from structures.enums import Role
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from tests.navigation import client, requetes_de, texte
from tests.workflows.ecrans import ACTIONS, etat, saisir, url, url_fiche
from workflows.domaine import decisions
from workflows.models import Dossier, Evenement

pytestmark = pytest.mark.django_db


# -- access ------------------------------------------------------------------------------------------

LECTURES = ("", "changements/", "journal/")


def test_tout_demande_une_session(monde, dossier):
    for suite in (*LECTURES, *ACTIONS, f"fiches/{monde.uo.pk}/", f"fiches/{monde.uo.pk}/menu/"):
        reponse = Client().get(url(dossier, suite))
        assert (reponse.status_code, reponse["Location"].split("?")[0]) == (302, "/connexion/"), suite
    for adresse in ("/dossiers/", "/dossiers/creer/", "/dossiers/circuit.bpmn"):
        assert Client().get(adresse).status_code == 302


def test_le_dossier_d_un_autre_n_existe_pas(monde, dossier):
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    for user in (monde.voisin, monde.tutelle):
        for suite in (*LECTURES, f"fiches/{monde.uo.pk}/", f"fiches/{monde.uo.pk}/menu/"):
            assert client(user).get(url(dossier, suite)).status_code == 404, suite
        for suite in (*ACTIONS, f"fiches/{monde.uo.pk}/"):
            assert client(user).post(url(dossier, suite), {"fiche": monde.uo.pk}).status_code == 404, suite
    assert client(monde.referent).get("/dossiers/999999/").status_code == 404
    assert client(monde.referent).get("/dossiers/99999999999999999999999/").status_code == 404


def test_qui_voit_sans_modifier_est_refuse(monde, dossier):
    """A gestionnaire reads every dossier and changes none: no action on screen, 403 on each address."""
    neuve = fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    avant = list(dossier.fiches.values_list("fiche", "patch", "revision").order_by("pk"))
    navigateur = client(monde.gestionnaire)
    page = navigateur.get(url(dossier))
    assert page.status_code == 200
    for mot in ("Supprimer", "Déplacer", "Dupliquer", 'href="envoyer/"', "Abandonner le dossier", "<button disabled"):
        assert mot not in page.content.decode(), mot
    assert "menu/" not in page.content.decode()
    for suite in (*ACTIONS, f"fiches/{neuve.pk}/"):
        reponse = navigateur.post(url(dossier, suite), {"fiche": neuve.pk, "sous": monde.uf.pk, "parent": monde.uf.pk})
        assert reponse.status_code == 403, suite
    assert list(dossier.fiches.values_list("fiche", "patch", "revision").order_by("pk")) == avant
    lecture = navigateur.get(url_fiche(dossier, neuve))
    assert lecture.status_code == 200
    assert "Enregistrer" not in texte(lecture)


def test_identifiants_forges(monde, dossier):
    """A fiche of another establishment, a number that is none: 404, nothing happens."""
    navigateur = client(monde.referent)
    for fiche in (monde.ailleurs.pk, 10**17, "x", "", "-1", "１２"):
        for suite in ("dupliquer/", "deplacer/", "supprimer/", "annuler/"):
            reponse = navigateur.post(url(dossier, suite), {"fiche": fiche, "parent": monde.uf.pk, "champ": "nom"})
            assert reponse.status_code == 404, (suite, fiche)
        assert navigateur.post(url(dossier, "ajouter/"), {"sous": fiche, "quantite": 1}).status_code == 404
        for suite in ("ajouter/?sous=", "deplacer/?fiche=", "supprimer/?fiche=", "annuler/?fiche="):
            assert navigateur.get(url(dossier, f"{suite}{fiche}")).status_code == 404
    assert navigateur.get(url(dossier, f"fiches/{monde.ailleurs.pk}/")).status_code == 404
    assert not dossier.fiches.exists()


# -- the list ----------------------------------------------------------------------------------------


def test_liste_de_mes_dossiers(monde, dossier):
    """Acceptance 58: mine, with progress, who acts and the last change; not those of others."""
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, finaliser=False)
    autre = fabrique.brouillon(monde.ailleurs, monde.voisin, "Dossier du voisin")
    page = texte(client(monde.referent).get("/dossiers/"))
    assert "Ouverture de l’UHCD" in page
    assert "Hôpital TEST" in page
    assert "1 fiche finalisée sur 2" in page
    assert "Finaliser les fiches Référents et Directions de l’établissement" in page
    assert "Fiche enregistrée et mise en attente" in page
    assert "Le dossier collaboratif, c’est quoi ?" in page
    assert autre.nom not in page
    assert autre.nom in texte(client(monde.gestionnaire).get("/dossiers/"))


def test_liste_onglets_et_recherche(monde, dossier):
    fini = fabrique.brouillon(monde.ailleurs, monde.voisin, "Évaluation gériatrique")
    decisions.abandonner(numero=fini.pk, acteur=monde.voisin)
    navigateur = client(monde.gestionnaire)

    def noms(question: str) -> list[str]:
        corps = navigateur.get(f"/dossiers/{question}").content.decode()
        return re.findall(r'dossiers-nom"[^>]*>([^<]+)<', corps)

    assert noms("") == ["Ouverture de l’UHCD"]
    assert noms("?etat=termines") == ["Évaluation gériatrique"]
    assert noms("?etat=tous") == ["Évaluation gériatrique", "Ouverture de l’UHCD"]
    assert noms("?etat=tous&q=evaluation") == ["Évaluation gériatrique"]
    assert noms("?etat=tous&q=voisine") == ["Évaluation gériatrique"]  # name of the establishment
    assert noms("?etat=tous&q=hopital+uhcd") == ["Ouverture de l’UHCD"]
    assert noms("?etat=tous&q=inconnu") == []
    assert noms("?etat=bidon") == ["Ouverture de l’UHCD"]
    assert "Aucun dossier trouvé" in texte(navigateur.get("/dossiers/?q=inconnu"))


def test_liste_par_pages(monde, dossier, monkeypatch):
    from workflows import requetes

    decisions.abandonner(numero=dossier.pk, acteur=monde.referent)
    for _ in range(4):
        suivant = fabrique.brouillon(monde.eg, monde.referent)
        decisions.abandonner(numero=suivant.pk, acteur=monde.referent)
    tous = list(Dossier.objects.order_by("-pk"))
    page = requetes.page_dossiers(Dossier.objects.all(), taille=2)
    assert (page.lignes, page.precedent, page.suivant) == (tous[:2], None, tous[1].pk)
    page = requetes.page_dossiers(Dossier.objects.all(), apres=page.suivant, taille=2)
    assert (page.lignes, page.precedent, page.suivant) == (tous[2:4], tous[2].pk, tous[3].pk)
    fin = requetes.page_dossiers(Dossier.objects.all(), apres=page.suivant, taille=2)
    assert (fin.lignes, fin.suivant) == (tous[4:], None)
    retour = requetes.page_dossiers(Dossier.objects.all(), avant=page.precedent, taille=2)
    assert (retour.lignes, retour.precedent) == (tous[:2], None)


def test_liste_requetes_constantes(monde, dossier):
    navigateur = client(monde.gestionnaire)
    une = requetes_de(navigateur, "/dossiers/?etat=tous")
    for eg in (monde.ailleurs, repertoire.etablissement(nom="Troisième")):
        acteur = repertoire.compte(Role.DIRECTION, eg)
        autre = fabrique.brouillon(eg, acteur)
        fabrique.nouvelle(autre, acteur, eg.pk, "Pôle")
    assert requetes_de(navigateur, "/dossiers/?etat=tous") == une


def test_liste_vide(monde):
    page = texte(client(monde.referent).get("/dossiers/"))
    assert "Aucun dossier n’a encore été créé sur vos établissements." in page
    assert "Créer un dossier collaboratif" in page
    page = texte(client(monde.tutelle).get("/dossiers/"))
    assert "Aucun dossier n’est visible avec votre compte" in page
    assert "Créer un dossier collaboratif" not in page


def test_menu_principal(monde):
    """Acceptance 57."""
    assert "Dossiers collaboratifs" in texte(client(monde.referent).get("/repertoire/"))
    assert "Dossiers collaboratifs" not in texte(client(repertoire.lecteur()).get("/repertoire/"))


# -- creation ----------------------------------------------------------------------------------------


def test_creer(monde):
    """Acceptance 55 and 56."""
    navigateur = client(monde.referent)
    page = navigateur.get(f"/dossiers/creer/?eg={monde.eg.identifiant}")
    assert "Nom du dossier" in texte(page)
    reponse = navigateur.post("/dossiers/creer/", saisir(page, nom="  Ouverture   de l’UHCD "))
    cree = Dossier.objects.get()
    assert (cree.nom, cree.eg, cree.auteur, cree.etat) == ("Ouverture de l’UHCD", monde.eg, monde.referent, "redaction")
    assert (reponse.status_code, reponse["Location"]) == (302, url(cree))
    assert "Pour commencer" in texte(navigateur.get(url(cree)))


@pytest.mark.parametrize("nom", ["", "   ", "x" * 151])
def test_creer_sans_nom(monde, nom):
    reponse = client(monde.referent).post("/dossiers/creer/", {"eg": monde.eg.identifiant, "nom": nom})
    assert reponse.status_code == 422
    assert 'href="#id_nom"' in reponse.content.decode()
    assert not Dossier.objects.exists()


def test_creer_deux_fois(monde, dossier):
    """One open dossier an EG: 409 with a link to it, what was typed stays."""
    page = client(monde.collegue).get("/dossiers/creer/")
    assert "Dossiers déjà ouverts sur vos établissements" in texte(page)
    reponse = client(monde.collegue).post("/dossiers/creer/", {"eg": monde.eg.identifiant, "nom": "Le mien"})
    assert reponse.status_code == 409
    assert f'href="{url(dossier)}"' in reponse.content.decode()
    assert 'value="Le mien"' in reponse.content.decode()
    assert Dossier.objects.count() == 1


def test_creer_sans_droit(monde):
    assert client(monde.gestionnaire).get("/dossiers/creer/").status_code == 403
    assert client(monde.tutelle).post("/dossiers/creer/", {"eg": monde.eg.identifiant, "nom": "x"}).status_code == 403
    navigateur = client(monde.voisin)
    assert navigateur.get(f"/dossiers/creer/?eg={monde.eg.identifiant}").status_code == 403
    assert navigateur.get("/dossiers/creer/?eg=1999999999").status_code == 404
    reponse = navigateur.post("/dossiers/creer/", {"eg": monde.eg.identifiant, "nom": "Chez les autres"})
    assert reponse.status_code == 422
    assert not Dossier.objects.exists()


def test_creer_seulement_sur_un_eg(monde):
    """Acceptance 54."""
    navigateur = client(monde.referent)
    for fiche in (monde.p, monde.s, monde.uf, monde.uo, monde.ej):
        reponse = navigateur.get(f"/dossiers/creer/?eg={fiche.identifiant}")
        assert reponse.status_code == 422
        assert "se crée sur un établissement" in texte(reponse)
        assert navigateur.post("/dossiers/creer/", {"eg": fiche.identifiant, "nom": "x"}).status_code == 422
    assert not Dossier.objects.exists()


# -- sending, withdrawing, abandoning ----------------------------------------------------------------


def test_envoyer(monde, dossier):
    """Acceptance 80 to 82."""
    attente = fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité à finir", finaliser=False)
    navigateur = client(monde.referent)
    page = navigateur.get(url(dossier, "envoyer/"))
    assert "Le dossier ne peut pas encore être envoyé" in texte(page)
    assert f'href="{url_fiche(dossier, attente)}"' in page.content.decode()
    refus = navigateur.post(url(dossier, "envoyer/"))
    assert (refus.status_code, etat(dossier)) == (422, "redaction")
    assert "Toutes les fiches doivent être finalisées" in texte(refus)
    fabrique.modifier(dossier, monde.referent, attente.pk, informations_complementaires="Prête")
    prete = navigateur.get(url(dossier, "envoyer/"))
    page = texte(prete)
    assert "1 ajout" in page
    assert "la Direction de l’établissement valide le dossier, puis SESAN donne l’approbation finale" in page
    assert "personne ne pourra valider" not in page
    reponse = navigateur.post(url(dossier, "envoyer/"), saisir(prete), follow=True)
    assert etat(dossier) == "validation"
    assert "Le dossier est envoyé. Prochaine étape : Direction de l’établissement." in texte(reponse)
    assert navigateur.post(url(dossier, "envoyer/")).status_code == 409
    assert navigateur.get(url(dossier, "envoyer/")).status_code == 409


def test_envoyer_ce_que_la_page_montrait(monde, dossier):
    """Who sends signs what she read: what a colleague saved or the register changed since is shown to her first."""
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité lue")
    navigateur = client(monde.referent)
    lue = navigateur.get(url(dossier, "envoyer/"))
    fabrique.nouvelle(dossier, monde.collegue, monde.uf.pk, "Unité venue depuis")
    refus = navigateur.post(url(dossier, "envoyer/"), saisir(lue))
    assert (refus.status_code, etat(dossier)) == (409, "finalise")
    assert "Rien n’a été envoyé" in texte(refus)
    assert "Fiche enregistrée et finalisée : « Unité venue depuis »" in texte(refus)
    assert "Unité lue" in texte(refus)
    assert "Fiche enregistrée et finalisée : « Unité lue »" not in texte(refus)
    fabrique.modifier(dossier, monde.collegue, monde.uo.pk, activites=frozenset(["013", "014"]))
    encore = navigateur.post(url(dossier, "envoyer/"), saisir(refus))
    assert (encore.status_code, etat(dossier)) == (409, "finalise")
    repertoire.publier(monde.uo, {"activites": {"ajoute": ["016"]}}, timezone.localdate())
    bouge = navigateur.post(url(dossier, "envoyer/"), saisir(encore))
    assert (bouge.status_code, etat(dossier)) == (409, "finalise")
    assert "c’est le répertoire qui a changé" in texte(bouge)
    assert navigateur.post(url(dossier, "envoyer/")).status_code == 409  # a page that says nothing
    assert navigateur.post(url(dossier, "envoyer/"), saisir(bouge)).status_code == 302
    assert etat(dossier) == "validation"


def test_envoyer_sans_changement(monde, dossier):
    navigateur = client(monde.referent)
    assert "Ce dossier ne change rien : ajoutez ou modifiez au moins une fiche." in texte(
        navigateur.get(url(dossier, "envoyer/"))
    )
    assert navigateur.post(url(dossier, "envoyer/")).status_code == 422


def test_alarme_sans_direction(monde):
    """Nobody to validate: said before the sending."""
    acteur = repertoire.compte(Role.REFERENT, monde.ailleurs, "seul")
    dossier = fabrique.brouillon(monde.ailleurs, acteur)
    fabrique.nouvelle(dossier, acteur, monde.ailleurs.pk, "Pôle neuf")
    page = texte(client(acteur).get(url(dossier, "envoyer/")))
    assert "Aucun compte Direction n’est ouvert sur cet établissement" in page


def test_alarme_tutelle():
    sessad = repertoire.etablissement("handicap", nom="SESSAD TEST")
    acteur = repertoire.compte(Role.REFERENT, sessad)
    dossier = fabrique.brouillon(sessad, acteur)
    fabrique.nouvelle(dossier, acteur, sessad.pk)
    page = texte(client(acteur).get(url(dossier, "envoyer/")))
    assert "l’approbation revient à l’Agence régionale de santé Île-de-France" in page
    assert "n’a pas de compte qui puisse approuver ce dossier" in page
    repertoire.compte(Role.TUTELLE, "ARS-11")
    assert "n’a pas de compte" not in texte(client(acteur).get(url(dossier, "envoyer/")))


def test_retirer(monde, dossier):
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    fabrique.envoye(dossier, monde.referent)
    assert client(monde.collegue).get(url(dossier, "retirer/")).status_code == 409
    assert client(monde.collegue).post(url(dossier, "retirer/")).status_code == 403
    navigateur = client(monde.referent)
    assert "Retirer le dossier « Ouverture de l’UHCD » ?" in texte(navigateur.get(url(dossier, "retirer/")))
    reponse = navigateur.post(url(dossier, "retirer/"))
    assert (reponse.status_code, etat(dossier)) == (302, "redaction")
    assert navigateur.post(url(dossier, "retirer/")).status_code == 409


def test_retirer_trop_tard(monde, dossier):
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    fabrique.envoye(dossier, monde.referent)
    decisions.valider(tache=fabrique.tache(dossier).pk, acteur=monde.direction)
    reponse = client(monde.referent).post(url(dossier, "retirer/"))
    assert (reponse.status_code, etat(dossier)) == (409, "approbation")
    assert "Retirer" not in texte(client(monde.referent).get(url(dossier)))


def test_abandonner(monde, dossier):
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, finaliser=False)
    navigateur = client(monde.collegue)
    page = texte(navigateur.get(url(dossier, "abandonner/")))
    assert "Les changements préparés sur 1 fiche ne seront jamais publiés." in page
    assert etat(dossier) == "redaction"
    reponse = navigateur.post(url(dossier, "abandonner/"), follow=True)
    assert etat(dossier) == "abandonne"
    assert "est abandonné. Rien n’a changé au répertoire." in texte(reponse)
    assert navigateur.post(url(dossier, "abandonner/")).status_code == 409


# -- journal -----------------------------------------------------------------------------------------


def test_journal(monde, dossier):
    neuve = fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité journalisée")
    fabrique.modifier(dossier, monde.collegue, neuve.pk, conditions_accueil="…")
    fabrique.envoye(dossier, monde.referent)
    fabrique.renvoye(dossier, monde.direction, "Motif lisible")
    page = client(monde.gestionnaire).get(url(dossier, "journal/"))
    mots = texte(page)
    for phrase in (
        "Dossier créé",
        "Fiche enregistrée et finalisée : « Unité journalisée » collegue",
        "Conditions d’accueil",
        "Toutes les fiches ont été finalisées",
        "Envoyé en validation",
        "Étape ouverte : Validation par la Direction",
        "Renvoyé pour correction direction",
        "Motif lisible",
    ):
        assert phrase in mots, phrase
    assert f'href="{url_fiche(dossier, neuve)}"' in page.content.decode()


def test_journal_par_pages(monde, dossier, monkeypatch):
    from workflows.vues.journal import JournalView

    monkeypatch.setattr(JournalView, "TAILLE", 2)
    for i in range(2):
        fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, f"Unité {i}")
    vus, suite = [], url(dossier, "journal/")
    while suite:
        corps = client(monde.referent).get(suite).content.decode()
        vus += re.findall(r'chronologie-titre">(?:<a[^>]*>)?([^<]+)', corps)
        plus = re.search(r'href="(\?avant=\d+)"', corps)
        suite = url(dossier, "journal/") + plus.group(1) if plus else ""
    assert len(vus) == Evenement.objects.filter(dossier=dossier).count()
