"""« Annuler cette publication »: what undoing it would do, what was changed again since, then the new dossier."""

from collections.abc import Collection
from copy import copy
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from backoffice.socle.champs_formulaire import TexteField
from backoffice.socle.erreurs import Interdit, Invalide, reporter
from structures.affichage import Affichage
from structures.champs import CHAMPS, libelle
from structures.domaine.fusion import Heurt
from structures.domaine.patches import appliquer
from structures.enums import Niveau
from structures.regles import peut_lire_contacts_tres_restreints
from structures.requetes import reservation_de

from ..domaine.inverse import Retour, annuler_publication, inverse_de, refuser_si_pas_publie
from ..enums import Nature
from .espace import VueDossier

NOM_MAXIMAL = 150


class AnnulationForm(forms.Form):
    use_required_attribute = False
    nom = TexteField(label="Nom du nouveau dossier", max_length=NOM_MAXIMAL)


class AnnulerPublicationView(VueDossier):
    """For those who edit the establishment, once the dossier is published."""

    def autoriser(self, request: HttpRequest) -> None:
        super().autoriser(request)
        if not self.espace.editeur:
            raise Interdit(
                "sans_droit", "Seuls les Référents et Directions de l’établissement annulent sa publication."
            )
        refuser_si_pas_publie(self.dossier)
        request.libelles_saisie = {"nom": "Nom du nouveau dossier"}  # type: ignore[attr-defined]

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        nom = f"Annulation : {self.dossier.nom}"
        return self._page(request, AnnulationForm(initial={"nom": nom[:NOM_MAXIMAL]}))

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        form = AnnulationForm(request.POST)
        prendre = set(request.POST.getlist("prendre"))
        if not form.is_valid():
            return self._page(request, form, prendre, statut=422)
        try:
            dossier = annuler_publication(
                numero=numero,
                acteur=self.acteur,
                nom=form.cleaned_data["nom"],
                jeton=request.POST.get("jeton", ""),
                prendre=prendre,
            )
        except Invalide as refus:
            reporter(form, refus)
            return self._page(request, form, prendre, statut=422)
        messages.success(request, f"Le dossier « {dossier.nom} » est créé. Relisez-le, puis envoyez-le en validation.")
        return HttpResponseRedirect(reverse("dossier", args=[dossier.pk]))

    def _page(
        self, request: HttpRequest, form: AnnulationForm, prendre: Collection[str] = (), statut: int = 200
    ) -> HttpResponse:
        inverse = inverse_de(self.dossier)
        lignes = _Lignes(inverse.retours, prendre, peut_lire_contacts_tres_restreints(request.user, self.dossier.eg))
        contexte = {
            "espace": self.espace,
            "dossier": self.dossier,
            "fil": self.fil(("Annuler cette publication", "")),
            "form": form,
            "jeton": inverse.jeton,
            "prepares": [lignes.ligne(r) for r in inverse.retours if r.agit],
            "laisses": [lignes.ligne(r) for r in inverse.retours if not r.agit],
            "possible": any(r.agit or r.heurts for r in inverse.retours),
            "ouvert": reservation_de(self.dossier.eg_id),
        }
        return render(request, "workflows/annuler_publication.html", contexte, status=statut)


class _Lignes:
    """The undoing of each fiche in words; labels are read once for all of them."""

    def __init__(self, retours: list[Retour], prendre: Collection[str], tout_voir: bool) -> None:
        self.prendre = prendre
        etats = [etat for r in retours for etat in (r.etat, appliquer(r.etat, r.patch))]
        etats += [{h.nom: v} for r in retours for h in r.heurts for v in (h.base, h.leur, h.mien)]
        self.affichage = Affichage(etats, niveau=Niveau.UO, tres_restreint=tout_voir)

    def ligne(self, retour: Retour) -> dict[str, Any]:
        mots = copy(self.affichage)
        mots.niveau = retour.fiche.niveau
        champs = [nom for nom in retour.patch if nom != "existe"] if retour.nature != Nature.SUPPRESSION else []
        return {
            "nom": retour.nom,
            "niveau": retour.fiche.niveau,
            "identifiant": retour.fiche.identifiant,
            "nature": retour.nature,
            "rouverte": retour.nature == Nature.AJOUT,
            "lignes": mots.differences(retour.etat, appliquer(retour.etat, retour.patch), champs),
            "heurts": [self._heurt(retour, heurt, mots) for heurt in retour.heurts],
            "exclue": retour.exclue,
        }

    def _heurt(self, retour: Retour, heurt: Heurt, mots: Affichage) -> dict[str, Any]:
        cle = retour.cle(heurt.nom)
        ligne = {"cle": cle, "coche": cle in self.prendre, "dernier": retour.derniers.get(heurt.nom)}
        if heurt.nom == "existe":
            return ligne | {"champ": "", "publie": "", "maintenant": "", "avant": ""}
        return ligne | {
            "champ": libelle(CHAMPS[heurt.nom], retour.fiche.niveau),
            "publie": mots.texte(heurt.nom, {heurt.nom: heurt.base}),
            "maintenant": mots.texte(heurt.nom, {heurt.nom: heurt.leur}),
            "avant": mots.texte(heurt.nom, {heurt.nom: heurt.mien}),
        }
