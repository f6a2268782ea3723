"""The inbox: which tasks each tab holds, filters, order, pages."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import Exists, F, FilteredRelation, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from viewflow.workflow.status import STATUS

from structures.domaine.texte import normaliser
from structures.requetes import versions_au

from . import delais
from .enums import ETAPES, OUVERTS, Issue
from .models import Dossier, MiseDeCote, Suppleance, Tache
from .regles import Portees, dossiers_visibles, portees, taches_de
from .requetes import sans_accents

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from backoffice.comptes.models import User

TAILLE_PAGE = 50


def onglets(user: "User | AnonymousUser", tenus: Portees | None = None) -> dict[str, QuerySet[Tache]]:
    """The tabs of the inbox by their word in the address; who she is is asked once for all of them.

    To take: nobody holds them, or somebody whom she stands in for. Hers: she holds them. Her team's: a colleague does.
    Late: to take or hers, past their due date. Others': open tasks of the dossiers that she wrote, sent, decided on or
    follows, which she may not do.
    What she put aside is in none of the first four. Done: those that she closed and may still see, not those that
    another decision closed. ``tenus``: see ``regles.perimetre``.
    """
    tenus = portees(user) if tenus is None else tenus
    a_elle = taches_de(user, tenus)
    ouvertes = a_elle.filter(close_le__isnull=True)
    de_cote = Q(pk__in=MiseDeCote.objects.en_cours(user.pk).order_by().values("tache"))
    en_vue = ouvertes.exclude(de_cote)
    # The status names the partial index ``tache_tenue``: done tasks keep their owner.
    tenues = Q(tache__owner__isnull=False, tache__status=STATUS.ASSIGNED)
    libres, siennes = _libres(user, tenus), Q(tache__owner=user.pk, tache__status=STATUS.ASSIGNED)
    visibles = dossiers_visibles(user, tenus).order_by().values("pk")
    chez_d_autres = Tache.objects.filter(
        ~Exists(a_elle.filter(pk=OuterRef("pk")).order_by()),
        close_le__isnull=True,
        dossier__in=_dossiers_suivis(user),
    )
    closes = Tache.objects.filter(close_par=user.pk, close_le__isnull=False).exclude(issue=Issue.ANNULE)
    return {
        "a-prendre": en_vue.filter(libres),
        "mes-taches": en_vue.filter(siennes),
        "mon-equipe": en_vue.filter(tenues).exclude(libres | siennes),
        "en-retard": en_vue.filter(libres | siennes, echeance__lt=timezone.now()),
        "en-attente": chez_d_autres.filter(dossier__in=visibles),
        "mises-de-cote": ouvertes.filter(de_cote),
        "terminees": closes.filter(dossier__in=visibles),
    }


def _libres(user: "User | AnonymousUser", tenus: Portees) -> Q:
    libres = Q(tache__owner__isnull=True)
    if tenus.supplee:
        pour_elle = Suppleance.objects.en_cours().filter(suppleante=user.pk).order_by()
        libres |= Q(tache__owner__in=pour_elle.values("absente"))
    return libres


def _dossiers_suivis(user: "User | AnonymousUser") -> QuerySet[Dossier, Any]:
    """Open dossiers that she wrote, sent, decided on or follows: a union, which starts from her and not from them."""
    ouverts = Dossier.objects.filter(etat__in=OUVERTS).order_by().values("pk")
    return ouverts.filter(auteur=user.pk).union(
        ouverts.filter(envoye_par=user.pk),
        ouverts.filter(decisions__acteur=user.pk),
        ouverts.filter(suivis__user=user.pk),
    )


def a_faire(user: "User | AnonymousUser", tenus: Portees | None = None) -> QuerySet[Tache]:
    """Open tasks that wait for her: those she holds and those she may take, less what she put aside. ``tenus``: see
    ``regles.perimetre``."""
    de_cote = MiseDeCote.objects.en_cours(user.pk).order_by().values("tache")
    tenus = portees(user) if tenus is None else tenus
    a_elle = _libres(user, tenus) | Q(tache__owner=user.pk)
    return taches_de(user, tenus).filter(a_elle, close_le__isnull=True).exclude(pk__in=de_cote)


# -- filters -------------------------------------------------------------------------------------------

TAILLES = {"1-5": (1, 5), "6-20": (6, 20), "21-100": (21, 100), "101": (101, None)}
AGES = (3, 10, 30, 90)  # days
ECHEANCES = (0, 3, 7, 14)  # days
TOUTE_MARQUE = "une"


def filtrer(
    taches: QuerySet[Tache],
    *,
    etape: str = "",
    texte: str = "",
    autorite: str = "",
    departement: str = "",
    filiere: str = "",
    age: int | None = None,
    echeance: int | None = None,
    expediteur: str = "",
    taille: str = "",
    attention: str = "",
) -> QuerySet[Tache]:
    """Narrow a list of tasks. ``texte`` looks at the establishment (name, FINESS, commune) and the dossier's name;
    ``age``: open for more days than that; ``echeance``: due within so many days, late ones included, -1 for late only;
    ``attention``: a mark of the review, or ``TOUTE_MARQUE``."""
    egaux = {"noeud": etape, "autorite": autorite, "departement": departement, "filiere": filiere}
    taches = taches.filter(**{colonne: valeur for colonne, valeur in egaux.items() if valeur})
    if age is not None:
        taches = taches.filter(creee_le__lt=timezone.now() - timedelta(days=age))
    if echeance is not None:
        avant = timezone.now() if echeance < 0 else _fin_du_jour(echeance)
        taches = taches.filter(close_le__isnull=True, echeance__lt=avant)
    for mot in normaliser(expediteur).split():
        taches = taches.filter(expediteur__contains=mot)
    if taille:
        du, au = TAILLES[taille]
        taches = taches.filter(changements__gte=du)
        taches = taches.filter(changements__lte=au) if au else taches
    if attention == TOUTE_MARQUE:
        taches = taches.exclude(attentions=[])
    elif attention:
        taches = taches.filter(attentions__contains=[attention])
    mots = normaliser(texte).split()
    if mots:
        taches = taches.annotate(nom_cherche=sans_accents("dossier__nom"))
    for mot in mots:
        egs = versions_au().filter(niveau="EG", recherche__contains=mot).order_by().values("fiche")
        taches = taches.filter(Q(eg__in=egs) | Q(nom_cherche__contains=mot))
    return taches


def _fin_du_jour(jours: int) -> datetime:
    """Midnight in Paris at the end of the day in so many days."""
    return delais.a(timezone.localdate() + timedelta(days=jours + 1))


# -- order and pages ------------------------------------------------------------------------------------

# Sort of the address → what it sorts by; each has an index of the open tasks. « -lieu » is the other way round.
TRIS = {
    "echeance": F("echeance"),
    "anciennete": F("creee_le"),
    "etablissement": F("lieu"),
    "etape": F("noeud"),
    "autorite": Coalesce(F("autorite"), Value("")),
    "departement": F("departement"),
    "filiere": F("filiere"),
    "taille": F("changements"),
    "expediteur": F("expediteur"),
    "fin": F("close_le"),
}


class PageTaches(NamedTuple):
    """``precedent`` and ``suivant`` are tasks to ask the neighbouring pages from, None at the ends."""

    taches: list[Any]
    precedent: int | None
    suivant: int | None


def _cle(taches: QuerySet[Any], tri: str) -> QuerySet[Any]:
    """With the value that this order sorts by."""
    return taches.annotate(cle_de_tri=TRIS[tri.removeprefix("-")])


def _apres(taches: QuerySet[Tache], tri: str, repere: int, *, arriere: bool = False) -> QuerySet[Tache]:
    """What follows a task in this order (precedes it, ``arriere``); everything when the task does not exist."""
    borne = _cle(Tache.objects.filter(pk=repere), tri).values_list("cle_de_tri", flat=True).first()
    if borne is None:
        return taches
    sens = "lt" if tri.startswith("-") != arriere else "gt"
    return _cle(taches, tri).filter(
        Q((f"cle_de_tri__{sens}", borne)) | Q(("cle_de_tri", borne), (f"pk__{sens}", repere)),
        (f"cle_de_tri__{sens}e", borne),
    )


def _ordonner(taches: QuerySet[Any], tri: str, *, arriere: bool = False) -> QuerySet[Any]:
    signe = "-" if tri.startswith("-") != arriere else ""
    return _cle(taches, tri).order_by(f"{signe}cle_de_tri", f"{signe}pk")


def en_entier(taches: QuerySet[Tache], tri: str) -> QuerySet[Any]:
    """Every task of a list with what its row shows, in the order of its pages."""
    return _ordonner(detaillees(taches), tri)


def premieres(taches: QuerySet[Tache], *, tri: str, combien: int) -> list[int]:
    """The numbers of the first tasks of a list, as its pages show them."""
    return list(_ordonner(taches, tri).values_list("pk", flat=True)[:combien])


def detaillees(taches: QuerySet[Tache]) -> QuerySet[Any]:
    """Everything that a row shows, joined: dossier, people, authority, and the establishment as it is today
    (``nom_eg`` and ``commune_eg``, null when it is closed)."""
    return taches.annotate(
        version_eg=FilteredRelation("eg__versions", condition=Q(eg__versions__validite__contains=timezone.localdate())),
        nom_eg=F("version_eg__nom"),
        commune_eg=F("version_eg__commune"),
    ).select_related("dossier__envoye_par", "dossier__auteur", "autorite", "tache__owner", "eg", "close_par")


def page_taches(
    taches: QuerySet[Tache],
    *,
    tri: str = "echeance",
    apres: int | None = None,
    avant: int | None = None,
    taille: int = TAILLE_PAGE,
) -> PageTaches:
    """One page by key. Two statements, one more to find the task that a neighbouring page starts from."""
    arriere = apres is None and avant is not None
    repere = avant if arriere else apres
    if repere is not None:
        taches = _apres(taches, tri, repere, arriere=arriere)
    # Sorted as bare keys, then joined: 50 rows of everything rather than 25,000.
    cles = list(_ordonner(taches, tri, arriere=arriere).values_list("pk", flat=True)[: taille + 1])
    lues = list(_ordonner(detaillees(Tache.objects.filter(pk__in=cles)), tri, arriere=arriere))
    encore, lignes = len(lues) > taille, lues[:taille]
    if arriere:
        lignes.reverse()
    avant_elle = encore if arriere else repere is not None
    apres_elle = bool(arriere) or encore
    return PageTaches(
        lignes,
        lignes[0].pk if lignes and avant_elle else None,
        lignes[-1].pk if lignes and apres_elle else None,
    )


def _a_decider(taches: QuerySet[Tache], sauf: int) -> QuerySet[Tache]:
    return taches.filter(noeud__in=[e.noeud for e in ETAPES.values() if e.reservable]).exclude(pk=sauf)


def suivante(taches: QuerySet[Tache], *, tri: str, apres: int) -> Tache | None:
    """The task to open after this one has been dealt with: the next of the list, else its first.

    Team tasks are left out: they are worked on in the dossier, there is nothing to decide on their page.
    """
    a_decider = _a_decider(taches, apres)
    return _ordonner(_apres(a_decider, tri, apres), tri).first() or _ordonner(a_decider, tri).first()


def voisines(taches: QuerySet[Tache], *, tri: str, de: int) -> tuple[int | None, int | None]:
    """The tasks before and after this one in a list, whether it is still in it or not; None at the ends."""
    autres = _a_decider(taches, de)
    avant = _ordonner(_apres(autres, tri, de, arriere=True), tri, arriere=True)
    apres = _ordonner(_apres(autres, tri, de), tri)
    return avant.values_list("pk", flat=True).first(), apres.values_list("pk", flat=True).first()
