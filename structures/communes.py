"""Communes as people look for them: one by one, or a whole EPCI or département in one pick."""

from collections import defaultdict
from collections.abc import Iterable

from django.conf import settings
from django.db.models import Q

from backoffice.socle.champs_formulaire import Lot
from backoffice.socle.templatetags.ror import nombre, pluriel

from .domaine.texte import normaliser
from .models import Commune, Departement
from .requetes import communes_nommees

LIMITE_LOTS = 5
_GENRES_EPCI = {"ca", "cc", "cu"}  # « CA Grand Paris Sud » is also asked for as « Grand Paris Sud »


def communes_seules(texte: str) -> list[Lot]:
    """The communes that are called exactly so, or have this COG code."""
    return [Lot(code, libelle, (code,)) for code, libelle in communes_nommees(texte)]


def communes_ou_lots_nommes(texte: str) -> list[Lot]:
    """``communes_seules``, and the département or EPCI that is called exactly so or has this code."""
    mots, code = normaliser(texte), texte.strip().upper()
    if not mots:
        return []
    departements = [d for d in Departement.objects.all() if d.pk == code or mots in (normaliser(d.nom), _pliee(d))]
    epci = {cle: nom for cle, nom in _epci() if cle == code or mots in (normaliser(nom), _sans_genre(nom))}
    return communes_seules(texte) + _lots(departements, epci)


def rechercher_lots(texte: str) -> list[Lot]:
    """Départements whose code is the text or whose name begins with it, then EPCI that hold each of its words; those
    that have most communes of the region first."""
    mots, code = normaliser(texte), texte.strip().upper()
    if len(mots) < 2:
        return []
    departements = [d for d in Departement.objects.all() if d.pk == code or normaliser(d.nom).startswith(mots)]
    epci = {cle: nom for cle, nom in _epci() if all(mot in normaliser(nom) for mot in mots.split())}
    return _lots(departements, epci)[:LIMITE_LOTS]


def _pliee(departement: Departement) -> str:
    return normaliser(str(departement))


def _sans_genre(nom: str) -> str:
    genre, _, reste = normaliser(nom).partition(" ")
    return reste if genre in _GENRES_EPCI else ""


def _epci() -> Iterable[tuple[str, str]]:
    return Commune.objects.exclude(epci="").order_by("epci").values_list("epci", "epci_nom").distinct()


def _lots(departements: Iterable[Departement], epci: dict[str, str]) -> list[Lot]:
    """With their communes, in one statement, none when there is nothing to ask."""
    par_departement = {d.pk: d for d in departements}
    if not par_departement and not epci:
        return []
    du_departement: dict[str, list[str]] = defaultdict(list)
    de_l_epci: dict[str, list[str]] = defaultdict(list)
    de_la_region: set[str] = set()
    for code, departement, de, region in (
        Commune.objects.filter(Q(departement__in=par_departement) | Q(epci__in=epci))
        .order_by("code")
        .values_list("code", "departement", "epci", "region")
    ):
        if departement in par_departement:
            du_departement[departement].append(code)
        if de in epci:
            de_l_epci[de].append(code)
        if region == settings.PREFIXE_REGION:
            de_la_region.add(code)
    lots = [
        *(_lot(cle, f"Tout le département : {par_departement[cle]}", codes) for cle, codes in du_departement.items()),
        *(_lot(cle, f"Tout l’EPCI : {epci[cle]}", codes) for cle, codes in de_l_epci.items()),
    ]
    return sorted(lots, key=lambda lot: (len(lot.cle), -len(de_la_region.intersection(lot.codes)), lot.libelle))


def _lot(cle: str, titre: str, codes: list[str]) -> Lot:
    return Lot(cle, f"{titre}, {nombre(len(codes))} commune{pluriel(len(codes))}", tuple(codes))


def noms_des_departements() -> dict[str, str]:
    return dict(Departement.objects.values_list("code", "nom"))
