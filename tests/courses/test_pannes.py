"""kill -9 in the middle: of the process that publishes, of PostgreSQL, of the worker that mails."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from email import message_from_bytes, policy

import psycopg
import pytest
from aiosmtpd.controller import Controller
from django.db import connection

from backoffice.embarque.prive import cluster_prive
from backoffice.pages.demo import charger_demo
from benchmarks import jeux
from notifications.models import Envoi
from structures.domaine.enregistrer import ecarts
from structures.models import Modification, Reservation
from workflows.domaine import decisions
from workflows.enums import EtatDossier
from workflows.models import Decision, Dossier, Evenement, Tache

pytestmark = [pytest.mark.course, pytest.mark.lent, pytest.mark.timeout(300)]

FICHES = 1000

APPROUVER = """
import django; django.setup()
from backoffice.comptes.models import User
from workflows.domaine import decisions
print("pret", flush=True); input()
decisions.approuver(tache={tache}, acteur=User.objects.get(username="gestionnaire"))
print("fait", flush=True)
"""


def base_courante() -> str:
    """URL of the test database this worker uses."""
    reglages = connection.settings_dict
    return (
        f"postgresql://{reglages['USER']}@/{reglages['NAME']}?host={reglages['HOST']}&port={reglages['PORT'] or 5432}"
    )


def lancer(code: str, base: str, **environ: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "backoffice.config.settings", "DATABASE_URL": base, **environ},
    )  # fmt: skip


def etat_complet(dossier: int) -> dict[str, int | str]:
    return {
        "etat": Dossier.objects.get(pk=dossier).etat,
        "modifications": Modification.objects.filter(origine=f"dossier {dossier}").count(),
        "decisions": Decision.objects.filter(dossier=dossier, issue="approuve").count(),
        "publications": Evenement.objects.filter(dossier=dossier, type="publie").count(),
        "courriels": Envoi.objects.filter(type_code="dossier_publie").count(),
        "verrous": Reservation.objects.filter(dossier=dossier).count(),
    }


RIEN = {"etat": "approbation", "modifications": 0, "decisions": 0, "publications": 0, "courriels": 0, "verrous": 1}
TOUT = {"etat": "publie", "modifications": FICHES, "decisions": 1, "publications": 1, "courriels": 1, "verrous": 0}


@pytest.mark.parametrize("delai", [0.02, 0.15, 0.4])
def test_tuer_le_processus_qui_publie(transactional_db: None, delai: float) -> None:
    """All or nothing; the approval can be given again by the same person."""
    eg = jeux.ehpad("920000001", FICHES // 2)
    referent, gestionnaire = jeux.acteurs(eg)
    dossier, tache = jeux.dossier_envoye(eg, FICHES, referent)
    web = lancer(APPROUVER.format(tache=tache.pk), base_courante(), PGAPPNAME="tue")
    assert web.stdout is not None
    assert web.stdin is not None
    assert web.stdout.readline() == "pret\n"
    web.stdin.write("\n")
    web.stdin.flush()
    time.sleep(delai)
    web.send_signal(signal.SIGKILL)
    web.wait()
    web.stdin.close()
    web.stdout.close()
    _attendre_la_fin_des_sessions()
    apres = etat_complet(dossier.pk)
    assert apres in (RIEN, TOUT)
    assert ecarts(eg) == []
    if apres == RIEN:
        decisions.approuver(tache=tache.pk, acteur=gestionnaire)
    assert etat_complet(dossier.pk) == TOUT
    assert ecarts(eg) == []


def _attendre_la_fin_des_sessions() -> None:
    """PostgreSQL notices the dead client at its next read: wait until its transaction is over. Sessions that
    other tests left open don't count."""
    for _ in range(200):
        with connection.cursor() as curseur:
            curseur.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tue'"
            )
            if curseur.fetchone()[0] == 0:
                return
        time.sleep(0.05)
    pytest.fail("The session of the killed process did not end.")


PREPARER = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0); call_command("charger_referentiels", verbosity=0)
from benchmarks import jeux
eg = jeux.ehpad("920000001", {moitie})
referent, _ = jeux.acteurs(eg)
print(*(x.pk for x in jeux.dossier_envoye(eg, {fiches}, referent)), flush=True)
"""


def test_tuer_postgresql_pendant_la_publication() -> None:
    """On a cluster of its own: kill -9 of the server process that publishes makes PostgreSQL recover from its log."""
    with cluster_prive() as base:
        preparation = lancer(PREPARER.format(moitie=FICHES // 2, fiches=FICHES), base)
        dossier, tache = preparation.communicate(timeout=120)[0].split()[-2:]
        publieur = lancer(APPROUVER.format(tache=tache), base)
        assert publieur.stdout is not None
        assert publieur.stdin is not None
        assert publieur.stdout.readline() == "pret\n"
        publieur.stdin.write("\n")
        publieur.stdin.flush()
        victime = _serveur_en_transaction(base)
        os.kill(victime, signal.SIGKILL)
        assert publieur.wait(timeout=60) != 0
        publieur.stdin.close()
        publieur.stdout.close()
        _attendre_le_retablissement(base)
        assert _compter(base, dossier) == ("approbation", 0, 1)
        reprise = lancer(APPROUVER.format(tache=tache), base)
        assert reprise.communicate("\n", timeout=60)[0] == "pret\nfait\n"
        assert _compter(base, dossier) == ("publie", FICHES, 0)
        verification = lancer(
            "import django; django.setup()\nfrom structures.domaine.enregistrer import ecarts\nprint(ecarts())", base
        )
        assert verification.communicate(timeout=60)[0] == "[]\n"


def _serveur_en_transaction(base: str) -> int:
    """The backend of the publication, once it has begun to write versions."""
    with psycopg.connect(base, autocommit=True) as lecture:
        for _ in range(2000):
            ligne = lecture.execute(
                """SELECT a.pid FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid
                   WHERE l.relation = 'structures_modification'::regclass AND l.mode = 'RowExclusiveLock'"""
            ).fetchone()
            if ligne:
                return int(ligne[0])
            time.sleep(0.002)
    pytest.fail("The publication was never seen writing.")


def _attendre_le_retablissement(base: str) -> None:
    for _ in range(300):
        try:
            with psycopg.connect(base):
                return
        except psycopg.OperationalError:
            time.sleep(0.1)
    pytest.fail("PostgreSQL did not come back.")


def _compter(base: str, dossier: str) -> tuple[str, int, int]:
    with psycopg.connect(base) as lecture:
        ligne = lecture.execute(
            """SELECT etat, (SELECT count(*) FROM structures_modification WHERE origine = 'dossier ' || d.id),
                      (SELECT count(*) FROM structures_reservation WHERE dossier = d.id)
               FROM workflows_dossier d WHERE id = %s""",
            [dossier],
        ).fetchone()
    assert ligne is not None
    return ligne


class Boite:
    """A real SMTP server that takes its time, so that a worker can be killed while it sends."""

    def __init__(self) -> None:
        self.recus: list[str] = []
        self.en_cours = 0
        self.lenteur = 0.0

    async def handle_DATA(self, server, session, envelope):
        self.en_cours += 1
        await asyncio.sleep(self.lenteur)
        message = message_from_bytes(envelope.content, policy=policy.default)
        self.recus.append(message["Message-ID"])
        return "250 OK"


@pytest.fixture
def boite() -> Iterator[tuple[Boite, int]]:
    boite = Boite()
    with socket.create_server(("127.0.0.1", 0)) as libre:  # aiosmtpd can't take port 0
        port = libre.getsockname()[1]
    serveur = Controller(boite, hostname="127.0.0.1", port=port)
    serveur.start()
    yield boite, port
    serveur.stop()


OUVRIER = """
import django; django.setup()
import time
from notifications.tasks import expedier
print("pret", flush=True)
while True:
    expedier(); time.sleep(0.2)
"""


def test_tuer_l_ouvrier_entre_la_decision_et_le_courriel(
    transactional_db: None, boite: tuple[Boite, int], settings
) -> None:
    """The decision is committed with its mails; the worker is killed before they leave; they leave once after."""
    boite_, port = boite
    settings.EMAIL_HOST = "127.0.0.1"
    charger_demo()  # made here: its mails wait, since there is a server to send them to
    a_envoyer = Envoi.objects.filter(etat="a_envoyer").count()
    assert a_envoyer > 0
    environ = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(port), "ENVOI_BAIL_SECONDES": "1", "ROR_TESTS": "1"}
    boite_.lenteur = 30
    premier = lancer(OUVRIER, base_courante(), **environ)
    for _ in range(300):
        if boite_.en_cours:
            break
        time.sleep(0.05)
    assert boite_.en_cours == 1
    premier.kill()
    premier.communicate()
    tache = Tache.objects.get(dossier__nom="Consultation de dermatologie à la clinique", close_le__isnull=True)
    decisions.valider(tache=tache.pk, acteur=jeux.User.objects.get(username="direction.hopital"))
    attendus = Envoi.objects.count()
    assert attendus > a_envoyer
    boite_.lenteur, boite_.recus = 0.0, []
    second = lancer(OUVRIER, base_courante(), **environ)
    try:
        for _ in range(600):
            if Envoi.objects.filter(etat="envoye").count() == attendus:
                break
            time.sleep(0.1)
    finally:
        second.kill()
        second.communicate()
    assert Envoi.objects.filter(etat="envoye").count() == attendus
    assert len(boite_.recus) == len(set(boite_.recus)) == attendus
    assert Dossier.objects.get(pk=tache.dossier_id).etat == EtatDossier.APPROBATION
