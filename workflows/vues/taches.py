"""A task in a list: its row, its due date, age and marks in words."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.comptes.models import User
from backoffice.socle.mots import date_longue
from structures.requetes import libelles_communes

from .. import requetes
from ..enums import BROUILLONS, ETAPES, Etape, Issue
from ..regles import pour_qui, roles_de
from ..revue import compte_en_mots
from ..revue.modele import ATTENTIONS

INSECABLE = "\u00a0"


# -- in words ------------------------------------------------------------------------------------------


def moment(quand: datetime, mots: str) -> SafeString:
    """Words, with the day on hover and for screen readers."""
    exact = date_longue(quand, "jour")
    return format_html('<span title="{}">{}<span class="visually-hidden"> ({})</span></span>', exact, mots, exact)


def _jours(quand: datetime, aujourdhui: date) -> int:
    return (timezone.localtime(quand).date() - aujourdhui).days


def echeance_en_mots(quand: datetime, maintenant: datetime | None = None) -> SafeString:
    """« dans 2 jours », « aujourd’hui », « en retard de 3 jours », with the day for screen readers."""
    maintenant = maintenant or timezone.now()
    jours = _jours(quand, timezone.localtime(maintenant).date())
    if quand < maintenant:
        retard = max(1, -jours)
        return moment(quand, f"en retard de {retard}{INSECABLE}jour{'s' if retard > 1 else ''}")
    return moment(quand, {0: "aujourd’hui", 1: "demain"}.get(jours, f"dans {jours}{INSECABLE}jours"))


def depuis_en_mots(quand: datetime) -> str:
    """« aujourd’hui », « depuis 12 jours »."""
    jours = -_jours(quand, timezone.localdate())
    return {0: "aujourd’hui", 1: "depuis hier"}.get(jours, f"depuis {jours}{INSECABLE}jours")


def age_en_mots(quand: datetime) -> SafeString:
    """« ouverte aujourd’hui », « ouverte depuis 12 jours »."""
    return moment(quand, f"ouverte {depuis_en_mots(quand)}")


def attentions_en_mots(codes: Collection[str]) -> str:
    """« Unité sensible, Type d’UO modifié »."""
    return ", ".join(mot for code, mot in ATTENTIONS.items() if code in codes)


# -- a row ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ligne:
    """One row of the inbox; the template decides nothing."""

    tache: Any
    url: str
    etablissement: str
    commune: str
    changements: list[tuple[str, str]]
    a_moi: bool
    retour_le: date | None = None  # put aside until that day
    pour: User | None = None  # the absent person whom the reader stands in for

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
    def a_choisir(self) -> bool:
        """A box to tick: what can be done on many tasks at once (``vues.traitements``) can be done on this one."""
        return self.ouverte and self.etape.reservable and (self.a_moi or self.tache.tache.owner_id is None)

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


def lignes(taches: list[Any], user: User, requete: str = "", retours: Mapping[int, date] | None = None) -> list[Ligne]:
    """Rows for tasks of ``boite.page_taches``: two statements for any number. ``retours``: ``Ligne.retour_le``."""
    pour = pour_qui(user, [t for t in taches if t.close_le is None], roles_de(user))
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
            (retours or {}).get(t.pk),
            pour.get(t.pk),
        )
        for t in taches
    ]
