"""The workspace of a dossier: its tree, its filters, what it says (acceptance 52, 59, 63, 76)."""

import re

import pytest

from structures.enums import Role
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from tests.navigation import client, requetes_de, texte
from tests.workflows.ecrans import url, url_fiche
from workflows.domaine import decisions, gestes
from workflows.revue import changements

pytestmark = pytest.mark.django_db


def test_espace_de_travail(monde, dossier):
    """Acceptance 52, 59, 63, 76: the tree with what happens to each fiche, in words."""
    autre = repertoire.uf(monde.s, "UF 2102")
    finalisee = fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité d’hospitalisation de courte durée")
    attente = fabrique.nouvelle(dossier, monde.referent, autre.pk, "Unité à compléter", finaliser=False)
    gestes.deplacer(numero=dossier.pk, acteur=monde.referent, fiches=[monde.uo.pk], parent=autre.pk)
    page = client(monde.referent).get(url(dossier))
    mots, corps = texte(page), page.content.decode()
    for niveau in ("EG", "P", "S", "UF", "UO"):
        assert f'class="niveau-{niveau}"' in corps
    assert "Unité d’hospitalisation de courte durée ajout finalisée" in mots
    assert "Unité à compléter ajout en attente" in mots
    assert "Unité de cardiologie depuis UF 2101 déplacement finalisée" in mots
    assert "2 fiches finalisées sur 3" in mots
    assert "Il reste « Unité à compléter »." in mots
    assert f'id="fiche-{finalisee.pk}"' in corps
    assert f'href="{url_fiche(dossier, attente)}"' in corps
    assert "disabled" in corps.split("Envoyer en validation")[0].rsplit("<button", 1)[1]
    assert "Finaliser les fiches en cours" in mots
    assert "Centre hospitalier" in mots
    assert "la Direction de l’établissement valide le dossier, puis SESAN" in mots


def test_suppression_barree(monde, dossier):
    gestes.supprimer(numero=dossier.pk, acteur=monde.referent, fiches=[monde.uf.pk])
    corps = client(monde.referent).get(url(dossier)).content.decode()
    assert "<s>UF 2101</s>" in corps
    assert "<s>Unité de cardiologie</s>" in corps
    assert "<s>Cardiologie</s>" not in corps


@pytest.mark.parametrize(
    ("niveau", "creation"),
    [
        ("eg", "Créer des pôles"),
        ("p", "Créer des services"),
        ("s", "Créer des unités fonctionnelles"),
        ("uf", "Créer des unités opérationnelles"),
        ("uo", ""),
    ],
)
def test_menu_d_un_noeud(monde, dossier, niveau, creation):
    """Acceptance 64, 65, 67: what can be created depends on the level."""
    noeud = getattr(monde, niveau)
    reponse = client(monde.referent).get(url(dossier, f"fiches/{noeud.pk}/menu/"), headers={"HX-Request": "true"})
    mots = texte(reponse)
    assert (creation in mots) if creation else ("Créer" not in mots)
    assert "Modifier la fiche" in mots
    for verbe in ("Dupliquer", "Déplacer", "Supprimer"):
        assert (verbe in mots) == (niveau != "eg"), verbe
    assert "Il n’y a pas d’autre place possible." in mots or niveau == "eg"
    assert "Annuler ce changement" not in mots


def test_hors_sanitaire_les_unites_sont_sous_l_etablissement(monde):
    ehpad = repertoire.etablissement("medico-social", nom="EHPAD TEST")
    acteur = repertoire.compte(Role.REFERENT, ehpad)
    dossier = fabrique.brouillon(ehpad, acteur)
    page = texte(client(acteur).get(url(dossier)))
    assert "Créer des unités opérationnelles" in page
    assert "Créer des pôles" not in page
    assert "l’approbation revient à SESAN, sans validation préalable de la Direction" in page


def test_filtre_de_l_arbre(monde, dossier):
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité finie")
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité en cours", finaliser=False)
    navigateur = client(monde.referent)

    def fiches_vues(filtre: str) -> set[str]:
        corps = navigateur.get(url(dossier, f"?montrer={filtre}")).content.decode()
        return set(re.findall(r'class="arbre-nom"[^>]*>(?:<s>)?([^<]+)<', corps))

    chemin = {"Hôpital TEST", "Pôle Médecine", "Cardiologie", "UF 2101"}
    assert fiches_vues("touchees") == chemin | {"Unité finie", "Unité en cours"}
    assert fiches_vues("en-attente") == chemin | {"Unité en cours"}
    assert fiches_vues("finalisees") == chemin | {"Unité finie"}
    assert fiches_vues("") == fiches_vues("bidon") == chemin | {"Unité finie", "Unité en cours", "Unité de cardiologie"}


def test_espace_requetes_constantes(monde, dossier):
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, nom="Unité renommée")
    navigateur = client(monde.referent)
    adresses = ["", "changements/", "journal/", f"fiches/{monde.uo.pk}/", f"supprimer/?fiche={monde.uf.pk}", "envoyer/"]
    avant = {a: requetes_de(navigateur, url(dossier, a)) for a in adresses}
    for i in range(3):
        fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, f"Unité {i}")
        unite = repertoire.uo(monde.uf, f"Unité ancienne {i}")
        fabrique.modifier(dossier, monde.collegue, unite.pk, conditions_accueil="…", actes=frozenset(["0172"]))
    apres = {a: requetes_de(navigateur, url(dossier, a)) for a in adresses}
    assert apres == avant
    # The page of the sending says more than the others: the review, the rules, the threads.
    assert avant.pop("envoyer/") <= 55
    assert max(avant.values()) <= 45


def test_grand_arbre_replie_sans_menus(monde, dossier, monkeypatch):
    from workflows.vues import arbre

    monkeypatch.setattr(arbre, "GRAND_ARBRE", 3)
    monkeypatch.setattr(arbre, "MENUS_INCLUS", 3)
    autre = repertoire.uf(repertoire.service(monde.p, "Pneumologie"), "UF 2120")
    repertoire.uo(autre, "Unité de pneumologie")
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, nom="Unité renommée")
    corps = client(monde.referent).get(url(dossier)).content.decode()
    assert corps.count("arbre-ferme") == 2  # Pneumologie and its UF; the branch that changes stays open
    assert "Unité de pneumologie" in corps  # a real name all the same
    assert f'data-menu="{url(dossier)}fiches/0/menu/"' in corps


def test_renvoi_visible(monde, dossier):
    """The reason on top, the comment on its fiche, and the fiche to take up again."""
    neuve = fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité commentée")
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, nom="Unité de cardiologie générale")
    fabrique.envoye(dossier, monde.referent)
    fabrique.renvoye(
        dossier, monde.direction, "Les âges sont à revoir.", **{f"fiche_{neuve.pk}": "À partir de 18 ans."}
    )
    navigateur = client(monde.referent)
    page = texte(navigateur.get(url(dossier)))
    assert f"Renvoyé pour correction par {monde.direction} le " in page
    assert "Les âges sont à revoir." in page
    assert "Unité commentée ajout en attente commentée" in page
    assert "1 fiche finalisée sur 2" in page
    assert "À partir de 18 ans." in texte(navigateur.get(url_fiche(dossier, neuve)))
    fabrique.modifier(dossier, monde.referent, neuve.pk, age_min=18)
    page = texte(navigateur.get(url(dossier)))
    assert "Unité commentée ajout finalisée" in page
    assert "Les âges sont à revoir." in page


def test_renvoi_sans_fiche_commentee(monde, dossier):
    """Everything is still finalised: the page says what to do, not that all is done."""
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, nom="Unité de cardiologie générale")
    fabrique.envoye(dossier, monde.referent)
    fabrique.renvoye(dossier, monde.direction, "Les âges sont à revoir.")
    navigateur = client(monde.referent)
    page = texte(navigateur.get(url(dossier)))
    assert f"Renvoyé pour correction par {monde.direction} le " in page
    assert "1 fiche finalisée sur 1 Corrigez ce que le renvoi demande, puis renvoyez le dossier en validation." in page
    assert "Toutes les fiches ont été finalisées" not in page.split("Journal")[0]
    assert "Finaliser les fiches en cours" in page
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, age_min=18)
    page = texte(navigateur.get(url(dossier)))
    assert "1 fiche finalisée sur 1 Toutes les fiches ont été finalisées." in page
    assert "Envoyer en validation en cours" in page
    assert f"Renvoyé pour correction par {monde.direction} le " in page


def test_dossier_envoye_se_lit(monde, dossier):
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    fabrique.envoye(dossier, monde.referent)
    page = client(monde.referent).get(url(dossier))
    mots = texte(page)
    assert "validation par la Direction" in mots
    assert "Direction en cours Direction de l’établissement, au plus tard le" in mots
    assert "Retirer" in mots
    assert "Supprimer" not in mots
    assert "Abandonner" not in mots
    assert "Valider le dossier" not in mots
    decide = client(monde.direction).get(url(dossier))
    assert f'href="/taches/{fabrique.tache(dossier).pk}/"' in decide.content.decode()
    assert "Valider le dossier" in texte(decide)
    assert "Retirer" not in texte(decide)


def test_dossiers_termines(monde, dossier):
    """An ended dossier shows what it did, with the names of then, and nothing to change."""
    neuve = fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité publiée")
    service = repertoire.service(monde.p, "Service fermé")
    gestes.supprimer(numero=dossier.pk, acteur=monde.referent, fiches=[service.pk])
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, nom="Unité de cardiologie générale")
    fabrique.envoye(dossier, monde.referent)
    decisions.valider(tache=fabrique.tache(dossier).pk, acteur=monde.direction)
    decisions.approuver(tache=fabrique.tache(dossier).pk, acteur=monde.gestionnaire)
    page = texte(client(monde.referent).get(url(dossier)))
    assert "Ce que le dossier a changé" in page
    assert "1 ajout 1 modification 1 suppression" in page
    assert "Unité publiée" in page
    assert "Service fermé" in page
    assert "Unité de cardiologie générale" in page
    assert "publié" in page
    assert texte(client(monde.referent).get(url_fiche(dossier, neuve))).count("Unité publiée") >= 1
    assert client(monde.referent).get(url_fiche(dossier, monde.uf)).status_code == 404
    lignes = {c.nom: c for c in changements(fabrique.relu(dossier))}
    [ligne] = lignes["Unité de cardiologie générale"].lignes
    assert (ligne["avant"], ligne["apres"]) == ("Unité de cardiologie", "Unité de cardiologie générale")
    for suite in ("ajouter/", "supprimer/", "envoyer/", "abandonner/", "retirer/"):
        reponse = client(monde.referent).post(
            url(dossier, suite), {"fiche": monde.uo.pk, "sous": monde.uf.pk, "quantite": 1}
        )
        assert reponse.status_code == 409, suite


def test_schema_et_position(monde, dossier):
    corps = client(monde.referent).get(url(dossier)).content.decode()
    assert "Où en est le dossier" in corps
    dessin = corps.split('<svg class="schema"')[1].split("</svg>")[0]
    assert "1. Finaliser les fiches : en cours." in dessin
    assert dessin.count("schema-ici") == 1
    bpmn = client(monde.referent).get("/dossiers/circuit.bpmn")
    assert bpmn["Content-Type"].startswith("application/bpmn+xml")
    assert b"bpmn:definitions" in bpmn.content
