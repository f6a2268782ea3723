"""One try of a webhook: where it may not lead, and how long it may last. A real receiver."""

import time

import pytest

from structures.livraisons import adresses, poster

from .destinataire import recepteur_brut


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

    port = recepteur_brut(goutte_a_goutte)
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
