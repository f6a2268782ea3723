"""What the supervision reads of the flow: where the dossiers are, since when, what was done, what went wrong.

Each figure has a list behind it, read through the same filter (``ouvertes``, ``actes``, ``decisions``), so that the two
can't disagree; but a step counts dossiers, and its list holds tasks: a joint approval is one, then a task an authority.
Days are those of the calendar here: what a person who looks at a backlog counts.
"""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, TruncWeek
from django.utils import timezone
from viewflow.workflow.status import STATUS

from structures.enums import Filiere
from structures.models import Habilitation, RegleCategorie
from structures.requetes import versions_au

from . import delais
from .domaine.echecs import ECHECS_ET_REPRISES
from .enums import ACTES, ENVOYES, ETAPES, Cercle, Etape, EtatDossier, Issue, TypeEvenement
from .models import Decision, Dossier, Evenement, Suppleance, Tache
from .regles import TRANSMISSIBLES, approbations_conjointes
from .requetes import sans_acteur

# -- where the dossiers are ----------------------------------------------------------------------------


class Position(NamedTuple):
    """The dossiers that stand at a step: how many, how many late, since when the oldest, how many tasks are held."""

    noeud: str
    dossiers: int
    en_retard: int
    plus_ancienne: datetime
    prises: int


def positions() -> dict[str, Position]:
    """By step, in the order of the flow; a joint approval counts once. One statement.

    Only a joint approval has several tasks of one dossier: to sort the others too would cost most of the statement.
    """
    en_retard, jointe = Q(echeance__lt=timezone.now()), Q(noeud="approbation_tutelle")
    lignes = (
        Tache.objects.filter(close_le__isnull=True)
        .order_by("noeud")
        .values("noeud")
        .annotate(
            seuls=Count("pk", filter=~jointe),
            seuls_en_retard=Count("pk", filter=~jointe & en_retard),
            joints=Count("dossier", distinct=True, filter=jointe),
            joints_en_retard=Count("dossier", distinct=True, filter=jointe & en_retard),
            ancienne=Min("creee_le"),
            prises=Count("tache__owner"),
        )
        .values_list("noeud", "seuls", "seuls_en_retard", "joints", "joints_en_retard", "ancienne", "prises")
    )
    trouvees = {
        noeud: Position(noeud, seuls + joints, seuls_en_retard + joints_en_retard, ancienne, prises)
        for noeud, seuls, seuls_en_retard, joints, joints_en_retard, ancienne, prises in lignes
    }
    return {noeud: trouvees[noeud] for noeud in ETAPES if noeud in trouvees}


# -- the backlog by age --------------------------------------------------------------------------------


class Tranche(NamedTuple):
    """Tasks created ``de`` to ``a`` days ago (None: and more)."""

    cle: str
    libelle: str
    de: int
    a: int | None


TRANCHES = tuple(
    Tranche(f"{de}-{'' if a is None else a}", libelle, de, a)
    for de, a, libelle in (
        (0, 1, "Moins de 2 jours"),
        (2, 7, "2 à 7 jours"),
        (8, 14, "8 à 14 jours"),
        (15, 30, "15 à 30 jours"),
        (31, 60, "31 à 60 jours"),
        (61, None, "Plus de 60 jours"),
    )
)


def _de_cet_age(tranche: Tranche) -> Q:
    aujourdhui = timezone.localdate()
    condition = Q(creee_le__lt=delais.a(aujourdhui - timedelta(days=tranche.de - 1)))
    if tranche.a is not None:
        condition &= Q(creee_le__gte=delais.a(aujourdhui - timedelta(days=tranche.a)))
    return condition


class Arriere(NamedTuple):
    """The open tasks of a step, of an authority when the step has some; ``nombres`` and ``retards`` by TRANCHES."""

    noeud: str
    autorite: str
    nom_autorite: str
    nombres: tuple[int, ...]
    retards: tuple[int, ...]


def arrieres() -> list[Arriere]:
    """In the order of the flow, then of the authorities. One statement."""
    en_retard = Q(echeance__lt=timezone.now())
    comptes: dict[str, Any] = {}
    for rang, tranche in enumerate(TRANCHES):
        comptes[f"n{rang}"] = Count("pk", filter=_de_cet_age(tranche))
        comptes[f"r{rang}"] = Count("pk", filter=_de_cet_age(tranche) & en_retard)
    lignes: Any = (
        Tache.objects.filter(close_le__isnull=True)
        .order_by("autorite")
        .values("noeud", "autorite", "autorite__nom")
        .annotate(**comptes)
    )
    rangs = range(len(TRANCHES))
    trouves = [
        Arriere(
            ligne["noeud"],
            ligne["autorite"] or "",
            ligne["autorite__nom"] or "",
            tuple(ligne[f"n{r}"] for r in rangs),
            tuple(ligne[f"r{r}"] for r in rangs),
        )
        for ligne in lignes
    ]
    etapes = list(ETAPES)
    return sorted(trouves, key=lambda a: (etapes.index(a.noeud), a.autorite))


def ouvertes(
    *, etape: str = "", autorite: str = "", tranche: str = "", retard: bool = False, personne: bool = False
) -> QuerySet[Tache]:
    """The open tasks behind a figure. ``personne``: those that nobody can do."""
    taches = sans_acteur() if personne else Tache.objects.filter(close_le__isnull=True)
    if etape:
        taches = taches.filter(noeud=etape)
    if autorite:
        taches = taches.filter(autorite=autorite)
    for t in TRANCHES:
        if t.cle == tranche:
            taches = taches.filter(_de_cet_age(t))
    return taches.filter(echeance__lt=timezone.now()) if retard else taches


# -- what was done -------------------------------------------------------------------------------------


class Periode(NamedTuple):
    """Both days included."""

    du: date
    au: date

    @property
    def bornes(self) -> tuple[datetime, datetime]:
        return delais.a(self.du), delais.a(self.au + timedelta(days=1))

    def semaines(self) -> list["Periode"]:
        """The ISO weeks of the period, its ends cut off."""
        lundi = self.du - timedelta(days=self.du.weekday())
        semaines = []
        while lundi <= self.au:
            semaines.append(Periode(max(lundi, self.du), min(lundi + timedelta(days=6), self.au)))
            lundi += timedelta(days=7)
        return semaines


def actes(periode: Periode, *, type_: str = "", personne: int | None = None) -> QuerySet[Evenement]:
    """What was done to dossiers (``ACTES``) in the period."""
    debut, fin = periode.bornes
    faits = Evenement.objects.filter(type__in=[type_] if type_ else ACTES, le__gte=debut, le__lt=fin)
    return faits.filter(acteur=personne) if personne else faits


def decisions(periode: Periode, *, noeud: str = "", autorite: str = "", issue: str = "") -> QuerySet[Decision]:
    debut, fin = periode.bornes
    choix = {"noeud": noeud, "autorite": autorite, "issue": issue}
    return Decision.objects.select_related("pour").filter(
        le__gte=debut, le__lt=fin, **{nom: valeur for nom, valeur in choix.items() if valeur}
    )


def par_semaine(periode: Periode) -> list[tuple[Periode, dict[str, int]]]:
    """Every week of the period, those without anything too, each with what was done by type. One statement."""
    comptes: dict[date, dict[str, int]] = {}
    for semaine, type_, nombre in (
        actes(periode)
        .annotate(semaine=TruncWeek("le"))
        .order_by("semaine")
        .values("semaine", "type")
        .annotate(nombre=Count("pk"))
        .values_list("semaine", "type", "nombre")
    ):
        comptes.setdefault(timezone.localtime(semaine).date(), {})[type_] = nombre
    return [(s, comptes.get(s.du - timedelta(days=s.du.weekday()), {})) for s in periode.semaines()]


class DeLaPersonne(NamedTuple):
    personne: int
    nom: str
    nombres: dict[str, int]


def par_personne(periode: Periode, limite: int | None = None) -> list[DeLaPersonne]:
    """Those who did the most first. One statement."""
    comptes = {type_.value: Count("pk", filter=Q(type=type_)) for type_ in ACTES}
    lignes: Any = (
        actes(periode)
        .filter(acteur__isnull=False)
        .values("acteur", "acteur__first_name", "acteur__last_name", "acteur__username")
        .annotate(total=Count("pk"), **comptes)
        .order_by("-total", "acteur")[:limite]
    )
    return [
        DeLaPersonne(
            ligne["acteur"],
            f"{ligne['acteur__first_name']} {ligne['acteur__last_name']}".strip() or ligne["acteur__username"],
            {type_.value: ligne[type_.value] for type_ in ACTES},
        )
        for ligne in lignes
    ]


class DeLAutorite(NamedTuple):
    noeud: str
    autorite: str
    nom: str
    nombres: dict[str, int]


def par_autorite(periode: Periode) -> list[DeLAutorite]:
    """Decisions on sent dossiers by step and authority, in the order of the flow. One statement."""
    trouvees: dict[tuple[str, str], DeLAutorite] = {}
    for noeud, autorite, nom, issue, nombre in (
        decisions(periode)
        .order_by("autorite")
        .values("noeud", "autorite", "autorite__nom", "issue")
        .annotate(nombre=Count("pk"))
        .values_list("noeud", "autorite", "autorite__nom", "issue", "nombre")
    ):
        ligne = trouvees.setdefault((noeud, autorite or ""), DeLAutorite(noeud, autorite or "", nom or "", {}))
        ligne.nombres[issue] = nombre
    etapes = list(ETAPES)
    return sorted(trouvees.values(), key=lambda ligne: (etapes.index(ligne.noeud), ligne.autorite))


# What a decision can be, as the table of authorities counts it: an assignment is no answer to the dossier.
REPONSES = (Issue.VALIDE, Issue.APPROUVE, Issue.RENVOYE, Issue.REFUSE)


class PageActes(NamedTuple):
    """Events or decisions. ``suivant``: the line to ask the next page from, None at the end. The last done first."""

    lignes: list[Any]
    suivant: int | None


def page_actes(lus: QuerySet[Any], *, apres: int | None = None, taille: int = 50) -> PageActes:
    """One statement, one more for a page that is not the first."""
    lus = lus.select_related("dossier", "acteur").order_by("-le", "-pk")
    borne = lus.model._default_manager.filter(pk=apres).values_list("le", flat=True).first() if apres else None
    if borne is not None:
        lus = lus.filter(Q(le__lt=borne) | Q(le=borne, pk__lt=apres))
    trouvees = list(lus[: taille + 1])
    return PageActes(trouvees[:taille], trouvees[taille - 1].pk if len(trouvees) > taille else None)


# -- what went wrong -----------------------------------------------------------------------------------


def tenues_par_des_absents() -> QuerySet[Tache]:
    """Open tasks whose holder can no longer do them. The set twin of ``regles.peut_faire`` asked of each holder:
    tests/workflows/test_supervision.py holds them together."""
    perdues = Q(pk__in=[])
    for etape in ETAPES.values():
        peut = _en_propre(etape)
        if etape.cercle is not Cercle.EDITEURS:
            peut |= _en_suppleance(etape)
        perdues |= Q(noeud=etape.noeud) & ~peut  # in this order: PostgreSQL asks the rights of one step only
    return Tache.objects.filter(
        perdues, close_le__isnull=True, tache__owner__isnull=False, tache__status=STATUS.ASSIGNED
    )


def _en_propre(etape: Etape) -> Q:
    peut = Q(Exists(_droits(etape).filter(user=OuterRef("tache__owner"))))
    if etape.cercle is Cercle.TUTELLE:
        peut &= _n_a_pas_signe()
    return peut & ~Q(dossier__envoye_par=F("tache__owner")) if etape.neutre else peut


def _n_a_pas_signe() -> Q:
    """Her holder has not approved the dossier for another authority (``regles.approbations_conjointes``)."""
    return Q(~Exists(approbations_conjointes().filter(dossier=OuterRef("dossier"), acteur=OuterRef("tache__owner"))))


def _en_suppleance(etape: Etape) -> Q:
    """By what ``regles.perimetre_supplee`` adds to her own rights."""
    en_cours, role = Suppleance.objects.en_cours().order_by(), etape.roles[0]
    semblable = Habilitation.objects.actives().filter(user=OuterRef("tache__owner"), role__in=TRANSMISSIBLES[role])
    absentes = en_cours.filter(suppleante=OuterRef(OuterRef("tache__owner"))).values("absente")
    expediteur = en_cours.filter(suppleante=OuterRef("tache__owner"), absente=OuterRef("dossier__envoye_par"))
    pour_elles = Exists(_droits(etape).filter(user__in=absentes))
    personne_n_a_envoye = ~Q(dossier__envoye_par=F("tache__owner")) & Q(~Exists(expediteur))
    peut = Q(pour_elles, Exists(semblable.order_by())) & personne_n_a_envoye
    if etape.cercle is not Cercle.TUTELLE:
        return peut
    signees = approbations_conjointes().filter(dossier=OuterRef("dossier"), acteur__in=absentes)
    return peut & _n_a_pas_signe() & Q(~Exists(signees))


def _droits(etape: Etape) -> QuerySet[Habilitation]:
    """Habilitations of today that the tasks of the outer query are for."""
    tenues = Habilitation.objects.actives().filter(role__in=etape.roles).order_by()
    if etape.cercle is Cercle.GESTIONNAIRES:
        return tenues
    if etape.cercle is Cercle.TUTELLE:
        return tenues.filter(autorite=OuterRef("autorite"))
    ej = versions_au().filter(fiche=OuterRef(OuterRef("eg"))).order_by().values("parent")
    return tenues.filter(Q(fiche=OuterRef("eg")) | Q(fiche__in=ej))


def publications_echouees() -> QuerySet[Evenement]:
    """The last failure of each dossier in approval, as long as nobody has dealt with it."""
    suite = Evenement.objects.filter(ECHECS_ET_REPRISES, dossier=OuterRef("dossier"), pk__gt=OuterRef("pk")).order_by()
    return Evenement.objects.filter(
        ~Exists(suite),
        type=TypeEvenement.PUBLICATION_ECHOUEE,
        dossier__etat=EtatDossier.APPROBATION,
        le__gte=F("dossier__envoye_le"),
    )


def circuits_perimes() -> QuerySet[Dossier]:
    """Sent dossiers on another route than their establishment would give today: its category changed since, by an
    import for example. The route doesn't change while the flow runs (domain.md §6)."""
    version = versions_au().filter(fiche=OuterRef("eg")).order_by()
    regle = RegleCategorie.objects.filter(categorie=OuterRef("categorie_du_jour")).order_by()
    return (
        Dossier.objects.filter(etat__in=ENVOYES)
        .annotate(
            categorie_du_jour=Subquery(version.values("categorie")[:1]),
            filiere_du_jour=Coalesce(Subquery(regle.values("filiere")[:1]), Value(Filiere.AUTRE.value)),
        )
        .filter(categorie_du_jour__isnull=False)
        .exclude(filiere_du_jour=F("filiere"))
    )
