import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.comptes import domaine as comptes
from notifications import domaine, requetes
from notifications.models import MARQUE_SECRET, Envoi, EtatEnvoi
from notifications.types import MotDePasseRedonne

from .conftest import etats

pytestmark = pytest.mark.django_db


@pytest.fixture
def gestionnaire(compte):
    return compte("gestionnaire")


def echouer(envoi):
    Envoi.objects.filter(pk=envoi.pk).update(etat=EtatEnvoi.ECHEC, erreur="550 no such user", prochaine_tentative=None)


def lignes(reponse):
    return [e.adresse for e in reponse.context["page"].envois]


def test_chacun_voit_les_siens_le_gestionnaire_tout(client, compte, gestionnaire, annoncer):
    a, b = compte("a"), compte("b")
    annoncer(a, b)
    sien, autre = Envoi.objects.get(destinataire=a), Envoi.objects.get(destinataire=b)
    client.force_login(a)
    assert lignes(client.get("/envois/")) == ["a@example.org"]
    for suite, attendu in ((sien, 200), (autre, 404)):
        assert client.get(f"/envois/{suite.pk}/").status_code == attendu
        assert client.get(f"/envois/{suite.pk}/html/").status_code == attendu
    assert client.post(f"/envois/{autre.pk}/reexpedier/").status_code == 404
    client.force_login(gestionnaire)
    assert lignes(client.get("/envois/")) == ["b@example.org", "a@example.org"]
    assert client.get(f"/envois/{autre.pk}/").status_code == 200


def test_sans_compte(client, compte, annoncer):
    annoncer(compte("a"))
    pk = Envoi.objects.get().pk
    for chemin in ("/envois/", f"/envois/{pk}/", f"/envois/{pk}/html/"):
        assert client.get(chemin)["Location"] == f"/connexion/?next={chemin}"
    assert client.post(f"/envois/{pk}/reexpedier/").status_code == 403  # « votre session est terminée »


def test_vide(client, compte):
    client.force_login(compte("a"))
    assert "Aucun courriel pour l’instant" in client.get("/envois/").content.decode()
    assert "Aucun courriel ne correspond" in client.get("/envois/?q=rien").content.decode()


def test_filtres(client, gestionnaire, compte, annoncer):
    annoncer(compte("ada", nom="Lovelace"), compte("bob"))
    annoncer(compte("cyd"), type_=MotDePasseRedonne)
    echouer(Envoi.objects.get(adresse="bob@example.org"))
    client.force_login(gestionnaire)
    for filtre, attendu in (
        ("etat=echec", ["bob@example.org"]),
        ("type=mot_de_passe_redonne", ["cyd@example.org"]),
        ("q=lovelace", ["ada@example.org"]),
        ("q=provisoire", ["cyd@example.org"]),
        ("q=BOB%20ouvert", ["bob@example.org"]),
        ("q=rien", []),
        ("etat=nimporte&type=quoi&avant=x", ["cyd@example.org", "bob@example.org", "ada@example.org"]),
    ):
        assert lignes(client.get(f"/envois/?{filtre}")) == attendu, filtre


def test_pages_par_cle(compte, annoncer, gestionnaire):
    for n in range(7):
        annoncer(gestionnaire, cle=f"e{n}")
    tous = list(Envoi.objects.order_by("-pk").values_list("pk", flat=True))
    envois = requetes.chercher(gestionnaire)

    def lire(**borne):
        p = requetes.page(envois, taille=3, **borne)
        return [e.pk for e in p.envois], p

    cles, p = lire()
    assert (cles, p.apres) == (tous[:3], None)
    cles, p = lire(avant=p.avant)
    assert (cles, p.apres) == (tous[3:6], tous[3])
    dernieres, fin = lire(avant=p.avant)
    assert (dernieres, fin.avant) == (tous[6:], None)
    retour, p = lire(apres=fin.apres)
    assert retour == tous[3:6]
    assert lire(apres=p.apres)[0] == tous[:3]
    assert lire(apres=p.apres)[1].apres is None
    assert lire(avant=0)[0] == []


def test_le_meme_nombre_de_requetes_pour_une_et_trois_lignes(client, gestionnaire, compte, annoncer):
    client.force_login(gestionnaire)
    client.get("/envois/")
    comptes_vus = []
    for n in (1, 3):
        while Envoi.objects.count() < n:
            annoncer(compte(f"p{Envoi.objects.count()}"))
        with CaptureQueriesContext(connection) as vues:
            assert len(lignes(client.get("/envois/"))) == n
        comptes_vus.append(len(vues))
    assert comptes_vus[0] == comptes_vus[1]


def test_le_message_est_enferme(client, compte, annoncer):
    a = compte("a")
    annoncer(a, contexte={"identifiant": "<script>alert(1)</script>"})
    envoi = Envoi.objects.get()
    client.force_login(a)
    page = client.get(f"/envois/{envoi.pk}/")
    assert "<script>alert" not in page.content.decode()
    assert 'sandbox="allow-popups"' in page.content.decode()
    html = client.get(f"/envois/{envoi.pk}/html/")
    assert "<script>alert" not in html.content.decode()
    politique = html["Content-Security-Policy"]
    for directive in ("default-src 'none'", "script-src 'none'", "frame-ancestors 'self'", "sandbox allow-popups"):
        assert directive in politique
    assert html["X-Frame-Options"] == "SAMEORIGIN"
    assert "unsafe-inline" not in page["Content-Security-Policy"]


def test_reexpedier(client, gestionnaire, compte, annoncer, smtp):
    a = compte("a")
    annoncer(a)
    envoi = Envoi.objects.get()
    echouer(envoi)
    a.email = "nouvelle@example.org"
    a.save()
    client.force_login(gestionnaire)
    assert "Réexpédier" in client.get(f"/envois/{envoi.pk}/").content.decode()
    assert client.get(f"/envois/{envoi.pk}/reexpedier/").status_code == 405
    reponse = client.post(f"/envois/{envoi.pk}/reexpedier/", follow=True)
    assert "va être expédié" in reponse.content.decode()
    envoi.refresh_from_db()
    assert (envoi.etat, envoi.adresse, envoi.reexpedie_par) == (
        EtatEnvoi.A_ENVOYER,
        "nouvelle@example.org",
        gestionnaire,
    )
    reponse = client.post(f"/envois/{envoi.pk}/reexpedier/", follow=True)
    assert "il n’y a rien à réexpédier" in reponse.content.decode()


def test_seul_un_gestionnaire_reexpedie(client, compte, annoncer, smtp):
    a = compte("a")
    annoncer(a)
    echouer(Envoi.objects.get())
    client.force_login(a)
    pk = Envoi.objects.get().pk
    assert "Réexpédier" not in client.get(f"/envois/{pk}/").content.decode()
    reponse = client.post(f"/envois/{pk}/reexpedier/")
    assert reponse.status_code == 403
    assert "Seul un gestionnaire" in reponse.content.decode()
    assert etats() == {"a@example.org": EtatEnvoi.ECHEC}


def test_reexpedier_sans_serveur_ou_compte_ferme(gestionnaire, compte, annoncer, settings):
    a = compte("a")
    annoncer(a)
    envoi = Envoi.objects.get()
    with pytest.raises(domaine.Conflit, match="Aucun serveur"):
        domaine.reexpedier(envoi=envoi, acteur=gestionnaire)
    settings.EMAIL_HOST = "localhost"
    comptes.desactiver_compte(user=a, acteur=gestionnaire)
    with pytest.raises(domaine.Conflit, match="désactivé"):
        domaine.reexpedier(envoi=envoi, acteur=gestionnaire)


def ouvrir(identifiant="nouveau"):
    user, mot = comptes.creer_compte(
        identifiant=identifiant, email=f"{identifiant}@example.org", prenom="N", nom="N", acteur=None
    )
    return user, mot, Envoi.objects.get(destinataire=user)


def test_le_mot_de_passe_se_lit_seulement_quand_rien_ne_part(client, gestionnaire, settings):
    user, mot, envoi = ouvrir()
    chemin = f"/envois/{envoi.pk}/"

    def page():
        return client.get(chemin).content.decode()

    client.force_login(gestionnaire)
    assert mot in page()
    assert mot not in client.get(chemin + "html/").content.decode()
    assert MARQUE_SECRET in client.get(chemin + "html/").content.decode()
    client.force_login(user)
    assert mot not in client.get(chemin, follow=True).content.decode()
    comptes.changer_mot_de_passe(user=user, nouveau="Goeland-argente-77")
    client.force_login(gestionnaire)
    assert mot not in page()


@pytest.mark.parametrize("etat", [EtatEnvoi.A_ENVOYER, EtatEnvoi.ECHEC])
def test_le_mot_de_passe_est_masque_quand_il_doit_partir(client, gestionnaire, smtp, etat):
    _, mot, envoi = ouvrir()
    if etat == EtatEnvoi.ECHEC:
        echouer(envoi)
    client.force_login(gestionnaire)
    page = client.get(f"/envois/{envoi.pk}/").content.decode()
    assert mot not in page
    assert "masqué" in page


def test_un_mot_de_passe_perime_ne_repart_pas(gestionnaire, smtp):
    user, _, envoi = ouvrir()
    echouer(envoi)
    comptes.changer_mot_de_passe(user=user, nouveau="Goeland-argente-77")
    with pytest.raises(domaine.Conflit, match="plus valable"):
        domaine.reexpedier(envoi=envoi, acteur=gestionnaire)


def test_etats_affiches(client, gestionnaire, annoncer, smtp):
    annoncer(gestionnaire)
    pk = Envoi.objects.get().pk
    client.force_login(gestionnaire)
    for champs, mot in (
        ({}, "à envoyer"),
        ({"erreur": "451 later", "tentatives": 2}, "nouvel essai prévu"),
        ({"etat": "echec", "erreur": "550", "prochaine_tentative": None}, "en échec"),
        ({"etat": "annule", "erreur": "parti"}, "annulé"),
        ({"etat": "non_expedie", "erreur": ""}, "conservé"),
        ({"etat": "envoye", "envoye_le": timezone.now()}, "envoyé"),
    ):
        Envoi.objects.filter(pk=pk).update(**champs)
        for chemin in ("/envois/", f"/envois/{pk}/"):
            reponse = client.get(chemin)
            assert reponse.status_code == 200
            assert mot in reponse.content.decode()
