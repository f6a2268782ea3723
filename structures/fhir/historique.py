"""History and change feed: versions by ``rang``, which grows in the order of commits.

Newest first, as R4 has it, or oldest first (``_sort=_lastUpdated``): either way a page begins where the last one ended,
whatever was written meanwhile. ``meta.lastUpdated`` of a page is the date of the newest version when it was read: what
is asked with ``_since`` from there on misses nothing.

Past versions keep the contacts that they had, with the confidentiality of then. Somebody may have been made
confidential since: profiles that do not see everything get the contacts of current versions only.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import Exists, Max, OuterRef, QuerySet

from ..enums import ActionRessource, ProfilAcces
from ..models import Ressource, RessourceVersion
from . import curseur
from .bundle import Entree, bundle, dumps, instant
from .conditions import base
from .contenu import Vue, representer
from .demande import PAGE_PAR_DEFAUT, lire_nombre
from .grandeurs import lire_date
from .issue import ErreurFhir
from .recherche import CONTENU, Reponse

_REQUETES = {
    ActionRessource.CREATION: ("POST", "201"),
    ActionRessource.MODIFICATION: ("PUT", "200"),
    ActionRessource.SUPPRESSION: ("DELETE", "204"),
}
Versions = QuerySet[RessourceVersion]
_COLONNES = ("rang", "type", "identifiant", "version", "maj", "action")


@dataclass
class Periode:
    """What a history asks for."""

    depuis: datetime | None = None
    nombre: int = PAGE_PAR_DEFAUT
    ancien_d_abord: bool = False
    curseur: str = ""

    @property
    def suivis(self) -> list[tuple[str, str]]:
        dits = [("_since", self.depuis.isoformat())] if self.depuis else []
        dits += [("_sort", "_lastUpdated")] if self.ancien_d_abord else []
        return [*dits, ("_count", str(self.nombre))]


def lire(donnees: Iterable[tuple[str, str]], *, strict: bool) -> Periode:
    periode = Periode()
    for nom, valeur in donnees:
        if nom == "_since" and valeur:
            du = lire_date(valeur).du
            assert isinstance(du, datetime)
            periode.depuis = du
        elif nom == "_count" and valeur:
            periode.nombre = max(1, lire_nombre(valeur))
        elif nom == "_sort" and valeur in ("_lastUpdated", "-_lastUpdated"):
            periode.ancien_d_abord = valeur == "_lastUpdated"
        elif nom == "_cursor":
            periode.curseur = valeur
        elif strict and nom not in ("_format", "_pretty"):
            raise ErreurFhir(400, "not-supported", f"Le paramètre « {nom[:60]} » n’est pas connu d’un historique.")
    return periode


def repondre(versions: Versions, adresse: str, periode: Periode, profil: int) -> Reponse:
    """The history Bundle of these versions; ``adresse`` is relative to the base (« Organization/_history »)."""
    question = f"{adresse}?{urlencode(periode.suivis)}"
    # Read before the page: what is committed between the two is in a later feed, at worst in both.
    derniere = RessourceVersion.objects.aggregate(Max("maj"))["maj__max"]
    if periode.depuis:
        versions = versions.filter(maj__gte=periode.depuis)
    if periode.curseur:
        (rang,) = curseur.lire(question, periode.curseur)
        versions = versions.filter(rang__gt=rang) if periode.ancien_d_abord else versions.filter(rang__lt=rang)
    ordre = "rang" if periode.ancien_d_abord else "-rang"
    actuelle = Exists(
        Ressource.objects.filter(
            type=OuterRef("type"), identifiant=OuterRef("identifiant"), version=OuterRef("version")
        )
    )
    lues = list(versions.order_by(ordre).values_list(*_COLONNES, actuelle, CONTENU)[: periode.nombre + 1])
    page = lues[: periode.nombre]
    liens = {
        "self": f"{base()}/{question}" + (f"&{urlencode({'_cursor': periode.curseur})}" if periode.curseur else "")
    }
    if len(lues) > len(page):
        liens["next"] = f"{base()}/{question}&{urlencode({'_cursor': curseur.ecrire(question, [page[-1][0]])})}"
    entrees = [_entree(*ligne[1:], profil=profil) for ligne in page]
    return Reponse(bundle("history", entrees, liens=liens, maj=derniere), len(page))


def _entree(
    type_: str,
    identifiant: str,
    version: int,
    maj: datetime,
    action: str,
    actuelle: bool,
    texte: str | None,
    *,
    profil: int,
) -> Entree:
    methode, statut = _REQUETES[ActionRessource(action)]
    adresse = f"{type_}/{identifiant}"
    requete = {"method": methode, "url": type_ if methode == "POST" else adresse}
    reponse = {"status": statut, "etag": f'W/"{version}"', "lastModified": instant(maj)}
    vu = montrer(texte, profil, actuelle=actuelle) if texte else ""
    return Entree(adresse, vu, f'"request":{dumps(requete)},"response":{dumps(reponse)}')


def montrer(texte: str, profil: int, *, actuelle: bool) -> str:
    """A version, as this profile may read it."""
    return representer(texte, profil if actuelle or profil == ProfilAcces.TOUS else None, Vue())
