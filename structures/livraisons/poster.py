"""One POST to a receiver: to the address that was judged, without redirection, within seconds, whatever he does."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from .adresses import AdresseRefusee, Cible, resoudre

CONNEXION = 5.0  # seconds to connect
DUREE_MAX = 10.0  # seconds for the whole of it, of which a receiver that answers drop by drop gets no more
REPONSE_MAX = 4096  # octets read of an answer


@dataclass(frozen=True, slots=True)
class Reponse:
    """``statut`` is None when there was no answer; ``erreur`` says why, in French."""

    statut: int | None
    debut: str
    erreur: str
    duree_ms: int

    @property
    def acceptee(self) -> bool:
        return self.statut is not None and 200 <= self.statut < 300


class _Connexion(http.client.HTTPConnection):
    """To one of the addresses of the target; the certificate is the name's."""

    def __init__(self, cible: Cible, fin: float) -> None:
        super().__init__(cible.hote, cible.port, timeout=CONNEXION)
        self.default_port = 443 if cible.https else 80
        self.cible, self.fin = cible, fin
        self.coupee = threading.Event()
        # Not ``sock``, which http.client forgets while an answer is still read from it.
        self.prise: socket.socket | None = None

    def connect(self) -> None:
        derniere: OSError | None = None
        for ip in self.cible.ips:
            reste = self.fin - time.monotonic()
            if reste <= 0:
                raise TimeoutError
            try:
                self._tenir(socket.create_connection((ip, self.cible.port), min(CONNEXION, reste)))
            except OSError as erreur:
                derniere = erreur
                continue
            if self.cible.https:
                contexte = ssl.create_default_context()
                chiffree = contexte.wrap_socket(
                    self.sock, server_hostname=self.cible.hote, do_handshake_on_connect=False
                )
                self._tenir(chiffree)
                chiffree.do_handshake()
            self.sock.settimeout(DUREE_MAX)
            return
        raise derniere or OSError("no address")

    def _tenir(self, prise: socket.socket) -> None:
        """Either ``couper`` sees this socket, or it was called before and is seen here."""
        self.sock = self.prise = prise
        if self.coupee.is_set():
            raise TimeoutError

    def couper(self) -> None:
        """From another thread: whatever waits on the connection ends, and whatever would."""
        self.coupee.set()
        if self.prise is not None:
            with suppress(OSError):
                # Not SSLSocket.shutdown, which forgets the encryption of what follows.
                socket.socket.shutdown(self.prise, socket.SHUT_RDWR)


def poster(adresse: str, corps: bytes, entetes: Mapping[str, str]) -> Reponse:
    """Send ``corps``; never raises: what went wrong is in the answer."""
    debut = time.monotonic()

    def fini(statut: int | None, texte: bytes = b"", erreur: str = "") -> Reponse:
        lisible = texte.decode("utf-8", "replace").replace("\0", "")
        # What a receiver says instead of HTTP is in the error: PostgreSQL holds no NUL.
        return Reponse(statut, lisible, erreur.replace("\0", "")[:300], round((time.monotonic() - debut) * 1000))

    try:
        cible = resoudre(adresse)
    except AdresseRefusee as refus:
        return fini(None, erreur=str(refus))
    connexion = _Connexion(cible, time.monotonic() + DUREE_MAX)
    minuterie = threading.Timer(DUREE_MAX, connexion.couper)
    minuterie.daemon = True
    minuterie.start()
    try:
        connexion.request("POST", cible.chemin, body=corps, headers=dict(entetes))
        reponse = connexion.getresponse()
        statut = reponse.status
        texte = b""
        with suppress(OSError, http.client.HTTPException):  # the status is known: it decides
            texte = reponse.read(REPONSE_MAX)
        if 300 <= statut < 400:
            return fini(
                statut, texte, "Le destinataire redirige vers une autre adresse : corrigez celle de l’abonnement."
            )
        return fini(statut, texte)
    except (OSError, http.client.HTTPException, ValueError) as erreur:
        if connexion.coupee.is_set() or isinstance(erreur, TimeoutError):
            return fini(None, erreur=f"Pas de réponse complète en {DUREE_MAX:.0f} secondes.")
        return fini(None, erreur=_dire(erreur))
    finally:
        minuterie.cancel()
        connexion.close()


def _dire(erreur: Exception) -> str:
    if isinstance(erreur, ssl.SSLCertVerificationError):
        return f"Certificat refusé : {erreur.verify_message}"
    if isinstance(erreur, ConnectionRefusedError):
        return "Connexion refusée : aucun serveur n’écoute à cette adresse."
    return f"{type(erreur).__name__} : {erreur}"
