"""What no browser sends still gets a page in French: never a 500."""

import pytest
from django.db import OperationalError
from django.test import Client, RequestFactory
from django.urls import reverse

from backoffice.comptes.models import User
from backoffice.socle.middleware import GestionErreurs
from workflows.models import Dossier, Tache

pytestmark = pytest.mark.usefixtures("demo")


@pytest.fixture
def direction() -> Client:
    client = Client()
    client.force_login(User.objects.get(username="direction.hopital"))
    return client


def test_un_cookie_de_session_illisible(client: Client) -> None:
    client.cookies["sessionid"] = "\x00aaaaaaaaaaaaaaaaaaa"
    assert client.get("/repertoire/").status_code == 302


@pytest.mark.parametrize("adresse", ["/repertoire/?q=%00", "/dossiers/creer/?eg=%00", "/repertoire/?au=%00"])
def test_un_caractere_nul_dans_l_adresse(direction: Client, adresse: str) -> None:
    reponse = direction.get(adresse)
    assert reponse.status_code == 422
    assert "caractère illisible" in reponse.text


def test_un_caractere_nul_dans_un_formulaire(direction: Client) -> None:
    tache = Tache.objects.get(noeud="validation_direction", close_le__isnull=True)
    saisie = {"motif_renvoi": "À revoir", "commentaire-1": "a\x00b"}
    reponse = direction.post(reverse("tache_renvoyer", args=[tache.pk]), saisie)
    assert reponse.status_code == 422
    assert "À revoir" in reponse.text


def test_trop_de_parametres(direction: Client) -> None:
    tache = Tache.objects.get(noeud="validation_direction", close_le__isnull=True)
    requete = "&".join(f"a{i}=1" for i in range(30))
    assert direction.get(f"{reverse('tache', args=[tache.pk])}?{requete}").status_code == 200


@pytest.mark.parametrize("entetes", [{"Referer": "http://["}, {"HX-Request": "true", "HX-Current-URL": "http://["}])
def test_une_adresse_de_provenance_illisible(direction: Client, client: Client, entetes: dict[str, str]) -> None:
    assert direction.get("/dossiers/9999/", headers=entetes).status_code == 404
    assert client.get("/dossiers/9999/", headers=entetes).status_code in (200, 302)


def test_un_corps_dans_un_autre_codage(direction: Client) -> None:
    direction.raise_request_exception = False
    reponse = direction.generic(
        "POST", "/dossiers/creer/", b"nom=x", content_type="application/x-www-form-urlencoded; charset=utf-16"
    )
    assert reponse.status_code == 400
    assert "n’a pas pu être lue" in reponse.text


def test_un_hote_inconnu(client: Client) -> None:
    client.raise_request_exception = False
    assert client.get("/connexion/", headers={"Host": "ailleurs.example"}).status_code == 400


def test_la_base_ne_repond_pas() -> None:
    requete = RequestFactory().get("/taches/")
    reponse = GestionErreurs(lambda r: None).process_exception(
        requete, OperationalError("server closed the connection")
    )
    assert reponse is not None
    assert reponse.status_code == 503


def test_deux_clics_sur_dupliquer(client: Client) -> None:
    """The same page posted twice duplicates once, and says so."""
    client.force_login(User.objects.get(username="referent.ehpad"))
    dossier = Dossier.objects.get(nom="Unité d’accueil temporaire")
    fiche = dossier.fiches.get().fiche_id
    vu = dossier.evenements.last().pk
    adresse = reverse("dossier_dupliquer", args=[dossier.pk])
    statuts = [client.post(adresse, {"fiche": fiche, "vu": vu}).status_code for _ in range(2)]
    assert statuts == [302, 409]
    assert dossier.fiches.count() == 2


def test_deux_clics_sur_creer(client: Client) -> None:
    client.force_login(User.objects.get(username="referent.ehpad"))
    dossier = Dossier.objects.get(nom="Unité d’accueil temporaire")
    vu = dossier.evenements.last().pk
    saisie = {"sous": dossier.eg_id, "quantite": 2, "vu": vu}
    statuts = [client.post(reverse("dossier_ajouter", args=[dossier.pk]), saisie).status_code for _ in range(2)]
    assert statuts == [302, 409]
    assert dossier.fiches.count() == 3
