"""What people do with a task: take it, give it back, decide."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Invalide
from backoffice.socle.vues import VueProtegee

from .. import boite
from ..domaine import decisions
from ..domaine import taches as verbes
from ..enums import EtatDossier
from ..forms_taches import PREFIXE_COMMENTAIRE, AffectationForm, DecisionForm
from ..models import Dossier
from .suite import adresse_de_la_liste, adresse_de_la_tache, liste_de, suite_de
from .tache import page_tache, tache_visible


def revenir(request: HttpRequest, numero: int) -> HttpResponse:
    """To the list when it was done there, else to the page of the task."""
    suite = suite_de(request)
    if request.POST.get("depuis") == "liste":
        return redirect(adresse_de_la_liste(suite))
    return redirect(adresse_de_la_tache(numero, suite))


class ActionTache(VueProtegee):
    """A POST on a task. GET comes back to its page: a reloaded address is never a dead end."""

    http_method_names = ["get", "head", "post"]
    tache: Any

    def autoriser(self, request: HttpRequest) -> None:
        self.tache = tache_visible(cast(User, request.user), self.kwargs["numero"])
        etiquettes = {"motif_renvoi": "Motif du renvoi", "motif_refus": "Motif du refus", "autorites": "Autorités"}
        if request.method == "POST" and self.tache.close_le is None:
            verbes.autoriser(
                self.tache, cast(User, request.user)
            )  # before reading the form; the verb asks again under its lock
        request.libelles_saisie = etiquettes | {PREFIXE_COMMENTAIRE.rstrip("-"): "Commentaire sur la fiche"}  # type: ignore[attr-defined]

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        return redirect("tache", numero=numero)


class Prendre(ActionTache):
    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        verbes.prendre(numero=numero, acteur=cast(User, request.user))
        lien = reverse("tache", args=[numero])
        phrase = format_html("« {} » est à votre nom. ", self.tache.dossier.nom)
        if request.POST.get("depuis") == "liste":
            phrase = format_html('{}<a href="{}?onglet=mes-taches">Ouvrir la tâche</a>', phrase, lien)
        messages.success(request, phrase)
        return revenir(request, numero)


class Rendre(ActionTache):
    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        verbes.rendre(numero=numero, acteur=cast(User, request.user))
        messages.success(request, f"« {self.tache.dossier.nom} » est de nouveau à prendre par toute l’équipe.")
        return revenir(request, numero)


class Decider(ActionTache, ABC):
    """A decision: what is typed is kept when it is refused, and the next task of the list opens when it is taken."""

    panneau: ClassVar[str] = ""  # the part of the card that stays open on a refusal
    motif_permis: ClassVar[str] = ""

    @abstractmethod
    def decider(self, form: DecisionForm, acteur: User) -> Dossier:
        """The verb of this decision, on what was typed."""

    @abstractmethod
    def fait(self, dossier: Dossier) -> str:
        """What is said once it is taken."""

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        form = DecisionForm(request.POST)
        erreurs = self._erreurs(form)
        if not erreurs:
            try:
                dossier = self.decider(form, cast(User, request.user))
            except Invalide as refus:
                erreurs = self._du_refus(refus, form)
            else:
                return self._ensuite(request, dossier)
        return page_tache(
            request, self.tache, form=form, erreurs=erreurs, ouvert=self.panneau, affectation=self._affectation(request)
        )

    def _affectation(self, request: HttpRequest) -> AffectationForm | None:
        return None

    def _erreurs(self, form: DecisionForm) -> list[tuple[str, str]]:
        """What was typed for another decision is never thrown away without a word."""
        form.is_valid()
        erreurs = [(f"id_{nom}", str(message)) for nom, messages_ in form.errors.items() for message in messages_]
        if self.motif_permis != "motif_renvoi":
            if form.commentaires:
                erreurs.append(
                    (
                        f"id_{PREFIXE_COMMENTAIRE}{next(iter(form.commentaires))}",
                        "Vos commentaires ne sont transmis qu’avec un renvoi pour correction : renvoyez le "
                        "dossier, ou effacez-les.",
                    )
                )
            if form.cleaned_data.get("motif_renvoi"):
                erreurs.append(
                    (
                        "id_motif_renvoi",
                        "Vous avez écrit un motif de renvoi : renvoyez le dossier, ou effacez ce motif.",
                    )
                )
        if self.request.POST.getlist("ecarter"):
            erreurs.append(
                (
                    "approuver-sauf",
                    "Vous avez coché des fiches à écarter : choisissez « Écarter certaines fiches », ou décochez-les.",
                )
            )
        if self.motif_permis != "motif_refus" and form.cleaned_data.get("motif_refus"):
            erreurs.append(
                ("id_motif_refus", "Vous avez écrit un motif de refus : refusez le dossier, ou effacez ce motif.")
            )
        return erreurs

    def _du_refus(self, refus: Invalide, form: DecisionForm) -> list[tuple[str, str]]:
        if "motif" in refus.champs and self.motif_permis:
            form.errors[self.motif_permis] = form.error_class(refus.champs["motif"], renderer=form.renderer)
            return [(f"id_{self.motif_permis}", message) for message in refus.champs["motif"]]
        return [("", refus.message)]

    def _ensuite(self, request: HttpRequest, dossier: Dossier) -> HttpResponse:
        user, suite = cast(User, request.user), suite_de(request)
        # There is nothing to decide among the finished ones: what waits for her comes next.
        liste = liste_de(user, "" if "onglet=terminees" in suite else suite)
        prochaine = boite.suivante(liste.taches, tri=liste.tri, apres=self.tache.pk)
        lien = format_html('<a href="{}">Ouvrir le dossier</a>', reverse("dossier", args=[dossier.pk]))
        if dossier.etat == EtatDossier.PUBLIE:
            eg = reverse("fiche", args=[dossier.eg.identifiant])
            lien = format_html('{} · <a href="{}">Voir l’établissement</a>', lien, eg)
        messages.success(request, format_html("{} {}", self.fait(dossier), lien))
        if prochaine is None:
            return redirect(adresse_de_la_liste(suite))
        messages.info(
            request,
            format_html(
                'Tâche suivante : la voici. <a href="{}">Revoir la précédente</a>, <a href="{}">Revenir à la liste</a>',
                adresse_de_la_tache(self.tache.pk, suite), adresse_de_la_liste(suite),
            ),
        )  # fmt: skip
        return redirect(adresse_de_la_tache(prochaine.pk, suite))


class Valider(Decider):
    def decider(self, form: DecisionForm, acteur: User) -> Dossier:
        return decisions.valider(tache=self.tache.pk, acteur=acteur)

    def fait(self, dossier: Dossier) -> str:
        return f"Le dossier « {dossier.nom} » est validé. SESAN en est prévenu et donne l’approbation finale."


class Approuver(Decider):
    def decider(self, form: DecisionForm, acteur: User) -> Dossier:
        return decisions.approuver(tache=self.tache.pk, acteur=acteur)

    def fait(self, dossier: Dossier) -> str:
        if dossier.etat == EtatDossier.PUBLIE:
            return f"Le dossier « {dossier.nom} » est approuvé et publié : ses changements paraissent au répertoire."
        return f"Le dossier « {dossier.nom} » est approuvé. Il sera publié quand l’autre tutelle l’aura approuvé aussi."


class Renvoyer(Decider):
    panneau = "renvoyer"
    motif_permis = "motif_renvoi"

    def decider(self, form: DecisionForm, acteur: User) -> Dossier:
        motif = form.cleaned_data["motif_renvoi"]
        return decisions.renvoyer(tache=self.tache.pk, acteur=acteur, motif=motif, commentaires=form.commentaires)

    def fait(self, dossier: Dossier) -> str:
        return f"Le dossier « {dossier.nom} » est renvoyé pour correction. Ses auteurs reçoivent votre motif."


class Refuser(Decider):
    panneau = "refuser"
    motif_permis = "motif_refus"

    def decider(self, form: DecisionForm, acteur: User) -> Dossier:
        return decisions.refuser(tache=self.tache.pk, acteur=acteur, motif=form.cleaned_data["motif_refus"])

    def fait(self, dossier: Dossier) -> str:
        return f"Le dossier « {dossier.nom} » est refusé : rien n’en sera publié. Ses auteurs reçoivent votre motif."


class Affecter(Decider):
    def _affectation(self, request: HttpRequest) -> AffectationForm:
        form = AffectationForm(request.POST, departement=self.tache.departement)
        form.is_valid()
        return form

    def decider(self, form: DecisionForm, acteur: User) -> Dossier:
        return decisions.affecter(
            tache=self.tache.pk, acteur=acteur, autorites=self.request.POST.getlist("autorites")[:50]
        )

    def _du_refus(self, refus: Invalide, form: DecisionForm) -> list[tuple[str, str]]:
        return [("id_autorites_0", m) for m in refus.champs.get("autorites", [refus.message])]

    def fait(self, dossier: Dossier) -> str:
        quoi = "aux tutelles choisies" if len(dossier.autorites) > 1 else "à la tutelle choisie"
        return f"Le dossier « {dossier.nom} » est confié {quoi} : un courriel l’en prévient."
