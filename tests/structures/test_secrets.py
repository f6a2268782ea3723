"""What is secret now is not read in the past, whatever key its contact had then."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from structures.enums import Role
from tests.factories import repertoire as fabrique
from tests.navigation import client, texte

pytestmark = pytest.mark.django_db

AUJOURDHUI = timezone.localdate()
NUMERO = "01 99 00 12 34"
ANNEE_DERNIERE = date(2024, 1, 1)
PAGES = ("", "?au=2024-01-15", "historique/", f"comparer/?du=2023-12-01&au={AUJOURDHUI.isoformat()}")


def contact(confidentialite: str = "2", telecom: str = "2", valeur: str = NUMERO) -> dict:
    telecoms = [{"canal": "2", "valeur": valeur, "confidentialite": telecom}]
    return {"nature": "01", "nom": "", "fonction": "", "confidentialite": confidentialite, "telecoms": telecoms}


def poser(unite, depuis: date, **contacts) -> None:
    fabrique.publier(unite, {"contacts": {"pose": contacts}}, depuis)


def lues(hopital, user) -> dict[str, bool]:
    """By page, whether the number can be read, on the unit and on its establishment."""
    navigateur, unite = client(user), f"/repertoire/{hopital['UO'].identifiant}/"
    pages = {page: unite + page for page in PAGES}
    pages["eg"] = f"/repertoire/{hopital['EG'].identifiant}/{PAGES[3]}"
    return {nom: NUMERO in texte(navigateur.get(url)) for nom, url in pages.items()}


def masque_partout(hopital) -> bool:
    referent = fabrique.compte(Role.REFERENT, hopital["EG"])
    assert any(lues(hopital, referent).values())
    return not any(lues(hopital, fabrique.lecteur()).values())


def test_un_moyen_de_contact_devenu_tres_restreint(hopital):
    poser(hopital["UO"], ANNEE_DERNIERE, c=contact())
    poser(hopital["UO"], AUJOURDHUI, c=contact(telecom="3"))
    assert masque_partout(hopital)


def test_un_moyen_de_contact_qui_le_sera(hopital):
    poser(hopital["UO"], ANNEE_DERNIERE, c=contact())
    poser(hopital["UO"], AUJOURDHUI + timedelta(days=30), c=contact(telecom="3"))
    assert masque_partout(hopital)


def test_un_contact_retire_puis_remis_sous_une_autre_cle(hopital):
    poser(hopital["UO"], ANNEE_DERNIERE, c=contact())
    fabrique.publier(hopital["UO"], {"contacts": {"retire": ["c"]}}, AUJOURDHUI)
    poser(hopital["UO"], AUJOURDHUI, autre=contact("3", "3", "+33199001234"))
    assert masque_partout(hopital)


def test_le_nom_d_un_contact_tres_restreint_sous_une_autre_cle(hopital):
    nomme = {"nature": "", "nom": "Camille Martin", "fonction": "03", "telecoms": []}
    poser(hopital["UO"], ANNEE_DERNIERE, c={**nomme, "confidentialite": "2"})
    fabrique.publier(hopital["UO"], {"contacts": {"retire": ["c"]}}, AUJOURDHUI)
    poser(hopital["UO"], AUJOURDHUI, autre={**nomme, "confidentialite": "3"})
    navigateur = client(fabrique.lecteur())
    for page in PAGES:
        assert "Camille" not in texte(navigateur.get(f"/repertoire/{hopital['UO'].identifiant}/{page}"))


def test_une_unite_devenue_sensible_masque_les_contacts_retires_de_son_passe(hopital):
    poser(hopital["UO"], ANNEE_DERNIERE, c=contact())
    fabrique.publier(hopital["UO"], {"contacts": {"retire": ["c"]}}, date(2025, 1, 1))
    fabrique.publier(hopital["UO"], {"unite_sensible": True}, AUJOURDHUI)
    assert masque_partout(hopital)


def test_un_numero_que_la_fiche_dit_a_tous_par_ailleurs_se_lit(hopital):
    poser(hopital["UO"], ANNEE_DERNIERE, c=contact(), cadre=contact("3", "3"))
    assert lues(hopital, fabrique.lecteur()) == {**dict.fromkeys(PAGES, True), "eg": True}
