"""The shell: menu registry, header, tree, catalogue of components."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template import Context, Template

from backoffice.socle import menu
from backoffice.socle.arbre import Noeud
from backoffice.socle.etats import signe
from workflows.chronologie import ICONES


@pytest.fixture
def registre(monkeypatch):
    """An empty registry for this test only."""
    monkeypatch.setattr(menu, "_entrees", {})
    monkeypatch.setattr(menu, "_description", None)
    return menu


@pytest.fixture
def personne(django_user_model, db):
    return django_user_model.objects.create_user("referent.hopital", "a@example.org", "x")


def entetes(page: str) -> list[str]:
    nav = re.search(r'<nav class="haut-nav".*?</nav>', page, re.DOTALL)
    return re.findall(r"<a [^>]*>(.*?)</a>", nav[0], re.DOTALL) if nav else []


def test_entries_in_order_for_those_who_may(client, registre, personne):
    registre.enregistrer(menu.EntreeMenu(20, "Catalogue", "aide-composants", compteur=lambda u: 1204))
    registre.enregistrer(menu.EntreeMenu(10, "Connexion", "connexion"))
    registre.enregistrer(menu.EntreeMenu(15, "Caché", "sante-vive", visible=lambda u: False))
    registre.enregistrer(menu.EntreeMenu(5, "Sans adresse", "nom-qui-n-existe-pas"))
    registre.enregistrer_description_compte(lambda u: menu.DescriptionCompte("Référent", "Hôpital TEST"))
    client.force_login(personne)
    page = client.get("/aide/composants/").content.decode()
    assert entetes(page) == ["Connexion", 'Catalogue <span class="compteur">1\u202f204</span>']
    assert 'aria-current="page">Catalogue' in page
    assert "<strong>Référent</strong> · Hôpital TEST" in page


def test_signed_out_has_no_menu(client, registre, db):
    registre.enregistrer(menu.EntreeMenu(20, "Catalogue", "aide-composants"))
    page = client.get("/aide/composants/").content.decode()
    assert entetes(page) == []
    assert "Se connecter" in page


def test_a_fragment_without_header_computes_no_counter(client, registre, personne):
    def jamais(user):
        raise AssertionError("asked")

    registre.enregistrer(menu.EntreeMenu(20, "Tâches", "aide-composants", compteur=jamais))
    assert Template("{% icone 'crayon' %}").render(Context())


_ICONE = re.compile(r"""icone(?: nom=|["']?: | = |=| )["']([a-z-]+)["']""")


def test_every_icon_that_is_named_exists():
    """By a template, by a line of code, by the table of the events."""
    symboles = set(re.findall(r'<symbol id="([^"]+)"', Path(finders.find("ror/icones.svg")).read_text("utf-8")))
    nommees = set(ICONES.values())
    for salle in ("templates", "backoffice", "structures", "workflows"):
        for fichier in (settings.BASE_DIR / salle).rglob("*"):
            if fichier.suffix in (".html", ".py"):
                nommees |= set(_ICONE.findall(fichier.read_text("utf-8")))
    assert nommees <= symboles, nommees - symboles
    assert len(nommees) > 50  # the expression still finds them


@pytest.mark.django_db
def test_the_catalogue_is_whole_and_obeys_the_csp(client):
    page = client.get("/aide/composants/").content.decode()
    assert page.count("<h1") == 1
    assert not re.search(r"\sstyle=|\son[a-z]+=\"|<style|<script(?![^>]*\ssrc=)", page)
    sprite = client.get("/static/ror/icones.svg")
    symboles = set(re.findall(r'<symbol id="([^"]+)"', b"".join(sprite.streaming_content).decode()))
    utilises = set(re.findall(r'icones\.svg#([^"]+)"', page))
    assert utilises <= symboles
    ids = re.findall(
        r'\sid="([^"]+)"', re.sub(r"<template.*?</template>|<noscript>.*?</noscript>", "", page, flags=re.DOTALL)
    )
    assert len(ids) == len(set(ids)), {i for i in ids if ids.count(i) > 1}


@pytest.mark.django_db
def test_the_catalogue_takes_a_form_back(client):
    reponse = client.post("/aide/composants/", {"nom": "Unité <A>"})
    assert "Unité &lt;A&gt;" in reponse.content.decode()


def test_footer_has_the_support(client, db):
    page = client.get("/nulle-part/").content.decode()
    for texte in (
        "01 83 76 30 31",
        "du lundi au vendredi, 8h-20h",
        "https://formulaire-support.sante-idf.fr",
        "ror.support@sesan.fr",
    ):
        assert texte in page


def arbre(noeuds) -> str:
    return Template("{% arbre_noeuds noeuds %}").render(Context({"noeuds": noeuds}))


def test_tree_names_are_real_text_escaped_and_states_are_words():
    html = arbre(
        [
            Noeud(
                "1",
                "EG",
                "Hôpital <b>",
                url="/a/?x=1&y=2",
                enfants=[
                    {
                        "id": "2",
                        "niveau": "UO",
                        "libelle": "UHCD",
                        "url": "/b/",
                        "etats": ["ajout", "en-attente"],
                        "supprime": True,
                    }
                ],
            )
        ]
    )
    assert "Hôpital &lt;b&gt;" in html
    assert 'href="/a/?x=1&amp;y=2"' in html
    assert "<s>UHCD</s>" in html
    assert "en attente" in html
    assert html.count("<li") == html.count("</li>") == 2


def test_tree_menus_only_where_there_is_something_to_do():
    html = arbre(
        [
            Noeud(
                "1", "EG", "A", actions=[{"libelle": "Créer", "url": "/c/", "methode": "post", "champs": {"n": 1234}}]
            ),
            Noeud("2", "UO", "B"),
        ]
    )
    assert html.count("<details") == 1
    assert 'name="n" value="1234"' in html


def test_a_big_tree_is_drawn_quickly():
    import time

    noeuds = [Noeud(str(n), "UO", f"Unité {n}", url=f"/{n}/", etats=["ajout", "en-attente"]) for n in range(3000)]
    debut = time.perf_counter()
    arbre([Noeud("eg", "EG", "Hôpital", enfants=noeuds)])
    assert time.perf_counter() - debut < 1


def test_every_sign_of_a_fiche_has_its_icon_in_the_tree():
    """arbre.css draws the icons of the signs, so that a big tree does not repeat them."""
    feuille = (settings.BASE_DIR / "templates/_statiques/ror/arbre.css").read_text()
    signes = (
        "en-attente finalisee ajout modification deplacement suppression conflit incomplete signalee dans-dossier "
        "prevu fermeture sensible inconnu"
    ).split()
    assert {s for s in signes if f".i-{signe(s).icone} {{" not in feuille} == set()
