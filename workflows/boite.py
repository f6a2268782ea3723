"""The inbox: which tasks each tab holds, filters, order, pages."""

from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import F, FilteredRelation, Q, QuerySet
from django.utils import timezone

from structures.domaine.texte import normaliser
from structures.requetes import versions_au

from .enums import ETAPES, Issue
from .models import Tache
from .regles import Portees, dossiers_visibles, taches_de
from .requetes import sans_accents

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from backoffice.comptes.models import User

TAILLE_PAGE = 50


def onglets(user: "User | AnonymousUser") -> dict[str, QuerySet[Tache]]:
    """The four tabs of the inbox by their word in the address; who she is is asked once for all of them.

    To take: nobody holds them. Hers: she holds them. Late: those of both kinds past their due date. Done: those that
    she closed and may still see, not those that another decision closed.
    """
    ouvertes = taches_de(user).filter(close_le__isnull=True)
    libres, siennes = Q(tache__owner__isnull=True), Q(tache__owner=user.pk)
    closes = Tache.objects.filter(close_par=user.pk, close_le__isnull=False).exclude(issue=Issue.ANNULE)
    return {
        "a-prendre": ouvertes.filter(libres),
        "mes-taches": ouvertes.filter(siennes),
        "en-retard": ouvertes.filter(libres | siennes, echeance__lt=timezone.now()),
        "terminees": closes.filter(dossier__in=dossiers_visibles(user)).order_by(F("close_le").desc(), "-pk"),
    }


def a_faire(user: "User | AnonymousUser", tenus: Portees | None = None) -> QuerySet[Tache]:
    """Open tasks that wait for her: those she holds and those she may take. ``tenus``: see ``regles.perimetre``."""
    return taches_de(user, tenus).filter(Q(tache__owner__isnull=True) | Q(tache__owner=user.pk), close_le__isnull=True)


def filtrer(
    taches: QuerySet[Tache], *, etape: str = "", texte: str = "", autorite: str = "", retard: bool = False
) -> QuerySet[Tache]:
    """Narrow a list of tasks; ``texte`` looks at the establishment (name, FINESS, commune) and the dossier's name."""
    if etape:
        taches = taches.filter(noeud=etape)
    if autorite:
        taches = taches.filter(autorite=autorite)
    if retard:
        taches = taches.filter(close_le__isnull=True, echeance__lt=timezone.now())
    mots = normaliser(texte).split()
    if mots:
        taches = taches.annotate(nom_cherche=sans_accents("dossier__nom"))
    for mot in mots:
        egs = versions_au().filter(niveau="EG", recherche__contains=mot).order_by().values("fiche")
        taches = taches.filter(Q(eg__in=egs) | Q(nom_cherche__contains=mot))
    return taches


# Sort of the address → column and direction.
TRIS = {"echeance": ("echeance", False), "anciennete": ("creee_le", False), "fin": ("close_le", True)}


class PageTaches(NamedTuple):
    """``precedent`` and ``suivant`` are tasks to ask the neighbouring pages from, None at the ends."""

    taches: list[Any]
    precedent: int | None
    suivant: int | None


def _apres(taches: QuerySet[Tache], tri: str, repere: int, *, arriere: bool = False) -> QuerySet[Tache]:
    """What follows a task in this order (precedes it, ``arriere``); everything when the task does not exist."""
    colonne, decroissant = TRIS[tri]
    borne = Tache.objects.filter(pk=repere).values_list(colonne, flat=True).first()
    if borne is None:
        return taches
    sens = "lt" if decroissant != arriere else "gt"
    return taches.filter(
        Q((f"{colonne}__{sens}", borne)) | Q((colonne, borne), (f"pk__{sens}", repere)), (f"{colonne}__{sens}e", borne)
    )


def _ordonner(taches: QuerySet[Tache], tri: str, *, arriere: bool = False) -> QuerySet[Tache]:
    colonne, decroissant = TRIS[tri]
    signe = "-" if decroissant != arriere else ""
    return taches.order_by(f"{signe}{colonne}", f"{signe}pk")


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


def suivante(taches: QuerySet[Tache], *, tri: str, apres: int) -> Tache | None:
    """The task to open after this one has been dealt with: the next of the list, else its first.

    Team tasks are left out: they are worked on in the dossier, there is nothing to decide on their page.
    """
    a_decider = taches.filter(noeud__in=[e.noeud for e in ETAPES.values() if e.reservable]).exclude(pk=apres)
    return _ordonner(_apres(a_decider, tri, apres), tri).first() or _ordonner(a_decider, tri).first()
