"""Read models of the dossiers: counts, supervision, lists, what a dossier changes. The inbox is ``boite``."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection
from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    Func,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Lower
from django.utils import timezone
from viewflow.workflow.models import Task
from viewflow.workflow.status import STATUS

from structures.domaine.texte import normaliser
from structures.models import Habilitation, VersionFiche
from structures.requetes import versions_au

from .enums import ETAPES, OUVERTS, TERMINES, Cercle, EtatFiche, Nature
from .models import Dossier, Evenement, FicheTravail, Tache
from .regles import approbations_conjointes, dossiers_visibles

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from backoffice.comptes.models import User


def proprietaires() -> set[int]:
    """People who hold an open task."""
    return set(
        Tache.objects.filter(close_le__isnull=True, tache__owner__isnull=False).values_list("tache__owner", flat=True)
    )


# -- tasks and their dossiers ---------------------------------------------------------------------------

PLAFOND = 1000  # beyond, a counter says « 1 000+ »: nobody reads it, and counting further would cost


def compter(listes: Mapping[str, QuerySet[Any]], plafond: int = PLAFOND) -> dict[str, int]:
    """How many rows each list has, in one statement; ``plafond + 1`` means more than ``plafond``."""
    morceaux: list[str] = []
    parametres: list[Any] = []
    for liste in listes.values():
        requete = liste.order_by().values("pk")[: plafond + 1].query
        # A person without any habilitation has lists that are known to be empty: they count as zero.
        sql, siens = requete.get_compiler(connection=connection, elide_empty=False).as_sql()
        morceaux.append(f"(SELECT count(*) FROM ({sql}) AS liste)")  # noqa: S608  our own statement
        parametres += siens
    if not morceaux:
        return {}
    with connection.cursor() as curseur:
        curseur.execute(f"SELECT {', '.join(morceaux)}", parametres)
        return dict(zip(listes, curseur.fetchone() or (), strict=True))


def natures(dossiers: Collection[int]) -> dict[int, dict[str, int]]:
    """How many additions, moves, changes and removals each dossier holds, in one statement."""
    nature = Case(
        When(patch__existe=True, then=Value(Nature.AJOUT)),
        When(patch__existe=False, then=Value(Nature.SUPPRESSION)),
        When(patch__has_key="parent", then=Value(Nature.DEPLACEMENT)),
        default=Value(Nature.MODIFICATION),
    )
    comptes: dict[int, dict[str, int]] = {}
    lignes = (
        FicheTravail.objects.filter(dossier__in=dossiers)
        .order_by()
        .values("dossier")
        .annotate(ce_qu_il_fait=nature, nombre=Count("pk"))
        .values_list("dossier", "ce_qu_il_fait", "nombre")
    )
    for dossier, nom, nombre in lignes:
        comptes.setdefault(dossier, {})[nom] = nombre
    return comptes


def tutelles_soeurs(taches: Collection[Tache]) -> dict[int, list[Tache]]:
    """For approvals by a tutelle: the tasks that the same split of the flow gave to the other authorities, by task.

    Two statements for any number; a task alone in its round has an empty list.
    """
    approbations = [t.pk for t in taches if t.noeud == "approbation_tutelle"]
    if not approbations:
        return {}
    liens = Task.previous.through.objects.filter(from_task__in=approbations).order_by("pk")
    partage = dict(liens.values_list("from_task", "to_task"))
    tours: dict[int, list[Tache]] = {}
    for soeur in (
        Tache.objects.annotate(partage=F("tache__previous"))
        .filter(partage__in=set(partage.values()), noeud="approbation_tutelle")
        .select_related("autorite", "tache__owner", "tache__decision__acteur", "tache__decision__pour")
        .order_by("autorite", "pk")
    ):
        tours.setdefault(soeur.partage, []).append(soeur)
    return {cle: [s for s in tours.get(partage[cle], []) if s.pk != cle] for cle in approbations if cle in partage}


# -- supervision --------------------------------------------------------------------------------------


class Charge(NamedTuple):
    """The open tasks of a step: how many, since when the oldest, how many late, how many that somebody holds."""

    noeud: str
    nombre: int
    plus_ancienne: datetime
    en_retard: int
    prises: int


def charge_par_etape(taches: QuerySet[Tache]) -> list[Charge]:
    """In the order of the flow, steps without any task left out. One statement."""
    lignes = {
        noeud: Charge(noeud, *reste)
        for noeud, *reste in taches.filter(close_le__isnull=True)
        .order_by("noeud")
        .values("noeud")
        .annotate(
            nombre=Count("pk"),
            ancienne=Min("creee_le"),
            retard=Count("pk", filter=Q(echeance__lt=timezone.now())),
            prises=Count("pk", filter=Q(tache__owner__isnull=False)),
        )
        .values_list("noeud", "nombre", "ancienne", "retard", "prises")
    }
    return [lignes[noeud] for noeud in ETAPES if noeud in lignes]


def sans_acteur(tenues: "QuerySet[Habilitation] | None" = None) -> QuerySet[Tache]:
    """Open tasks that nobody can do as things are now, whatever was true when they were created (domain.md §6).

    ``tenues``: the habilitations that count, today's unless said.

    The set twin of ``regles.acteurs_de``: tests/workflows/test_ecrans_taches.py holds them together.
    """
    tenues = (Habilitation.objects.actives() if tenues is None else tenues).order_by()
    condition = Q(pk__in=[])
    for etape in ETAPES.values():
        du_role = tenues.filter(role__in=etape.roles)
        if etape.cercle in (Cercle.EDITEURS, Cercle.DIRECTION):
            portees = du_role.values("fiche_id")
            des_ej = versions_au().filter(parent__in=portees).order_by().values("fiche")
            condition |= Q(~Q(eg__in=portees.union(des_ej)), noeud=etape.noeud)
            continue
        if etape.cercle is Cercle.TUTELLE:
            signees = approbations_conjointes().filter(dossier=OuterRef(OuterRef("dossier")), acteur=OuterRef("user"))
            du_role = du_role.filter(~Exists(signees), autorite=OuterRef("autorite"))
        if etape.neutre:
            du_role = du_role.exclude(user=OuterRef("dossier__envoye_par"))
        condition |= Q(~Exists(du_role), noeud=etape.noeud)
    return Tache.objects.filter(condition, close_le__isnull=True)


def minuteries_en_retard(depuis: timedelta = timedelta(minutes=5)) -> QuerySet[Task]:
    """Timers of the flow that should have fired: beat or its worker is not running, or the timer fails."""
    return Task.objects.filter(
        flow_task_type="TIMER", status=STATUS.SCHEDULED, scheduled__lt=timezone.now() - depuis
    ).order_by("scheduled", "pk")


def etapes_en_erreur() -> QuerySet[Task]:
    """Steps of the flow that viewflow left in error."""
    return Task.objects.filter(status=STATUS.ERROR).order_by("pk")


# -- lists of dossiers -------------------------------------------------------------------------------

_ACCENTS, _SANS = "àâäáãåçéèêëíìîïñóòôöõúùûüýÿ’-", "aaaaaaceeeeiiiinooooouuuuyy  "


def sans_accents(champ: str) -> Func:
    """A column as ``structures.domaine.texte.normaliser`` writes what is searched."""
    return Func(Lower(champ), Value(_ACCENTS), Value(_SANS), function="translate", output_field=CharField())


def rechercher_dossiers(user: "User | AnonymousUser", texte: str = "") -> QuerySet[Dossier]:
    """Dossiers that the person may see, each word being in their name or in that of their establishment."""
    dossiers = dossiers_visibles(user)
    mots = normaliser(texte).split()
    if not mots:
        return dossiers
    dossiers = dossiers.annotate(nom_cherche=sans_accents("nom"))
    for mot in mots:
        egs = versions_au().filter(niveau="EG", recherche__contains=mot).order_by().values("fiche")
        dossiers = dossiers.filter(Q(nom_cherche__contains=mot) | Q(eg__in=egs))
    return dossiers


def nombres_de_dossiers(dossiers: QuerySet[Dossier]) -> tuple[int, int]:
    """(open, ended), in one statement."""
    comptes = dossiers.order_by().aggregate(
        ouverts=Count("pk", filter=Q(etat__in=OUVERTS)), termines=Count("pk", filter=Q(etat__in=TERMINES))
    )
    return comptes["ouverts"], comptes["termines"]


class PageDossiers(NamedTuple):
    """A page of dossiers, the last created first, with the numbers to ask for its neighbours (None: there is none)."""

    lignes: list[Dossier]
    precedent: int | None
    suivant: int | None


def page_dossiers(
    dossiers: QuerySet[Dossier], *, apres: int | None = None, avant: int | None = None, taille: int = 25
) -> PageDossiers:
    """Keyset page: what was created before the dossier ``apres``, or after the dossier ``avant``; one statement."""
    arriere = apres is None and avant is not None
    if apres is not None:
        dossiers = dossiers.filter(pk__lt=apres)
    elif avant is not None:
        dossiers = dossiers.filter(pk__gt=avant)
    lus = list(dossiers.select_related("eg").order_by("pk" if arriere else "-pk")[: taille + 1])
    encore, lignes = len(lus) > taille, lus[:taille]
    if arriere:
        lignes.reverse()
    debut = encore if arriere else apres is not None
    fin = True if arriere else encore
    return PageDossiers(lignes, lignes[0].pk if lignes and debut else None, lignes[-1].pk if lignes and fin else None)


class Avancement(NamedTuple):
    """What a list says of a dossier beside its name."""

    etablissement: str
    fiches: int
    finalisees: int
    taches: list[Tache]
    dernier: Evenement | None


def avancements(dossiers: Sequence[Dossier]) -> dict[int, Avancement]:
    """By dossier: establishment, progress, open tasks, last event; four statements for any number."""
    cles = [d.pk for d in dossiers]
    noms = noms_des_etablissements({d.eg_id for d in dossiers})
    comptes = {
        ligne["dossier"]: (ligne["n"], ligne["f"])
        for ligne in FicheTravail.objects.filter(dossier__in=cles)
        .order_by()
        .values("dossier")
        .annotate(n=Count("pk"), f=Count("pk", filter=Q(etat=EtatFiche.FINALISEE)))
    }
    taches: dict[int, list[Tache]] = defaultdict(list)
    for tache in Tache.objects.filter(dossier__in=cles, close_le__isnull=True).select_related(
        "tache__owner", "autorite"
    ):
        taches[tache.dossier_id].append(tache)
    derniers = {
        e.dossier_id: e
        for e in Evenement.objects.filter(dossier__in=cles)
        .select_related("acteur")
        .order_by("dossier_id", "-pk")
        .distinct("dossier_id")
    }
    return {
        d.pk: Avancement(
            noms.get(d.eg_id, d.eg.identifiant), *comptes.get(d.pk, (0, 0)), taches[d.pk], derniers.get(d.pk)
        )
        for d in dossiers
    }


def noms_des_etablissements(egs: Collection[int]) -> dict[int, str]:
    """Today's names, else the last known ones, in one statement."""
    versions = VersionFiche.objects.filter(fiche__in=egs).order_by("fiche_id", "validite")
    aujourdhui = timezone.localdate()
    noms: dict[int, str] = {}
    for fiche, nom, validite in versions.values_list("fiche_id", "nom", "validite"):
        if fiche not in noms or validite.lower <= aujourdhui:
            noms[fiche] = nom
    return noms
