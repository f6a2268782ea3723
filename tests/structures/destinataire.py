"""Receivers of webhooks, on real sockets."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


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


@contextmanager
def ecouter() -> Iterator[Destinataire]:
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
    yield recu
    serveur.shutdown()
    serveur.server_close()


def recepteur_brut(envoyer: Callable[[socket.socket], None]) -> int:
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
