"""Gestures on the tree of a dossier: create, duplicate, move, delete, undo; and the menu that offers them."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from backoffice.socle.erreurs import Conflit, Invalide
from backoffice.socle.templatetags.ror import nombre, pluriel
from structures.enums import Niveau

from .. import changements
from ..domaine import contenu, gestes
from ..domaine.apercu import NoeudTravail
from ..forms import AjouterForm, DeplacerForm
from .espace import CREER, VueDossier, chemin, entier, nom_de, noms

PLURIELS = {
    Niveau.POLE: ("pôle", "pôles"),
    Niveau.SERVICE: ("service", "services"),
    Niveau.UF: ("unité fonctionnelle", "unités fonctionnelles"),
    Niveau.UO: ("unité opérationnelle", "unités opérationnelles"),
}


class MenuView(VueDossier):
    """The actions on one fiche, loaded into its menu in a big tree; a page without JavaScript."""

    def get(self, request: HttpRequest, numero: int, fiche: int) -> HttpResponse:
        noeud = self.noeud(str(fiche))
        contexte = {"actions": self.espace.actions(noeud), "nom": nom_de(noeud)}
        if getattr(request, "htmx", False):
            return render(request, "workflows/_menu.html", contexte)
        return self.panneau(request, "workflows/_panneau_menu.html", contexte, titre=nom_de(noeud), actif=fiche)


# -- changes of the tree -----------------------------------------------------------------------------


class VueAction(VueDossier):
    """An action on the tree of a draft. Those that ask nothing send a GET back to the tree."""

    edition = True

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        return HttpResponseRedirect(self.espace.url)

    def _demandee(self, nom: str = "fiche") -> NoeudTravail:
        return self.noeud(self.request.GET.get(nom) if self.request.method == "GET" else self.request.POST.get(nom))

    def _revenir(self, fiche: int | None) -> HttpResponse:
        return HttpResponseRedirect(self.espace.ancre(fiche) if fiche else self.espace.url)


class AjouterView(VueAction):
    """« Créer des unités opérationnelles »: how many, under which fiche (acceptance 64–68)."""

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        parent = self._demandee("sous")
        return self._page(request, parent, AjouterForm())

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        parent = self._demandee("sous")
        form = AjouterForm(request.POST)
        if not form.is_valid():
            return self._page(request, parent, form, statut=422)
        crees = gestes.ajouter(
            numero=numero,
            acteur=self.acteur,
            parent=parent.fiche_id,
            quantite=form.cleaned_data["quantite"],
            vu=entier(request.POST.get("vu")),
        )
        n, niveau = len(crees), Niveau(crees[0].fiche.niveau)
        if n == 1:
            messages.success(request, f"Une fiche est créée ({PLURIELS[niveau][0]}) : complétez-la.")
            return HttpResponseRedirect(self.espace.url_fiche(crees[0].fiche_id))
        messages.success(request, f"{n} fiches sont créées ({PLURIELS[niveau][1]}) : complétez-les une par une.")
        return self._revenir(crees[0].fiche_id)

    def _page(self, request: HttpRequest, parent: NoeudTravail, form: AjouterForm, statut: int = 200) -> HttpResponse:
        niveau = self.espace.arbre.niveau_a_creer(parent)
        if niveau is None:
            raise Invalide("niveau_illegal", f"Rien ne peut être créé sous « {nom_de(parent)} ».")
        contexte = {
            "form": form,
            "parent": parent,
            "nom": nom_de(parent),
            "niveau": Niveau(parent.niveau).label,
            "verbe": CREER[Niveau(niveau)],
            "quoi": PLURIELS[Niveau(niveau)][1],
        }
        titre = f"{CREER[Niveau(niveau)]} sous « {nom_de(parent)} »"
        return self.panneau(
            request, "workflows/_panneau_ajouter.html", contexte, titre=titre, actif=parent.fiche_id, statut=statut
        )


class DupliquerView(VueAction):
    """« Dupliquer »: the same fiche at the same place (acceptance 74)."""

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        noeud = self._demandee()
        copie = gestes.dupliquer(
            numero=numero, acteur=self.acteur, fiche=noeud.fiche_id, vu=entier(request.POST.get("vu"))
        )
        messages.success(
            request, f"« {nom_de(noeud)} » est dupliquée. La copie est en attente : changez ce qui la distingue."
        )
        return self._revenir(copie.fiche_id)


class DeplacerView(VueAction):
    """« Déplacer »: choose among the legal places (acceptance 78)."""

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        noeud = self._demandee()
        return self._page(request, noeud, self._form(noeud))

    def _form(self, noeud: NoeudTravail, data: Any = None) -> DeplacerForm:
        arbre = self.espace.arbre
        places = [(p.fiche_id, chemin(arbre, p) or nom_de(p)) for p in arbre.places(noeud)]
        return DeplacerForm(places=places, data=data)

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        noeud = self._demandee()
        form = self._form(noeud, request.POST)
        if not form.is_valid():
            return self._page(request, noeud, form, statut=422)
        parent = int(form.cleaned_data["parent"])
        gestes.deplacer(numero=numero, acteur=self.acteur, fiches=[noeud.fiche_id], parent=parent)
        sous = nom_de(self.espace.arbre.noeuds[parent])
        messages.success(request, f"« {nom_de(noeud)} » est déplacée sous « {sous} ».")
        return self._revenir(noeud.fiche_id)

    def _page(self, request: HttpRequest, noeud: NoeudTravail, form: DeplacerForm, statut: int = 200) -> HttpResponse:
        if noeud is self.espace.arbre.racine or noeud.supprime:
            raise Invalide("deplacement_illegal", "Cette fiche ne peut pas être déplacée.")
        arbre = self.espace.arbre
        contexte = {
            "form": form,
            "fiche": noeud,
            "nom": nom_de(noeud),
            "niveau": Niveau(noeud.niveau).label,
            "ici": chemin(arbre, arbre.noeuds.get(noeud.parent_id or 0)) or self.espace.etablissement,
            "dessous": sum(1 for _ in noeud.parcours()) - 1,
            "places": list(form["parent"]),
        }
        return self.panneau(
            request, "workflows/_panneau_deplacer.html", contexte,
            titre=f"Déplacer « {nom_de(noeud)} »", actif=noeud.fiche_id, statut=statut,
        )  # fmt: skip


class SupprimerView(VueAction):
    """« Supprimer »: asks first, naming everything that goes with the fiche (acceptance 79)."""

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        noeud = self._demandee()
        if noeud is self.espace.arbre.racine:
            raise Invalide("suppression_illegale", "Un établissement ne se supprime pas par un dossier collaboratif.")
        if noeud.supprime:
            raise Conflit("deja_supprimee", "Cette fiche est déjà supprimée dans ce dossier.")
        branche = [n for n in noeud.parcours() if not n.supprime]
        fermees, perdues = [n for n in branche if n.publie], [n for n in branche if not n.publie]
        contexte = {
            "fiche": noeud,
            "url": f"{self.espace.url}supprimer/",
            "confirmer": "Supprimer" if len(branche) == 1 else f"Supprimer {nombre(len(branche))} fiches",
            "danger": True,
            "listes": [
                ("Fermées à la publication du dossier ; leur historique reste consultable :", noms(fermees)),
                ("Nouvelles dans ce dossier, elles disparaissent :", noms(perdues)),
            ],
            "phrase": "",
        }
        return self.panneau(
            request, "workflows/_panneau_confirmer.html", contexte,
            titre=f"Supprimer « {nom_de(noeud)} » ?", actif=noeud.fiche_id,
        )  # fmt: skip

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        noeud = self._demandee()
        partis = gestes.supprimer(numero=numero, acteur=self.acteur, fiches=[noeud.fiche_id])
        avec = len(partis) - 1
        suite = f" avec {nombre(avec)} fiche{pluriel(avec)} rattachée{pluriel(avec)}" if avec else ""
        quand = "sera fermée à la publication" if noeud.publie else "est retirée du dossier"
        messages.success(request, f"« {nom_de(noeud)} » {quand}{suite}.")
        return self._revenir(noeud.fiche_id if noeud.publie else noeud.parent_id)


class AnnulerView(VueAction):
    """« Annuler ce changement »: the fiche is again as the register has it."""

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        noeud = self._demandee()
        if noeud.travail is None:
            raise Conflit("rien_a_annuler", "Ce dossier ne change pas cette fiche.")
        liste = changements.changements(self.dossier, request.user, fiche=noeud.fiche_id)
        contexte = {
            "fiche": noeud,
            "url": f"{self.espace.url}annuler/",
            "confirmer": "Annuler ce changement",
            "danger": True,
            "listes": [],
            "phrase": f"« {nom_de(noeud)} » redevient telle qu’elle est au répertoire. Ce que le dossier préparait "
            "est oublié :",
            "changement": liste[0] if liste else None,
        }
        return self.panneau(
            request, "workflows/_panneau_confirmer.html", contexte,
            titre="Annuler ce changement ?", actif=noeud.fiche_id,
        )  # fmt: skip

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        noeud = self._demandee()
        gestes.annuler_changement(numero=numero, acteur=self.acteur, fiche=noeud.fiche_id)
        mot = "La suppression" if noeud.supprime else "Le changement"
        messages.success(request, f"{mot} de « {nom_de(noeud)} » est annulé{'e' if noeud.supprime else ''}.")
        return self._revenir(noeud.fiche_id if noeud.publie else noeud.parent_id)


class ConflitView(VueAction):
    """Keep the value of the register or that of the dossier."""

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        noeud = self._demandee()
        garder = request.POST.get("garder", "")
        contenu.regler_conflit(
            numero=numero, acteur=self.acteur, fiche=noeud.fiche_id, champ=request.POST.get("champ", ""), garder=garder
        )
        du = "répertoire" if garder == "repertoire" else "dossier"
        messages.success(request, f"La valeur du {du} est gardée. La fiche est à finaliser de nouveau.")
        return HttpResponseRedirect(self.espace.url_fiche(noeud.fiche_id))
