from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings as reglages
from django.contrib.sessions.models import Session
from django.db import connection
from django.urls import NoReverseMatch, reverse

from backoffice.comptes import domaine, limites
from backoffice.comptes.models import TentativeConnexion

from .conftest import MOT_DE_PASSE

pytestmark = pytest.mark.django_db
REFUS = "L’identifiant ou le mot de passe est incorrect."


def essayer(client, identifiant="referent.hopital", mot="faux-faux-faux", adresse="192.0.2.1", **autres):
    return client.post("/connexion/", {"username": identifiant, "password": mot, **autres}, REMOTE_ADDR=adresse)


def erreurs(reponse):
    return [str(e) for e in reponse.context["form"].non_field_errors()]


def test_la_page(client):
    page = client.get("/connexion/").content.decode()
    for texte in (
        "Identifiant",
        "Mot de passe",
        "<span>Connexion</span>",
        "Besoin de créer un compte ? Problème de mot de passe ?",
        "01 83 76 30 31",
        "(du lundi au vendredi, 8h-20h)",
        "https://formulaire-support.sante-idf.fr",
        "ror.support@sesan.fr",
        "« Direction »",
        "« Référent »",
    ):
        assert texte in page, texte


def test_pas_d_inscription(client):
    """Acceptance 5: nothing on the page leads to opening an account by oneself, and no address does."""
    page = client.get("/connexion/").content.decode()
    assert "inscri" not in page.lower()
    assert page.count("Créer un compte") == 0
    for nom in ("inscription", "signup", "account_signup", "creer_compte"):
        with pytest.raises(NoReverseMatch):
            reverse(nom)
    for chemin in ("/inscription/", "/accounts/signup/", "/comptes/inscription/"):
        assert client.get(chemin).status_code == 404


def test_entrer_et_sortir(client, compte):
    user = compte()
    reponse = essayer(client, mot=MOT_DE_PASSE)
    assert (reponse.status_code, reponse["Location"]) == (302, "/")
    assert client.session["_auth_user_id"] == str(user.pk)
    assert client.get("/deconnexion/").status_code == 405
    assert "_auth_user_id" in client.session
    reponse = client.post("/deconnexion/")
    assert (reponse.status_code, reponse["Location"]) == (302, "/connexion/")
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    ("suite", "ou"),
    [
        ("/envois/?etat=echec", "/envois/?etat=echec"),
        ("https://mechant.example/", "/"),
        ("//mechant.example/", "/"),
        ("/\\mechant.example", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_la_suite_reste_sur_le_site(client, compte, suite, ou):
    compte()
    assert essayer(client, mot=MOT_DE_PASSE, next=suite)["Location"] == ou


def test_un_seul_message_quelle_que_soit_la_faute(client, compte):
    compte()
    ferme = compte("ferme")
    domaine.desactiver_compte(user=ferme, acteur=None)
    for identifiant, mot in (
        ("referent.hopital", "faux-faux-faux"),
        ("inconnu", "faux-faux-faux"),
        ("ferme", "faux-faux-faux"),
        ("ferme", MOT_DE_PASSE),
    ):
        reponse = essayer(client, identifiant, mot)
        assert (reponse.status_code, erreurs(reponse)) == (200, [REFUS])


@pytest.mark.parametrize("identifiant", ["referent.hopital", "inconnu"])
def test_cinq_echecs_puis_une_pause(client, compte, identifiant, time_machine):
    """The same for an account and for an identifier that nobody has."""
    compte()
    time_machine.move_to("2027-03-01T09:00:00+01:00", tick=False)
    for _ in range(5):
        assert erreurs(essayer(client, identifiant)) == [REFUS]
        time_machine.shift(60)
    for mot in ("faux-faux-faux", MOT_DE_PASSE):
        reponse = essayer(client, identifiant.upper(), mot, adresse="198.51.100.7")
        assert reponse.status_code == 429
        assert reponse["Retry-After"] == "601"
        assert erreurs(reponse) == [
            "Trop de tentatives de connexion. Réessayez dans 10 minutes, "
            "ou contactez le support au 01 83 76 30 31 (du lundi au vendredi, 8h-20h)."
        ]
    assert "_auth_user_id" not in client.session
    time_machine.shift(601)
    assert erreurs(essayer(client, identifiant)) == [REFUS]


def test_apres_la_pause_on_entre(client, compte, time_machine):
    compte()
    time_machine.move_to("2027-03-01T09:00:00+01:00", tick=False)
    for _ in range(5):
        essayer(client)
    time_machine.shift(15 * 60 + 1)
    assert essayer(client, mot=MOT_DE_PASSE).status_code == 302
    assert TentativeConnexion.objects.count() == 0


def test_vingt_echecs_pour_une_adresse(client, compte):
    compte()
    for n in range(20):
        assert erreurs(essayer(client, f"devine{n}")) == [REFUS]
    assert essayer(client, mot=MOT_DE_PASSE).status_code == 429
    assert essayer(client, mot=MOT_DE_PASSE, adresse="198.51.100.7").status_code == 302


def test_entrer_remet_son_identifiant_a_zero_et_lui_seul(client, compte):
    compte()
    for _ in range(4):
        essayer(client)
    essayer(client, "un.autre")
    essayer(client, mot=MOT_DE_PASSE)
    assert TentativeConnexion.objects.count() == 1


def test_l_identifiant_n_est_pas_ecrit_en_clair(client):
    essayer(client, "MonMotDePasseParErreur")
    (tentative,) = TentativeConnexion.objects.all()
    assert "motdepasse" not in tentative.empreinte.lower()
    assert len(tentative.empreinte) == 64


@pytest.mark.parametrize(
    ("proxies", "transmis", "attendue"),
    [(0, "203.0.113.9", "192.0.2.1"), (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"), (2, "203.0.113.9", "203.0.113.9")],
)
def test_adresse_de(rf, settings, proxies, transmis, attendue):
    settings.PROXIES_DE_CONFIANCE = proxies
    requete = rf.get("/", REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR=transmis)
    assert limites.adresse_de(requete) == attendue
    assert limites.adresse_de(rf.get("/", REMOTE_ADDR="")) is None


@pytest.mark.course
@pytest.mark.django_db(transaction=True)
def test_cent_essais_simultanes_ne_font_pas_cent_essais():
    def un(_):
        try:
            limites.engager("cible", "192.0.2.1")
        except limites.TropDeTentatives:
            return 0
        else:
            return 1
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as fils:
        passes = sum(fils.map(un, range(60)))
    assert passes <= limites.ESSAIS_PAR_IDENTIFIANT


def test_un_compte_desactive_sort_a_la_requete_suivante(client, compte):
    user = compte()
    essayer(client, mot=MOT_DE_PASSE)
    assert client.get("/mot-de-passe/").status_code == 200
    domaine.desactiver_compte(user=user, acteur=None)
    reponse = client.get("/mot-de-passe/")
    assert (reponse.status_code, reponse["Location"]) == (302, "/connexion/?next=/mot-de-passe/")
    assert "Votre session a pris fin" in client.get(reponse["Location"]).content.decode()


def test_la_porte_de_l_admin_mene_a_la_connexion(client, compte):
    reponse = client.get("/admin/", follow=True)
    assert reponse.redirect_chain[-1][0] == "/connexion/?next=%2Fadmin%2F"
    client.force_login(compte())
    assert client.get("/admin/login/").status_code == 403


def test_une_session_inactive_prend_fin_et_les_lectures_n_ecrivent_pas(client, compte, time_machine):
    depart = "2027-03-01T09:00:00+01:00"
    time_machine.move_to(depart, tick=False)
    compte()
    essayer(client, mot=MOT_DE_PASSE)
    client.get("/mot-de-passe/")
    cle = client.session.session_key

    def fin():
        return Session.objects.get(pk=cle).expire_date

    premiere = fin()
    time_machine.shift(200)
    client.get("/mot-de-passe/")
    assert fin() == premiere
    time_machine.shift(200)
    client.get("/mot-de-passe/")
    assert (fin() - premiere).total_seconds() == 400
    time_machine.shift(reglages.SESSION_COOKIE_AGE - 10)
    assert client.get("/mot-de-passe/").status_code == 200
    time_machine.shift(reglages.SESSION_COOKIE_AGE + 1)
    assert client.get("/mot-de-passe/").status_code == 302
