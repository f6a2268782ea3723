"""The history of a fiche through the HTTP client: who, when, what and why."""

import re
from datetime import date, timedelta

import pytest

from structures import temps
from structures.domaine.confirmer import confirmer
from structures.domaine.creer import creer_fiches
from structures.domaine.patches import valeur
from structures.domaine.suites import annuler_prevue
from structures.enums import Source
from structures.models import Modification
from tests.factories import repertoire as fabrique
from tests.navigation import client, requetes_de, texte

from .ecrans import AUJOURDHUI, DANS_UN_MOIS, DEMAIN, fiche

pytestmark = pytest.mark.django_db


def test_l_historique_dit_qui_quand_quoi_et_pourquoi(unite, referent):
    gestionnaire = fabrique.gestionnaire("sesan")
    fabrique.direct(unite, referent, {"conditions_accueil": "Un"})
    passee = AUJOURDHUI - timedelta(days=9)
    fabrique.direct(unite, gestionnaire, {"conditions_accueil": "Deux"}, passee, "Oubli signalé")
    annulee = fabrique.direct(unite, referent, {"nom": "Jamais"}, DEMAIN)
    annuler_prevue(modification=annulee, acteur=referent)
    reponse = client(fabrique.lecteur()).get(fiche(unite, "historique/"))
    page = texte(reponse)
    assert page.index("Annulé par referent") < page.index("Motif : Oubli signalé") < page.index("Création de la fiche")
    assert "4 modifications" in page
    assert "Cardiologie générale" in page
    assert f'href="{fiche(unite)}?au={passee}"' in reponse.content.decode()
    assert "/defaire/" not in reponse.content.decode()  # a reader reads


def test_l_historique_un_autre_jour_montre_ce_qui_vaut_ce_jour_la(unite, referent):
    fabrique.publier(unite, {"nom": "Renommée"}, date(2023, 5, 2))
    page = texte(client(referent).get(fiche(unite, "historique/"), {"au": "2023-05-01"}))
    assert "1 modification," in page
    assert "Renommée" not in page
    assert "Vous consultez le répertoire au 1er mai 2023".replace(" ", "") in page.replace(" ", "").replace("\xa0", "")


def test_l_historique_se_lit_par_pages(unite, referent):
    for i in range(55):
        fabrique.publier(unite, {"conditions_accueil": f"Version {i}"}, date(2024, 1, 1))
    navigateur, url = client(referent), fiche(unite, "historique/")
    page = navigateur.get(url).content.decode()
    suivant = re.search(r'href="(\?avant=\d+)"', page)[1]
    assert "Création de la fiche" not in page
    assert re.search(r"Version 4</del>.*?Version 5</ins>|<del>4</del>.*?<ins>5</ins>", page, re.S)
    assert "Création de la fiche" in navigateur.get(url + suivant).content.decode()


def test_l_historique_coute_autant_pour_1_3_ou_60_modifications(unite, referent):
    navigateur, url, mesures = client(referent), fiche(unite, "historique/"), []
    for nombre in (1, 2, 57):
        for i in range(nombre):
            fabrique.publier(unite, {"conditions_accueil": f"{nombre} {i}"}, date(2024, 1, 1) + timedelta(days=i))
        mesures.append(requetes_de(navigateur, url))
    assert mesures[0] == mesures[1] >= mesures[2]  # a page without the creation has fewer labels to read


def test_les_etapes_sont_celles_de_toute_l_histoire(hopital, unite, referent):
    """Read from the versions, a page at a time: before and after are those of the fold, even across a closing."""
    fabrique.publier(unite, {"conditions_accueil": "Un", "nom": "A"}, date(2022, 1, 3))
    fabrique.publier(unite, {"existe": False}, date(2023, 1, 2))
    fabrique.publier(unite, {"nom": "B"}, date(2023, 6, 1))
    fabrique.publier(unite, {"existe": True, "conditions_accueil": "Deux"}, date(2024, 1, 1))
    tot = fabrique.publier(unite, {"conditions_accueil": "Trois"}, date(2024, 1, 1))
    fabrique.publier(unite, {"conditions_accueil": "Quatre"}, date(2022, 1, 3))
    annulee = fabrique.direct(unite, referent, {"nom": "Jamais"}, DEMAIN)
    annuler_prevue(modification=annulee, acteur=referent)
    dites = {
        (e.modification.date_effet, e.modification.pk): (
            valeur(e.avant, "nom"),
            valeur(e.avant, "conditions_accueil"),
            valeur(e.apres, "nom"),
            valeur(e.apres, "conditions_accueil"),
        )
        for e in temps.etapes_des(list(temps.modifications_de(unite)))
        if e.modification.patch.keys() & {"nom", "conditions_accueil"}
    }
    assert list(dict(sorted(dites.items())).values()) == [
        ("", "", "Unité de cardiologie", ""),
        ("Unité de cardiologie", "", "A", "Un"),
        ("", "Un", "", "Quatre"),
        ("A", "", "B", ""),
        ("", "Quatre", "", "Deux"),
        ("", "Deux", "", "Trois"),
        ("B", "", "Jamais", ""),
    ]
    assert tot.pk


def test_un_contact_devenu_secret_ne_se_lit_sur_aucune_page_de_l_historique(unite, referent):
    contact = {"nom": "Nom Discret", "fonction": "03", "telecoms": []}
    fabrique.publier(unite, {"contacts": {"pose": {"c": {**contact, "confidentialite": "2"}}}}, date(2024, 1, 1))
    for i in range(51):
        fabrique.publier(unite, {"conditions_accueil": f"Version {i}"}, date(2024, 2, 1))
    fabrique.publier(unite, {"contacts": {"pose": {"c": {**contact, "confidentialite": "3"}}}}, date(2024, 3, 1))
    lecteur = client(fabrique.lecteur())
    for url in (
        fiche(unite, f"historique/?avant={Modification.objects.latest('pk').pk - 49}"),
        fiche(unite, "?au=2024-01-15"),
        fiche(unite, "comparer/?du=2023-12-01&au=2024-01-15"),
    ):
        page = texte(lecteur.get(url))
        assert "masqué" in page
        assert "Nom Discret" not in page
        assert "Nom Discret" in texte(client(referent).get(url))


def test_l_historique_dit_aussi_les_confirmations(unite, referent):
    confirmer(fiches=[unite.pk], acteur=referent)
    page = texte(client(fabrique.lecteur()).get(fiche(unite, "historique/")))
    assert "Tout est à jour : confirmé sans changement par referent" in page


def test_la_page_de_la_fiche_ne_lit_que_les_dernieres(unite, referent):
    for i in range(14):
        fabrique.publier(unite, {"conditions_accueil": f"Version {i}"}, date(2024, 1, 1))
    page = client(referent).get(fiche(unite)).content.decode()
    assert page.count('class="chronologie-point"') == 10
    assert "Tout l’historique (15)" in page


def test_la_source_mene_au_dossier_pour_qui_peut_le_voir(unite, referent, monkeypatch):
    from structures import affichage

    monkeypatch.setattr(affichage, "_visibles", lambda user, numeros: set(numeros) if user == referent else set())
    m = fabrique.publier(unite, {"nom": "Par dossier"}, date(2024, 1, 1), Source.DOSSIER)
    Modification.objects.bulk_create(
        [Modification(fiche=unite, date_effet=m.date_effet, patch=m.patch, source=m.source, origine="dossier 12")]
    )
    url = fiche(unite, "historique/")
    assert 'href="/dossiers/12/">Dossier 12</a>' in client(referent).get(url).content.decode()
    lecture = client(fabrique.lecteur()).get(url)
    assert "/dossiers/12/" not in lecture.content.decode()
    assert "Dossier 12" in texte(lecture)


def test_une_fiche_fermee_ou_a_venir_garde_son_historique_et_se_compare(hopital, referent):
    [neuve] = creer_fiches(eg=hopital["EG"], niveaux=["UO"])
    for suffixe in ("historique/", "comparer/"):
        assert client(referent).get(fiche(neuve, suffixe)).status_code == 404
    fabrique.publier(neuve, {"existe": True, "parent": hopital["UF"].pk, "nom": "À venir"}, DANS_UN_MOIS)
    for suffixe in ("historique/", f"comparer/?du={AUJOURDHUI}&au={DANS_UN_MOIS}"):
        assert "À venir" in texte(client(referent).get(fiche(neuve, suffixe)))
