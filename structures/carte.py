"""Establishments on a map: places in the units of a drawing, gathered where they would touch each other.

The outlines are shipped (structures/donnees/README.md); nothing is asked of any other machine. Few establishments are
read one by one; beyond ``LIMITE_POINTS`` PostgreSQL counts them by commune, and the drawing stays light.
"""

import gzip
import json
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain, pairwise
from typing import NamedTuple

from django.conf import settings
from django.db.models import Avg, Count

from backoffice.comptes.models import User
from backoffice.socle.mots import nombre, pluriel

from .domaine.cog import departement
from .domaine.referentiels import DONNEES
from .enums import ChampEG
from .liste import Liste
from .models import Departement, RegleCategorie, VersionFiche
from .recherche import Criteres, etablissements
from .recherche.criteres import VALEURS_MAX
from .requetes import libelles_communes

LARGEUR, HAUTEUR_MAX = 800, 900
MARGE = 12
LIMITE_POINTS = 400  # establishments shown one by one
LIMITE_DEPARTEMENTS = 12  # départements in the drawing beyond which they are the places, instead of the communes
ECART_POINTS, ECART_LOTS = 18.0, 32.0  # nearer than that, places are one
ETENDUE_MIN = 0.05  # degrees: a single address does not fill the drawing
LIEUX_NOMMES = 3  # in the words of a place that gathers several communes

Anneau = list[tuple[float, float]]


@lru_cache(maxsize=1)
def contours() -> dict[str, list[Anneau]]:
    """Rings of (longitude, latitude) by département; none for those overseas."""
    lus: dict[str, list[Anneau]] = json.loads(gzip.decompress((DONNEES / "contours.json.gz").read_bytes()))
    return lus


# -- the drawing -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cadre:
    """A part of the globe and how it is laid flat: plate carrée at its middle latitude, good enough for a region."""

    ouest: float
    sud: float
    est: float
    nord: float

    @property
    def _retrecissement(self) -> float:
        return math.cos(math.radians((self.sud + self.nord) / 2))

    @property
    def echelle(self) -> float:
        """Units of the drawing by degree of latitude."""
        utile = LARGEUR - 2 * MARGE
        return min(
            utile / ((self.est - self.ouest) * self._retrecissement),
            (HAUTEUR_MAX - 2 * MARGE) / (self.nord - self.sud),
        )

    @property
    def hauteur(self) -> int:
        return round((self.nord - self.sud) * self.echelle) + 2 * MARGE

    def contient(self, longitude: float, latitude: float) -> bool:
        return self.ouest <= longitude <= self.est and self.sud <= latitude <= self.nord

    def place(self, longitude: float, latitude: float) -> tuple[float, float]:
        milieu = (self.ouest + self.est) / 2
        x = LARGEUR / 2 + (longitude - milieu) * self._retrecissement * self.echelle
        return round(x, 1), round(MARGE + (self.nord - latitude) * self.echelle, 1)


def _autour(points: Iterable[tuple[float, float]]) -> Cadre | None:
    """The smallest frame around these (longitude, latitude), at least ``ETENDUE_MIN`` high and wide; None for none."""
    tous = list(points)
    if not tous:
        return None
    longitudes, latitudes = [p[0] for p in tous], [p[1] for p in tous]
    bords = []
    for valeurs in (longitudes, latitudes):
        milieu, demi = (min(valeurs) + max(valeurs)) / 2, max((max(valeurs) - min(valeurs)) / 2 * 1.05, ETENDUE_MIN)
        bords.append((milieu - demi, milieu + demi))
    (ouest, est), (sud, nord) = bords
    return Cadre(ouest, sud, est, nord)


class Trace(NamedTuple):
    """A département in the drawing. ``criteres`` zoom on it."""

    code: str
    nom: str
    anneaux: list[Anneau]
    criteres: Criteres

    @property
    def chemin(self) -> str:
        return "".join(f"M{' '.join(f'{x:g},{y:g}' for x, y in anneau)}Z" for anneau in self.anneaux)


class Nom(NamedTuple):
    """The name of a département, or its code where there is no room, centred on a point."""

    texte: str
    x: int
    y: int


def _traces(codes: Iterable[str], cadre: Cadre, noms: dict[str, str], criteres: Criteres) -> list[Trace]:
    """Those of the départements that the frame shows a part of."""
    traces = []
    for code in sorted(codes):
        anneaux = [[cadre.place(*point) for point in anneau] for anneau in contours()[code]]
        xs, ys = zip(*chain.from_iterable(anneaux), strict=True)
        if min(xs) < LARGEUR and max(xs) > 0 and min(ys) < cadre.hauteur and max(ys) > 0:
            traces.append(Trace(code, noms.get(code, code), anneaux, _sur_le_departement(criteres, code)))
    return traces


def dedans(x: float, y: float, anneaux: Iterable[Anneau]) -> bool:
    """Even-odd rule."""
    croises = 0
    for anneau in anneaux:
        for (x1, y1), (x2, y2) in pairwise([*anneau, anneau[0]]):
            if (y1 > y) != (y2 > y):
                croises += x < (x2 - x1) * (y - y1) / (y2 - y1) + x1
    return croises % 2 == 1


def _nommer(traces: Iterable[Trace], lieux: Sequence["Lieu"], hauteur: int) -> list[Nom]:
    """Each name where no place hides it, near the middle of its département if possible; the code where the name
    would be hidden, nothing where even that would be."""
    noms = []
    for trace in traces:
        xs, ys = zip(*chain.from_iterable(trace.anneaux), strict=True)
        gauche, droite, haut, bas = max(min(xs), 0), min(max(xs), LARGEUR), max(min(ys), 0), min(max(ys), hauteur)
        essais = [
            (gauche + (droite - gauche) * i / 10, haut + (bas - haut) * j / 10)
            for i in range(1, 10)
            for j in range(1, 10)
        ]
        essais = [essai for essai in essais if dedans(*essai, trace.anneaux)]
        essais.sort(key=lambda e: math.hypot(e[0] - (gauche + droite) / 2, e[1] - (haut + bas) / 2))
        for texte in (trace.nom, trace.code):
            demi = 4 * len(texte)
            libre = next((e for e in essais if _est_libre(*e, demi, trace, lieux)), None)
            if libre is not None:
                noms.append(Nom(texte, round(libre[0]), round(libre[1])))
                break
    return noms


def _est_libre(x: float, y: float, demi: float, trace: Trace, lieux: Iterable["Lieu"]) -> bool:
    bouts = all(0 < bout < LARGEUR and dedans(bout, y, trace.anneaux) for bout in (x - demi, x + demi))
    return bouts and all(abs(p.x - x) > demi + p.rayon or abs(p.y - y) > p.rayon + 8 for p in lieux)


def _sur_le_departement(criteres: Criteres, code: str) -> Criteres:
    return replace(criteres, departements=(code,), communes=(), autour=None)


# -- the places --------------------------------------------------------------------------------------


class Releve(NamedTuple):
    """What was read at one place: an establishment, or the establishments of a commune. ``localises`` have
    coordinates, of which ``longitude`` and ``latitude`` are the mean (None when none has)."""

    commune: str
    nombre: int
    localises: int
    longitude: float | None
    latitude: float | None
    identifiant: str = ""
    nom: str = ""
    categorie: str = ""


@dataclass(slots=True)
class Lieu:
    """A sign of the drawing. One establishment has ``identifiant``, ``nom`` and ``champ``; several have the communes,
    or the départements, where they all are, and the criteria of the list that its link opens, which may hold others
    of the same communes: ``dans_la_liste`` is how many it shows."""

    x: float
    y: float
    nombre: int
    zones: list[str]
    identifiant: str = ""
    nom: str = ""
    champ: str = ""
    criteres: Criteres = field(default_factory=Criteres)
    dans_la_liste: int = 0

    @property
    def rayon(self) -> float:
        return round(min(16, 9 + 3 * math.log10(self.nombre)), 1)


def _relever(criteres: Criteres, user: User, liste: Liste) -> list[Releve]:
    """One statement; one's own establishments were read with the list."""
    miens = [_un(v) for v in liste.miennes]
    autres = etablissements(criteres, user).exclude(fiche__in=liste.cles)
    if liste.total <= LIMITE_POINTS:
        return miens + [_un(v) for v in autres.select_related("fiche")]
    comptes = (
        autres.order_by("commune")
        .values("commune")
        .annotate(nombre=Count("pk"), localises=Count("latitude"), x=Avg("longitude"), y=Avg("latitude"))
    )
    return miens + [Releve(*ligne) for ligne in comptes.values_list("commune", "nombre", "localises", "x", "y")]


def _un(version: VersionFiche) -> Releve:
    localise = version.latitude is not None and version.longitude is not None
    return Releve(
        version.commune,
        1,
        int(localise),
        version.longitude if localise else None,
        version.latitude if localise else None,
        version.fiche.identifiant,
        version.nom,
        version.categorie,
    )


def _rassembler(lieux: Sequence[Lieu], ecart: float) -> list[Lieu]:
    """Places nearer than ``ecart`` to a bigger one join it; those that remain do not touch."""
    gardes: list[Lieu] = []
    cases: dict[tuple[int, int], list[Lieu]] = {}
    for lieu in sorted(lieux, key=lambda lieu: (-lieu.nombre, lieu.x, lieu.y)):
        colonne, rangee = int(lieu.x // ecart), int(lieu.y // ecart)
        voisins = (
            autre
            for i in (colonne - 1, colonne, colonne + 1)
            for j in (rangee - 1, rangee, rangee + 1)
            for autre in cases.get((i, j), ())
        )
        proche = next((v for v in voisins if math.hypot(v.x - lieu.x, v.y - lieu.y) < ecart), None)
        if proche is None:
            gardes.append(lieu)
            cases.setdefault((colonne, rangee), []).append(lieu)
            continue
        proche.nombre += lieu.nombre
        proche.zones += [z for z in lieu.zones if z not in proche.zones]
        proche.identifiant = proche.nom = proche.champ = ""
    return gardes


# -- the whole ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class Carte:
    """``par_departement``: number of results by département, without coordinates too. ``zones``: « communes » or
    « departements », the criterion of the places that gather several establishments."""

    cadre: Cadre | None
    total: int = 0
    traces: list[Trace] = field(default_factory=list)
    noms: list[Nom] = field(default_factory=list)
    lieux: list[Lieu] = field(default_factory=list)
    zones: str = "communes"
    sans_coordonnees: int = 0
    hors_cadre: int = 0
    par_departement: dict[str, int] = field(default_factory=dict)
    libelles: dict[str, str] = field(default_factory=dict)

    @property
    def champs(self) -> list[ChampEG]:
        """Those that the legend explains."""
        return [champ for champ in ChampEG if any(lieu.champ == champ for lieu in self.lieux)]

    def en_mots(self, lieu: Lieu) -> str:
        """« Hôpital TEST, Vanves (92) », « 12 établissements : Vanves (92), Issy (92) et 2 autres communes »."""
        noms = [self.libelles.get(zone, zone) for zone in lieu.zones]
        if lieu.identifiant:
            return f"{lieu.nom or '(sans nom)'}, {noms[0]}" if noms[0] else lieu.nom
        reste = len(noms) - LIEUX_NOMMES
        ou = ", ".join(noms[:LIEUX_NOMMES])
        if reste > 0:
            mot = "commune" if self.zones == "communes" else "département"
            ou += f" et {reste} autre{pluriel(reste)} {mot}{pluriel(reste)}"
        ici = f"{nombre(lieu.nombre)} établissement{pluriel(lieu.nombre)}"
        if lieu.dans_la_liste != lieu.nombre:
            ici += f" ici, {nombre(lieu.dans_la_liste)} dans la liste"
        return f"{ici} : {ou}"


def carte(criteres: Criteres, user: User, liste: Liste) -> Carte:
    """What the list of these criteria holds, on a map. A number of statements that does not depend on the answer."""
    releves = _relever(criteres, user, liste)
    departements = {d.pk: d for d in Departement.objects.all()}
    compte: Counter[str] = Counter()
    par_commune: Counter[str] = Counter()
    for releve in releves:
        compte[departement(releve.commune)] += releve.nombre
        par_commune[releve.commune] += releve.nombre
    vus = {code for code in compte if code in contours()}
    vus |= {d.pk for d in departements.values() if d.region == settings.PREFIXE_REGION and d.pk in contours()}
    cadre = _cadre(criteres, releves, vus)
    resultat = Carte(cadre, sum(compte.values()), par_departement=dict(sorted((c, n) for c, n in compte.items() if c)))
    resultat.sans_coordonnees = sum(r.nombre - r.localises for r in releves)
    resultat.libelles = {code: str(d) for code, d in departements.items()}
    if cadre is None:
        return resultat
    resultat.traces = _traces(vus, cadre, {code: d.nom for code, d in departements.items()}, criteres)
    if len(resultat.traces) > LIMITE_DEPARTEMENTS and liste.total > LIMITE_POINTS:
        resultat.zones = "departements"
    _placer(resultat, cadre, releves, ECART_POINTS if liste.total <= LIMITE_POINTS else ECART_LOTS)
    for lieu in resultat.lieux:
        lieu.criteres, lieu.dans_la_liste = _liste_de(lieu, resultat, criteres, par_commune)
    resultat.noms = _nommer(resultat.traces, resultat.lieux, cadre.hauteur)
    if resultat.zones == "communes":
        resultat.libelles |= libelles_communes(zone for lieu in resultat.lieux for zone in lieu.zones)
    return resultat


def _liste_de(lieu: Lieu, dessin: Carte, criteres: Criteres, par_commune: Counter[str]) -> tuple[Criteres, int]:
    """The narrowest list that holds the establishments of a place, and how many it shows: by its communes, when they
    are too many for one address by their départements, unless communes were asked for; else the whole."""
    zones = lieu.zones
    if dessin.zones == "communes":
        if all(zones) and len(zones) <= VALEURS_MAX:
            return replace(criteres, communes=tuple(zones), departements=()), sum(par_commune[z] for z in zones)
        if criteres.communes:
            return criteres, dessin.total
        zones = sorted({departement(z) for z in zones})
    if all(zones) and len(zones) <= VALEURS_MAX:
        en_tout = sum(dessin.par_departement[z] for z in zones)
        return replace(criteres, departements=tuple(zones), communes=()), en_tout
    return criteres, dessin.total


def _cadre(criteres: Criteres, releves: Iterable[Releve], vus: Collection[str]) -> Cadre | None:
    """Around what was asked for: départements, communes, else all that is seen. Overseas there is only the points."""
    choisis = [code for code in criteres.departements if code in contours()]
    points = ((r.longitude, r.latitude) for r in releves if r.longitude is not None and r.latitude is not None)
    if criteres.communes or criteres.autour or (criteres.departements and not choisis):
        return _autour(points)
    anneaux = chain.from_iterable(contours()[code] for code in choisis or vus)
    return _autour((x, y) for x, y in chain.from_iterable(anneaux)) or _autour(points)


def _par_departement(releves: Iterable[Releve]) -> list[Releve]:
    """What was read of each département together, in the middle of its establishments."""
    groupes: dict[str, list[Releve]] = defaultdict(list)
    for r in releves:
        groupes[departement(r.commune)].append(r)
    return [Releve(code, sum(r.nombre for r in groupe), *_milieu(groupe)) for code, groupe in groupes.items()]


def _milieu(releves: list[Releve]) -> tuple[int, float | None, float | None]:
    """(establishments with coordinates, their mean longitude, their mean latitude)."""
    places = [
        (r.localises, r.longitude, r.latitude) for r in releves if r.longitude is not None and r.latitude is not None
    ]
    localises = sum(n for n, _, _ in places)
    if not localises:
        return 0, None, None
    return localises, sum(n * x for n, x, _ in places) / localises, sum(n * y for n, _, y in places) / localises


def _placer(resultat: Carte, cadre: Cadre, releves: Iterable[Releve], ecart: float) -> None:
    champs = dict(RegleCategorie.objects.values_list("pk", "champ"))
    lieux: list[Lieu] = []
    for r in releves if resultat.zones == "communes" else _par_departement(releves):
        if r.longitude is None or r.latitude is None:
            continue
        if not cadre.contient(r.longitude, r.latitude):
            resultat.hors_cadre += r.localises
            continue
        champ = champs.get(r.categorie, ChampEG.MEDICO_SOCIAL.value) if r.identifiant else ""
        lieux.append(Lieu(*cadre.place(r.longitude, r.latitude), r.localises, [r.commune], r.identifiant, r.nom, champ))
    resultat.lieux = _rassembler(lieux, ecart)
