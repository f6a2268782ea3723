import pytest
from django.test import Client

from backoffice.comptes import domaine
from backoffice.comptes.models import User

from .conftest import MOT_DE_PASSE

pytestmark = pytest.mark.django_db
NOUVEAU = "Goeland-argente-77"


@pytest.fixture
def nouveau_venu(client):
    """Logged in with the provisional password."""
    user, provisoire = domaine.creer_compte(
        identifiant="nouvelle", email="n@example.org", prenom="Zoé", nom="Roy", acteur=None, annoncer=False
    )
    client.post("/connexion/", {"username": "nouvelle", "password": provisoire})
    return user, provisoire


def test_toute_page_mene_au_mot_de_passe(client, nouveau_venu):
    for chemin in ("/", "/envois/", "/envois/12/", "/admin/", "/repertoire/", "/nexistepas/"):
        reponse = client.get(chemin)
        assert reponse.status_code == 302, chemin
        assert reponse["Location"].partition("?")[0] == "/mot-de-passe/"
    assert client.get("/envois/?etat=echec")["Location"] == "/mot-de-passe/?next=%2Fenvois%2F%3Fetat%3Dechec"
    assert client.post("/envois/1/reexpedier/")["Location"] == "/mot-de-passe/"
    htmx = client.get("/envois/", headers={"HX-Request": "true"})
    assert (htmx.status_code, htmx["HX-Redirect"]) == (200, "/mot-de-passe/")


def test_ce_qui_reste_ouvert(client, nouveau_venu):
    for chemin in ("/mot-de-passe/", "/sante/vive", "/static/rien.css"):
        assert "/mot-de-passe/" not in client.get(chemin).headers.get("Location", "")
    assert client.post("/deconnexion/")["Location"] == "/connexion/"


def test_choisir_le_sien(client, nouveau_venu):
    user, provisoire = nouveau_venu
    ailleurs = Client()
    ailleurs.force_login(User.objects.get(pk=user.pk))
    page = client.get("/mot-de-passe/?next=/envois/").content.decode()
    assert "Mot de passe actuel" not in page
    reponse = client.post("/mot-de-passe/", {"nouveau": NOUVEAU, "confirmation": NOUVEAU, "next": "/envois/"})
    assert (reponse.status_code, reponse["Location"]) == (302, "/envois/")
    assert client.get("/envois/").status_code == 200  # this session goes on
    assert ailleurs.get("/envois/").status_code == 302  # the others end
    user.refresh_from_db()
    assert user.check_password(NOUVEAU)
    assert not user.doit_changer_mot_de_passe
    assert not Client().login(username="nouvelle", password=provisoire)


@pytest.mark.parametrize(
    ("nouveau", "confirmation", "champ", "mots"),
    [
        ("PROVISOIRE", "PROVISOIRE", "nouveau", "différent du mot de passe provisoire"),
        ("court", "court", "nouveau", "trop court"),
        (NOUVEAU, NOUVEAU + "x", "confirmation", "différentes"),
        ("", "", "nouveau", "obligatoire"),
    ],
)
def test_refus(client, nouveau_venu, nouveau, confirmation, champ, mots):
    user, provisoire = nouveau_venu
    donnees = {
        cle: provisoire if valeur == "PROVISOIRE" else valeur
        for cle, valeur in {"nouveau": nouveau, "confirmation": confirmation}.items()
    }
    reponse = client.post("/mot-de-passe/", donnees)
    assert reponse.status_code == 200
    assert mots in " ".join(reponse.context["form"].errors[champ])
    assert User.objects.get(pk=user.pk).doit_changer_mot_de_passe


def test_la_suite_ne_sort_pas_du_site(client, nouveau_venu):
    reponse = client.post(
        "/mot-de-passe/", {"nouveau": NOUVEAU, "confirmation": NOUVEAU, "next": "https://mechant.example/"}
    )
    assert reponse["Location"] == "/"


def test_changer_par_choix_demande_l_actuel(client, compte):
    user = compte()
    client.force_login(user)
    assert "Mot de passe actuel" in client.get("/mot-de-passe/").content.decode()
    faux = client.post("/mot-de-passe/", {"ancien": "faux", "nouveau": NOUVEAU, "confirmation": NOUVEAU})
    assert "ancien" in faux.context["form"].errors
    bon = client.post("/mot-de-passe/", {"ancien": MOT_DE_PASSE, "nouveau": NOUVEAU, "confirmation": NOUVEAU})
    assert bon.status_code == 302
    user.refresh_from_db()
    assert user.check_password(NOUVEAU)


def test_l_ancien_ne_se_devine_pas(client, compte):
    client.force_login(compte())
    donnees = {"ancien": "faux", "nouveau": NOUVEAU, "confirmation": NOUVEAU}
    for _ in range(5):
        client.post("/mot-de-passe/", donnees)
    reponse = client.post("/mot-de-passe/", {**donnees, "ancien": MOT_DE_PASSE})
    assert "Trop de tentatives" in reponse.context["form"].errors["ancien"][0]


def test_sans_compte(client):
    assert client.get("/mot-de-passe/")["Location"] == "/connexion/?next=/mot-de-passe/"
