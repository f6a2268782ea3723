"""The columns of the inbox: what each says of a task. Written by hand and not by a template: a page draws hundreds."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString

from backoffice.socle.mots import date_longue
from backoffice.socle.templatetags.ror import badge_etat
from structures.enums import Filiere

from ..forms_taches import COLONNES, FiltreTaches
from ..parcours import qui_agit
from .taches import Ligne, attentions_en_mots, depuis_en_mots, moment

TRIS = {
    "etape": "etape", "echeance": "echeance", "changements": "taille", "expediteur": "expediteur",
    "anciennete": "anciennete", "departement": "departement", "filiere": "filiere", "autorite": "autorite",
}  # fmt: skip


def _plus(texte: Any) -> SafeString:
    return format_html('<span class="tache-plus">{}</span>', texte) if texte else SafeString("")


def _etape(ligne: Ligne) -> SafeString:
    autorite = ligne.tache.autorite
    return escape(ligne.etape.titre) + _plus(autorite.nom if autorite else "")


def _echeance(ligne: Ligne) -> SafeString:
    tache = ligne.tache
    # A sign drawn by the style sheet: the page would weigh a tenth more with its icons.
    quand = format_html('<span class="tache-retard">{}</span>', ligne.echeance) if tache.en_retard else ligne.echeance
    retour = f"mise de côté jusqu’au {date_longue(ligne.retour_le)}" if ligne.retour_le else ""
    return quand + _plus(tache.suspension) + _plus(retour)


def _changements(ligne: Ligne) -> SafeString:
    mots = format_html_join("", '<span class="nature nature-{}">{}</span>', ligne.changements)
    if not ligne.tache.attentions:
        return mots or SafeString('<span class="discret">aucun</span>')
    cite = attentions_en_mots(ligne.tache.attentions)
    return mots + format_html('<span class="nature nature-attention">{}</span>', cite)


def _expediteur(ligne: Ligne) -> SafeString:
    dossier = ligne.tache.dossier
    if ligne.envoye:
        return escape(dossier.envoye_par) + _plus(f"le {date_longue(dossier.envoye_le)}")
    return escape(dossier.auteur) + _plus(f"brouillon du {date_longue(dossier.cree_le)}")


def _anciennete(ligne: Ligne) -> SafeString:
    return moment(ligne.tache.creee_le, depuis_en_mots(ligne.tache.creee_le))


def _qui(ligne: Ligne) -> SafeString:
    """Who holds it since when, else for whom it is since when."""
    task = ligne.tache.tache
    if task.owner:
        depuis = task.assigned or ligne.tache.creee_le
        return escape(task.owner) + _plus(moment(depuis, depuis_en_mots(depuis)))
    return escape(qui_agit([ligne.tache])) + _plus(_anciennete(ligne))


_CELLULES: dict[str, Callable[[Ligne], SafeString | str]] = {
    "etape": _etape,
    "echeance": _echeance,
    "changements": _changements,
    "expediteur": _expediteur,
    "anciennete": _anciennete,
    "departement": lambda ligne: escape(ligne.tache.departement),
    "filiere": lambda ligne: escape(Filiere(ligne.tache.filiere).label if ligne.tache.filiere else ""),
    "autorite": lambda ligne: escape(ligne.tache.autorite or ""),
    "attentions": lambda ligne: escape(attentions_en_mots(ligne.tache.attentions)),
    "qui": _qui,
    "decision": lambda ligne: badge_etat(ligne.signe, ligne.tache.get_issue_display()),
    "fin": lambda ligne: moment(ligne.tache.close_le, f"terminée {depuis_en_mots(ligne.tache.close_le)}"),
}

_DE_L_ONGLET: dict[str, Callable[[tuple[str, ...]], tuple[str, ...]]] = {
    "terminees": lambda choisies: ("etape", "decision", "fin"),
    # Who acts is what these lists are for.
    "mon-equipe": lambda choisies: ("qui", *(c for c in choisies if c != "qui")),
    "en-attente": lambda choisies: ("qui", *(c for c in choisies if c not in ("qui", "etape")), ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Colonne:
    """A head: ``url`` sorts by it (the other way round when it is sorted by already), empty when nothing does."""

    nom: str
    titre: str
    url: str
    sens: str  # aria-sort

    def cellule(self, ligne: Ligne) -> SafeString:
        return format_html('<td data-titre="{}">{}</td>', self.titre, _CELLULES[self.nom](ligne))


def _tete(filtre: FiltreTaches, nom: str, titre: str, tri: str) -> Colonne:
    if not tri or filtre.liste == "terminees":
        return Colonne(nom, titre, "", "")
    sens = {tri: "ascending", f"-{tri}": "descending"}.get(filtre.ordre, "")
    return Colonne(nom, titre, f"?{filtre.requete(tri=f'-{tri}' if sens == 'ascending' else tri)}", sens)


def noms_des_colonnes(filtre: FiltreTaches) -> tuple[str, ...]:
    return _DE_L_ONGLET.get(filtre.liste, lambda choisies: choisies)(filtre.colonnes_voulues)


def colonnes_de(filtre: FiltreTaches) -> tuple[Colonne, list[Colonne]]:
    """The head of the row header, and the columns of this list in her order."""
    titres = {**COLONNES, "decision": "Décision", "fin": "Terminée"}
    return _tete(filtre, "dossier", "Dossier", "etablissement"), [
        _tete(filtre, nom, titres[nom], TRIS.get(nom, "")) for nom in noms_des_colonnes(filtre)
    ]


def cellules(ligne: Ligne, colonnes: Iterable[Colonne]) -> SafeString:
    return SafeString("".join(colonne.cellule(ligne) for colonne in colonnes))
