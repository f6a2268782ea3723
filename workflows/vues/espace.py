"""The workspace of a dossier: what every one of its pages needs, read once with a constant number of statements."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast
from urllib.parse import parse_qsl

from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.formats import date_format

from backoffice.comptes.models import User
from backoffice.socle.arbre import Noeud, rendre_places
from backoffice.socle.erreurs import Interdit, Introuvable
from backoffice.socle.mots import date_longue
from backoffice.socle.vues import VueProtegee, decouper, entier
from structures.champs import CHAMPS
from structures.domaine.fusion import Heurt
from structures.enums import Niveau, niveau_parent
from structures.requetes import etats_au

from .. import chronologie, discussions, parcours, presences, regles
from ..attente import Attente
from ..domaine.annulation import derniere_depassee, gestes_a_defaire
from ..domaine.apercu import Apercu, NoeudTravail, apercu
from ..domaine.collisions import Collision, collisions
from ..domaine.empechements import empechements
from ..domaine.fusion import tous_les_conflits
from ..domaine.instantane import peut_retirer
from ..domaine.qualite import Faute, controler
from ..domaine.travaux import exiger_brouillon, noeud_de
from ..enums import TypeEvenement
from ..models import Dossier, Evenement, FicheTravail, Tache
from ..requetes import noms_des_etablissements
from . import arbre as dessin
from .arbre import nom_de
from .situation import action_suivre

JOURNAL_COURT = 30
ACCUEIL = "workflows/_panneau_accueil.html"  # beside the tree when no fiche is chosen


def url_champ(fiche: str, champ: str) -> str:
    """The place of a field in the form of a fiche; « conflits » is one too."""
    return f"{fiche}#id_{champ}" if champ in CHAMPS else f"{fiche}#{champ}" if champ else fiche


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
    def collisions(self) -> list[Collision]:
        """What the register did to the tree under the dossier."""
        return collisions(self.dossier, self.travaux, self.arbre) if self.dossier.est_ouvert else []

    @cached_property
    def fautes(self) -> list[Faute]:
        """What the rules find on the fiches that the dossier touches."""
        return controler(self.arbre, self.travaux)

    @cached_property
    def en_conflit(self) -> set[int]:
        """Fiches of the tree with something to settle between the register and the dossier."""
        return {*self.conflits, *(c.fiche for c in self.collisions)} & self.arbre.noeuds.keys()

    @cached_property
    def commentaires(self) -> dict[int, int]:
        """By fiche, how many threads wait."""
        return discussions.ouverts_par_fiche(self.dossier)

    @property
    def fils_ouverts(self) -> int:
        return sum(self.commentaires.values())

    @cached_property
    def presents(self) -> presences.Presents:
        return presences.presents(self.dossier, self.user)

    @cached_property
    def taches(self) -> list[Tache]:
        """The open ones."""
        return list(self.dossier.taches.filter(close_le__isnull=True).select_related("tache__owner", "autorite"))

    @cached_property
    def parcours(self) -> parcours.Parcours:
        return parcours.parcours_de(self.dossier, sien=self.editeur)

    @cached_property
    def etapes(self) -> list[dict[str, str]]:
        return parcours.etapes_de(self.dossier, self.parcours, self.taches)

    @cached_property
    def attente(self) -> Attente:
        """Who acts, what comes next, when it may be published."""
        return Attente(self.dossier, self.parcours, self.taches, self.user)

    @property
    def etapes_datees(self) -> list[dict[str, str]]:
        """The steps, each to come with the day when it may end."""
        dates = self.attente.prevision.dates if self.dossier.est_ouvert else {}
        return [
            e | {"prevue": date_longue(dates[e["noeud"]]) if e["etat"] != "fait" and e["noeud"] in dates else ""}
            for e in self.etapes
        ]

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
        trouves = empechements(
            self.dossier, self.travaux, self.arbre, self.conflits, self.collisions, lambda: self.fautes
        )
        return [(e.phrase, url_champ(self.url_fiche(e.fiche), e.champ) if e.fiche else "") for e in trouves]

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
    def niveaux_ouverts(self) -> Counter[str]:
        return dessin.niveaux_ouverts(self.arbre)

    @property
    def menus_inclus(self) -> bool:
        return self.modifiable and len(self.arbre.noeuds) <= dessin.MENUS_INCLUS

    @property
    def menu_url(self) -> str:
        """Where the script reads the menu of a fiche of a big tree; 0 stands for its number."""
        return f"{self.url_fiche(0)}menu/" if self.modifiable and not self.menus_inclus else ""

    @property
    def places(self) -> str:
        """The level under which each level goes, for the script that moves fiches."""
        champ = self.arbre.champ
        return json.dumps({n.value: niveau_parent(n, champ) for n in Niveau if niveau_parent(n, champ)})

    @cached_property
    def dernier_evenement(self) -> int:
        """What this page knows of the journal: a second click on it is told from a new gesture."""
        return self.dossier.evenements.order_by("-pk").values_list("pk", flat=True).first() or 0

    def noeuds(self, actif: int | None = None, montrer: str = "", *, choisir: bool = False) -> list[Noeud]:
        return dessin.dessiner(self, actif=actif, montrer=montrer, choisir=choisir)

    @cached_property
    def operations(self) -> list[dict[str, Any]]:
        """The person's last gestures that she can take back, last first, in words."""
        gestes = gestes_a_defaire(self.dossier, self.user) if self.modifiable else []
        for geste in gestes:
            geste.evenement.acteur = self.user
        lignes = chronologie.lignes_journal(self.dossier, [g.evenement for g in gestes]) if gestes else []
        return [{"geste": g.pk, **ligne} for g, ligne in zip(gestes, lignes, strict=True)]

    @cached_property
    def depassee(self) -> dict[str, Any] | None:
        """The person's last gesture when it can no longer be taken back, with why: an older one must not be taken for
        it."""
        trouvee = derniere_depassee(self.dossier, self.user) if self.modifiable else None
        if trouvee is None:
            return None
        geste, pourquoi = trouvee
        geste.evenement.acteur = self.user
        [ligne] = chronologie.lignes_journal(self.dossier, [geste.evenement])
        return {**ligne, "pourquoi": pourquoi}

    @property
    def menu_operations(self) -> list[dict[str, Any]]:
        return [
            {
                "libelle": f"{o['titre']}, à {date_format(timezone.localtime(o['quand']), 'H:i')}",
                "url": f"{self.url}defaire/",
                "methode": "post",
                "champs": {"geste": o["geste"]},
                "icone": o["icone"],
            }
            for o in self.operations
        ]

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
        return peut_retirer(self.user, self.dossier)

    @cached_property
    def suivre(self) -> dict[str, Any]:
        return action_suivre(self.user, self.dossier.pk, {})

    @property
    def signe(self) -> str:
        return parcours.signe_de(self.dossier)

    @property
    def mot(self) -> str:
        return parcours.mot_de(self.dossier)

    @cached_property
    def suite(self) -> Dossier | None:
        """Where the fiches went that were excepted from the publication, when this person sees it."""
        if not self.dossier.ecartees:
            return None
        return regles.dossiers_visibles(self.user).filter(suite_de=self.dossier.pk).first()

    @property
    def renvoi(self) -> str:
        """Who sent the draft back for correction, and when."""
        renvoi = self.dossier.evenements.filter(type=TypeEvenement.RENVOYE).select_related("acteur").latest("pk")
        return f"Renvoyé pour correction par {renvoi.acteur} le {date_longue(renvoi.le, 'heure')}"

    @property
    def menu(self) -> list[dict[str, Any]]:
        """Actions on the dossier itself that are seldom wanted."""
        return [
            {"libelle": "Remplir depuis un fichier", "url": f"{self.url}fichier/", "icone": "importer"},
            {"libelle": "Aperçu de la publication", "url": f"{self.url}apercu/", "icone": "oeil", "methode": "post"},
            self.suivre,
            {
                "libelle": "Abandonner le dossier",
                "url": reverse("dossier_abandonner", args=[self.dossier.pk]),
                "icone": "abandon",
                "danger": True,
            },
        ]

    @property
    def reste(self) -> str:
        """What is left, beside the progress bar."""
        if not self.dossier.est_brouillon:
            return ""
        if not self.en_attente:
            if self.pret and self.signe == "renvoye":
                return "Corrigez ce que le renvoi demande, puis renvoyez le dossier en validation."
            return "Toutes les fiches ont été finalisées." if self.pret else "Il reste des conflits à régler."
        noms_ = [f"« {nom_de(n)} »" for n in self.en_attente[:3]]
        autres = len(self.en_attente) - len(noms_)
        fin = f" et {autres} autre{'s' if autres > 1 else ''}" if autres else ""
        return f"Il reste {', '.join(noms_)}{fin}."

    @property
    def creation(self) -> list[dict[str, Any]]:
        """What can be created right under the establishment."""
        return [a for a in dessin.actions(self, self.arbre.racine) if "ajouter/" in a["url"]]

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


def debut_du_fil() -> list[tuple[str, str]]:
    return [("Accueil", reverse("accueil")), ("Dossiers collaboratifs", reverse("dossiers"))]


def derniers_evenements(dossier: Dossier, limite: int, avant: int | None = None) -> list[Evenement]:
    evenements = dossier.evenements.select_related("acteur").order_by("-pk")
    return list((evenements.filter(pk__lt=avant) if avant else evenements)[:limite])


class VueDossier(VueProtegee):
    """A page of one dossier. Not hers: 404; hers to look at only: 403 on what changes it."""

    edition = False  # True: only for those who edit the EG, on a draft
    dialogue = False  # True: the script shows it in a dialog, above a page that stays
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
        if self.request.method == "GET":
            exiger_brouillon(self.dossier)

    def noeud(self, brut: str | None) -> NoeudTravail:
        """The fiche that a form or an address names; 404 when it is not of this dossier, 409 when it no longer is."""
        return noeud_de(self.dossier, self.espace.arbre, entier(brut) or 0)

    def fil(self, *suite: tuple[str, str]) -> list[tuple[str, str]]:
        return [*debut_du_fil(), (self.dossier.nom, self.espace.url if suite else ""), *suite]

    def panneau(
        self,
        request: HttpRequest,
        gabarit: str,
        contexte: dict[str, Any],
        *,
        titre: str,
        actif: int | None = None,
        statut: int = 200,
    ) -> HttpResponse:
        """A panel beside the tree: alone for the script of the workspace, else inside the whole page."""
        contexte = contexte | {"espace": self.espace, "dossier": self.dossier, "titre_panneau": titre}
        if getattr(request, "htmx", False):
            corps = render_to_string(gabarit, contexte, request)
            reponse = HttpResponse(corps + self.nouvelles(request), status=statut)
            if request.method == "GET" and not self.dialogue:
                reponse["HX-Push-Url"] = request.get_full_path()
        else:
            contexte |= self.page(request, actif) | {
                "panneau": gabarit,
                "fil": self.fil((titre, "")),
                "sur_fiche": True,
            }
            reponse = render(request, "workflows/dossier.html", contexte, status=statut)
        patch_vary_headers(reponse, ["HX-Request"])
        return reponse

    def page(self, request: HttpRequest, actif: int | None = None) -> dict[str, Any]:
        """What the tree of the page shows, as its address says."""
        montrer = request.GET.get("montrer", "")
        montrer = montrer if montrer in dessin.FILTRES else ""
        choisir = self.espace.modifiable and "choisir" in request.GET
        noeuds = self.espace.noeuds(actif, montrer, choisir=choisir) if self.dossier.est_ouvert else []
        filtres = dessin.filtres(self.espace, montrer) if self.dossier.est_ouvert else []
        return {"noeuds": noeuds, "filtres": filtres, "montrer": montrer, "choisir": choisir}

    def nouvelles(self, request: HttpRequest, *, ici: int | None = None, ouvrir: str = "") -> str:
        """What happened since the page that asks was drawn, for the script of the workspace: lines of the tree that
        changed, header, filters, messages. ``ici``: the fiche that gets the focus; ``ouvrir``: a fiche to go to.

        A page says what it knows of the journal; « » when that is still all there is, and for a page that says nothing.
        """
        espace = self.espace
        vu = entier(request.headers.get("X-Dossier-Vu"))
        venue = decouper(request.headers.get("HX-Current-URL", ""))
        page = request.path if request.method == "GET" and not self.dialogue else venue.path
        rien = vu is not None and vu >= espace.dernier_evenement and not len(get_messages(request))
        if vu is None or (rien and page != espace.url):
            return ""
        places, retirees = dessin.lignes_depuis(espace, vu)
        faite = next((o for o in espace.operations[:1] if o["geste"] > vu), None)
        montrer = dict(parse_qsl(venue.query)).get("montrer", "")
        contexte = {
            "espace": espace,
            "dossier": self.dossier,
            "sur_fiche": page != espace.url,
            "lignes": rendre_places(places, request),
            "retirees": " ".join(map(str, retirees)),
            "filtres": dessin.filtres(espace, montrer if montrer in dessin.FILTRES else ""),
            "montrer": montrer,
            "journal": espace.journal(),
            "faite": faite,
            "apres": "workflows/_defaire.html" if faite else "",
            "ici": ici,
            "ouvrir": ouvrir,
        }
        return render_to_string("workflows/_nouvelles.html", contexte, request)


def noms(noeuds: Iterable[NoeudTravail]) -> list[tuple[str, str]]:
    """(level, name) of fiches, for a confirmation that names what goes."""
    return [(n.niveau, nom_de(n)) for n in noeuds]
