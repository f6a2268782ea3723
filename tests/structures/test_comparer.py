"""Two days of the register compared, through the HTTP client."""

import re
from datetime import date, timedelta

import pytest

from tests.factories import repertoire as fabrique
from tests.navigation import client, requetes_de, texte

from .ecrans import AUJOURDHUI, fiche

pytestmark = pytest.mark.django_db


def mouvements(hopital, referent) -> None:
    """In 2024: a UO closed, another added, one moved, one renamed, one of another type."""
    fermee = fabrique.uo(hopital["UF"], "Unité fermée")
    fabrique.publier(fermee, {"existe": False}, date(2024, 3, 1))
    deplacee = fabrique.uo(hopital["UF"], "Unité déplacée")
    ailleurs = fabrique.uf(hopital["S"], "UF 2102")
    fabrique.publier(deplacee, {"parent": ailleurs.pk, "nom": "Unité partie"}, date(2024, 4, 1))
    fabrique.uo(ailleurs, "Unité neuve", depuis=date(2024, 5, 1))
    fabrique.publier(hopital["UO"], {"type_uo": "69", "conditions_accueil": "Autres"}, date(2024, 6, 1))
    fabrique.direct(hopital["P"], referent, {"nom": "Pôle Cœur"})


def test_deux_dates_d_un_etablissement(hopital, referent):
    mouvements(hopital, referent)
    reponse = client(referent).get(fiche(hopital["EG"], f"comparer/?du=2024-01-01&au={AUJOURDHUI}"))
    page = texte(reponse)
    for mots in (
        "5 fiches sur lesquelles quelque chose a changé",
        "1 ajoutée",
        "1 fermée",
        "1 déplacée",
        "2 renommées",
        "1 type d’UO changé",
        "1 contenu modifié",
        "De UF « UF 2101 » vers UF « UF 2102 »",
        "referent, modification directe, au",
    ):
        assert mots in page.replace("\xa0", " ").replace("Unité fonctionnelle", "UF"), mots
    titres = re.findall(r"<h3>([^<]+)</h3>", reponse.content.decode())
    assert titres == ["Fiches ajoutées", "Fiches fermées", "Fiches déplacées", "Fiches renommées", "Types d’UO changés"]
    noms = re.findall(r'class="comparer-nom">.*?<a [^>]*>([^<]+)</a>', reponse.content.decode(), re.S)
    assert noms == ["Unité neuve", "Unité fermée", "Unité partie", "Pôle Cœur", "Unité de cardiologie"]
    retour = texte(client(referent).get(fiche(hopital["EG"], "comparer/?du=2024-06-01&au=2024-06-02")))
    assert "Rien n’a changé entre ces deux dates" in retour


def test_deux_versions_d_une_fiche_champ_par_champ_avec_qui_quand_pourquoi(unite, referent):
    gestionnaire = fabrique.gestionnaire("sesan")
    passee = AUJOURDHUI - timedelta(days=9)
    fabrique.direct(unite, gestionnaire, {"conditions_accueil": "Deux"}, passee, "Oubli signalé")
    fabrique.direct(unite, referent, {"age_min": 18})
    reponse = client(referent).get(fiche(unite, f"comparer/?du={passee - timedelta(days=1)}&au={AUJOURDHUI}"))
    lignes = re.findall(r'<tr><th scope="row">(.*?)</th>.*?Qui, quand, pourquoi">(.*?)</td>', reponse.content.decode())
    dites = {champ: cause.replace("\xa0", " ") for champ, cause in lignes}
    assert dites.keys() == {"Âge minimum", "Conditions d’accueil"}
    assert dites["Âge minimum"].startswith("referent, modification directe, au")
    assert dites["Conditions d’accueil"].endswith("Motif : Oubli signalé")
    avant = texte(client(referent).get(fiche(unite, f"comparer/?du=2019-01-01&au={AUJOURDHUI}")))
    assert "Cette fiche n’était pas ouverte au répertoire le" in avant


@pytest.mark.parametrize(
    ("parametres", "phrase"),
    [
        ("du=2024-02-30&au=2024-03-01", "Cette date n’existe pas"),
        ("du=2024-03-01&au=2024-03-01", "La seconde date vient après la première"),
        ("du=2024-03-02&au=2024-03-01", "La seconde date vient après la première"),
        ("du=0900-03-02&au=2024-03-01", "choisissez entre 1900 et 2199"),
        ("du=2024-03-02", "obligatoire"),
    ],
)
def test_comparer_de_mauvaises_dates(unite, parametres, phrase):
    reponse = client(fabrique.lecteur()).get(fiche(unite, f"comparer/?{parametres}"))
    assert reponse.status_code == 422
    assert phrase in texte(reponse)


def test_comparer_coute_autant_pour_1_ou_3_fiches_et_se_lit_par_pages(hopital, referent):
    navigateur = client(referent)
    url = fiche(hopital["EG"], "comparer/?du=2023-01-01&au=2024-12-31")
    mesures = []
    for nombre in (1, 2):
        for _ in range(nombre):
            neuve = fabrique.uo(hopital["UF"], territoire={"ajoute": ["92075"]})
            fabrique.publier(neuve, {"territoire": {"ajoute": ["94080"]}, "nom": "Autre"}, date(2024, 1, 1))
        mesures.append(requetes_de(navigateur, url))
    assert len(set(mesures)) == 1
    for fiche_ in fabrique.creer_fiches(eg=hopital["EG"], niveaux=["UO"] * 60):
        fabrique.publier(fiche_, {"existe": True, "parent": hopital["UF"].pk, "nom": "N"}, date(2024, 2, 1))
    page = navigateur.get(url).content.decode()
    assert "1 à 50 sur 63" in texte(navigateur.get(url))
    assert "60 ajoutées" in texte(navigateur.get(url))
    suivant = re.search(r'href="(\?[^"]*debut=50)"', page)[1].replace("&amp;", "&")
    assert page.count('class="comparer-nom"') == 50
    assert navigateur.get(f"{url}&debut=500").content.decode().count('class="comparer-nom"') == 50
    assert (
        navigateur.get(fiche(hopital["EG"], f"comparer/{suivant}")).content.decode().count('class="comparer-nom"') == 13
    )
