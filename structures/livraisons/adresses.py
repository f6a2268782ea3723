"""Where a webhook may lead: anywhere on the Internet, nowhere inside.

A gestionnaire types the address, and somebody else holds its name: it is resolved just before each try, every address
found is judged, and the connection is made to one of those, never by resolving the name again.
"""

import ipaddress
import socket
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.encoding import iri_to_uri

PORTS = {"https": 443, "http": 80}
# IPv6 addresses that are given to somebody: neither site-local, nor NAT64, nor IPv4 in disguise.
_UNICAST = ipaddress.ip_network("2000::/3")
# Routed nowhere, though Python takes them for global: documentation (RFC 9637), relays of 6to4 (RFC 7526).
_A_PERSONNE = tuple(map(ipaddress.ip_network, ("3fff::/20", "192.88.99.0/24")))


class AdresseRefusee(Exception):
    """Why nothing is sent there, in French."""


@dataclass(frozen=True, slots=True)
class Cible:
    """Where to connect (``ips``, in the resolver's order), and what to ask of it."""

    https: bool
    hote: str
    port: int
    chemin: str
    ips: tuple[str, ...]


def lire(adresse: str) -> Cible:
    """The parts of an address, not resolved (``ips`` empty). Refuses what no webhook can be (``AdresseRefusee``)."""
    try:
        parties = urlsplit(adresse)
        port = parties.port
        hote = (parties.hostname or "").encode("idna").decode("ascii")
    except (ValueError, UnicodeError):
        _refuser("Cette adresse n’est pas lisible.")
    if parties.scheme not in PORTS or not hote:
        _refuser("L’adresse doit commencer par https:// et nommer un serveur.")
    if parties.username is not None or parties.password is not None:
        _refuser("L’adresse ne doit contenir ni identifiant ni mot de passe : la signature suffit.")
    if parties.fragment:
        _refuser("L’adresse ne doit pas contenir de « # ».")
    chemin = iri_to_uri(parties.path or "/") + (f"?{iri_to_uri(parties.query)}" if parties.query else "")
    if not chemin.isascii() or not chemin.isprintable() or " " in chemin:
        _refuser("Cette adresse n’est pas lisible.")
    return Cible(parties.scheme == "https", hote, port or PORTS[parties.scheme], chemin, ())


def resoudre(adresse: str) -> Cible:
    """``lire``, then the name resolved once. Refuses it when any of its addresses is inside, or unencrypted outside."""
    cible = lire(adresse)
    try:
        trouvees = socket.getaddrinfo(cible.hote, cible.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        _refuser(f"Le nom « {cible.hote} » ne mène nulle part.")
    ips = tuple(dict.fromkeys(str(infos[4][0]) for infos in trouvees))
    permises = [_permise(ipaddress.ip_address(ip)) for ip in ips]
    for ip, permise in zip(ips, permises, strict=True):
        if not permise and not _dehors(ipaddress.ip_address(ip)):
            _refuser(f"« {cible.hote} » mène à {ip}, une adresse de cette machine ou d’un réseau privé.")
    if not cible.https and not all(permises):
        _refuser("L’adresse doit commencer par https://.")
    return Cible(cible.https, cible.hote, cible.port, cible.chemin, ips)


def controler(adresse: str) -> None:
    """What can be said of an address without asking a name server: ``lire``, https, and a number written instead of a
    name. Refuses like ``resoudre``, which judges again before each try."""
    cible = lire(adresse)
    try:
        ipaddress.ip_address(cible.hote)
    except ValueError:
        # The name may lead to a network that is allowed without https: only its resolution says so.
        if not cible.https and not settings.WEBHOOK_RESEAUX_PERMIS:
            _refuser("L’adresse doit commencer par https://.")
    else:
        resoudre(adresse)


def _permise(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return any(ip in ipaddress.ip_network(reseau) for reseau in settings.WEBHOOK_RESEAUX_PERMIS)


def _dehors(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """An address of the Internet, and not one of this machine. Addresses that carry another one inside are refused."""
    if isinstance(ip, ipaddress.IPv6Address) and (ip not in _UNICAST or ip.sixtofour or ip.teredo):
        return False
    if any(ip in reseau for reseau in _A_PERSONNE):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not _de_cette_machine(ip)


def _de_cette_machine(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """The kernel lets a socket bind to the addresses of its own machine only."""
    famille = socket.AF_INET if ip.version == 4 else socket.AF_INET6
    try:
        with socket.socket(famille, socket.SOCK_DGRAM) as prise:
            prise.bind((str(ip), 0))
    except OSError:
        return False
    return True


def _refuser(raison: str) -> NoReturn:
    raise AdresseRefusee(raison)
