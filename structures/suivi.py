"""Read models of what keeps the register true between two changes: freshness and reported errors."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Case, Count, F, Min, Q, QuerySet, When
from django.utils import timezone

from backoffice.comptes.models import User

from . import regles
from .domaine.fraicheur import PART, PETIT, PREAVIS, FraicheurEG, premier_instant
from .domaine.texte import normaliser
from .enums import Niveau
from .models import Confirmation, Fiche, Signalement, VersionFiche
from .requetes import versions_au

TAILLE_PAGE = 50


# -- freshness -----------------------------------------------------------------------------------------


def _par_eg(jour: date) -> QuerySet[Any, Any]:
    """``eg, offres, a_jour, bientot, requis`` of each establishment that has offers on that day."""
    frais = {"fiche__fraicheur__a_jour_le__gte": premier_instant(jour)}
    encore_frais = {"fiche__fraicheur__a_jour_le__gte": premier_instant(jour + timedelta(PREAVIS))}
    return (
        versions_au(jour)
        .filter(niveau=Niveau.UO)
        .order_by()
        .values("eg")
        .annotate(
            offres=Count("pk"),
            a_jour=Count("pk", filter=Q(**frais)),
            bientot=Count("pk", filter=Q(**encore_frais)),
            # The SQL twin of ``requises``; a whole number divided by a whole number is rounded down.
            requis=Case(When(offres__lt=PETIT, then=1), default=(F("offres") + PART - 1) / PART),
        )
    )


def _fraicheur(ligne: dict[str, Any]) -> FraicheurEG:
    return FraicheurEG(ligne["offres"], ligne["a_jour"], ligne["bientot"])


def fraicheur_des(egs: Collection[int], jour: date | None = None) -> dict[int, FraicheurEG]:
    """Rule RE1.2 by establishment, in one statement; absent when it has no open offer."""
    return {ligne["eg"]: _fraicheur(ligne) for ligne in _par_eg(jour or timezone.localdate()).filter(eg__in=list(egs))}


class EnDefaut(NamedTuple):
    """An establishment that breaks rule RE1.2."""

    identifiant: str
    nom: str
    fraicheur: FraicheurEG


def nombre_en_defaut() -> int:
    """How many establishments break the rule today."""
    return _par_eg(timezone.localdate()).filter(a_jour__lt=F("requis")).count()


def en_defaut(limite: int | None) -> list[EnDefaut]:
    """Those that break the rule today, the farthest from it first. Two statements."""
    lignes = list(
        _par_eg(timezone.localdate())
        .filter(a_jour__lt=F("requis"))
        .order_by((F("requis") - F("a_jour")).desc(), "-offres", "eg")[:limite]
    )
    noms = _noms([ligne["eg"] for ligne in lignes])
    return [EnDefaut(*noms[ligne["eg"]], _fraicheur(ligne)) for ligne in lignes if ligne["eg"] in noms]


def a_rappeler(jour: date) -> dict[int, FraicheurEG]:
    """Establishments that somebody edits and that break the rule, or will in 30 days. One statement."""
    lignes = _par_eg(jour).filter(eg__in=regles.egs_avec_editeur().values("pk"), bientot__lt=F("requis"))
    return {ligne["eg"]: _fraicheur(ligne) for ligne in lignes.order_by("eg")}


class ARelire(NamedTuple):
    """An offer that is no longer fresh; ``a_jour_le`` None: nobody ever answered for it."""

    identifiant: str
    nom: str
    a_jour_le: datetime | None


def a_relire(eg: Fiche, limite: int = 5) -> list[ARelire]:
    """The offers of an establishment that nobody answered for in 12 months, the oldest first."""
    frais = Q(fiche__fraicheur__a_jour_le__gte=premier_instant(timezone.localdate()))
    return [
        ARelire(*ligne)
        for ligne in versions_au()
        .filter(eg=eg, niveau=Niveau.UO)
        .exclude(frais)
        .order_by(F("fiche__fraicheur__a_jour_le").asc(nulls_first=True), "recherche", "fiche_id")
        .values_list("fiche__identifiant", "nom", "fiche__fraicheur__a_jour_le")[:limite]
    ]


def confirmations_de(fiche: Fiche) -> QuerySet[Confirmation]:
    """« Tout est à jour » on a fiche, the last first."""
    return fiche.confirmations.select_related("auteur").order_by("-faite_le", "-pk")


# -- reported errors -----------------------------------------------------------------------------------


ONGLETS = {"a-traiter": "À traiter", "tous": "Tous", "les-miens": "Mes signalements", "traites": "Traités"}
ANCIEN = 30  # days after which an open report is old


def onglets(user: User) -> dict[str, QuerySet[Signalement]]:
    """The lists by their word in the address; « tous », the open ones, for the gestionnaires alone."""
    listes = {
        "a-traiter": regles.signalements_a_traiter(user),
        "tous": regles.signalements_ouverts(user),
        "les-miens": Signalement.objects.filter(auteur=user),
        "traites": regles.signalements_traites(user),
    }
    if not regles.est_gestionnaire(user):
        del listes["tous"]
    return listes


class SignalementsOuverts(NamedTuple):
    """How many reports are open in the region, how many of them are old, since when the first one is."""

    nombre: int
    anciens: int
    depuis: datetime | None


def signalements_ouverts() -> SignalementsOuverts:
    """One statement."""
    ouverts = Signalement.objects.filter(clos_le__isnull=True)
    return SignalementsOuverts(
        **ouverts.aggregate(
            nombre=Count("pk"),
            anciens=Count("pk", filter=Q(cree_le__lt=timezone.now() - timedelta(ANCIEN))),
            depuis=Min("cree_le"),
        )
    )


def filtrer(
    signalements: QuerySet[Signalement], *, theme: str = "", q: str = "", depuis: int | None = None
) -> QuerySet[Signalement]:
    """``q`` looks at the fiche and its establishment (name, FINESS, commune) and at what was written; ``depuis``: made
    more than that many days ago."""
    if theme:
        signalements = signalements.filter(theme=theme)
    if depuis:
        signalements = signalements.filter(cree_le__lt=timezone.now() - timedelta(depuis))
    for mot in q.split():
        trouvees = versions_au().filter(recherche__contains=normaliser(mot)).order_by()
        signalements = signalements.filter(
            Q(fiche__in=trouvees.values("fiche"))
            | Q(fiche__eg__in=trouvees.filter(niveau=Niveau.EG).values("fiche"))
            | Q(message__icontains=mot)
        )
    return signalements


class Page(NamedTuple):
    """A page of reports; the keys to ask its neighbours from, None at the ends."""

    signalements: list[Signalement]
    precedent: int | None
    suivant: int | None


def page(
    signalements: QuerySet[Signalement],
    *,
    croissant: bool,
    apres: int | None = None,
    avant: int | None = None,
    taille: int = TAILLE_PAGE,
) -> Page:
    """One page by key of a list of ``onglets``, the oldest first (``croissant``) or the newest. One statement."""
    arriere = avant is not None and apres is None
    repere = avant if arriere else apres
    vers_le_haut = croissant != arriere  # the keys grow as one reads on
    if repere is not None:
        signalements = signalements.filter(**{"pk__gt" if vers_le_haut else "pk__lt": repere})
    lues = list(
        signalements.order_by("pk" if vers_le_haut else "-pk").select_related("fiche", "auteur", "clos_par")[
            : taille + 1
        ]
    )
    encore, lignes = len(lues) > taille, lues[:taille]
    if arriere:
        lignes.reverse()
    avant_elle, apres_elle = (encore, True) if arriere else (apres is not None, encore)
    return Page(
        lignes,
        lignes[0].pk if lignes and avant_elle else None,
        lignes[-1].pk if lignes and apres_elle else None,
    )


def noms_des(signalements: Collection[Signalement]) -> dict[int, tuple[str, str]]:
    """(identifier, name) of the fiches and establishments of reports, by fiche id, closed ones too; one statement."""
    return _noms({cle for s in signalements for cle in (s.fiche_id, s.fiche.eg_id) if cle})


def _noms(fiches: Collection[int]) -> dict[int, tuple[str, str]]:
    """By the last version of each: a fiche that closed keeps its name."""
    dernieres = (
        VersionFiche.objects.filter(fiche__in=list(fiches), validite__startswith__lte=timezone.localdate())
        .order_by("fiche_id", "-validite")
        .distinct("fiche_id")
    )
    return {
        cle: (identifiant, nom or "(sans nom)")
        for cle, identifiant, nom in dernieres.values_list("fiche_id", "fiche__identifiant", "nom")
    }
