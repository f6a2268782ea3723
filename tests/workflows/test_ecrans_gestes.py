"""Gestures on the tree of a dossier through the HTTP client (acceptance 64–68, 74, 78, 79)."""

import re

import pytest

from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from tests.navigation import client, texte
from tests.workflows.ecrans import ACTIONS, NEUVE, saisir, touchees, url, url_fiche
from workflows.domaine import gestes
from workflows.models import Evenement, FicheTravail

pytestmark = pytest.mark.django_db


def test_ajouter(monde, dossier):
    """Acceptance 65, 66, 68: any number, told apart before they have a name; the first one opens."""
    navigateur = client(monde.referent)
    page = navigateur.get(url(dossier, f"ajouter/?sous={monde.uf.pk}"))
    assert "Créer des unités opérationnelles sous « UF 2101 »" in texte(page)
    reponse = navigateur.post(url(dossier, "ajouter/"), saisir(page, quantite="3"))
    crees = list(dossier.fiches.order_by("pk"))
    assert [(t.fiche.niveau, t.patch, t.etat) for t in crees] == [
        ("UO", NEUVE | {"parent": monde.uf.pk}, "en_attente")
    ] * 3
    assert reponse["Location"] == url_fiche(dossier, crees[0].fiche)
    arbre = texte(navigateur.get(url(dossier)))
    assert all(f"(sans nom) {t.fiche.identifiant}" in arbre for t in crees)
    reponse = navigateur.post(url(dossier, "ajouter/"), {"sous": monde.s.pk, "quantite": "1"})
    uf = dossier.fiches.order_by("pk").last()
    assert (uf.fiche.niveau, reponse["Location"]) == ("UF", url_fiche(dossier, uf.fiche))


@pytest.mark.parametrize("quantite", ["", "0", "201", "trois", "-1"])
def test_ajouter_une_quantite_impossible(monde, dossier, quantite):
    reponse = client(monde.referent).post(url(dossier, "ajouter/"), {"sous": monde.uf.pk, "quantite": quantite})
    assert reponse.status_code == 422
    assert 'href="#id_quantite"' in reponse.content.decode()
    assert not dossier.fiches.exists()


def test_ajouter_sous_une_unite(monde, dossier):
    """Acceptance 67: nothing below an UO."""
    reponse = client(monde.referent).post(url(dossier, "ajouter/"), {"sous": monde.uo.pk, "quantite": 1})
    assert reponse.status_code == 422
    assert not dossier.fiches.exists()


def test_dupliquer(monde, dossier):
    """Acceptance 74."""
    reponse = client(monde.referent).post(url(dossier, "dupliquer/"), {"fiche": monde.uo.pk})
    copie = dossier.fiches.get()
    assert (copie.nature, copie.etat, copie.patch["parent"]) == ("ajout", "en_attente", monde.uf.pk)
    assert copie.patch["nom"] == "Unité de cardiologie (copie)"
    assert reponse["Location"] == url(dossier, f"#fiche-{copie.fiche_id}")
    assert client(monde.referent).post(url(dossier, "dupliquer/"), {"fiche": monde.eg.pk}).status_code == 422


def test_deplacer(monde, dossier):
    """Acceptance 78: legal places only, with their path."""
    autre = repertoire.uf(repertoire.service(monde.p, "Pneumologie"), "UF 2120")
    navigateur = client(monde.referent)
    page = navigateur.get(url(dossier, f"deplacer/?fiche={monde.uo.pk}"))
    mots = texte(page)
    assert "UF 2120 Pôle Médecine › Pneumologie" in mots
    assert re.findall(r'type="radio" name="parent" value="(\d+)"', page.content.decode()) == [str(autre.pk)]
    reponse = navigateur.post(url(dossier, "deplacer/"), {"fiche": monde.uo.pk, "parent": autre.pk})
    assert reponse["Location"] == url(dossier, f"#fiche-{monde.uo.pk}")
    assert touchees(dossier) == {monde.uo.pk: "deplacement"}
    for parent in (monde.p.pk, monde.uo.pk, monde.ailleurs.pk, "", "x"):
        reponse = navigateur.post(url(dossier, "deplacer/"), {"fiche": monde.uo.pk, "parent": parent})
        assert reponse.status_code == 422, parent
    assert dossier.fiches.get().patch == {"parent": autre.pk}
    assert navigateur.post(url(dossier, "deplacer/"), {"fiche": monde.eg.pk, "parent": autre.pk}).status_code == 422


def test_supprimer(monde, dossier):
    """Acceptance 79: the confirmation names all that goes."""
    neuve = fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité éphémère")
    navigateur = client(monde.referent)
    page = navigateur.get(url(dossier, f"supprimer/?fiche={monde.s.pk}"))
    mots = texte(page)
    assert "Supprimer « Cardiologie » ?" in mots
    assert (
        "Fermées à la publication du dossier ; leur historique reste consultable : S Cardiologie UF UF 2101 UO Unité"
        in mots
    )
    assert "Nouvelles dans ce dossier, elles disparaissent : UO Unité éphémère" in mots
    assert "Supprimer 4 fiches" in mots
    reponse = navigateur.post(url(dossier, "supprimer/"), saisir(page))
    assert reponse["Location"] == url(dossier, f"#fiche-{monde.s.pk}")
    assert touchees(dossier) == dict.fromkeys([monde.s.pk, monde.uf.pk, monde.uo.pk], "suppression")
    assert not dossier.fiches.filter(fiche=neuve.pk).exists()
    assert navigateur.get(url(dossier, f"supprimer/?fiche={monde.s.pk}")).status_code == 409
    assert navigateur.post(url(dossier, "supprimer/"), {"fiche": monde.eg.pk}).status_code == 422


def test_annuler(monde, dossier):
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, nom="Unité renommée")
    navigateur = client(monde.referent)
    page = navigateur.get(url(dossier, f"annuler/?fiche={monde.uo.pk}"))
    assert "Unité de cardiologie Unité renommée" in texte(page)
    reponse = navigateur.post(url(dossier, "annuler/"), saisir(page))
    assert reponse["Location"] == url(dossier, f"#fiche-{monde.uo.pk}")
    assert not dossier.fiches.exists()
    assert navigateur.get(url(dossier, f"annuler/?fiche={monde.uo.pk}")).status_code == 409
    assert navigateur.post(url(dossier, "annuler/"), {"fiche": monde.uo.pk}).status_code == 409


def test_annuler_une_suppression(monde, dossier):
    gestes.supprimer(numero=dossier.pk, acteur=monde.referent, fiches=[monde.uf.pk])
    navigateur = client(monde.referent)
    page = navigateur.get(url_fiche(dossier, monde.uf))
    assert "Annuler la suppression" in texte(page)
    assert "Enregistrer" not in texte(page)
    assert navigateur.post(url_fiche(dossier, monde.uf), {"revision": 1}).status_code == 409
    navigateur.post(url(dossier, "annuler/"), {"fiche": monde.uf.pk})
    assert not dossier.fiches.exists()


def test_les_actions_ne_font_rien_par_get(monde, dossier):
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    avant = (Evenement.objects.count(), list(FicheTravail.objects.values_list("patch", flat=True)))
    navigateur = client(monde.referent)
    for suite in ACTIONS:
        navigateur.get(url(dossier, f"{suite}?fiche={monde.uo.pk}&sous={monde.uf.pk}"))
    assert (Evenement.objects.count(), list(FicheTravail.objects.values_list("patch", flat=True))) == avant


def test_panneau_sans_rechargement(monde, dossier):
    """The script of the workspace asks for a part alone; the address follows a fiche, not a question."""
    navigateur = client(monde.referent)
    for suite in (f"fiches/{monde.uo.pk}/", f"ajouter/?sous={monde.uf.pk}", f"supprimer/?fiche={monde.uo.pk}"):
        reponse = navigateur.get(url(dossier, suite), headers={"HX-Request": "true"})
        assert reponse.get("HX-Push-Url") == (url(dossier, suite) if "fiches/" in suite else None)
        assert "HX-Request" in reponse["Vary"]
        assert "<html" not in reponse.content.decode()
        assert "arbre-nom" not in reponse.content.decode()
