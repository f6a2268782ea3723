"""Webhooks: order, signature, retries, replay, killed workers, and where they may not lead. A real receiver."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import time_machine
from django.conf import settings as reglages
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.socle.erreurs import Conflit, Interdit, Introuvable, Invalide
from notifications.models import Envoi
from structures.enums import ActionRessource, Role
from structures.livraisons import abonnements as verbes
from structures.livraisons import adresses, livrer, poster, signature
from structures.livraisons.changements import dernier_rang
from structures.models import Abonnement, Livraison, RessourceVersion, TentativeLivraison
from tests.factories.consommateurs import consommateur
from tests.factories.repertoire import compte, etablissement, gestionnaire, uo

pytestmark = pytest.mark.django_db
TOUS = ["Organization", "HealthcareService", "Location"]


class Destinataire:
    """What came, and how it answers: ``statuts`` in turn, then 204."""

    def __init__(self) -> None:
        self.recus: list[tuple[str, dict[str, str], bytes]] = []
        self.statuts: list[int] = []
        self.corps, self.entetes, self.lenteur = b"", {}, 0.0
        self.apres = lambda: None

    @property
    def evenements(self) -> list[dict]:
        return [e for _, _, corps in self.recus for e in json.loads(corps)["evenements"]]

    @property
    def rangs(self) -> list[int]:
        return [e["rang"] for e in self.evenements]


@pytest.fixture
def destinataire(settings) -> Iterator[Destinataire]:
    recu = Destinataire()

    class Poste(BaseHTTPRequestHandler):
        def do_POST(self):
            corps = self.rfile.read(int(self.headers["Content-Length"]))
            recu.recus.append((self.path, dict(self.headers), corps))
            recu.apres()
            self.send_response(recu.statuts.pop(0) if recu.statuts else 204)
            for nom, valeur in recu.entetes.items():
                self.send_header(nom, valeur)
            self.end_headers()
            try:
                for octet in recu.corps if recu.lenteur else ():
                    time.sleep(recu.lenteur)
                    self.wfile.write(bytes([octet]))
                if not recu.lenteur:
                    self.wfile.write(recu.corps)
            except OSError:
                pass

        def log_message(self, *args):
            pass

    serveur = ThreadingHTTPServer(("127.0.0.1", 0), Poste)
    recu.adresse = f"http://127.0.0.1:{serveur.server_port}/ror?a=1"
    fil = threading.Thread(target=serveur.serve_forever, args=(0.01,), daemon=True)
    fil.start()
    settings.WEBHOOK_RESEAUX_PERMIS = ["127.0.0.0/8"]
    yield recu
    serveur.shutdown()
    serveur.server_close()


@pytest.fixture
def sesan():
    return gestionnaire()


@pytest.fixture
def abonne(destinataire, sesan):
    def ouvrir(types=TOUS, departements=(), qui=None):
        return verbes.abonner(
            consommateur=(qui or consommateur()[0]).pk, acteur=sesan, adresse=destinataire.adresse, types=types,
            departements=departements,
        )  # fmt: skip

    return ouvrir


def changer(nombre=1, *, fiche=None, type_="Organization", nom="a") -> list[int]:
    """So many resources created in the feed; their ranks."""
    fiche = fiche or etablissement()
    contenu = {"resourceType": type_, "contact": [{"telecom": [{"value": "0102030405"}]}]}
    faites = RessourceVersion.objects.bulk_create(
        RessourceVersion(
            type=type_, identifiant=f"{nom}{n}-{fiche.pk}", fiche=fiche, version=1, maj=timezone.now(),
            action=ActionRessource.CREATION, contenu=contenu,
        )
        for n in range(nombre)
    )  # fmt: skip
    return [v.rang for v in faites]


def vieillir(**delta) -> None:
    """As if time had gone by for what is planned."""
    for a in Abonnement.objects.all():
        Abonnement.objects.filter(pk=a.pk).update(prochaine_tentative=a.prochaine_tentative - timedelta(**delta))


def verifier() -> dict:
    """The snippet of the documentation, as a receiver copies it."""
    texte = (Path(reglages.BASE_DIR) / "docs" / "webhooks.md").read_text(encoding="utf-8")
    espace: dict = {}
    exec(texte.partition("```python\n")[2].partition("```")[0], espace)
    return espace


def test_chaque_changement_dans_l_ordre_par_cent_sans_contenu(abonne, destinataire):
    changer(3, nom="avant")  # before the subscription: an export says it
    abonnement = abonne()
    rangs = changer(250)
    bilan = livrer.livrer()
    assert (bilan.livrees, bilan.reportees) == (3, 0)
    assert destinataire.rangs == rangs
    assert [len(json.loads(c)["evenements"]) for _, _, c in destinataire.recus] == [100, 100, 50]
    assert set(destinataire.evenements[0]) == {"rang", "type", "identifiant", "version", "action", "maj"}
    assert b"0102030405" not in b"".join(c for _, _, c in destinataire.recus)
    assert list(Livraison.objects.order_by("pk").values_list("premier", "dernier")) == [
        (rangs[0], rangs[99]), (rangs[100], rangs[199]), (rangs[200], rangs[249]),
    ]  # fmt: skip
    abonnement.refresh_from_db()
    assert (abonnement.curseur, abonnement.jeton, abonnement.echecs) == (rangs[-1], None, 0)
    assert livrer.livrer() == livrer.Bilan()


def test_le_destinataire_reconnait_la_signature(abonne, destinataire, sesan):
    abonnement = abonne()
    changer()
    livrer.livrer()
    [(chemin, entetes, corps)] = destinataire.recus
    secret = verbes.reveler(numero=abonnement.pk, acteur=sesan)
    est_du_ror = verifier()["est_du_ror"]
    assert chemin == "/ror?a=1"
    assert entetes["Ror-Livraison"] == json.loads(corps)["id"] == str(Livraison.objects.get().identifiant)
    assert est_du_ror(secret, entetes, corps)
    assert not est_du_ror(secret, entetes, corps + b" ")
    assert not est_du_ror("0" * 64, entetes, corps)
    assert not est_du_ror(secret, entetes | {"Ror-Horodatage": str(int(entetes["Ror-Horodatage"]) - 1)}, corps)
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        assert not est_du_ror(secret, entetes, corps)
    # No copy of the database holds it.
    assert secret not in str(list(Abonnement.objects.values()))

    verbes.renouveler_secret(numero=abonnement.pk, acteur=sesan, garder_ancien=True)
    nouveau = verbes.reveler(numero=abonnement.pk, acteur=sesan)
    verbes.essayer(numero=abonnement.pk, acteur=sesan)
    livrer.livrer()
    assert est_du_ror(secret, *destinataire.recus[-1][1:])
    assert est_du_ror(nouveau, *destinataire.recus[-1][1:])
    verbes.renouveler_secret(numero=abonnement.pk, acteur=sesan, garder_ancien=False)
    verbes.essayer(numero=abonnement.pk, acteur=sesan)
    livrer.livrer()
    assert not est_du_ror(nouveau, *destinataire.recus[-1][1:])


def test_les_filtres(abonne, destinataire):
    paris, evry = etablissement(), etablissement(commune="91228", code_postal="91000")
    offres = abonne(types=["HealthcareService"], departements=["91"])
    unite = uo(etablissement("medico-social", commune="91228", code_postal="91000"))
    attendus = []
    for fiche, type_ in ((paris, "HealthcareService"), (evry, "Organization"), (unite, "HealthcareService")):
        attendus = changer(fiche=fiche, type_=type_)
    changer(fiche=paris, type_="HealthcareService", nom="b")
    livrer.livrer()
    assert destinataire.rangs == attendus
    offres.refresh_from_db()
    assert offres.curseur == dernier_rang()
    # A right that was taken from the consumer is taken from his subscriptions.
    qui = offres.consommateur
    qui.portees = ["system/Organization.read"]
    qui.save()
    changer(fiche=unite, type_="HealthcareService", nom="c")
    assert livrer.livrer().livrees == 0


def test_un_droit_retire_vaut_pour_ce_qui_attend_et_se_rejoue(abonne, destinataire, sesan):
    abonnement, fiche = abonne(), uo(etablissement("medico-social"))
    qui = abonnement.consommateur
    lues, interdites = changer(2, fiche=fiche), changer(fiche=fiche, type_="HealthcareService")
    livrer.livrer()
    mixte = Livraison.objects.get()
    changer(fiche=fiche, type_="HealthcareService", nom="b")
    livrer.livrer()
    interdite = Livraison.objects.latest("pk")
    verbes.rejouer(livraison=interdite.pk, acteur=sesan)
    verbes.rejouer(livraison=mixte.pk, acteur=sesan)
    ouvertes = [str(i) for i in Livraison.objects.filter(livree_le=None).values_list("identifiant", flat=True)]
    qui.portees = ["system/Organization.read"]
    qui.save()
    destinataire.recus.clear()
    assert livrer.livrer().livrees == 1
    assert destinataire.rangs == lues  # of what waited, without one type, under another name
    assert json.loads(destinataire.recus[0][2])["id"] not in ouvertes
    assert list(
        qui.journal.filter(acte="abonnement", acteur=None).order_by("pk").values_list("changements", flat=True)
    ) == [
        [["Livraison en attente", ouvertes[0], "annonces retirées faute de droit : 1 sur 1"]],
        [["Livraison en attente", ouvertes[1], "annonces retirées faute de droit : 1 sur 3"]],
    ]
    verbes.rejouer(livraison=mixte.pk, acteur=sesan)
    livrer.livrer()
    assert destinataire.rangs == lues * 2
    assert interdites[0] not in destinataire.rangs
    with pytest.raises(Conflit, match="plus le droit"):
        verbes.rejouer(livraison=interdite.pk, acteur=sesan)
    # The consumer is suspended during a run: the run says nothing more, and lets the subscription go.
    for _ in range(3):
        verbes.essayer(numero=abonnement.pk, acteur=sesan)
    pris = livrer.reclamer()
    type(qui).objects.filter(pk=qui.pk).update(suspendu_le=timezone.now(), motif_suspension="Fuite")
    livrer.servir(pris, bilan := livrer.Bilan(), time.monotonic() + 5)
    assert bilan == livrer.Bilan()
    assert Abonnement.objects.get().jeton is None


def test_de_plus_en_plus_tard_puis_suspendu_puis_repris_sans_perte(abonne, destinataire, sesan, monkeypatch):
    monkeypatch.setattr(livrer, "ECHECS_MAX", 4)
    abonnement = abonne()
    rangs = changer(2)
    destinataire.statuts = [500, 404, 302, 503]
    destinataire.entetes, destinataire.corps = {"Location": destinataire.adresse}, b"{}" + b"x" * 9000
    delais = []
    for _ in range(3):
        assert livrer.livrer().reportees == 1
        abonnement.refresh_from_db()
        delais.append(round((abonnement.prochaine_tentative - timezone.now()).total_seconds()))
        assert livrer.livrer() == livrer.Bilan()  # not before its time
        vieillir(seconds=delais[-1])
    assert delais == [30, 60, 120]
    rangs += changer(nom="ensuite")
    assert livrer.livrer().suspendus == 1
    abonnement.refresh_from_db()
    assert abonnement.suspendu_par is None
    assert "503" in abonnement.motif
    assert set(Abonnement.objects.suspendus_d_office()) == {abonnement}
    assert list(Envoi.objects.values_list("type_code", "destinataire")) == [("abonnement_suspendu", sesan.pk)]
    essais = TentativeLivraison.objects.order_by("pk")
    assert list(essais.values_list("statut", flat=True)) == [500, 404, 302, 503]
    assert len(essais[0].reponse) == livrer.EXTRAIT
    assert "redirige" in essais[2].erreur
    vieillir(days=2)
    assert livrer.livrer() == livrer.Bilan()
    verbes.reprendre(numero=abonnement.pk, acteur=sesan)
    assert livrer.livrer().livrees == 2
    assert destinataire.rangs == [*rangs[:2] * 5, rangs[2]]
    assert len({json.loads(c)["id"] for _, _, c in destinataire.recus}) == 2  # the same delivery each time
    with pytest.raises(Conflit):
        verbes.reprendre(numero=abonnement.pk, acteur=sesan)


def test_rejouer(abonne, destinataire, sesan):
    abonnement = abonne()
    rangs = changer(3)
    livrer.livrer()
    premiere = Livraison.objects.get()
    copie = verbes.rejouer(livraison=premiere.pk, acteur=sesan)
    with pytest.raises(Conflit):
        verbes.rejouer(livraison=copie.pk, acteur=sesan)
    livrer.livrer()
    assert destinataire.rangs == rangs * 2
    assert len({json.loads(c)["id"] for _, _, c in destinataire.recus}) == 2
    verbes.rejouer_depuis(numero=abonnement.pk, acteur=sesan, rang=rangs[1])
    livrer.livrer()
    assert destinataire.rangs == [*rangs, *rangs, *rangs[1:]]
    assert verbes.rang_du(timezone.now() - timedelta(days=1)) == RessourceVersion.objects.earliest("pk").rang
    for rang in (0, dernier_rang() + 1):
        with pytest.raises(Invalide):
            verbes.rejouer_depuis(numero=abonnement.pk, acteur=sesan, rang=rang)
    essai = verbes.essayer(numero=abonnement.pk, acteur=sesan)
    livrer.livrer()
    assert json.loads(destinataire.recus[-1][2])["genre"] == "essai"
    with pytest.raises(Conflit):
        verbes.rejouer(livraison=essai.pk, acteur=sesan)
    verbes.suspendre(numero=abonnement.pk, acteur=sesan, motif="Maintenance")
    changer(nom="b")
    assert livrer.livrer() == livrer.Bilan()
    for verbe in (verbes.essayer, lambda **k: verbes.rejouer_depuis(rang=1, **k)):
        with pytest.raises(Conflit):
            verbe(numero=abonnement.pk, acteur=sesan)
    Livraison.objects.update(livree_le=timezone.now() - timedelta(days=31))
    assert livrer.purger() == Livraison.objects.count() + 4 == 4


def test_un_travailleur_mort_apres_l_envoi_recommence_la_meme_livraison(abonne, destinataire, settings, monkeypatch):
    settings.LIVRAISON_BAIL_SECONDES = 90
    abonne()
    rangs = changer(2)
    mort = livrer.reclamer()
    livraison = livrer._prochaine(mort)
    corps = livraison.corps.encode()
    assert poster.poster(mort.adresse, corps, {"Ror-Livraison": str(livraison.identifiant)}).acceptee
    # Killed here. Somebody holds the subscription until its lease ends.
    assert livrer.livrer() == livrer.Bilan()
    vieillir(seconds=91)
    assert livrer.livrer().livrees == 1
    assert destinataire.rangs == rangs * 2
    assert [e["Ror-Livraison"] for _, e, _ in destinataire.recus] == [str(livraison.identifiant)] * 2
    # It was only slow, and wakes up: its claim is lost, it sends nothing and changes nothing.
    assert livrer._prochaine(mort) is None
    livrer._noter(mort, livraison, poster.Reponse(500, "", "", 3), timezone.now(), livrer.Bilan())
    assert Abonnement.objects.get().echecs == 0


@pytest.mark.course
@pytest.mark.django_db(transaction=True)
def test_plusieurs_travailleurs_gardent_l_ordre(abonne, destinataire):
    for _ in range(3):
        abonne()
    rangs = changer(320)
    destinataire.corps = b"ok"

    def travailler(_):
        try:
            return livrer.livrer().livrees
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as fils:
        assert sum(fils.map(travailler, range(4))) == 12
    for numero in Abonnement.objects.values_list("pk", flat=True):
        siens = [json.loads(c) for _, _, c in destinataire.recus]
        assert [e["rang"] for d in siens if d["abonnement"] == numero for e in d["evenements"]] == rangs


def test_un_destinataire_qui_traine_est_coupe(destinataire, monkeypatch):
    monkeypatch.setattr(poster, "DUREE_MAX", 0.3)
    destinataire.lenteur, destinataire.corps = 0.05, b"x" * 100
    debut = time.monotonic()
    # The status came: it counts. Nothing makes us wait for the rest.
    assert poster.poster(destinataire.adresse, b"{}", {}).statut == 204
    destinataire.apres = lambda: time.sleep(1)
    muet = poster.poster(destinataire.adresse, b"{}", {})
    assert (muet.statut, muet.erreur) == (None, "Pas de réponse complète en 0 secondes.")
    assert time.monotonic() - debut < 2


def _recepteur_brut(envoyer):
    """A socket that says what it wants; its port."""
    prise = socket.create_server(("127.0.0.1", 0))

    def servir():
        with prise:
            autre, _ = prise.accept()
            with autre, suppress(OSError):
                autre.recv(65536)
                envoyer(autre)

    threading.Thread(target=servir, daemon=True).start()
    return prise.getsockname()[1]


def test_ce_qui_n_est_pas_du_http_se_note(abonne, destinataire):
    """An answer that PostgreSQL can't hold as it is."""
    abonnement = abonne()
    port = _recepteur_brut(lambda prise: prise.sendall(b"\x00GARBAGE\n"))
    Abonnement.objects.filter(pk=abonnement.pk).update(adresse=f"http://127.0.0.1:{port}/")
    changer()
    assert livrer.livrer().reportees == 1
    assert "GARBAGE" in TentativeLivraison.objects.get().erreur
    assert Abonnement.objects.get().echecs == 1


def test_toutes_les_adresses_d_un_nom_en_une_seule_duree(destinataire, monkeypatch):
    monkeypatch.setattr(poster, "DUREE_MAX", 0.3)
    connexions = []

    def lente(adresse, delai):
        connexions.append(delai)
        time.sleep(min(delai, 0.2))
        raise TimeoutError

    monkeypatch.setattr(poster.socket, "create_connection", lente)
    monkeypatch.setattr(
        adresses.socket,
        "getaddrinfo",
        lambda hote, port, **_: [(2, 1, 6, "", (f"127.0.0.{n}", port)) for n in range(25)],
    )
    debut = time.monotonic()
    assert poster.poster("http://lent.example/", b"", {}).erreur == "Pas de réponse complète en 0 secondes."
    assert time.monotonic() - debut < 1
    assert len(connexions) == 2
    assert connexions[1] < 0.3


def test_coupe_meme_pendant_que_la_connexion_s_ouvre_ou_que_la_reponse_se_lit(destinataire, monkeypatch):
    """The timer comes when no socket is known yet, then when http.client has let go of its own."""
    monkeypatch.setattr(poster, "DUREE_MAX", 0.3)
    connecter = poster.socket.create_connection

    def apres_l_heure(adresse, delai):
        prise = connecter(adresse, delai)
        time.sleep(0.5)
        return prise

    with monkeypatch.context() as tard:
        tard.setattr(poster.socket, "create_connection", apres_l_heure)
        assert poster.poster(destinataire.adresse, b"", {}).statut is None
    assert destinataire.recus == []

    def goutte_a_goutte(prise):
        prise.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
        for _ in range(40):
            time.sleep(0.1)
            prise.sendall(b"x")

    port = _recepteur_brut(goutte_a_goutte)
    debut = time.monotonic()
    assert poster.poster(f"http://127.0.0.1:{port}/", b"", {}).statut == 200
    assert time.monotonic() - debut < 2


REFUSEES = [
    "http://127.0.0.1/", "https://127.0.0.1/", "https://[::1]/", "https://10.1.2.3/", "https://192.168.1.1:8443/",
    "https://169.254.169.254/latest", "https://[fe80::1]/", "https://[::ffff:10.0.0.1]/", "https://[64:ff9b::a00:1]/",
    "https://[2002:a00:1::]/", "https://0.0.0.0/", "https://224.0.0.1/", "https://2130706433/", "https://localhost/",
    "http://93.184.216.34/", "ftp://93.184.216.34/", "https://moi:secret@93.184.216.34/", "https:///x", "javascript:1",
    "https://[fec0::1]/", "https://[3fff::1]/", "https://192.88.99.1/", "https://[5f00::1]/", "https://[64:ff9b:1::1]/",
    "https://93.184.216.34:99999/", "https://93.184.216.34/#x", "https://x\n.example/",
]  # fmt: skip


@pytest.mark.parametrize("adresse", REFUSEES)
def test_ou_un_webhook_ne_mene_pas(adresse):
    with pytest.raises(adresses.AdresseRefusee):
        adresses.resoudre(adresse)
    assert poster.poster(adresse, b"", {}).statut is None


def test_un_nom_est_resolu_une_fois_et_toutes_ses_adresses_sont_jugees(destinataire, monkeypatch, settings):
    """A name that leads outside when it is judged and inside when it is used."""
    port = int(destinataire.adresse.partition("127.0.0.1:")[2].partition("/")[0])
    reponses = [["93.184.216.34", "10.0.0.1"], ["127.0.0.1"]]
    demandes = []

    def resoudre(hote, port_, **_):
        demandes.append(hote)
        return [(2, 1, 6, "", (ip, port_)) for ip in reponses[len(demandes) - 1]]

    monkeypatch.setattr(adresses.socket, "getaddrinfo", resoudre)
    assert "10.0.0.1" in poster.poster(f"http://rebond.example:{port}/", b"", {}).erreur
    assert demandes == ["rebond.example"]
    # The connection goes to the address that was judged: it does not ask again (a third answer would be missing).
    monkeypatch.setattr(poster.socket, "create_connection", _vers(poster.socket.create_connection))
    assert poster.poster(f"http://rebond.example:{port}/x", b"{}", {}).statut == 204
    assert destinataire.recus[-1][1]["Host"] == f"rebond.example:{port}"


def _vers(connecter):
    def vers(adresse, delai):
        assert adresse[0] == "127.0.0.1"
        prise = poster.socket.socket()
        prise.settimeout(delai)
        prise.connect(adresse)
        return prise

    return vers


def test_qui_peut_et_ce_qui_est_refuse(abonne, destinataire, sesan):
    qui, referent = consommateur()[0], compte(Role.REFERENT, etablissement())
    abonnement = abonne(qui=qui)
    for geste in (verbes.reveler, verbes.essayer, verbes.reprendre):
        with pytest.raises(Interdit):
            geste(numero=abonnement.pk, acteur=referent)
        with pytest.raises((Introuvable, Conflit)):
            geste(numero=0, acteur=sesan)
    saisie = {"adresse": "https://10.0.0.1/", "types": ["Patient"], "departements": ["999"]}
    with pytest.raises(Invalide) as refus:
        verbes.modifier(numero=abonnement.pk, acteur=sesan, **saisie)
    assert set(refus.value.champs) == {"adresse", "types", "departements"}
    with pytest.raises(Invalide):
        verbes.suspendre(numero=abonnement.pk, acteur=sesan, motif=" ")
    for _ in range(verbes.MAXIMUM - 1):
        abonne(qui=qui)
    with pytest.raises(Conflit):
        abonne(qui=qui)
    assert qui.journal.filter(acte="abonnement").count() == verbes.MAXIMUM
    for faux in ({"types": []}, {"motif": "x"}, {"ancien_sel": "x"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Abonnement.objects.update(**faux)
    assert len(signature.secret_de(abonnement.sel)) == 64


def test_les_ecrans(client, abonne, destinataire, sesan, django_assert_num_queries):
    qui, ailleurs = consommateur()[0], consommateur()[0]
    racine = f"/consommateurs/{qui.pk}/abonnements/"
    client.force_login(sesan)
    assert "Aucun abonnement" in client.get(racine).text
    saisie = {"adresse": "https://10.0.0.1/", "types": ["Organization"], "departements": ["75"]}
    refusee = client.post(f"{racine}ajouter/", saisie)
    assert refusee.status_code == 422
    assert "une adresse de cette machine ou d’un réseau privé" in refusee.text
    page = client.post(f"{racine}ajouter/", saisie | {"adresse": destinataire.adresse}, follow=True)
    abonnement = Abonnement.objects.get()
    un = f"{racine}{abonnement.pk}/"
    assert page.redirect_chain == [(un, 302)]
    assert client.get(un.replace(f"/{qui.pk}/", f"/{ailleurs.pk}/")).status_code == 404
    secret = signature.secret_de(abonnement.sel)
    assert secret not in page.text
    assert secret in client.post(f"{un}secret/").text
    client.post(f"{un}essayer/")  # Celery is not there: the sweep does it
    livrer.livrer()
    livraison = Livraison.objects.get()
    assert "acceptée" in client.get(f"{un}livraisons/{livraison.pk}/").text

    changer()
    livrer.livrer()
    client.post(f"{un}livraisons/{Livraison.objects.latest('pk').pk}/rejouer/")
    rejeu = client.post(f"{un}rejouer/", {"rang": "", "jour": timezone.localdate().isoformat()})
    assert rejeu.status_code == 302
    assert client.post(f"{un}rejouer/", {"rang": "", "jour": ""}).status_code == 422
    assert client.post(f"{un}rejouer/", {"rang": "9" * 12}).status_code == 422
    client.post(f"{un}renouveler/", {"garder_ancien": "on"})
    client.post(f"{un}modifier/", saisie | {"adresse": f"{destinataire.adresse}b", "departements": []})
    assert client.post(f"{un}suspendre/", {"motif": ""}).status_code == 422
    client.post(f"{un}suspendre/", {"motif": "Maintenance"})
    assert "Maintenance" in client.get(un).text
    client.post(f"{un}reprendre/")
    abonnement.refresh_from_db()
    assert (abonnement.suspendu_le, abonnement.departements, bool(abonnement.ancien_sel)) == (None, [], True)

    with CaptureQueriesContext(connection) as une:
        client.get(un)
    for _ in range(2):
        verbes.essayer(numero=abonnement.pk, acteur=sesan)
    livrer.livrer()
    with django_assert_num_queries(len(une)):
        client.get(un)
    with CaptureQueriesContext(connection) as une:
        client.get(racine)
    for _ in range(2):
        abonne(qui=qui)
    with django_assert_num_queries(len(une)):
        client.get(racine)


def test_l_incident_se_reprend_depuis_la_supervision(client, abonne, destinataire, sesan, monkeypatch):
    monkeypatch.setattr(livrer, "ECHECS_MAX", 1)
    abonnement = abonne()
    changer()
    destinataire.statuts = [500]
    livrer.livrer()
    client.force_login(sesan)
    page = client.get("/supervision/incidents/").text
    assert f"{abonnement.consommateur} ne reçoit plus les annonces de changements" in page
    reessayer = f"/supervision/incidents/abonnement/{abonnement.pk}/reessayer/"
    assert client.post(reessayer).status_code == 302
    assert livrer.livrer().livrees == 1
    assert client.post(reessayer).status_code == 409
