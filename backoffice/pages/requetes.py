"""Read models of the home page and the accounts."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, Exists, Max, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone

from backoffice.comptes.models import User
from structures import suivi
from structures.completude import fiches_incompletes
from structures.domaine.fraicheur import FraicheurEG
from structures.enums import ChampEG, Niveau, Role
from structures.models import Habilitation, RegleCategorie, Reservation, VersionFiche
from structures.regles import egs_de
from structures.requetes import libelles_communes, noms_au, versions_au
from workflows import boite
from workflows.attente import Bref, en_bref
from workflows.models import Tache

LIMITE = 12
TAILLE_PAGE = 50


# -- home ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Etablissement:
    """One of « my establishments »: how complete, how fresh, and the dossier in progress."""

    version: VersionFiche
    commune: str
    reservation: Reservation | None
    uo: int
    incompletes: int
    repondu_le: datetime | None  # it changed or confirmed one of its fiches; an import is no answer
    fraicheur: FraicheurEG | None
    attente: Bref | None  # where its dossier is, once sent


def mes_etablissements(user: User, limite: int = LIMITE) -> tuple[list[Etablissement], bool]:
    """Establishments that the person edits, those with an open dossier first, and whether there are more.

    Eight statements whatever their number.
    """
    ouverts = Exists(Reservation.objects.filter(eg=OuterRef("fiche")))
    versions = list(
        versions_au()
        .filter(fiche__in=egs_de(user), niveau=Niveau.EG)
        .select_related("fiche")
        .annotate(ouvert=ouverts)
        .order_by("-ouvert", "recherche", "fiche_id")[: limite + 1]
    )
    encore, versions = len(versions) > limite, versions[:limite]
    if not versions:
        return [], False
    egs = [v.fiche_id for v in versions]
    categories = {v.categorie for v in versions}
    ms = set(RegleCategorie.objects.filter(pk__in=categories, champ=ChampEG.MEDICO_SOCIAL).values_list("pk", flat=True))
    comptes = {
        eg: (uo, incompletes, repondu)
        for eg, uo, incompletes, repondu in versions_au()
        .filter(eg__in=egs)
        .order_by("eg")
        .values("eg")
        .annotate(
            uo=Count("pk", filter=Q(niveau=Niveau.UO)),
            incompletes=Count("pk", filter=fiches_incompletes([v.fiche_id for v in versions if v.categorie in ms])),
            repondu=Max("fiche__fraicheur__a_jour_le"),
        )
        .values_list("eg", "uo", "incompletes", "repondu")
    }
    reservations = {r.eg_id: r for r in Reservation.objects.filter(eg__in=egs).order_by("eg")}
    communes = libelles_communes(v.commune for v in versions if v.commune)
    fraicheurs = suivi.fraicheur_des(egs)
    brefs = en_bref({r.dossier for r in reservations.values() if r.envoye_le})
    return [
        Etablissement(
            v,
            communes.get(v.commune, ""),
            reservations.get(v.fiche_id),
            *comptes.get(v.fiche_id, (0, 0, None)),
            fraicheurs.get(v.fiche_id),
            brefs.get(reservations[v.fiche_id].dossier) if v.fiche_id in reservations else None,
        )
        for v in versions
    ], encore


def premieres_taches(user: User, *, noeuds: Collection[str] = (), a_elle: bool = False, limite: int = 5) -> list[Any]:
    """The most urgent tasks that wait for her (that she holds, ``a_elle``), at these steps. Rows of the inbox."""
    taches = boite.onglets(user)["mes-taches"] if a_elle else boite.a_faire(user)
    if noeuds:
        taches = taches.filter(noeud__in=list(noeuds))
    return boite.page_taches(taches, taille=limite).taches


# -- accounts --------------------------------------------------------------------------------------------


class PageComptes(NamedTuple):
    """``precedent`` and ``suivant`` are identifiers to ask the neighbouring pages from, "" at the ends."""

    comptes: list[Any]
    noms: dict[int, tuple[str, str]]
    precedent: str
    suivant: str


def chercher_comptes(*, q: str = "", role: str = "", etat: str = "") -> QuerySet[User]:
    comptes = User.objects.all()
    if etat != "tous":
        comptes = comptes.filter(is_active=etat != "desactives")
    if role:
        portee = Habilitation.objects.actives().filter(user=OuterRef("pk"), role=role).order_by()
        if etat:  # a closed account holds no active right: look at those that have not ended
            portee = Habilitation.objects.filter(
                Q(fin__isnull=True) | Q(fin__gt=timezone.localdate()), user=OuterRef("pk"), role=role
            ).order_by()
        comptes = comptes.filter(Exists(portee))
    for mot in q.split():
        comptes = comptes.filter(
            Q(username__icontains=mot)
            | Q(first_name__icontains=mot)
            | Q(last_name__icontains=mot)
            | Q(email__icontains=mot)
        )
    return comptes


def avec_droits(comptes: QuerySet[User]) -> QuerySet[Any]:
    """Each account with ``droits``: its habilitations not ended. One more statement."""
    en_cours = Habilitation.objects.filter(Q(fin__isnull=True) | Q(fin__gt=timezone.localdate()))
    en_cours = en_cours.select_related("autorite", "fiche").order_by("role", "pk")
    return comptes.prefetch_related(Prefetch("habilitations", queryset=en_cours, to_attr="droits"))


def noms_des_structures(comptes: Iterable[Any]) -> dict[int, tuple[str, str]]:
    """(identifier, name) of the structures that ``droits`` name; one statement."""
    fiches = {d.fiche_id for u in comptes for d in u.droits if d.fiche_id}
    return noms_au(fiches) if fiches else {}


def page_comptes(
    comptes: QuerySet[User], *, apres: str = "", avant: str = "", taille: int = TAILLE_PAGE
) -> PageComptes:
    """One page by identifier, each account with ``droits``: its habilitations not ended. Three statements."""
    arriere = bool(avant) and not apres
    if apres:
        comptes = comptes.filter(username__gt=apres)
    elif arriere:
        comptes = comptes.filter(username__lt=avant)
    lues = list(avec_droits(comptes).order_by("-username" if arriere else "username")[: taille + 1])
    encore, lignes = len(lues) > taille, lues[:taille]
    if arriere:
        lignes.reverse()
    noms = noms_des_structures(lignes)
    avant_elle, apres_elle = (encore, True) if arriere else (bool(apres), encore)
    return PageComptes(
        lignes,
        noms,
        lignes[0].username if lignes and avant_elle else "",
        lignes[-1].username if lignes and apres_elle else "",
    )


def habilitations_de(user: User) -> list[tuple[Habilitation, str, str]]:
    """(habilitation, where, state: « en-cours », « a-venir », « terminee »), the current ones first."""
    aujourdhui = timezone.localdate()
    toutes = list(
        Habilitation.objects.filter(user=user).select_related("autorite", "fiche").order_by("role", "-debut", "pk")
    )
    fiches = {h.fiche_id for h in toutes if h.fiche_id}
    noms = noms_au(fiches) if fiches else {}
    lignes = []
    for h in toutes:
        etat = "terminee" if h.fin and h.fin <= aujourdhui else "a-venir" if h.debut > aujourdhui else "en-cours"
        lignes.append((h, ou_en_mots(h, noms), etat))
    return sorted(lignes, key=lambda ligne: ("en-cours", "a-venir", "terminee").index(ligne[2]))


def ou_en_mots(habilitation: Habilitation, noms: dict[int, tuple[str, str]]) -> str:
    """« Hôpital TEST (750000000) », « ARS Île-de-France », « région »."""
    if habilitation.autorite:
        return habilitation.autorite.nom
    if habilitation.fiche_id is None:
        return "région" if habilitation.role == Role.GESTIONNAIRE else ""
    identifiant, nom = noms.get(habilitation.fiche_id, ("", ""))
    return f"{nom} ({identifiant[1:]})" if nom else "structure fermée"


def taches_tenues(user: User) -> int:
    """Open tasks in the person's name."""
    return Tache.objects.filter(close_le__isnull=True, tache__owner=user).count()
