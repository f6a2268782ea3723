"""Gestures on the tree of a dossier: create, duplicate, move, delete, finalise, take back; the menu that offers them.

Each is a page of its own; the script of the workspace shows it as a dialog and changes only what changed.
"""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from backoffice.socle.erreurs import Conflit, Introuvable, Invalide
from backoffice.socle.mots import nombre, pluriel
from backoffice.socle.vues import entier
from structures.champs import CHAMPS, libelle
from structures.enums import Niveau

from .. import chronologie, revue
from ..domaine import annulation, contenu, gestes
from ..domaine.apercu import NoeudTravail
from ..domaine.travaux import jeton_de
from ..enums import EtatFiche
from ..forms import AjouterForm, DeplacerForm
from .arbre import CREER, actions, chemin, nom_de
from .espace import VueDossier, noms

PLURIELS = {
    Niveau.POLE: ("pôle", "pôles"),
    Niveau.SERVICE: ("service", "services"),
    Niveau.UF: ("unité fonctionnelle", "unités fonctionnelles"),
    Niveau.UO: ("unité opérationnelle", "unités opérationnelles"),
}


def cites(noeuds: list[NoeudTravail]) -> str:
    """« UHCD », or « 12 fiches »."""
    return f"« {nom_de(noeuds[0])} »" if len(noeuds) == 1 else f"{nombre(len(noeuds))} fiches"


class MenuView(VueDossier):
    """The actions on one fiche, loaded into its menu in a big tree; a page without JavaScript."""

    dialogue = True

    def get(self, request: HttpRequest, numero: int, fiche: int) -> HttpResponse:
        noeud = self.noeud(str(fiche))
        contexte = {"actions": actions(self.espace, noeud), "nom": nom_de(noeud)}
        if getattr(request, "htmx", False):
            return render(request, "workflows/_menu.html", contexte)
        return self.panneau(request, "workflows/_panneau_menu.html", contexte, titre=nom_de(noeud), actif=fiche)


class VueAction(VueDossier):
    """A gesture on the tree of a draft. Those that ask nothing send a GET back to the tree."""

    edition = True
    dialogue = True

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        return HttpResponseRedirect(self.espace.url)

    def demandee(self, nom: str = "fiche") -> NoeudTravail:
        """The one fiche that the form or the address names."""
        donnees = self.request.GET if self.request.method == "GET" else self.request.POST
        return self.noeud(donnees.get(nom))

    def demandees(self) -> list[NoeudTravail]:
        """The fiches that the form or the address names, in the order of the tree; each value names one or several
        (« 12,13 »)."""
        donnees = self.request.GET if self.request.method == "GET" else self.request.POST
        bruts = {brut for valeur in donnees.getlist("fiche") for brut in valeur.split(",")}
        cles = {self.noeud(brut).fiche_id for brut in bruts}
        if not cles:
            raise Introuvable("fiche_inconnue", "Choisissez d’abord une fiche de l’arbre.")
        return [n for n in self.espace.arbre.racine.parcours() if n.fiche_id in cles] or [
            self.espace.arbre.noeuds[cle] for cle in cles
        ]

    @property
    def a_choisir(self) -> bool:
        """A selection was sent to be asked about, nothing is to be done yet."""
        return self.request.method == "GET" or self.request.POST.get("etape") == "choisir"

    def question(
        self, gabarit: str, contexte: dict[str, Any], *, titre: str, noeuds: list[NoeudTravail], statut: int = 200
    ) -> HttpResponse:
        """What is asked before the gesture; its form names the same fiches."""
        contexte |= {"noeud": noeuds[0], "fiches": ",".join(str(n.fiche_id) for n in noeuds)}
        actif = noeuds[0].fiche_id
        return self.panneau(self.request, gabarit, contexte, titre=titre, actif=actif, statut=statut)

    def confirmation(self, contexte: dict[str, Any], *, titre: str, noeuds: list[NoeudTravail]) -> HttpResponse:
        """What a gesture takes along, named before it is done; ``refus``: why it was not done (409)."""
        statut = 409 if contexte["refus"] else 200
        return self.question("workflows/_panneau_confirmer.html", contexte, titre=titre, noeuds=noeuds, statut=statut)

    def depassee(self, refus: Conflit) -> str:
        """Why the confirmation is asked again, on the dossier as it is now; any other refusal stays one."""
        if refus.code != "confirmation_depassee":
            raise refus
        self.autoriser(self.request)
        return refus.message

    def fait(self, phrase: str, fiche: int | None, *, ouvrir: bool = False) -> HttpResponse:
        """After the gesture: back to the tree, at this fiche (``ouvrir``: to its form); the script of the workspace
        gets what changed."""
        messages.success(self.request, phrase)
        if not getattr(self.request, "htmx", False):
            vers = self.espace.url_fiche(fiche) if ouvrir and fiche else self.espace.ancre(fiche) if fiche else ""
            return HttpResponseRedirect(vers or self.espace.url)
        self.autoriser(self.request)  # the dossier as the gesture left it
        url = self.espace.url_fiche(fiche) if ouvrir and fiche else ""
        reponse = HttpResponse(self.nouvelles(self.request, ici=fiche, ouvrir=url))
        reponse["HX-Retarget"], reponse["HX-Reswap"] = "#nouvelles", "innerHTML"
        return reponse


class AjouterView(VueAction):
    """« Créer des unités opérationnelles »: how many, under which fiche (acceptance 64–68)."""

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        return self._page(self.demandee("sous"), AjouterForm())

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        parent = self.demandee("sous")
        form = AjouterForm(request.POST)
        if not form.is_valid():
            return self._page(parent, form, statut=422)
        crees = gestes.ajouter(
            numero=numero,
            acteur=self.acteur,
            parent=parent.fiche_id,
            quantite=form.cleaned_data["quantite"],
            vu=entier(request.POST.get("vu")),
        )
        n, (un, plusieurs) = len(crees), PLURIELS[Niveau(crees[0].fiche.niveau)]
        phrase = f"Une fiche est créée ({un}) : complétez-la."
        if n > 1:
            phrase = f"{n} fiches sont créées ({plusieurs}) : complétez-les une par une. Voici la première."
        return self.fait(phrase, crees[0].fiche_id, ouvrir=True)

    def _page(self, parent: NoeudTravail, form: AjouterForm, statut: int = 200) -> HttpResponse:
        niveau = self.espace.arbre.niveau_a_creer(parent)
        if niveau is None:
            raise Invalide("niveau_illegal", f"Rien ne peut être créé sous « {nom_de(parent)} ».")
        verbe = CREER[Niveau(niveau)]
        contexte = {"form": form, "quoi": PLURIELS[Niveau(niveau)][1], "sur": Niveau(parent.niveau).label}
        titre = f"{verbe} sous « {nom_de(parent)} »"
        return self.question("workflows/_panneau_ajouter.html", contexte, titre=titre, noeuds=[parent], statut=statut)


class DupliquerView(VueAction):
    """« Dupliquer »: the same fiche at the same place, alone or with what is below it (acceptance 74)."""

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        noeud = self.demandee()
        dessous = [n for n in noeud.parcours() if n is not noeud and not n.supprime]
        return self.question(
            "workflows/_panneau_dupliquer.html",
            {"dessous": noms(dessous), "sur": Niveau(noeud.niveau).label},
            titre=f"Dupliquer « {nom_de(noeud)} »",
            noeuds=[noeud],
        )

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        noeud = self.demandee()
        avec = request.POST.get("avec") == "dessous"
        vu = entier(request.POST.get("vu"))
        copie = gestes.dupliquer(numero=numero, acteur=self.acteur, fiche=noeud.fiche_id, avec_dessous=avec, vu=vu)
        suite = " avec les fiches rattachées" if avec else ""
        return self.fait(
            f"« {nom_de(noeud)} » est dupliquée{suite}. La copie est en attente : changez ce qui la distingue.",
            copie.fiche_id,
        )


class DeplacerView(VueAction):
    """« Déplacer »: choose among the legal places (acceptance 78), for one fiche or for several of one level."""

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        return self._page(self.demandees())

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        noeuds = self.demandees()
        if self.a_choisir:
            return self._page(noeuds)
        form = self._form(noeuds, request.POST)
        if not form.is_valid():
            return self._page(noeuds, form, statut=422)
        parent = self.noeud(form.cleaned_data["parent"])
        cles = [n.fiche_id for n in noeuds]
        finalisees = [n.fiche_id for n in noeuds if n.travail and n.travail.est_finalisee]
        deplaces = gestes.deplacer(numero=numero, acteur=self.acteur, fiches=cles, parent=parent.fiche_id)
        bouges = [n for n in noeuds if n.fiche_id in deplaces]
        sont = "est déplacée" if len(bouges) == 1 else "sont déplacées"
        perdues = self.dossier.fiches.filter(fiche__in=finalisees, etat=EtatFiche.EN_ATTENTE).count()
        suite = ""
        if perdues:
            n = f"{nombre(perdues)} fiche{pluriel(perdues)} finalisée{pluriel(perdues)}"
            suite = (
                f" {n} {'est revenue' if perdues == 1 else 'sont revenues'} en attente : il y manque une information."
            )
        return self.fait(f"{cites(bouges)} {sont} sous « {nom_de(parent)} ».{suite}", bouges[0].fiche_id)

    def _form(self, noeuds: list[NoeudTravail], data: Any = None) -> DeplacerForm:
        arbre = self.espace.arbre
        if len({n.niveau for n in noeuds}) > 1:
            raise Invalide("niveaux_meles", "Des fiches se déplacent ensemble quand elles sont de même niveau.")
        if refusee := next((n for n in noeuds if n is arbre.racine or n.supprime), None):
            raise Invalide("deplacement_illegal", f"« {nom_de(refusee)} » ne peut pas être déplacée.")
        return DeplacerForm(places=[(p.fiche_id, nom_de(p)) for p in arbre.places(*noeuds)], data=data)

    def _page(self, noeuds: list[NoeudTravail], form: DeplacerForm | None = None, statut: int = 200) -> HttpResponse:
        form = form or self._form(noeuds)
        arbre = self.espace.arbre
        ici = {n.parent_id: arbre.noeuds.get(n.parent_id or 0) for n in noeuds}
        contexte = {
            "form": form,
            "sur": Niveau(noeuds[0].niveau).label,
            "noms": noms(noeuds) if len(noeuds) > 1 else [],
            "ici": chemin(arbre, next(iter(ici.values()))) or self.espace.etablissement if len(ici) == 1 else "",
            "dessous": sum(sum(1 for _ in n.parcours()) - 1 for n in noeuds),
            "places": [
                (str(p.fiche_id), nom_de(p), chemin(arbre, arbre.noeuds.get(p.parent_id or 0)))
                for p in arbre.places(*noeuds)
            ],
            "choisie": form["parent"].value(),
        }
        titre = f"Déplacer {cites(noeuds)}"
        return self.question("workflows/_panneau_deplacer.html", contexte, titre=titre, noeuds=noeuds, statut=statut)


class SupprimerView(VueAction):
    """« Supprimer »: asks first, naming everything that goes with the fiches (acceptance 79)."""

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        return self._page()

    def _page(self, refus: str = "") -> HttpResponse:
        noeuds = self.demandees()
        if noeuds[0] is self.espace.arbre.racine:
            raise Invalide("suppression_illegale", "Un établissement ne se supprime pas par un dossier collaboratif.")
        restent = [n for n in noeuds if not n.supprime]
        if not restent:
            sont = "Cette fiche est déjà supprimée" if len(noeuds) == 1 else "Ces fiches sont déjà supprimées"
            raise Conflit("deja_supprimee", f"{sont} dans ce dossier.")
        branche = gestes.branches(restent)
        contexte = {
            "refus": refus,
            "jeton": jeton_de(branche),
            "url": f"{self.espace.url}supprimer/",
            "confirmer": "Supprimer" if len(branche) == 1 else f"Supprimer {nombre(len(branche))} fiches",
            "listes": [
                ("Fermées à la publication du dossier ; leur historique reste consultable :",
                 noms(n for n in branche if n.publie)),
                ("Nouvelles dans ce dossier, elles disparaissent :", noms(n for n in branche if not n.publie)),
                ("Déjà supprimées dans ce dossier, elles le restent :", noms(n for n in noeuds if n.supprime)),
            ],
            "phrase": "",
        }  # fmt: skip
        titre = f"Supprimer {cites(restent)} ?"
        return self.confirmation(contexte, titre=titre, noeuds=restent)

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        if self.a_choisir:
            return self._page()
        noeuds = self.demandees()
        cles, jeton = [n.fiche_id for n in noeuds], request.POST.get("jeton")
        try:
            partis = gestes.supprimer(numero=numero, acteur=self.acteur, fiches=cles, jeton=jeton)
        except Conflit as refus:
            return self._page(self.depassee(refus))
        premiere = noeuds[0]
        if len(noeuds) > 1:
            phrase = f"{nombre(len(partis))} fiches sont supprimées : à la publication pour celles du répertoire."
        else:
            avec = len(partis) - 1
            suite = f" avec {nombre(avec)} fiche{pluriel(avec)} rattachée{pluriel(avec)}" if avec else ""
            quand = "sera fermée à la publication" if premiere.publie else "est retirée du dossier"
            phrase = f"« {nom_de(premiere)} » {quand}{suite}."
        return self.fait(phrase, premiere.fiche_id if premiere.publie else premiere.parent_id)


class FinaliserView(VueAction):
    """« Finaliser » fiches as they are: those that are complete; what the others lack is said."""

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        noeuds = {n.fiche_id: n for n in self.demandees()}
        finalisees, refus = contenu.finaliser(numero=numero, acteur=self.acteur, fiches=list(noeuds))
        phrase = _finalisees(len(finalisees)) if finalisees else "Aucune fiche n’a été finalisée."
        if not refus:
            premiere = noeuds[(finalisees or list(noeuds))[0]]
            return self.fait(phrase if finalisees else "Ces fiches étaient déjà finalisées.", premiere.fiche_id)
        self.autoriser(request)
        lignes = [
            (nom_de(noeuds[cle]), self.espace.url_fiche(cle), _raisons(noeuds[cle], champs))
            for cle, champs in refus.items()
        ]
        contexte = {"phrase": phrase, "refus": lignes, "sur": ""}
        titre = f"{nombre(len(refus))} fiche{pluriel(refus)} à compléter"
        restent = [noeuds[cle] for cle in refus]
        return self.question("workflows/_panneau_refus.html", contexte, titre=titre, noeuds=restent)


def _finalisees(n: int) -> str:
    return "1 fiche est finalisée." if n == 1 else f"{nombre(n)} fiches sont finalisées."


def _raisons(noeud: NoeudTravail, champs: dict[str, list[str]]) -> str:
    """What a fiche lacks, in one line: the fields, or the sentences that concern none."""
    manquent = [libelle(CHAMPS[c], noeud.niveau) for c in champs if c in CHAMPS and not c.endswith("_unite")]
    return " ".join([*champs.get("", []), f"À compléter : {', '.join(manquent)}." if manquent else ""]).strip()


class AnnulerView(VueAction):
    """« Annuler ce changement »: the fiche is again as the register has it."""

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        return self._page()

    def _page(self, refus: str = "") -> HttpResponse:
        noeud = self.demandee()
        if noeud.travail is None:
            raise Conflit("rien_a_annuler", refus or "Ce dossier ne change pas cette fiche.")
        liste = revue.changements(self.dossier, self.acteur, fiche=noeud.fiche_id)
        devient = "redevient telle qu’elle est au répertoire. Ce que le dossier préparait est oublié :"
        if noeud.supprime:
            devient = "et les fiches supprimées avec elle ne seront plus supprimées :"
        contexte: dict[str, Any] = {
            "refus": refus,
            "jeton": jeton_de([noeud]),
            "url": f"{self.espace.url}annuler/",
            "confirmer": "Annuler ce changement",
            "listes": [],
            "phrase": f"« {nom_de(noeud)} » {devient}",
            "changement": liste[0] if liste else None,
        }
        titre = "Annuler ce changement ?"
        return self.confirmation(contexte, titre=titre, noeuds=[noeud])

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        noeud = self.demandee()
        cle, jeton = noeud.fiche_id, request.POST.get("jeton")
        try:
            gestes.annuler_changement(numero=numero, acteur=self.acteur, fiche=cle, jeton=jeton)
        except Conflit as refus:
            return self._page(self.depassee(refus))
        mot = "La suppression" if noeud.supprime else "Le changement"
        phrase = f"{mot} de « {nom_de(noeud)} » est annulé{'e' if noeud.supprime else ''}."
        return self.fait(phrase, noeud.fiche_id if noeud.publie else noeud.parent_id)


class DefaireView(VueAction):
    """« Annuler la dernière opération », or one of the last ten of one's own."""

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        numero_du_geste = entier(request.POST.get("geste")) or 0
        geste = annulation.defaire(numero=numero, acteur=self.acteur, geste=numero_du_geste)
        [ligne] = chronologie.lignes_journal(self.dossier, [geste.evenement])
        return self.fait(f"Opération annulée. {ligne['titre']}.", geste.evenement.fiche_id)
