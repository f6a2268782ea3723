import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings as reglages
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from backoffice.comptes import domaine as comptes
from notifications import expedition, reveil
from notifications.domaine import notifier
from notifications.models import Envoi, EtatEnvoi
from notifications.requetes import envois_en_echec
from notifications.types import CompteOuvert

from .conftest import etats, port_libre

pytestmark = pytest.mark.django_db


def vieillir(**delta):
    """Make what is planned come earlier, as if time had gone by."""
    for envoi in Envoi.objects.exclude(prochaine_tentative=None):
        Envoi.objects.filter(pk=envoi.pk).update(prochaine_tentative=envoi.prochaine_tentative - timedelta(**delta))


def test_un_evenement_annonce_deux_fois_part_une_fois(compte, annoncer, smtp):
    a = compte("a")
    annoncer(a, lien="/connexion/")
    annoncer(a, lien="/connexion/")
    assert expedition.expedier().envoyes == 1
    assert expedition.expedier().envoyes == 0
    (message,) = smtp.messages
    assert message["To"] == "a@example.org"
    assert message["From"] == "ROR <ror@sante.example>"
    assert message["Subject"] == "Votre compte ROR Île-de-France est ouvert"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_body(("plain",)).get_content().replace("\r\n", "\n") == Envoi.objects.get().corps_texte
    assert (
        message.get_body(("html",)).get_content().strip().replace("\r\n", "\n")
        == Envoi.objects.get().corps_html.strip()
    )
    (envoi,) = Envoi.objects.all()
    assert (envoi.etat, envoi.tentatives, envoi.jeton, envoi.erreur) == (EtatEnvoi.ENVOYE, 1, None, "")
    assert envoi.envoye_le is not None


def test_un_lot_prend_une_seule_connexion(compte, annoncer, smtp):
    annoncer(*(compte(f"p{i}") for i in range(7)))
    assert expedition.expedier().envoyes == 7
    assert smtp.connexions == 1
    assert smtp.adresses == [f"p{i}@example.org" for i in range(7)]


def test_l_identifiant_du_message_vient_de_la_cle(compte, annoncer, smtp):
    annoncer(compte("a"))
    expedition.expedier()
    Envoi.objects.update(etat=EtatEnvoi.A_ENVOYER, envoye_le=None, prochaine_tentative=timezone.now())
    expedition.expedier()
    un, deux = (m["Message-ID"] for m in smtp.messages)
    assert un == deux
    assert un.endswith("@sante.example>")


def test_le_mot_de_passe_part_et_ne_reste_pas(db, smtp):
    _, mot = comptes.creer_compte(identifiant="n", email="n@example.org", prenom="N", nom="N", acteur=None)
    expedition.expedier()
    (message,) = smtp.messages
    assert f"Mot de passe provisoire : {mot}" in message.get_body(("plain",)).get_content()
    assert mot in message.get_body(("html",)).get_content()
    (envoi,) = Envoi.objects.values()
    assert mot not in str(envoi)


def test_refus_passager_puis_reussite(compte, annoncer, smtp):
    annoncer(compte("a"), compte("b"))
    smtp.reponses["a@example.org"] = "451 boîte pleine"
    bilan = expedition.expedier()
    assert (bilan.envoyes, bilan.reportes, bilan.echecs) == (1, 1, 0)
    a = Envoi.objects.get(adresse="a@example.org")
    assert (a.etat, a.tentatives) == (EtatEnvoi.A_ENVOYER, 1)
    assert "451" in a.erreur
    assert timedelta(seconds=55) < a.prochaine_tentative - timezone.now() < timedelta(seconds=61)
    assert expedition.expedier().envoyes == 0  # not before its time
    smtp.reponses.clear()
    vieillir(seconds=61)
    assert expedition.expedier().envoyes == 1
    assert etats() == {"a@example.org": EtatEnvoi.ENVOYE, "b@example.org": EtatEnvoi.ENVOYE}


@pytest.mark.parametrize("ou", ["rcpt", "data"])
def test_refus_definitif(compte, annoncer, smtp, ou):
    annoncer(compte("a"))
    if ou == "rcpt":
        smtp.reponses["a@example.org"] = "550 no such user"
    else:
        smtp.corps = "554 message refused"
    assert expedition.expedier().echecs == 1
    (envoi,) = envois_en_echec()
    assert (envoi.etat, envoi.prochaine_tentative) == (EtatEnvoi.ECHEC, None)
    assert ("550" if ou == "rcpt" else "554") in envoi.erreur


def test_un_refus_n_arrete_pas_les_autres(compte, annoncer, smtp):
    annoncer(*(compte(nom) for nom in "abc"))
    smtp.reponses["a@example.org"] = "550 no such user"
    assert expedition.expedier().envoyes == 2
    assert smtp.adresses == ["b@example.org", "c@example.org"]


def test_un_expediteur_refuse_n_est_pas_la_faute_du_destinataire(compte, annoncer, smtp):
    """A wrong DEFAULT_FROM_EMAIL must not throw away every mail of the day."""
    annoncer(compte("a"), compte("b"))
    smtp.expediteur = "550 sender refused"
    bilan = expedition.expedier()
    assert (bilan.echecs, bilan.reportes) == (0, 1)
    assert set(etats().values()) == {EtatEnvoi.A_ENVOYER}
    assert sorted(Envoi.objects.values_list("tentatives", flat=True)) == [0, 1]


def test_serveur_arrete(compte, annoncer, smtp, settings):
    annoncer(compte("a"), compte("b"))
    bon, settings.EMAIL_PORT = settings.EMAIL_PORT, port_libre()
    assert expedition.expedier().reportes == 2
    (erreur,) = set(Envoi.objects.values_list("erreur", flat=True))
    assert erreur.startswith("Serveur de courriel injoignable")
    settings.EMAIL_PORT = bon
    vieillir(seconds=40)
    assert expedition.expedier().envoyes == 2


def test_de_plus_en_plus_tard_puis_echec(compte, annoncer, smtp, monkeypatch):
    monkeypatch.setattr(expedition, "TENTATIVES_MAX", 4)
    annoncer(compte("a"))
    smtp.reponses["a@example.org"] = "451 later"
    delais = []
    for _ in range(3):
        expedition.expedier()
        (envoi,) = Envoi.objects.all()
        delais.append(round((envoi.prochaine_tentative - timezone.now()).total_seconds()))
        vieillir(days=1)
    assert delais == [60, 120, 300]
    assert expedition.expedier().echecs == 1
    assert etats() == {"a@example.org": EtatEnvoi.ECHEC}


def test_sans_serveur_configure_rien_n_est_tente(compte, annoncer, smtp, settings):
    annoncer(compte("a"))
    settings.EMAIL_HOST = ""
    assert expedition.expedier().conserves == 1
    assert etats() == {"a@example.org": EtatEnvoi.NON_EXPEDIE}
    assert smtp.messages == []


def test_compte_desactive_entre_temps(compte, annoncer, smtp):
    a = compte("a")
    annoncer(a)
    comptes.desactiver_compte(user=a, acteur=None)
    assert expedition.expedier().envoyes == 0
    assert etats() == {"a@example.org": EtatEnvoi.ANNULE}


def test_un_travailleur_mort_apres_avoir_pris(compte, annoncer, smtp, settings):
    settings.ENVOI_BAIL_SECONDES = 90
    annoncer(compte("a"))
    (pris,) = expedition.reclamer(10)
    assert pris.etat == EtatEnvoi.EN_COURS
    assert expedition.expedier().envoyes == 0  # somebody holds it
    vieillir(seconds=89)
    assert expedition.expedier().envoyes == 0
    vieillir(seconds=2)
    assert expedition.expedier().envoyes == 1
    # The first worker wakes up: its claim is lost, it neither sends nor marks.
    bilan = expedition.Bilan()
    assert expedition.envoyer_lot([pris], bilan)
    assert bilan == expedition.Bilan()
    assert len(smtp.messages) == 1


def test_un_message_qui_tue_son_travailleur_ne_le_tue_pas_sans_fin(compte, annoncer, smtp):
    annoncer(compte("a"))
    Envoi.objects.update(tentatives=expedition.TENTATIVES_MAX)
    assert expedition.expedier().echecs == 1
    assert "Abandon" in Envoi.objects.get().erreur
    assert smtp.messages == []


def test_une_panne_imprevue_n_arrete_pas_le_lot(compte, annoncer, smtp, monkeypatch):
    annoncer(compte("a"), compte("b"))
    vrai = expedition._message

    def faux(envoi, connexion):
        if envoi.adresse.startswith("a@"):
            raise UnicodeEncodeError("ascii", "é", 0, 1, "no")
        return vrai(envoi, connexion)

    monkeypatch.setattr(expedition, "_message", faux)
    bilan = expedition.expedier()
    assert (bilan.envoyes, bilan.reportes) == (1, 1)


@pytest.mark.parametrize(
    "faux",
    [
        {"etat": "envoye"},
        {"etat": "en_cours"},
        {"etat": "echec", "prochaine_tentative": None},
        {"prochaine_tentative": None},
        {"etat": "inconnu", "prochaine_tentative": None},
        {"etat": "annule", "prochaine_tentative": None, "secret": "x"},
    ],
)
def test_la_base_tient_les_etats(compte, annoncer, smtp, faux):
    annoncer(compte("a"))
    with pytest.raises(IntegrityError), transaction.atomic():
        Envoi.objects.update(**faux)


@pytest.mark.course
@pytest.mark.django_db(transaction=True)
def test_quatre_travailleurs_n_envoient_rien_deux_fois(compte, annoncer, smtp, monkeypatch):
    monkeypatch.setattr(expedition, "LOT", 3)
    smtp.lenteur = 0.005
    annoncer(*(compte(f"p{i:02}") for i in range(24)))
    depart = threading.Barrier(4)

    def travailler(_):
        try:
            depart.wait()
            return expedition.expedier().envoyes
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as fils:
        parts = list(fils.map(travailler, range(4)))
    assert sum(parts) == 24
    assert smtp.adresses == [f"p{i:02}@example.org" for i in range(24)]
    assert set(etats().values()) == {EtatEnvoi.ENVOYE}


@pytest.mark.course
@pytest.mark.django_db(transaction=True)
def test_tue_entre_la_prise_et_l_envoi(compte, annoncer, smtp, settings):
    """kill -9 of a real process that holds a claim: the mail goes out once, when the lease is over."""
    settings.ENVOI_BAIL_SECONDES = 1
    annoncer(compte("a"))
    programme = (
        "import django, time; django.setup()\n"
        "from notifications import expedition\n"
        "assert len(expedition.reclamer(10)) == 1\n"
        "print('pris', flush=True); time.sleep(60)\n"
    )
    nom = connection.settings_dict["NAME"]
    url = reglages.DATABASE_URL
    base, _, parametres = url.partition("?")
    environnement = os.environ | {
        "DJANGO_SETTINGS_MODULE": "backoffice.config.settings",
        "DATABASE_URL": f"{base.rpartition('/')[0]}/{nom}" + (f"?{parametres}" if parametres else ""),
    }
    with subprocess.Popen([sys.executable, "-c", programme], env=environnement, stdout=subprocess.PIPE) as processus:
        assert processus.stdout.readline().strip() == b"pris"
        os.kill(processus.pid, signal.SIGKILL)
    assert etats() == {"a@example.org": EtatEnvoi.EN_COURS}
    assert expedition.expedier().envoyes == 0
    vieillir(seconds=120)
    assert expedition.expedier().envoyes == 1
    assert len(smtp.messages) == 1


@pytest.mark.django_db(transaction=True)
def test_annulee_la_transaction_n_ecrit_a_personne(compte, smtp):
    user = compte("a")

    def evenement_qui_echoue():
        with transaction.atomic():
            notifier(CompteOuvert, destinataires=[user], cle="x", contexte={"identifiant": "", "secret": ""})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        evenement_qui_echoue()
    assert expedition.expedier().envoyes == 0
    assert smtp.messages == []


@pytest.mark.django_db(transaction=True)
def test_le_reveil_est_demande_apres_la_validation(compte, annoncer, smtp, monkeypatch):
    vus = threading.Event()
    publie = []

    def publier():
        publie.append(1)
        vus.set()
        raise ConnectionError("no broker")  # the thread survives it

    monkeypatch.setattr(reveil, "_publier", publier)
    user = compte("a")
    for n in range(2):
        vus.clear()
        debut = time.monotonic()
        annoncer(user, cle=f"e{n}")
        assert time.monotonic() - debut < 1
        assert vus.wait(5)
    assert len(publie) == 2


def test_un_courtier_lent_ne_ralentit_pas(monkeypatch):
    relache = threading.Event()
    monkeypatch.setattr(reveil, "_publier", lambda: relache.wait(5))
    debut = time.monotonic()
    for _ in range(20):
        reveil.reveiller()
    assert time.monotonic() - debut < 0.5
    relache.set()


def test_la_tache_est_connue_de_celery(compte, annoncer, smtp):
    from celery import current_app

    annoncer(compte("a"))
    current_app.tasks["notifications.expedier"].apply()
    assert smtp.adresses == ["a@example.org"]
