"""How many establishments each value of a criterion would give, the other criteria unchanged."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from time import monotonic
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from backoffice.comptes.models import User

from ..domaine.cog import departement
from ..domaine.texte import normaliser
from ..enums import ChampEG
from ..models import Departement, RegleCategorie, VersionFiche
from ..requetes import codes_ouverts, libelles, libelles_communes, versions_au
from .criteres import LISTES, OUI_NON, Criteres
from .requete import COLONNES_UO, compter, etablissements, fiches

# Counts that took longer than this are kept for a while, and say of when they are.
LENT_SECONDES, GARDE_SECONDES = 0.3, 300
# Beyond so many units, reading what each of them holds takes tens of seconds: their values come without a number.
UNITES_COMPTEES = 100_000
COMMUNES_NOMMEES = 50  # a country has 35,000; the panel shows ten and lets one type the others

TITRES = {
    "departements": "Département",
    "communes": "Commune",
    "champs": "Champ d’activité",
    "categories": "Catégorie d’établissement",
    "types": "Type d’UO",
    "activites": "Activités opérationnelles",
    "actes": "Actes spécifiques",
    "publics": "Public pris en charge",
    "modes": "Mode de prise en charge",
    "temporalites": "Temporalité d’accueil",
    "sensible": "Unité sensible",
    "incomplet": "Fiches incomplètes",
    "en_dossier": "Dans un dossier",
    "favoris": "Favoris",
    "signale": "Erreur signalée",
}
_EG = ("departements", "communes", "champs", "categories")
_DES_UNITES = {*COLONNES_UO, "sensible", "incomplet"}


@dataclass(frozen=True, slots=True)
class Valeur:
    """One value of a facet; ``nombre`` establishments have it, whatever else of this facet is chosen. None: the
    answer is too large to count."""

    code: str
    libelle: str
    nombre: int | None
    choisi: bool


@dataclass(frozen=True, slots=True)
class Facette:
    """``nom`` is a field of ``Criteres``. Values come by number, then by label; a yes-or-no criterion has one, « 1 ».

    ``calculee_le``: counts of large answers are kept some minutes.
    """

    nom: str
    titre: str
    valeurs: list[Valeur]
    calculee_le: datetime


def facettes(
    criteres: Criteres, user: User, noms: Collection[str] | None = None, *, siens: Collection[int] = ()
) -> list[Facette]:
    """The facets asked for (all), in the order of the screen; ``siens`` as in ``etablissements``.

    A constant number of statements: one by criterion chosen among them, one for all the others on establishments, one
    for all the others on units, one by yes-or-no.
    """
    demandees = [nom for nom in TITRES if noms is None or nom in noms]
    comptes, quand = _comptes_gardes(criteres, user, siens, demandees)
    choisis = {nom: set(getattr(criteres, nom)) if nom in LISTES else _oui(getattr(criteres, nom)) for nom in demandees}
    oui: dict[str, int] = {"1": 0}
    montres = {nom: comptes.get(nom, {} if nom in LISTES else oui).keys() | choisis[nom] for nom in demandees}
    if "communes" in montres:
        frequentes = Counter(comptes["communes"]).most_common(COMMUNES_NOMMEES)
        montres["communes"] = {code for code, _ in frequentes} | choisis["communes"]
    non_comptees = {LISTES[nom].nomenclature: nom for nom in demandees if nom in LISTES and nom not in comptes}
    for liste, code in codes_ouverts(non_comptees, criteres.jour):
        montres[non_comptees[liste]].add(code)
    mots = _libelles(montres)
    resultat = []
    for nom, codes in montres.items():
        nombres = comptes.get(nom)
        valeurs = [
            Valeur(code, mots.get((nom, code), code), nombres.get(code, 0) if nombres is not None else None,
                   code in choisis[nom])
            for code in codes
        ]  # fmt: skip
        valeurs.sort(key=lambda v: (-(v.nombre or 0), normaliser(v.libelle), v.code))
        resultat.append(Facette(nom, TITRES[nom], valeurs, quand))
    return resultat


def _oui(choisi: bool) -> set[str]:
    return {"1"} if choisi else set()


def _comptes_gardes(
    criteres: Criteres, user: User, siens: Collection[int], noms: list[str]
) -> tuple[dict[str, dict[str, int]], datetime]:  # fmt: skip
    personne = user.pk if criteres.favoris or "favoris" in noms or siens else ""
    demande = f"{criteres.jour} {personne} {' '.join(noms)} {criteres.requete()}"
    cle = f"facettes:{sha256(demande.encode()).hexdigest()}"
    gardes: tuple[dict[str, dict[str, int]], datetime] | None = cache.get(cle)
    if gardes is not None:
        return gardes
    debut = monotonic()
    comptes = _comptes(criteres, user, siens, noms), timezone.now()
    if monotonic() - debut > LENT_SECONDES:
        cache.set(cle, comptes, GARDE_SECONDES)
    return comptes


def _comptes(criteres: Criteres, user: User, siens: Collection[int], noms: list[str]) -> dict[str, dict[str, int]]:
    """Numbers by value, of each facet that can be counted."""
    comptes: dict[str, dict[str, int]] = {}
    if _DES_UNITES.intersection(noms) and _trop_d_unites(criteres, user, siens):
        noms = [nom for nom in noms if nom not in _DES_UNITES]
    for groupe, compter_groupe in (
        ([n for n in noms if n in _EG], _par_etablissement),
        ([n for n in noms if n in COLONNES_UO], _par_unite),
    ):
        # What is chosen in a facet does not count in it: it gets a statement of its own, without its choice.
        for seule in (n for n in groupe if _choisie(criteres, n)):
            sans: dict[str, Any] = {seule: (), "mss": criteres.mss or seule == "champs"}
            comptes |= compter_groupe(replace(criteres, **sans), user, siens, [seule])
        if autres := [n for n in groupe if not _choisie(criteres, n)]:
            comptes |= compter_groupe(criteres, user, siens, autres)
    for nom in (n for n in noms if n in OUI_NON):
        avec: dict[str, Any] = {nom: True}
        nombre = compter(replace(criteres, **avec), user, siens=siens)
        comptes[nom] = {"1": nombre} if nombre else {}
    return comptes


def _trop_d_unites(criteres: Criteres, user: User, siens: Collection[int]) -> bool:
    egs = etablissements(replace(criteres, **_UNITES_SANS_CRITERE), user, siens).order_by()
    unites = versions_au(criteres.jour).order_by().filter(niveau="UO", eg__in=egs.values("fiche"))
    return unites.values("pk")[: UNITES_COMPTEES + 1].count() > UNITES_COMPTEES


def _choisie(criteres: Criteres, nom: str) -> bool:
    """The MSS box, when it is off, is a choice of champ."""
    return bool(getattr(criteres, nom)) or (nom == "champs" and not criteres.mss)


def _sql(requete: QuerySet[Any]) -> tuple[str, tuple[Any, ...]]:
    return requete.query.sql_with_params()


def _lire(sql: str, parametres: Iterable[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as curseur:
        curseur.execute(sql, list(parametres))
        return curseur.fetchall()


def _par_etablissement(
    criteres: Criteres, user: User, siens: Collection[int], noms: list[str]
) -> dict[str, dict[str, int]]:
    egs, parametres = _sql(etablissements(criteres, user, siens).order_by().values("commune", "categorie"))
    communes: Counter[str] = Counter()
    categories: Counter[str] = Counter()
    for commune, categorie, nombre in _lire(
        # The SQL is Django's own.
        f"SELECT commune, categorie, count(*) FROM ({egs}) AS egs GROUP BY GROUPING SETS ((commune), (categorie))",  # noqa: S608
        parametres,
    ):
        if commune is None:
            categories[categorie] = nombre
        else:
            communes[commune] = nombre
    comptes: dict[str, Counter[str]] = {"communes": communes, "categories": categories}
    if "departements" in noms:
        comptes["departements"] = Counter()
        for commune, nombre in communes.items():
            comptes["departements"][departement(commune)] += nombre
    if "champs" in noms:
        champ_de = dict(RegleCategorie.objects.order_by().values_list("pk", "champ"))
        comptes["champs"] = Counter()
        for categorie, nombre in categories.items():
            comptes["champs"][champ_de.get(categorie, ChampEG.MEDICO_SOCIAL)] += nombre
    return {nom: {code: n for code, n in comptes[nom].items() if code} for nom in noms}


_UNITES_SANS_CRITERE: dict[str, Any] = {
    **dict.fromkeys(COLONNES_UO, ()), "ouvert": None, "sensible": False, "incomplet": False
}  # fmt: skip


def _par_unite(criteres: Criteres, user: User, siens: Collection[int], noms: list[str]) -> dict[str, dict[str, int]]:
    egs = etablissements(replace(criteres, **_UNITES_SANS_CRITERE), user, siens).order_by()
    unites = fiches(criteres)
    if unites is None:
        unites = versions_au(criteres.jour).order_by()
    unites = unites.filter(niveau="UO", eg__in=egs.values("fiche"))
    lues, parametres = _sql(unites.values("eg_id", *(COLONNES_UO[nom] for nom in noms)))
    valeurs = " UNION ALL ".join(
        f"SELECT '{nom}', code, count(*) FROM (SELECT DISTINCT eg_id, {_valeur(nom)} AS code FROM unites) AS v "  # noqa: S608
        "WHERE code <> '' GROUP BY code"
        for nom in noms
    )
    comptes: dict[str, dict[str, int]] = {nom: {} for nom in noms}
    for nom, code, nombre in _lire(f"WITH unites AS MATERIALIZED ({lues}) {valeurs}", parametres):
        comptes[nom][code] = nombre
    return comptes


def _valeur(nom: str) -> str:
    colonne = COLONNES_UO[nom]
    est_liste = VersionFiche._meta.get_field(colonne).get_internal_type() == "ArrayField"
    return f"unnest({colonne})" if est_liste else colonne


def _libelles(montres: dict[str, set[str]]) -> dict[tuple[str, str], str]:
    mots: dict[tuple[str, str], str] = {}
    nomenclatures = {LISTES[nom].nomenclature: nom for nom in montres if nom in LISTES and LISTES[nom].nomenclature}
    lus = libelles((liste, code) for liste, nom in nomenclatures.items() for code in montres[nom])
    mots |= {(nomenclatures[liste], code): libelle for (liste, code), libelle in lus.items()}
    mots |= {("communes", code): nom for code, nom in libelles_communes(montres.get("communes", ())).items()}
    mots |= {("champs", champ.value): str(champ.label) for champ in ChampEG}
    mots |= {(nom, "1"): TITRES[nom] for nom in montres if nom in OUI_NON}
    if "departements" in montres:
        departements = Departement.objects.order_by().values_list("code", "nom")
        mots |= {("departements", code): f"{nom} ({code})" for code, nom in departements}
    return mots
