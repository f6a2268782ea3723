"""A page of a search: what was found, what goes with it, and where the next page begins.

Pages are cut by key, never by number. In the order of ``_id``, which never changes, whatever comes, goes or changes
while somebody pages, nothing that stays is missed or seen twice. In another order a resource may move: those that
changed since the first page leave the order and come after it, so that none is missed; one that had been seen before
it changed comes again, as it is now.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import ExpressionWrapper, F, Max, Q, QuerySet, TextField

from ..models import Ressource, RessourceVersion
from . import curseur
from .bundle import Entree, avertissement, bundle, trouvee
from .conditions import base, vivantes
from .contenu import representer
from .demande import Demande, Lien
from .parametres import TYPES

INCLUS_MAX = 1000
ITERATIONS_MAX = 8

# The column as it is stored: Django would parse it, and a cast would be computed for every row before the sort.
CONTENU = ExpressionWrapper(F("contenu"), output_field=TextField())
_COLONNES = ("type", "identifiant", "references", "maj", "tri")


class Ligne(NamedTuple):
    type: str
    identifiant: str
    references: list[str]
    maj: datetime
    tri: str
    texte: str


class Page(NamedTuple):
    lignes: list[Ligne]
    suite: list[Any] | None  # the place where the next page begins


class Reponse(NamedTuple):
    texte: str
    ressources: int


def repondre(demande: Demande, profil: int, lisible: Callable[[str], bool]) -> Reponse:
    """The searchset Bundle, and how many resources it gives."""
    if demande.vue.resume == "count" or demande.nombre == 0:
        compte = _trouvees(demande).count()
        return Reponse(bundle("searchset", avertissement(demande.ignores), liens=_liens(demande), total=compte), 0)
    page = _page(demande)
    inclus, tronque = _inclure(demande, page.lignes, lisible)
    total = _total(demande, page)
    entrees = _entrees(page.lignes, "match", demande, profil) + _entrees(inclus, "include", demande, profil)
    entrees += avertissement([*demande.ignores, *tronque])
    texte = bundle("searchset", entrees, liens=_liens(demande, page.suite), total=total)
    return Reponse(texte, len(page.lignes) + len(inclus))


def _entrees(lignes: Sequence[Ligne], mode: str, demande: Demande, profil: int) -> list[Entree]:
    return [
        trouvee(ligne.type, ligne.identifiant, representer(ligne.texte, profil, demande.vue), mode) for ligne in lignes
    ]


def _trouvees(demande: Demande) -> QuerySet[Ressource]:
    return vivantes(demande.type).filter(demande.condition)


def _liens(demande: Demande, suite: list[Any] | None = None) -> dict[str, str]:
    liens = {"self": _lien(demande, demande.curseur)}
    if suite is not None:
        liens["next"] = _lien(demande, curseur.ecrire(demande.adresse, suite))
    return liens


def _lien(demande: Demande, place: str) -> str:
    suivis = [*demande.suivis, *([("_cursor", place)] if place else [])]
    return f"{base()}/{demande.type}" + (f"?{urlencode(suivis)}" if suivis else "")


def _total(demande: Demande, page: Page) -> int | None:
    if demande.total == "accurate":
        return _trouvees(demande).count()
    if not demande.curseur and page.suite is None:
        return len(page.lignes)  # all of it is here: known for nothing
    if demande.total == "estimate" and page.lignes:  # what can find nothing has no plan
        plan = json.loads(_trouvees(demande).values("pk").explain(format="json"))
        return max(len(page.lignes), round(plan[0]["Plan"]["Plan Rows"]))
    return None


# -- pages -------------------------------------------------------------------------------------------------


def _page(demande: Demande) -> Page:
    if demande.tri[0][0] == "identifiant":
        place = curseur.lire(demande.adresse, demande.curseur) if demande.curseur else []
        lignes = _lire(_apres(_trouvees(demande), demande.tri, place), demande.tri, demande.nombre + 1)
        return _couper(lignes, demande, [])
    return _page_d_un_ordre_qui_bouge(demande)


def _page_d_un_ordre_qui_bouge(demande: Demande) -> Page:
    """Cursor: [instant of the first page, in the order or after it, keys…]."""
    tri_de_la_fin = [("maj", False), ("identifiant", False)]
    if not demande.curseur:
        debut = RessourceVersion.objects.aggregate(Max("maj"))["maj__max"]
        if debut is None:
            return Page([], None)
        dans_l_ordre, place = True, []
    else:
        debut_lu, dans_l_ordre, *place = curseur.lire(demande.adresse, demande.curseur)
        debut = datetime.fromisoformat(debut_lu)
    trouvees, lignes = _trouvees(demande), []
    if dans_l_ordre:
        stables = trouvees.filter(maj__lte=debut)
        lignes = _lire(_apres(stables, demande.tri, place), demande.tri, demande.nombre + 1)
        if len(lignes) > demande.nombre:
            return _couper(lignes, demande, [debut.isoformat(), True])
        place = []
    bougees = _apres(trouvees.filter(maj__gt=debut), tri_de_la_fin, place)
    lignes += _lire(bougees, tri_de_la_fin, demande.nombre + 1 - len(lignes))
    page = lignes[: demande.nombre]
    if len(lignes) <= demande.nombre:
        return Page(page, None)
    derniere = page[-1]
    fin = [derniere.maj.isoformat(), derniere.identifiant] if derniere.maj > debut else []
    return Page(page, [debut.isoformat(), False, *fin])


def _couper(lignes: list[Ligne], demande: Demande, tete: list[Any]) -> Page:
    page = lignes[: demande.nombre]
    if len(lignes) <= demande.nombre:
        return Page(page, None)
    cles = (getattr(page[-1], colonne) for colonne, _ in demande.tri)
    return Page(page, [*tete, *(c.isoformat() if isinstance(c, datetime) else c for c in cles)])


def _apres(trouvees: QuerySet[Ressource], tri: list[tuple[str, bool]], place: Sequence[Any]) -> QuerySet[Ressource]:
    """Rows after ``place`` in the order of ``tri``: (a > x) or (a = x and b > y)…"""
    if not place:
        return trouvees
    suite, egaux = Q(), Q()
    for (colonne, descendant), cle in zip(tri, place, strict=True):
        suite |= egaux & Q((f"{colonne}__{'lt' if descendant else 'gt'}", cle))
        egaux &= Q((colonne, cle))
    (premiere, descendant), cle = tri[0], place[0]
    # Said apart, so that PostgreSQL begins to read the index there.
    return trouvees.filter(Q((f"{premiere}__{'lte' if descendant else 'gte'}", cle)) & suite)


def _lire(trouvees: QuerySet[Ressource], tri: list[tuple[str, bool]], nombre: int) -> list[Ligne]:
    ordre = [f"-{colonne}" if descendant else colonne for colonne, descendant in tri]
    lues = trouvees.order_by(*ordre).values_list(*_COLONNES, CONTENU)[:nombre]
    return [Ligne(*ligne) for ligne in lues]


# -- what goes with it -------------------------------------------------------------------------------------


def _inclure(
    demande: Demande, lignes: Sequence[Ligne], lisible: Callable[[str], bool]
) -> tuple[list[Ligne], list[str]]:
    """Resources that the found ones refer to, or that refer to them; and what to say when there are too many.

    One statement a round; a second round only for ``:iterate``.
    """
    vues = {(ligne.type, ligne.identifiant) for ligne in lignes}
    inclus: list[Ligne] = []
    nouvelles: Sequence[Ligne] = lignes
    for tour in range(ITERATIONS_MAX):
        liens = [lien for lien in demande.inclus if lien.iterer or not tour]
        inverses = [lien for lien in demande.inverses if lien.iterer or not tour]
        q = _referees(nouvelles, liens, vues, lisible) | _qui_referent(nouvelles, inverses)
        if not q:
            break
        trouvees = Ressource.objects.filter(q, contenu__isnull=False)
        for type_ in TYPES:
            trouvees = trouvees.exclude(type=type_, identifiant__in=[i for t, i in vues if t == type_])
        reste = INCLUS_MAX - len(inclus)
        nouvelles = _lire(trouvees, [("type", False), ("identifiant", False)], reste + 1)
        if len(nouvelles) > reste:
            trop = f"Plus de {INCLUS_MAX} ressources liées à cette page, certaines manquent : réduisez _count."
            return [*inclus, *nouvelles[:reste]], [trop]
        inclus += nouvelles
        vues |= {(ligne.type, ligne.identifiant) for ligne in nouvelles}
    return inclus, []


def _referees(
    lignes: Sequence[Ligne], liens: Sequence[Lien], vues: set[tuple[str, str]], lisible: Callable[[str], bool]
) -> Q:
    voulues: dict[str, set[str]] = {}
    for ligne in lignes:
        parametres = {(lien.parametre, lien.cible) for lien in liens if lien.source == ligne.type}
        for parametre, _, cible in (r.partition("|") for r in ligne.references):
            type_, _, identifiant = cible.partition("/")
            permise = {(parametre, ""), (parametre, type_)} & parametres
            if permise and (type_, identifiant) not in vues and lisible(type_):
                voulues.setdefault(type_, set()).add(identifiant)
    q = Q()
    for type_, identifiants in voulues.items():
        q |= Q(type=type_, identifiant__in=sorted(identifiants))
    return q


def _qui_referent(lignes: Sequence[Ligne], liens: Sequence[Lien]) -> Q:
    q = Q()
    for lien in liens:
        cibles = [
            f"{lien.parametre}|{ligne.type}/{ligne.identifiant}"
            for ligne in lignes
            if not lien.cible or ligne.type == lien.cible
        ]
        if cibles:
            q |= Q(type=lien.source, references__overlap=cibles)
    return q
