"""Any day of the register through the HTTP client: said, left, refused, and the days near it when something changes."""

import re
from datetime import date

import pytest

from backoffice.socle.mots import date_longue
from structures import temps
from tests.factories import repertoire as fabrique
from tests.navigation import client, texte

from .ecrans import DANS_UN_MOIS, DEMAIN, fiche

pytestmark = pytest.mark.django_db


def test_un_autre_jour_se_dit_et_se_quitte(hopital, unite, referent):
    fabrique.direct(unite, referent, {"conditions_accueil": "Demain seulement"}, DEMAIN)
    navigateur, url = client(referent), fiche(unite)
    aujourdhui = navigateur.get(url)
    assert "Demain seulement" in texte(aujourdhui)
    assert "autre-jour" not in aujourdhui.content.decode()
    demain = navigateur.get(f"{url}?au={DEMAIN}")
    assert "Demain seulement" in texte(demain)
    assert "Vous consultez le répertoire au" in texte(demain)
    assert "Revenir à aujourd’hui" in texte(demain)
    assert 'class="autre-jour"' in demain.content.decode()
    assert f"{url}modifier/" not in demain.content.decode()
    assert f"/repertoire/{hopital['UF'].identifiant}/?au={DEMAIN}" in demain.content.decode()


def test_un_changement_deja_montre_n_est_plus_annonce(unite, referent):
    fabrique.direct(unite, referent, {"conditions_accueil": "Demain"}, DEMAIN)
    fabrique.direct(unite, referent, {"conditions_accueil": "Plus tard"}, DANS_UN_MOIS)
    navigateur = client(referent)
    annonces = {
        au: navigateur.get(fiche(unite), {"au": au} if au else {}).context["prochain"]
        for au in ("", str(DEMAIN), str(DANS_UN_MOIS))
    }
    demain, plus_tard = (f"le {date_longue(jour)}" for jour in (DEMAIN, DANS_UN_MOIS))
    assert annonces == {"": demain, str(DEMAIN): plus_tard, str(DANS_UN_MOIS): ""}


def test_une_seule_version_ne_se_compare_pas(unite, referent):
    navigateur, url = client(referent), fiche(unite, "historique/")
    page = navigateur.get(url).content.decode()
    for absent in ('id="comparer"', 'type="radio"', "Comparer avec la veille"):
        assert absent not in page
    assert "/comparer/" not in navigateur.get(fiche(unite)).content.decode()
    fabrique.direct(unite, referent, {"conditions_accueil": "Demain"}, DEMAIN)
    page = navigateur.get(url).content.decode()
    assert 'id="comparer"' in page
    assert page.count('type="radio"') == 4
    assert "/comparer/" in navigateur.get(fiche(unite)).content.decode()


@pytest.mark.parametrize("au", ["hier", "2027-02-30", "0001-01-01", "9999-12-31", "2027-1-1"])
def test_une_mauvaise_date_est_dite_et_montre_aujourd_hui(unite, au):
    navigateur = client(fabrique.lecteur())
    for url in ("/repertoire/", fiche(unite), fiche(unite, "historique/")):
        reponse = navigateur.get(url, {"au": au})
        assert reponse.status_code == 200
        assert "n’est pas une date que le répertoire peut montrer" in texte(reponse)
        assert "autre-jour" not in reponse.content.decode()


def test_les_jours_ou_quelque_chose_change_autour_du_jour(hopital, unite, referent):
    """On a fiche its own, on an EG those of the whole establishment; a closing is one of them."""
    fabrique.publier(unite, {"nom": "Renommée"}, date(2023, 5, 2))
    fabrique.publier(hopital["UF"], {"nom": "UF 9"}, date(2023, 6, 1))
    fabrique.publier(unite, {"existe": False}, date(2024, 2, 1))
    assert temps.jours_voisins(unite, date(2023, 5, 20)) == (date(2023, 5, 2), date(2024, 2, 1))
    assert temps.jours_voisins(hopital["EG"], date(2023, 5, 20)) == (date(2023, 5, 2), date(2023, 6, 1))
    assert temps.jours_voisins(unite, date(2010, 1, 1)) == (None, fabrique.DEBUT)
    page = client(referent).get(fiche(unite), {"au": "2023-05-20"}).content.decode()
    assert 'href="?au=2023-05-02" rel="prev"' in page
    assert 'href="?au=2024-02-01" rel="next"' in page


def test_changer_de_jour_garde_les_autres_criteres(unite):
    page = client(fabrique.lecteur()).get("/repertoire/?q=cardio&mss=1&au=2023-05-06").content.decode()
    [choix] = re.findall(r'<form class="jour-form".*?</form>', page, re.S)
    assert re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', choix) == [("q", "cardio"), ("mss", "1")]
    assert 'name="au" value="2023-05-06"' in choix
