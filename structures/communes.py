"""Communes as people look for them: one by one, or a whole EPCI or département in one pick."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Q

from backoffice.socle.champs_formulaire import Lot
from backoffice.socle.mots import nombre, pluriel

from .domaine.texte import normaliser
from .models import Commune, Departement
from .requetes import communes_nommees

LIMITE_LOTS = 5
GARDE_SECONDES = 300
_CLE_ZONES = "communes:zones"
_GENRES_EPCI = {"ca", "cc", "cu"}  # « CA Grand Paris Sud » is also asked for as « Grand Paris Sud »


def communes_seules(texte: str) -> list[Lot]:
    """The communes that are called exactly so, or have this COG code."""
    return [Lot(code, libelle, (code,)) for code, libelle in communes_nommees(texte)]


def communes_ou_lots_nommes(texte: str) -> list[Lot]:
    """``communes_seules``, and the département or EPCI that is called exactly so or has this code."""
    mots, code = normaliser(texte), texte.strip().upper()
    if not mots:
        return []
    return communes_seules(texte) + _lots([z for z in _zones() if z.cle == code or mots in z.noms])


def rechercher_lots(texte: str) -> list[Lot]:
    """Départements whose code is the text or whose name begins with it, then EPCI that hold each of its words; those
    that have most communes of the region first."""
    mots, code = normaliser(texte), texte.strip().upper()
    if len(mots) < 2:
        return []
    trouvees = [z for z in _zones() if (z.repond(mots.split()) if z.est_epci else z.cle == code or z.commence(mots))]
    return _lots(trouvees[:LIMITE_LOTS])


class _Zone(NamedTuple):
    """A département or an EPCI, with the normalised names that people give it."""

    cle: str
    titre: str
    noms: tuple[str, ...]
    est_epci: bool
    de_la_region: int

    def commence(self, mots: str) -> bool:
        return self.noms[0].startswith(mots)

    def repond(self, mots: Iterable[str]) -> bool:
        return all(mot in self.noms[0] for mot in mots)


def _zones() -> list[_Zone]:
    """In the order in which they are proposed. Three statements, then none for some minutes."""
    gardees: list[_Zone] | None = cache.get(_CLE_ZONES)
    if gardees is None:
        gardees = sorted(_lire_zones(), key=lambda z: (z.est_epci, -z.de_la_region, z.titre))
        cache.set(_CLE_ZONES, gardees, GARDE_SECONDES)
    return gardees


def _lire_zones() -> Iterator[_Zone]:
    dans_la_region = Count("pk", filter=Q(region=settings.PREFIXE_REGION))
    communes = Commune.objects.actuelles().order_by()
    par_departement = dict(communes.values_list("departement").annotate(de_la_region=dans_la_region))
    for d in Departement.objects.filter(pk__in=par_departement):
        noms = (normaliser(d.nom), normaliser(str(d)))
        yield _Zone(d.pk, f"Tout le département : {d}", noms, False, par_departement[d.pk])
    for cle, nom, de_la_region in (
        communes.exclude(epci="").values_list("epci", "epci_nom").annotate(de_la_region=dans_la_region)
    ):
        yield _Zone(cle, f"Tout l’EPCI : {nom}", (normaliser(nom), *_sans_genre(nom)), True, de_la_region)


def _sans_genre(nom: str) -> tuple[str, ...]:
    genre, _, reste = normaliser(nom).partition(" ")
    return (reste,) if genre in _GENRES_EPCI else ()


def _lots(zones: list[_Zone]) -> list[Lot]:
    """With their communes, in one statement, none when there is nothing to ask."""
    if not zones:
        return []
    codes: dict[str, list[str]] = defaultdict(list)
    cles = [z.cle for z in zones]
    lues = Commune.objects.actuelles().filter(Q(departement__in=cles) | Q(epci__in=cles)).order_by("code")
    for code, departement, epci in lues.values_list("code", "departement", "epci"):
        codes[departement].append(code)
        codes[epci].append(code)
    return [_lot(z.cle, z.titre, codes[z.cle]) for z in zones]


def _lot(cle: str, titre: str, codes: list[str]) -> Lot:
    return Lot(cle, f"{titre}, {nombre(len(codes))} commune{pluriel(len(codes))}", tuple(codes))


def noms_des_departements() -> dict[str, str]:
    return dict(Departement.objects.values_list("code", "nom"))
