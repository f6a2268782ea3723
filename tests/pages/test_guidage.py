"""« Où modifier ? » as a page that takes people there, and on the spot (acceptance 24 to 27, 50, 54)."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backoffice.pages.guidage import SORTES
from structures.enums import Role
from tests.factories import repertoire as fabrique
from tests.factories.dossiers import brouillon, enregistrer
from workflows.domaine.creer import creer

pytestmark = pytest.mark.django_db


def client(user) -> Client:
    navigateur = Client()
    navigateur.force_login(user)
    return navigateur


def page(navigateur: Client, url: str) -> str:
    reponse = navigateur.get(url)
    assert reponse.status_code == 200
    return reponse.content.decode().replace("\u00a0", " ").replace("\u202f", " ")


def guide(navigateur: Client, requete: str = "") -> str:
    return page(navigateur, f"/aide/ou-modifier/{requete}")


def suite(html: str) -> str:
    """The part that answers the choices."""
    return html[html.index('id="suite"') : html.index("Le dossier collaboratif, c’est quoi")]


def liens(html: str) -> dict[str, str]:
    """Address by words."""
    trouves = re.findall(r'<a [^>]*?href="([^"]+)"[^>]*>(.*?)</a>', html, flags=re.S)
    return {re.sub(r"<[^>]+>", "", mots).strip(): url.replace("&amp;", "&") for url, mots in trouves}


@pytest.fixture
def hopital():
    return fabrique.hopital()


@pytest.fixture
def referent(hopital):
    return fabrique.compte(Role.REFERENT, hopital["EG"], "referent")


# -- the page ----------------------------------------------------------------------------------------


def test_les_deux_chemins_et_leurs_exemples():
    html = guide(client(fabrique.lecteur()))
    assert "J’ai une modification à faire… où aller ?" in html
    assert "Le contenu d’une fiche, instantanément" in html
    for exemple in (
        "Les activités opérationnelles et les actes spécifiques", "Les modalités d’accueil", "Les horaires",
        "Les contacts", "Ajouter des fiches", "Déplacer des fiches", "Supprimer des fiches",
        "Changer un Type d’UO",
    ):  # fmt: skip
        assert exemple in html
    assert 'id="suite"' not in html


def test_chaque_sorte_directe_mene_a_une_section_du_formulaire(hopital, referent):
    navigateur = client(referent)
    for sorte in (s for s in SORTES if s.directe):
        fiche = hopital[sorte.niveau]
        adresse = f"/repertoire/{fiche.identifiant}/modifier/#saisie-{sorte.section}"
        assert adresse in suite(guide(navigateur, f"?quoi={sorte.code}")), sorte
        formulaire = page(navigateur, adresse)
        assert f'id="saisie-{sorte.section}"' in formulaire, sorte


def test_on_choisit_parmi_les_siens_ou_l_on_cherche(hopital, referent):
    ehpad = fabrique.etablissement("medico-social", nom="EHPAD des Lilas", commune="92075")
    navigateur = client(referent)
    # with one establishment there is nothing to choose
    assert "Voici la fiche" in suite(guide(navigateur, "?quoi=horaires"))
    autre = liens(suite(guide(navigateur, "?quoi=horaires&q=lilas")))
    assert autre["EHPAD des Lilas"] == f"/aide/ou-modifier/?quoi=horaires&eg={ehpad.identifiant}#suite"
    assert "Aucun établissement ne correspond à « zzzz »" in guide(navigateur, "?quoi=horaires&q=zzzz")
    assert "Aucun établissement ouvert ne porte cet identifiant." in guide(navigateur, "?quoi=horaires&eg=1999999999")
    # what is not offered is not asked
    assert 'id="suite"' not in guide(navigateur, "?quoi=autre")


def test_changer_la_structure_cree_le_dossier_puis_l_ouvre(hopital, referent):
    navigateur, eg = client(referent), hopital["EG"].identifiant
    for sorte in ("ajouter", "deplacer", "supprimer", "type"):
        assert liens(suite(guide(navigateur, f"?quoi={sorte}&eg={eg}")))["Créer un dossier collaboratif"] == (
            f"/dossiers/creer/?eg={eg}"
        )
    dossier = creer(eg=hopital["EG"], nom="Réorganisation", acteur=referent)
    html = suite(guide(navigateur, f"?quoi=ajouter&eg={eg}"))
    assert liens(html)["Ouvrir le dossier « Réorganisation »"] == f"/dossiers/{dossier.pk}/"
    html = suite(guide(navigateur, f"?quoi=type&eg={eg}"))
    assert liens(html)["Unité de cardiologie"] == f"/dossiers/{dossier.pk}/fiches/{hopital['UO'].pk}/"


def test_sans_droit_on_apprend_quoi_faire(hopital):
    navigateur, eg = client(fabrique.lecteur()), hopital["EG"].identifiant
    for sorte in ("horaires", "type"):
        html = suite(guide(navigateur, f"?quoi={sorte}&eg={eg}"))
        assert "Vous n’avez pas le droit de modifier cet établissement." in html
        assert liens(html)["Signaler une erreur"] == f"/repertoire/{eg}/signaler/"
        assert "/modifier/" not in html
        assert "/dossiers/" not in html


def test_un_gestionnaire_modifie_le_contenu_mais_ne_cree_pas_de_dossier(hopital):
    navigateur, eg = client(fabrique.gestionnaire()), hopital["EG"].identifiant
    assert "/modifier/#saisie-horaires" in suite(guide(navigateur, f"?quoi=horaires&eg={eg}"))
    assert "/dossiers/creer/" not in suite(guide(navigateur, f"?quoi=ajouter&eg={eg}"))


@pytest.mark.parametrize("requete", ["?quoi=horaires&q=hopital", "?quoi=horaires&eg={eg}", "?quoi=type&eg={eg}"])
def test_autant_de_requetes_pour_un_ou_trois(hopital, referent, requete):
    navigateur, url = client(referent), requete.format(eg=hopital["EG"].identifiant)

    def compter() -> int:
        guide(navigateur, url)
        with CaptureQueriesContext(connection) as vues:
            guide(navigateur, url)
        return len(vues)

    un = compter()
    for numero in range(2):
        fabrique.uo(hopital["UF"], nom=f"Unité {numero}")
        fabrique.etablissement(nom=f"Hôpital {numero}", ej=hopital["EJ"])
    assert compter() == un


# -- on the spot -------------------------------------------------------------------------------------


def test_la_note_du_type_mene_au_dossier(hopital, referent):
    navigateur = client(referent)
    url = f"/repertoire/{hopital['UO'].identifiant}/modifier/"
    html = page(navigateur, url)
    assert "Il n’est pas possible de modifier un type d’unité opérationnelle (UO) depuis le répertoire" in html
    assert liens(html)["Créer un dossier collaboratif"] == f"/dossiers/creer/?eg={hopital['EG'].identifiant}"
    dossier = creer(eg=hopital["EG"], nom="Réorganisation", acteur=referent)
    adresse = liens(page(navigateur, url))["Ouvrir le dossier « Réorganisation »"]
    assert adresse == f"/dossiers/{dossier.pk}/fiches/{hopital['UO'].pk}/"
    assert page(navigateur, adresse)


def test_au_dessus_de_l_arbre_le_chemin_du_dossier(hopital, referent):
    url = f"/repertoire/{hopital['EG'].identifiant}/"
    phrase = "Ajouter, déplacer ou supprimer une fiche se fait dans un dossier collaboratif."
    html = page(client(referent), url)
    assert phrase in html
    assert "Créer un dossier collaboratif" in html
    lecteur = client(fabrique.lecteur())
    html = page(lecteur, url)
    assert "Un Référent ou une Direction de l’établissement peut en créer un." in html
    assert "/dossiers/creer/" not in html
    creer(eg=hopital["EG"], nom="Réorganisation", acteur=referent)
    html = page(lecteur, url)
    assert "Un dossier est ouvert sur cet établissement" in html
    assert "/dossiers/" not in html[html.index("vers-dossier") : html.index("vers-dossier") + 800]


def test_un_dossier_qui_n_en_demandait_pas_le_dit(hopital, referent):
    dossier = brouillon(hopital["EG"], referent)
    enregistrer(dossier, referent, hopital["UO"].pk, {"conditions_accueil": "Tous les jours."})
    navigateur = client(referent)
    titre = "Ces changements pouvaient se faire directement depuis le répertoire"
    for url in (f"/dossiers/{dossier.pk}/envoyer/", f"/dossiers/{dossier.pk}/changements/"):
        assert titre in page(navigateur, url)
    enregistrer(dossier, referent, hopital["UO"].pk, {"type_uo": "161"}, finaliser=False)
    for url in (f"/dossiers/{dossier.pk}/envoyer/", f"/dossiers/{dossier.pk}/changements/"):
        assert titre not in page(navigateur, url)
