"""The inbox: four lists of tasks, filtered, sorted, in pages."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.comptes.models import User
from backoffice.socle.mots import date_longue
from backoffice.socle.vues import VueProtegee
from structures.regles import signalements_a_traiter
from structures.requetes import libelles_communes

from .. import boite, regles, requetes
from ..enums import BROUILLONS, ETAPES, Etape, Issue
from ..forms_taches import ONGLETS, FiltreTaches
from ..revue import compte_en_mots

INSECABLE = "\u00a0"


# -- in words ------------------------------------------------------------------------------------------


def _moment(quand: datetime, mots: str) -> SafeString:
    exact = date_longue(quand, "jour")
    return format_html(
        '<time datetime="{}" title="{}">{}<span class="visually-hidden"> ({})</span></time>',
        timezone.localtime(quand).date().isoformat(), exact, mots, exact,
    )  # fmt: skip


def _jours(quand: datetime, aujourdhui: date) -> int:
    return (timezone.localtime(quand).date() - aujourdhui).days


def echeance_en_mots(quand: datetime, maintenant: datetime | None = None) -> SafeString:
    """« dans 2 jours », « aujourd’hui », « en retard de 3 jours », with the day for screen readers."""
    maintenant = maintenant or timezone.now()
    jours = _jours(quand, timezone.localtime(maintenant).date())
    if quand < maintenant:
        retard = max(1, -jours)
        return _moment(quand, f"en retard de {retard}{INSECABLE}jour{'s' if retard > 1 else ''}")
    return _moment(quand, {0: "aujourd’hui", 1: "demain"}.get(jours, f"dans {jours}{INSECABLE}jours"))


def age_en_mots(quand: datetime) -> SafeString:
    """« ouverte aujourd’hui », « ouverte depuis 12 jours »."""
    jours = -_jours(quand, timezone.localdate())
    mots = {0: "ouverte aujourd’hui", 1: "ouverte depuis hier"}.get(jours, f"ouverte depuis {jours}{INSECABLE}jours")
    return _moment(quand, mots)


# -- the inbox -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ligne:
    """One row of the inbox; the template decides nothing."""

    tache: Any
    url: str
    etablissement: str
    commune: str
    changements: list[tuple[str, str]]
    a_moi: bool

    @property
    def etape(self) -> Etape:
        return ETAPES[self.tache.noeud]

    @property
    def ouverte(self) -> bool:
        return self.tache.close_le is None

    @property
    def echeance(self) -> SafeString:
        return echeance_en_mots(self.tache.echeance)

    @property
    def age(self) -> SafeString:
        return age_en_mots(self.tache.creee_le)

    @property
    def peut_prendre(self) -> bool:
        return self.ouverte and self.etape.reservable and self.tache.tache.owner_id is None

    @property
    def peut_rendre(self) -> bool:
        return self.ouverte and self.a_moi

    @property
    def en_equipe(self) -> bool:
        return self.ouverte and not self.etape.reservable

    @property
    def envoye(self) -> bool:
        """Sent, and not a draft or one that came back: the row names the sender, else the author."""
        return self.tache.dossier.envoye_le is not None and self.tache.dossier.etat not in BROUILLONS

    @property
    def signe(self) -> str:
        return signe_de(self.tache.issue)


_SIGNES: dict[str, str] = {
    Issue.RENVOYE: "renvoye",
    Issue.REFUSE: "refuse",
    Issue.RETIRE: "retire",
    Issue.ABANDONNE: "abandonne",
    Issue.ANNULE: "retire",
}


def signe_de(issue: str) -> str:
    """The sign (socle.etats) of how a task ended."""
    return _SIGNES.get(issue, "faite")


def lignes(taches: list[Any], user: User, requete: str = "") -> list[Ligne]:
    """Rows for tasks of ``boite.page_taches``: two statements for any number."""
    suite = f"?{requete}" if requete else ""
    natures = requetes.natures([t.dossier_id for t in taches]) if taches else {}
    communes = libelles_communes(t.commune_eg for t in taches if t.commune_eg)
    return [
        Ligne(
            t,
            reverse("tache", args=[t.pk]) + suite,
            t.nom_eg or t.eg.identifiant,
            communes.get(t.commune_eg or "", ""),
            [(n, compte_en_mots(n, c)) for n, c in sorted(natures.get(t.dossier_id, {}).items())],
            t.tache.owner_id == user.pk,
        )
        for t in taches
    ]


class Taches(VueProtegee):
    """« Tâches »: four tabs, filters in the address, pages by key."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        user = cast(User, request.user)
        filtre = FiltreTaches(request.GET, roles=regles.portees(user))
        listes = boite.onglets(user)
        nombres = requetes.compter({**listes, "signalements": signalements_a_traiter(user)})
        taches = boite.filtrer(listes[filtre.liste], **filtre.criteres)
        choix = filtre.choix
        page = boite.page_taches(taches, tri=filtre.ordre, apres=choix.get("apres"), avant=choix.get("avant"))
        contexte = {
            "filtre": filtre,
            "onglet": filtre.liste,
            "titre_onglet": ONGLETS[filtre.liste],
            "onglets": [
                {
                    "libelle": libelle,
                    "url": f"?onglet={nom}",
                    "nombre": _plafonne(nombres[nom]),
                    "actif": nom == filtre.liste,
                }
                for nom, libelle in ONGLETS.items()
            ]
            + [
                {
                    "libelle": "Signalements",
                    "url": reverse("signalements"),
                    "nombre": _plafonne(nombres["signalements"]),
                    "actif": False,
                }
            ],
            "page": page,
            "lignes": lignes(page.taches, user, filtre.requete()),
            "precedent": f"?{filtre.requete(avant=page.precedent)}" if page.precedent else "",
            "suivant": f"?{filtre.requete(apres=page.suivant)}" if page.suivant else "",
            "ici": filtre.requete(apres=choix.get("apres"), avant=choix.get("avant")),
        }
        fragment = request.htmx and not request.htmx.boosted  # type: ignore[attr-defined]
        reponse = render(
            request, "workflows/taches/_file.html" if fragment else "workflows/taches/liste.html", contexte
        )
        patch_vary_headers(reponse, ["HX-Request"])
        return reponse


def _plafonne(nombre: int) -> int | str:
    return nombre if nombre <= requetes.PLAFOND else f"1{chr(0x202F)}000+"
