"""What a person sees when something is refused, broken or over."""

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404, HttpResponse
from django.test import Client, override_settings
from django.urls import include, path
from psycopg.errors import DeadlockDetected, LockNotAvailable, QueryCanceled, UniqueViolation

from backoffice.socle.erreurs import Conflit, Interdit, Introuvable, Invalide
from backoffice.socle.vues import VueProtegee


def _base(cause: Exception):
    def vue(request):
        raise OperationalError("occupé") from cause

    return vue


class Refus:
    def __init__(self, erreur: Exception) -> None:
        self.erreur = erreur

    def __call__(self, request):
        request.libelles_saisie = {"nom": "Nom de la fiche"}
        raise self.erreur


class Protegee(VueProtegee):
    def autoriser(self, request) -> None:
        if self.kwargs["cas"] == "autre":
            raise Introuvable("inconnu", "Cette fiche n’existe pas.")
        if self.kwargs["cas"] == "role":
            raise Interdit("role", "Seule la Direction peut valider.")

    def get(self, request, cas):
        return HttpResponse("vu")

    post = get


urlpatterns = [
    path("conflit/", Refus(Conflit("deja", "direction.hopital a validé ce dossier il y a 2 minutes."))),
    path("interdit/", Refus(Interdit("role", "Seule la Direction peut valider."))),
    path("introuvable/", Refus(Introuvable("inconnu", "Ce dossier n’existe pas."))),
    path("invalide/", Refus(Invalide("incomplet", "Le dossier est incomplet.", champs={"nom": ["Donner un nom."]}))),
    path("verrou/", _base(LockNotAvailable())),
    path("interblocage/", _base(DeadlockDetected())),
    path("delai/", _base(QueryCanceled())),
    path("unicite/", _base(UniqueViolation())),
    path("permission/", Refus(PermissionDenied())),
    path("absent/", Refus(Http404())),
    path("panne/", Refus(RuntimeError("secret interne"))),
    path("protegee/<cas>/", Protegee.as_view()),
    path("", include("backoffice.config.urls")),
]
handler403 = "backoffice.socle.vues.refuse_403"
handler404 = "backoffice.socle.vues.introuvable_404"
handler500 = "backoffice.socle.vues.erreur_500"

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]


@pytest.mark.parametrize(
    ("adresse", "statut", "message"),
    [
        ("/conflit/", 409, "direction.hopital a validé ce dossier il y a 2 minutes."),
        ("/interdit/", 403, "Seule la Direction peut valider."),
        ("/introuvable/", 404, "Ce dossier n’existe pas."),
        ("/invalide/", 422, "Donner un nom."),
        ("/verrou/", 409, "Une autre personne enregistre au même moment"),
        ("/interblocage/", 409, "Une autre personne enregistre au même moment"),
        ("/delai/", 409, "Une autre personne enregistre au même moment"),
    ],
)
def test_a_refusal_is_an_explained_page(client, adresse, statut, message):
    reponse = client.get(adresse, headers={"referer": "http://testserver/dossiers/12/"})
    assert reponse.status_code == statut
    page = reponse.content.decode()
    assert message in page
    assert page.count("<h1") == 1
    assert 'href="/dossiers/12/"' in page


def test_what_was_typed_is_shown_back_but_no_secret(client):
    page = client.post(
        "/conflit/",
        {
            "nom": "Unité <b>A</b>",
            "texte_libre": "ligne 1\nligne 2",
            "mot_de_passe": "hunter2",
            "new_password1": "hunter2",
            "csrfmiddlewaretoken": "zzz",
            "vide": "",
        },
    ).content.decode()
    assert "Ce que vous aviez saisi" in page
    assert "<dt>Nom de la fiche</dt>" in page
    assert "Unité &lt;b&gt;A&lt;/b&gt;" in page
    assert "<dt>Texte libre</dt>" in page
    assert "hunter2" not in page
    assert "zzz" not in page
    assert "<dt>Vide</dt>" not in page


@pytest.mark.parametrize(
    "referer",
    [
        "https://evil.example/x",
        "http://testserver//evil.example/x",
        "http://testserver/\\evil.example",
        "//evil.example",
    ],
)
def test_a_foreign_referer_is_no_way_back(client, referer):
    page = client.get("/conflit/", headers={"referer": referer}).content.decode()
    assert "evil" not in page


def test_htmx_gets_a_fragment_for_the_zone_of_alerts(client):
    reponse = client.post("/conflit/", headers={"HX-Request": "true"})
    assert reponse.status_code == 409
    assert reponse["HX-Retarget"] == "#alertes"
    assert "<html" not in reponse.content.decode()
    assert "a validé ce dossier" in reponse.content.decode()


@pytest.mark.parametrize(("adresse", "statut"), [("/permission/", 403), ("/absent/", 404)])
def test_no_whole_page_lands_inside_a_page(client, adresse, statut):
    reponse = client.post(adresse, {"nom": "Unité A"}, headers={"HX-Request": "true"})
    page = reponse.content.decode()
    assert (reponse.status_code, reponse["HX-Retarget"]) == (statut, "#alertes")
    assert "<html" not in page
    assert "Unité A" in page


def test_an_old_token_in_an_htmx_request_is_a_fragment_too():
    reponse = Client(enforce_csrf_checks=True).post("/conflit/", {"nom": "Unité A"}, headers={"HX-Request": "true"})
    assert (reponse.status_code, reponse["HX-Retarget"]) == (403, "#alertes")
    assert "Votre session est terminée" in reponse.content.decode()


def test_the_password_page_never_shows_what_was_typed():
    client = Client(enforce_csrf_checks=True)
    page = client.post(
        "/mot-de-passe/", {"ancien": "hunter1", "nouveau": "hunter2", "confirmation": "hunter2"}
    ).content.decode()
    assert "Votre session est terminée" in page
    assert "hunter" not in page


def test_another_database_error_is_no_conflict(client):
    client.raise_request_exception = False
    assert client.get("/unicite/").status_code == 500


@pytest.mark.parametrize(("adresse", "statut"), [("/permission/", 403), ("/absent/", 404), ("/nulle-part/", 404)])
def test_error_pages(client, adresse, statut):
    reponse = client.get(adresse)
    assert reponse.status_code == statut
    assert "Aller à l’accueil" in reponse.content.decode()


def test_the_500_page_needs_nothing_and_tells_nothing(client, django_assert_num_queries):
    client.raise_request_exception = False
    with django_assert_num_queries(0):
        reponse = client.post("/panne/", {"nom": "Mon texte"})
    page = reponse.content.decode()
    assert reponse.status_code == 500
    assert "01 83 76 30 31" in page
    assert "Mon texte" in page
    assert "secret interne" not in page


def test_an_old_form_is_a_session_that_ended_not_a_riddle():
    client = Client(enforce_csrf_checks=True)
    reponse = client.post("/conflit/", {"nom": "Unité A"})
    page = reponse.content.decode()
    assert reponse.status_code == 403
    assert "Votre session est terminée" in page
    assert "Unité A" in page


def test_signed_out(client):
    assert client.get("/protegee/ok/").status_code == 302
    assert client.get("/protegee/ok/")["Location"].startswith("/connexion/?next=/protegee/ok/")
    reponse = client.post("/protegee/ok/", {"nom": "Unité A"})
    assert reponse.status_code == 403
    assert "Unité A" in reponse.content.decode()
    reponse = client.get(
        "/protegee/ok/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/taches/?etat=retard"}
    )
    assert reponse["HX-Redirect"] == "/connexion/?next=/taches/%3Fetat%3Dretard"


def test_signed_in(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("referent.hopital", "a@example.org", "x"))
    assert client.get("/protegee/ok/").content == b"vu"
    assert client.get("/protegee/autre/").status_code == 404
    assert client.get("/protegee/role/").status_code == 403


def test_security_headers(client):
    reponse = client.get("/nulle-part/")
    assert "geolocation=()" in reponse["Permissions-Policy"]
    assert "script-src 'self'" in reponse["Content-Security-Policy"]
    assert "unsafe" not in reponse["Content-Security-Policy"]


def test_alive_asks_nothing_of_the_database(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        reponse = client.get("/sante/vive")
    assert (reponse.status_code, reponse.content.decode()) == (200, "vivant\n")


def test_ready(client):
    assert client.get("/sante/prete").status_code == 200


def test_not_ready_without_migrations(client, monkeypatch):
    monkeypatch.setattr("backoffice.socle.vues._manquantes", lambda: True)
    reponse = client.get("/sante/prete")
    assert (reponse.status_code, reponse.content.decode()) == (503, "migrations à appliquer\n")


def test_not_ready_without_database(client, monkeypatch):
    def coupe():
        raise OperationalError("refus")

    monkeypatch.setattr("backoffice.socle.vues.connection.cursor", coupe)
    reponse = client.get("/sante/prete")
    assert (reponse.status_code, reponse.content.decode()) == (503, "base de données injoignable\n")


@override_settings(TESTS=False, DEBUG=False)
def test_the_catalogue_is_not_for_everybody(client):
    assert client.get("/aide/composants/").status_code == 404
