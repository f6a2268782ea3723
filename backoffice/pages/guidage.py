"""« J’ai une modification à faire… où aller ? » (acceptance 24 to 27): says the two ways, and takes the person there.

Three choices, each a link, all in the address: what to change, on which establishment, on which fiche.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, cast
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from backoffice.comptes.models import User
from backoffice.socle.vues import VueProtegee
from structures import recherche, regles
from structures.enums import Niveau
from structures.models import Reservation, VersionFiche
from structures.recherche import Criteres
from structures.requetes import libelles_communes, reservation_de, versions_au
from structures.vues.communs import adresse, adresse_fiche
from structures.vues.guidage import sur_la_fiche

SIENS = 30  # of one's own establishments, proposed without a search
TROUVES = 15
OFFRES = 100  # beyond, the tree of the establishment is the better list


class Sorte(NamedTuple):
    """A kind of change. ``section`` of the edit form where it is made; "" for what belongs to the dossier."""

    code: str
    libelle: str
    section: str = ""
    niveau: str = Niveau.UO.value

    @property
    def directe(self) -> bool:
        return bool(self.section)


SORTES = (
    Sorte("activites", "les activités opérationnelles et les actes spécifiques", "offre"),
    Sorte("accueil", "les modalités d’accueil", "acces"),
    Sorte("horaires", "les horaires", "horaires"),
    Sorte("contacts", "les contacts", "contacts"),
    Sorte("conditions", "les conditions d’admission et d’accueil, les informations complémentaires", "public"),
    Sorte("territoire", "le territoire d’intervention", "territoire"),
    Sorte("moyens", "les équipements, les capacités, les compétences", "moyens"),
    Sorte("adresse", "l’adresse ou le nom de l’établissement", "identite", Niveau.EG.value),
    Sorte("ajouter", "ajouter des fiches : pôles, services, unités fonctionnelles, unités opérationnelles"),
    Sorte("deplacer", "déplacer des fiches"),
    Sorte("supprimer", "supprimer des fiches"),
    Sorte("type", "changer un Type d’UO"),
)


@dataclass(frozen=True, slots=True)
class Choix:
    """A link that makes one choice."""

    libelle: str
    url: str
    detail: str = ""
    fait: bool = False


class OuModifier(VueProtegee):
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        user = cast(User, request.user)
        sorte = next((s for s in SORTES if s.code == request.GET.get("quoi")), None)
        q = request.GET.get("q", "").strip()[:200]
        demande = request.GET.get("eg", "")
        eg = _etablissement(demande[:20])
        miens = _miens(user) if sorte else []
        if sorte and not demande and not q and len(miens) == 1:
            [eg] = miens
        return render(
            request,
            "pages/ou_modifier.html",
            {
                "url_dossiers": adresse("dossiers"),
                "directes": [_choix(s, sorte, eg) for s in SORTES if s.directe],
                "structurelles": [_choix(s, sorte, eg) for s in SORTES if not s.directe],
                "sorte": sorte,
                "eg": eg,
                "inconnu": bool(demande) and eg is None,
                "q": q,
                "miens": _proposes(miens, sorte),
                "trouves": _proposes(_trouves(q, user), sorte) if sorte and q else [],
                "suite": _suite(request, sorte, eg) if sorte and eg else None,
            },
        )


def _adresse(**choix: str) -> str:
    return f"{reverse('ou_modifier')}?{urlencode({nom: valeur for nom, valeur in choix.items() if valeur})}#suite"


def _choix(sorte: Sorte, choisie: Sorte | None, eg: VersionFiche | None) -> Choix:
    url = _adresse(quoi=sorte.code, eg=eg.fiche.identifiant if eg else "")
    return Choix(sorte.libelle, url, fait=sorte == choisie)


def _etablissement(identifiant: str) -> VersionFiche | None:
    if not identifiant:
        return None
    return (
        versions_au()
        .filter(fiche__identifiant=identifiant, niveau=Niveau.EG)
        .select_related("fiche", "fiche__eg")
        .first()
    )


def _miens(user: User) -> list[VersionFiche]:
    siens = versions_au().filter(fiche__in=regles.egs_de(user), niveau=Niveau.EG)
    return list(siens.select_related("fiche", "fiche__eg").order_by("recherche", "fiche_id")[:SIENS])


def _trouves(q: str, user: User) -> list[VersionFiche]:
    return recherche.page(Criteres(q=q, mss=True), user, taille=TROUVES).lignes


def _proposes(egs: list[VersionFiche], sorte: Sorte | None) -> list[Choix]:
    communes = libelles_communes(v.commune for v in egs if v.commune)
    return [
        Choix(
            v.nom or "(sans nom)",
            _adresse(quoi=sorte.code if sorte else "", eg=v.fiche.identifiant),
            communes.get(v.commune, ""),
        )
        for v in egs
    ]


# -- the way -----------------------------------------------------------------------------------------


def _suite(request: HttpRequest, sorte: Sorte, eg: VersionFiche) -> dict[str, Any]:
    """Where to go for this change on this establishment: ``peut``, the fiches to choose from, the dossier."""
    user, reservation = cast(User, request.user), reservation_de(eg.fiche_id)
    editeur = regles.a_role_sur(user, eg.fiche_id)
    peut = editeur or (sorte.directe and regles.est_gestionnaire(user))
    vers = sur_la_fiche(user, eg.fiche, reservation, editeur=editeur)
    suite: dict[str, Any] = {
        "peut": peut,
        "url_eg": adresse_fiche(eg.fiche.identifiant),
        "url_signaler": adresse("fiche_signaler", eg.fiche.identifiant),
        "fiches": [],
        "trop": False,
        **vers,
    }
    brouillon = reservation is not None and not reservation.envoye_le
    if peut and (sorte.directe or (sorte.code == "type" and brouillon)):
        fiches = _fiches(sorte, eg)
        suite["trop"] = len(fiches) > OFFRES
        suite["fiches"] = [_vers_la_fiche(sorte, v, reservation) for v in fiches[:OFFRES]]
    return suite


def _fiches(sorte: Sorte, eg: VersionFiche) -> list[VersionFiche]:
    if sorte.niveau == Niveau.EG:
        return [eg]
    offres = versions_au().filter(eg=eg.fiche_id, niveau=Niveau.UO).select_related("fiche")
    return list(offres.order_by("recherche", "fiche_id")[: OFFRES + 1])


def _vers_la_fiche(sorte: Sorte, version: VersionFiche, reservation: Reservation | None) -> Choix:
    """The edit form at the right section; for a Type d’UO, the fiche in the dossier that is open."""
    if sorte.directe or reservation is None:
        url = f"{reverse('fiche_modifier', args=[version.fiche.identifiant])}#saisie-{sorte.section}"
    else:
        url = reverse("dossier_fiche", args=[reservation.dossier, version.fiche_id])
    return Choix(version.nom or "(sans nom)", url, version.fiche.identifiant)
