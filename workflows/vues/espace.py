"""The workspace of a dossier: what every one of its pages needs, read once with a constant number of statements."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers

from backoffice.comptes.models import User
from backoffice.socle.arbre import Noeud as NoeudAffiche
from backoffice.socle.erreurs import Conflit, Interdit, Introuvable
from backoffice.socle.vues import VueProtegee
from structures.domaine.fusion import Heurt
from structures.enums import Niveau
from structures.requetes import etats_au

from .. import chronologie, parcours, regles
from ..domaine.apercu import SANS_NOM, Apercu, NoeudTravail, apercu
from ..domaine.fusion import tous_les_conflits
from ..models import Commentaire, Dossier, Evenement, FicheTravail, Tache
from ..requetes import noms_des_etablissements

GRAND_ARBRE = 150  # from that many fiches on, the tree is folded where nothing changes
MENUS_INCLUS = 40  # up to that many fiches, each menu comes with the page; else when it is opened
JOURNAL_COURT = 30

CREER = {
    Niveau.POLE: "Créer des pôles",
    Niveau.SERVICE: "Créer des services",
    Niveau.UF: "Créer des unités fonctionnelles",
    Niveau.UO: "Créer des unités opérationnelles",
}
FILTRES = {
    "": "Toutes les fiches",
    "touchees": "Changées par le dossier",
    "en-attente": "En attente",
    "finalisees": "Finalisées",
    "conflits": "En conflit",
    "commentees": "Commentées",
}


def entier(brut: str | None) -> int | None:
    """A number of a form or of an address, None when it is none."""
    return int(brut) if brut and brut.isascii() and brut.isdecimal() and len(brut) < 19 else None


def nom_de(noeud: NoeudTravail) -> str:
    return noeud.nom or f"{SANS_NOM} {noeud.identifiant}"


@dataclass
class Espace:
    """A dossier as one person sees it. ``editeur``: she works on it while it is a draft."""

    dossier: Dossier
    user: Any
    editeur: bool
    travaux: list[FicheTravail] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.travaux = list(self.dossier.fiches.select_related("fiche", "modifiee_par"))

    @cached_property
    def arbre(self) -> Apercu:
        return apercu(self.dossier, self.travaux)

    @cached_property
    def etablissement(self) -> str:
        return noms_des_etablissements([self.dossier.eg_id]).get(self.dossier.eg_id, self.dossier.eg.identifiant)

    @property
    def modifiable(self) -> bool:
        return self.editeur and self.dossier.est_brouillon

    @cached_property
    def conflits(self) -> dict[int, list[Heurt]]:
        if not self.dossier.est_ouvert:
            return {}
        publies = [t for t in self.travaux if t.base]
        return tous_les_conflits(publies, etats_au(t.fiche_id for t in publies)) if publies else {}

    @cached_property
    def commentaires(self) -> dict[int, list[Commentaire]]:
        """By fiche, those that no save has answered yet."""
        enregistrees = {t.fiche_id: t.modifiee_le for t in self.travaux}
        par_fiche: dict[int, list[Commentaire]] = defaultdict(list)
        for c in self.dossier.commentaires.select_related("auteur").filter(resolu_le__isnull=True):
            if c.fiche_id in enregistrees and c.le > enregistrees[c.fiche_id]:
                par_fiche[c.fiche_id].append(c)
        return dict(par_fiche)

    @cached_property
    def taches(self) -> list[Tache]:
        """The open ones."""
        return list(self.dossier.taches.filter(close_le__isnull=True).select_related("tache__owner", "autorite"))

    @cached_property
    def parcours(self) -> parcours.Parcours:
        return parcours.parcours_de(self.dossier)

    @cached_property
    def etapes(self) -> list[dict[str, str]]:
        return parcours.etapes_de(self.dossier, self.parcours, self.taches)

    # -- progress ------------------------------------------------------------------------------------

    @property
    def total(self) -> int:
        return len(self.travaux)

    @property
    def finalisees(self) -> int:
        return sum(t.est_finalisee for t in self.travaux)

    @cached_property
    def en_attente(self) -> list[NoeudTravail]:
        """Fiches still to finalise, in the order of the tree."""
        return [n for n in self.arbre.racine.parcours() if n.travail and not n.travail.est_finalisee]

    @cached_property
    def obstacles(self) -> list[tuple[str, str]]:
        """(what prevents the sending, where to settle it); empty when the dossier can be sent."""
        if not self.travaux:
            return [("Ce dossier ne change encore aucune fiche.", "")]
        noeuds = self.arbre.noeuds
        manques = [(f"« {nom_de(n)} » est en attente.", self.url_fiche(n.fiche_id)) for n in self.en_attente]
        manques += [
            (f"« {nom_de(noeuds[cle])} » a changé aussi au répertoire.", f"{self.url_fiche(cle)}#conflits")
            for cle in self.conflits
            if cle in noeuds
        ]
        manques += [
            (f"« {nom_de(n)} » n’a plus de rattachement : déplacez-la ou supprimez-la.", self.url_fiche(n.fiche_id))
            for n in noeuds.values()
            if n is not self.arbre.racine
            and not n.supprime
            and (n.parent_id not in noeuds or noeuds[n.parent_id].supprime)
        ]
        return manques + [
            (f"La fiche {t.fiche.identifiant} a été fermée au répertoire : le dossier ne peut plus la changer.", "")
            for t in self.travaux
            if t.fiche_id not in noeuds
        ]

    @property
    def pret(self) -> bool:
        return not self.obstacles

    @cached_property
    def participants(self) -> str:
        """« Vous et Camille Martin travaillez sur ce dossier. »"""
        autres = sorted({str(t.modifiee_par) for t in self.travaux if t.modifiee_par_id != self.user.pk})
        moi = any(t.modifiee_par_id == self.user.pk for t in self.travaux)
        if not autres or not self.dossier.est_brouillon:
            return ""
        gens = (["Vous"] if moi else []) + autres
        debut = gens[0] if len(gens) == 1 else f"{', '.join(gens[:-1])} et {gens[-1]}"
        verbe = "travaillez" if moi else "travaillent" if len(gens) > 1 else "travaille"
        return f"{debut} {verbe} sur ce dossier."

    # -- addresses -----------------------------------------------------------------------------------

    @cached_property
    def url(self) -> str:
        return reverse("dossier", args=[self.dossier.pk])

    def url_fiche(self, fiche: int) -> str:
        return f"{self.url}fiches/{fiche}/"

    def ancre(self, fiche: int) -> str:
        return f"{self.url}#fiche-{fiche}"

    # -- the tree ------------------------------------------------------------------------------------

    @cached_property
    def _niveaux_ouverts(self) -> dict[str, int]:
        """How many open fiches of each level could hold something."""
        comptes: dict[str, int] = defaultdict(int)
        for n in self.arbre.noeuds.values():
            if not n.supprime:
                comptes[n.niveau] += 1
        return dict(comptes)

    def actions(self, noeud: NoeudTravail) -> list[dict[str, Any]]:
        """What this person may do with a fiche of the tree now, for <c-menu-actions>."""
        lire = {"libelle": "Voir la fiche", "url": self.url_fiche(noeud.fiche_id), "icone": "oeil"}
        if not self.modifiable:
            return [lire]
        cle, racine = noeud.fiche_id, noeud is self.arbre.racine
        if noeud.supprime:
            return [lire, self._poster("annuler", "Annuler la suppression", "demi-tour", cle)]
        actions: list[dict[str, Any]] = []
        if dessous := self.arbre.niveau_a_creer(noeud):
            url = f"{self.url}ajouter/?sous={cle}"
            actions.append({"libelle": CREER[Niveau(dessous)], "url": url, "icone": "ajout"})
        verbe = "Modifier la fiche" if noeud.publie else "Compléter la fiche"
        actions.append({"libelle": verbe, "url": self.url_fiche(cle), "icone": "crayon"})
        if racine:
            return actions + self._annulable(noeud)
        actions.append(self._poster("dupliquer", "Dupliquer", "dupliquer", cle))
        parent = self.arbre.noeuds.get(noeud.parent_id or 0)
        ailleurs = self._niveaux_ouverts.get(parent.niveau, 0) - (not parent.supprime) if parent else 1
        deplacer: dict[str, Any] = {
            "libelle": "Déplacer",
            "url": f"{self.url}deplacer/?fiche={cle}",
            "icone": "deplacement",
        }
        actions.append(deplacer if ailleurs else deplacer | {"aide": "Il n’y a pas d’autre place possible."})
        actions += self._annulable(noeud)
        url = f"{self.url}supprimer/?fiche={cle}"
        actions.append({"libelle": "Supprimer", "url": url, "icone": "corbeille", "danger": True})
        return actions

    @cached_property
    def dernier_evenement(self) -> int:
        """What this page knows of the journal: a second click on it is told from a new gesture."""
        return self.dossier.evenements.order_by("-pk").values_list("pk", flat=True).first() or 0

    def _annulable(self, noeud: NoeudTravail) -> list[dict[str, Any]]:
        if noeud.travail is None or not noeud.publie:  # a new fiche is deleted, not undone
            return []
        url = f"{self.url}annuler/?fiche={noeud.fiche_id}"
        return [{"libelle": "Annuler ce changement", "url": url, "icone": "demi-tour"}]

    def _poster(self, verbe: str, libelle: str, icone: str, fiche: int) -> dict[str, Any]:
        champs = {"fiche": fiche, "vu": self.dernier_evenement}
        return {"libelle": libelle, "url": f"{self.url}{verbe}/", "icone": icone, "methode": "post", "champs": champs}

    def retenues(self, montrer: str) -> set[int] | None:
        """Fiches that a filter of the tree keeps; None: all."""
        match montrer:
            case "touchees":
                return {t.fiche_id for t in self.travaux}
            case "en-attente":
                return {n.fiche_id for n in self.en_attente}
            case "finalisees":
                return {t.fiche_id for t in self.travaux if t.est_finalisee}
            case "conflits":
                return set(self.conflits)
            case "commentees":
                return set(self.commentaires)
        return None

    @cached_property
    def filtres(self) -> list[tuple[str, str, int | None]]:
        """(value, label, number) of the filters of the tree that keep something."""
        lignes: list[tuple[str, str, int | None]] = [("", FILTRES[""], None)]
        for valeur, libelle in FILTRES.items():
            gardees = self.retenues(valeur)
            if gardees:
                lignes.append((valeur, libelle, len(gardees)))
        return lignes

    def noeuds(self, actif: int | None = None, montrer: str = "") -> list[NoeudAffiche]:
        """The tree for <c-arbre>. In a big one, branches where nothing changes are folded below the Services."""
        gardees = self.retenues(montrer)
        grand = len(self.arbre.noeuds) >= GRAND_ARBRE
        inclus = self.modifiable and len(self.arbre.noeuds) <= MENUS_INCLUS

        def un(n: NoeudTravail) -> tuple[NoeudAffiche, bool] | None:
            dessous = [x for x in (un(enfant) for enfant in n.enfants) if x]
            if gardees is not None and n.fiche_id not in gardees and not dessous and n is not self.arbre.racine:
                return None
            touche = any(t for _, t in dessous)
            ouvert = not grand or touche or gardees is not None or n.niveau in (Niveau.EG, Niveau.POLE)
            affiche = NoeudAffiche(
                id=n.identifiant,
                niveau=n.niveau,
                libelle=n.nom or SANS_NOM,
                url=self.url_fiche(n.fiche_id),
                enfants=[x for x, _ in dessous],
                etats=self._etats(n),
                actif=n.fiche_id == actif,
                ouvert=ouvert,
                supprime=n.supprime,
                note=self._note(n),
                actions=self.actions(n) if inclus else [],
                menu_url=f"{self.url_fiche(n.fiche_id)}menu/" if self.modifiable and not inclus else "",
                attrs={"id": f"fiche-{n.fiche_id}"},
            )
            return affiche, touche or n.travail is not None

        racine = un(self.arbre.racine)
        return [racine[0]] if racine else []

    def _etats(self, n: NoeudTravail) -> list[str]:
        if n.travail is None:
            return ["sensible"] if n.sensible else []
        etats = [n.travail.nature]
        if n.travail.nature == "deplacement" and n.travail.patch.keys() - {"parent"}:
            etats.append("modification")
        if not n.supprime:
            etats.append("finalisee" if n.travail.est_finalisee else "en-attente")
        if n.fiche_id in self.conflits:
            etats.append("conflit")
        if n.fiche_id in self.commentaires:
            etats.append("commentée")
        return etats

    def _note(self, n: NoeudTravail) -> str:
        if not n.deplace or n.supprime:
            return ""
        depuis = self.arbre.noeuds.get(n.parent_publie_id or 0)
        return f"depuis {depuis.nom}" if depuis else ""

    # -- the page ------------------------------------------------------------------------------------

    @cached_property
    def a_traiter(self) -> Tache | None:
        """The task of a decider that this person may do on the dossier now."""
        decisions = [t for t in self.taches if t.etape.reservable]
        if not decisions:
            return None
        return regles.taches_de(self.user).filter(pk__in=[t.pk for t in decisions]).order_by("pk").first()

    @cached_property
    def retirable(self) -> bool:
        return regles.peut_retirer(self.user, self.dossier)

    @property
    def signe(self) -> str:
        return parcours.signe_de(self.dossier)

    @property
    def menu(self) -> list[dict[str, Any]]:
        """Actions on the dossier itself that are seldom wanted."""
        url = reverse("dossier_abandonner", args=[self.dossier.pk])
        return [{"libelle": "Abandonner le dossier", "url": url, "icone": "abandon", "danger": True}]

    @property
    def reste(self) -> str:
        """What is left, beside the progress bar."""
        if not self.dossier.est_brouillon:
            return ""
        if not self.en_attente:
            return "Toutes les fiches ont été finalisées." if self.pret else "Il reste des conflits à régler."
        noms_ = [f"« {nom_de(n)} »" for n in self.en_attente[:3]]
        autres = len(self.en_attente) - len(noms_)
        fin = f" et {autres} autre{'s' if autres > 1 else ''}" if autres else ""
        return f"Il reste {', '.join(noms_)}{fin}."

    @property
    def creation(self) -> list[dict[str, Any]]:
        """What can be created right under the establishment."""
        return [a for a in self.actions(self.arbre.racine) if "ajouter/" in a["url"]]

    @property
    def premiers_obstacles(self) -> list[tuple[str, str]]:
        return self.obstacles[:10]

    @property
    def autres_obstacles(self) -> int:
        return max(0, len(self.obstacles) - 10)

    @property
    def quoi(self) -> str:
        return "fiche finalisée" if self.finalisees < 2 else "fiches finalisées"

    def journal(self, limite: int = JOURNAL_COURT) -> list[dict[str, Any]]:
        return chronologie.lignes_journal(self.dossier, derniers_evenements(self.dossier, limite))


def derniers_evenements(dossier: Dossier, limite: int, avant: int | None = None) -> list[Evenement]:
    evenements = dossier.evenements.select_related("acteur").order_by("-pk")
    return list((evenements.filter(pk__lt=avant) if avant else evenements)[:limite])


class VueDossier(VueProtegee):
    """A page of one dossier. Not hers: 404; hers to look at only: 403 on what changes it."""

    edition = False  # True: only for those who edit the EG, on a draft
    espace: Espace

    def autoriser(self, request: HttpRequest) -> None:
        visibles = regles.dossiers_visibles(request.user).select_related("eg", "auteur", "envoye_par", "processus")
        dossier = visibles.filter(pk=self.kwargs["numero"]).first()
        if dossier is None:
            raise Introuvable("dossier_inconnu", "Ce dossier n’existe pas, ou il n’est pas visible avec votre compte.")
        self.espace = Espace(dossier, request.user, regles.peut_editer(request.user, dossier))
        if self.edition:
            self.exiger_edition()

    @property
    def dossier(self) -> Dossier:
        return self.espace.dossier

    @property
    def acteur(self) -> User:
        return cast(User, self.request.user)

    def exiger_edition(self) -> None:
        if not self.espace.editeur:
            raise Interdit("sans_droit", "Seuls les Référents et Directions de l’établissement modifient ce dossier.")
        if self.request.method == "GET" and not self.dossier.est_brouillon:
            raise Conflit(
                "dossier_fige",
                f"Ce dossier n’est plus un brouillon ({self.dossier.get_etat_display().lower()}) : ses fiches ne "
                "peuvent plus être modifiées.",
            )

    def noeud(self, brut: str | None) -> NoeudTravail:
        """The fiche that a form or an address names; 404 when it is not of this dossier."""
        noeud = self.espace.arbre.noeuds.get(entier(brut) or 0)
        if noeud is None:
            raise Introuvable("fiche_inconnue", "Cette fiche ne fait pas partie de ce dossier.")
        return noeud

    def fil(self, *suite: tuple[str, str]) -> list[tuple[str, str]]:
        fil = [("Dossiers collaboratifs", reverse("dossiers")), (self.dossier.nom, self.espace.url if suite else "")]
        return [*fil, *suite]

    def panneau(
        self,
        request: HttpRequest,
        gabarit: str,
        contexte: dict[str, Any],
        *,
        titre: str,
        actif: int | None = None,
        statut: int = 200,
        large: bool = False,
    ) -> HttpResponse:
        """A panel beside the tree: alone for the script of the workspace, else inside the whole page."""
        contexte = contexte | {"espace": self.espace, "dossier": self.dossier, "titre_panneau": titre}
        if getattr(request, "htmx", False):
            reponse = render(request, gabarit, contexte, status=statut)
            if request.method == "GET":
                reponse["HX-Push-Url"] = request.get_full_path()
        else:
            montrer = request.GET.get("montrer", "")
            contexte |= {
                "panneau": gabarit,
                "fil": self.fil((titre, "")),
                "noeuds": self.espace.noeuds(actif, montrer),
                "montrer": montrer if montrer in FILTRES else "",
                "sur_fiche": True,
            }
            reponse = render(request, "workflows/dossier.html", contexte, status=statut)
        patch_vary_headers(reponse, ["HX-Request"])
        return reponse


def chemin(arbre: Apercu, noeud: NoeudTravail | None) -> str:
    """« Pôle A › Service B », from below the EG down to this fiche."""
    maillons: list[str] = []
    while noeud is not None and noeud is not arbre.racine and len(maillons) < 6:
        maillons.append(nom_de(noeud))
        noeud = arbre.noeuds.get(noeud.parent_id or 0)
    return " › ".join(reversed(maillons))


def noms(noeuds: Iterable[NoeudTravail]) -> list[tuple[str, str]]:
    """(level, name) of fiches, for a confirmation that names what goes."""
    return [(n.niveau, nom_de(n)) for n in noeuds]
