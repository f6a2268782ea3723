"""What the consumers of the exposition read: their list, the use of one, what it sees."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.db.models import F, IntegerField, Max, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Lower
from django.utils import timezone

from .domaine.valider import LIBRE, RESTREINT, TRES_RESTREINT
from .enums import Portee
from .fhir.confidentialite import NIVEAUX_LUS
from .models import CompteurConsommateur, Consommateur, JournalConsommateur, RefusConsommateur, UsageConsommateur

TAILLE_PAGE = 50
PERIODES = (30, 90)
DERNIERS_REFUS = 20
HAUTEUR = 100  # of the chart, in its own units
# As the fields of Total, in their order.
COLONNES = ("requetes", "ressources", "octets", "refus", "quota", "erreurs_client", "erreurs_serveur", "duree_ms")

# Signs of the levels of confidentiality (R283), from the least to the most confidential.
_SIGNES = {LIBRE: "libre", RESTREINT: "restreint", TRES_RESTREINT: "tres-restreint"}


class PageConsommateurs(NamedTuple):
    """``precedent`` and ``suivant`` are names to ask the neighbouring pages from, "" at the ends."""

    consommateurs: list[Any]
    precedent: str
    suivant: str


def avec_usage() -> QuerySet[Consommateur]:
    """Each with ``requetes_30``, ``refus_30`` and ``dernier_jour`` (of the last 30 days), and ``cle``: its name."""
    depuis = timezone.localdate() - timedelta(days=PERIODES[0] - 1)
    siens = UsageConsommateur.objects.filter(consommateur=OuterRef("pk"), jour__gte=depuis)
    usages = siens.order_by().values("consommateur")

    def somme(colonne: str) -> Subquery:
        return Subquery(usages.annotate(n=Sum(colonne)).values("n"), output_field=IntegerField())

    return Consommateur.objects.annotate(
        cle=Lower("name"),
        requetes_30=somme("requetes"),
        refus_30=somme("refus"),
        dernier_jour=Subquery(usages.annotate(n=Max("jour")).values("n")),
    )


def page_consommateurs(*, apres: str = "", avant: str = "") -> PageConsommateurs:
    """By name (``avec_usage``); one statement."""
    lignes = avec_usage()
    if avant:
        trouves = list(lignes.filter(cle__lt=avant.lower()).order_by("-cle")[: TAILLE_PAGE + 1])
        encore, trouves = len(trouves) > TAILLE_PAGE, trouves[:TAILLE_PAGE][::-1]
        return PageConsommateurs(trouves, trouves[0].cle if encore else "", trouves[-1].cle if trouves else "")
    suite = lignes.filter(cle__gt=apres.lower()) if apres else lignes
    trouves = list(suite.order_by("cle")[: TAILLE_PAGE + 1])
    encore, trouves = len(trouves) > TAILLE_PAGE, trouves[:TAILLE_PAGE]
    precedent = trouves[0].cle if apres and trouves else ""
    return PageConsommateurs(trouves, precedent, trouves[-1].cle if encore else "")


@dataclass
class Total:
    """The counters of a day or of an interaction; ``quoi`` is its date or its name."""

    quoi: Any
    requetes: int = 0
    ressources: int = 0
    octets: int = 0
    refus: int = 0
    quota: int = 0
    erreurs_client: int = 0
    erreurs_serveur: int = 0
    duree_ms: int = 0

    @property
    def moyenne_ms(self) -> int:
        return round(self.duree_ms / self.requetes) if self.requetes else 0


class Barre(NamedTuple):
    """A day of the chart, in whole units of the drawing: answered requests, the refused ones on top."""

    x: int
    y: int
    hauteur: int
    y_refus: int
    hauteur_refus: int


@dataclass
class Usage:
    """The last ``periode`` days, today included, the oldest first."""

    periode: int
    jours: list[Total]
    interactions: list[Total]
    total: Total = field(init=False)

    def __post_init__(self) -> None:
        sommes = {colonne: sum(getattr(jour, colonne) for jour in self.jours) for colonne in COLONNES}
        self.total = Total("", **sommes)

    @property
    def maximum(self) -> int:
        return max(jour.requetes for jour in self.jours)

    @property
    def jours_au_quota(self) -> int:
        return sum(jour.quota > 0 for jour in self.jours)

    @property
    def barres(self) -> list[Barre]:
        plus_haut = self.maximum or 1
        barres = []
        for rang, jour in enumerate(self.jours):
            haut, rouge = (_hauteur(n, plus_haut) for n in (jour.requetes, jour.refus))
            barres.append(Barre(10 * rang + 1, HAUTEUR - haut + rouge, haut - rouge, HAUTEUR - haut, rouge))
        return barres

    @property
    def largeur(self) -> int:
        return 10 * self.periode


def _hauteur(combien: int, plus_haut: int) -> int:
    """Something that happened is always seen."""
    return max(1, round(HAUTEUR * combien / plus_haut)) if combien else 0


def usage_de(consommateur: Consommateur, periode: int) -> Usage:
    """Two statements, whatever the use."""
    aujourdhui = timezone.localdate()
    jours: list[date] = [aujourdhui - timedelta(days=n) for n in range(periode - 1, -1, -1)]
    usages = UsageConsommateur.objects.filter(consommateur=consommateur, jour__gte=jours[0])
    par_jour = {t.quoi: t for t in _totaux(usages, "jour")}
    par_interaction = sorted(_totaux(usages, "interaction"), key=lambda t: (-t.requetes, t.quoi))
    return Usage(periode, [par_jour.get(jour) or Total(jour) for jour in jours], par_interaction)


def _totaux(usages: QuerySet[UsageConsommateur], par: str) -> Iterable[Total]:
    # F: an aggregate that bears the name of a column would hide it from the next one.
    sommes = usages.order_by().values_list(F(par)).annotate(**{f"s_{colonne}": Sum(colonne) for colonne in COLONNES})
    return [Total(quoi, *(int(n) for n in nombres)) for quoi, *nombres in sommes]


def requetes_du_jour(consommateur: Consommateur) -> int:
    """How many were let in today, against ``quota_jour``."""
    compteur = CompteurConsommateur.objects.filter(consommateur=consommateur, jour=timezone.localdate()).first()
    return compteur.dans_la_journee if compteur else 0


def refus_de(consommateur: Consommateur) -> QuerySet[RefusConsommateur]:
    """Those that are kept, the last first; the page shows DERNIERS_REFUS of them."""
    return consommateur.refus.order_by("-minute", "-pk")


def journal_de(consommateur: Consommateur) -> list[JournalConsommateur]:
    return list(consommateur.journal.select_related("acteur")[:TAILLE_PAGE])


def lectures(consommateur: Consommateur) -> list[tuple[str, bool]]:
    """What it may ask for: (words, may it)."""
    tout = Portee.TOUT in consommateur.portees
    types = (Portee.ORGANISATIONS, Portee.OFFRES, Portee.LIEUX)
    lues = [(str(portee.label), tout or portee in consommateur.portees) for portee in types]
    return [*lues, ("Export en masse", Portee.EXPORT in consommateur.portees)]


def contacts_vus(consommateur: Consommateur) -> list[tuple[str, bool]]:
    """(confidentiality, are its contacts shown), from the least to the most confidential."""
    lus = NIVEAUX_LUS[consommateur.profil]
    return [(signe, niveau in lus) for niveau, signe in _SIGNES.items()]
