"""« Ce qui a été décidé »: each decision on a dossier with the review that it was taken on, as it was."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from backoffice.socle.erreurs import Introuvable
from backoffice.socle.mots import date_longue
from structures.regles import peut_lire_contacts_tres_restreints

from ..domaine import instantane
from ..enums import ETAPES, Issue
from ..models import Decision, Dossier, Instantane
from ..revue import conservation
from ..revue.modele import Changement
from .espace import VueDossier
from .revue import VueRevue, contexte_document, exporter

ICONES = {Issue.RENVOYE: "renvoi", Issue.REFUSE: "refus"}


def decisions_en_mots(decisions: list[Decision]) -> list[dict[str, Any]]:
    """Lines of <c-chronologie> for decisions read with their people and authorities."""
    return [
        {
            "quand": d.le,
            "titre": f"{ETAPES[d.noeud].titre} : {d.get_issue_display().lower()}",
            "qui": f"{d.qui} ({d.autorite.nom})" if d.autorite else d.qui,
            "texte": d.motif,
            "icone": ICONES.get(Issue(d.issue), "coche"),
            "etat": "",
            "url": reverse("dossier_decision", args=[d.dossier_id, d.pk]),
        }
        for d in decisions
    ]


def contenu_en_mots(dossier: Dossier, decision: Decision, actuel: str) -> tuple[str, str]:
    """(sign, words): whether what was decided on is still what the dossier holds. ``actuel``: its digest now."""
    if decision.empreinte == actuel:
        if dossier.ecartees:
            return "a-jour", dossier.get_etat_display().replace("Publié", "contenu publié")
        return "a-jour", "contenu publié" if dossier.publie_le else "contenu inchangé depuis"
    if not dossier.est_ouvert:
        return "annulee", "contenu d’un envoi précédent"
    return "conflit", "le contenu a changé depuis"


def empreinte_actuelle(dossier: Dossier) -> str:
    """Of an ended dossier, that of what was last sent."""
    return instantane.empreinte_de(dossier) if dossier.est_ouvert else dossier.empreinte


class DecisionsView(VueDossier):
    """Every decision, the last first, and whether it still holds for what the dossier has become."""

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        decisions = list(self.dossier.decisions.select_related("acteur", "pour", "autorite").order_by("-pk"))
        actuel = empreinte_actuelle(self.dossier)
        contexte = {
            "espace": self.espace,
            "dossier": self.dossier,
            "fil": self.fil(("Ce qui a été décidé", "")),
            "decisions": [
                (d, en_mots, *contenu_en_mots(self.dossier, d, actuel))
                for d, en_mots in zip(decisions, decisions_en_mots(decisions), strict=True)
            ],
        }
        return render(request, "workflows/decisions.html", contexte)


class _UneDecision(VueRevue):
    decision: Decision
    garde: Instantane

    def autoriser(self, request: HttpRequest) -> None:
        super().autoriser(request)
        prises = self.dossier.decisions.select_related("acteur", "pour", "autorite")
        decision = prises.filter(pk=self.kwargs["decision"]).first()
        gardes = Instantane.objects.filter(dossier=self.dossier)
        garde = gardes.filter(empreinte=decision.empreinte).first() if decision else None
        if decision is None or garde is None:
            raise Introuvable("decision_inconnue", "Cette décision n’existe pas dans ce dossier.")
        self.decision, self.garde = decision, garde

    def liste(self, request: HttpRequest) -> list[Changement]:
        tout_voir = peut_lire_contacts_tres_restreints(request.user, self.dossier.eg)
        return conservation.depuis_json(self.garde.contenu["changements"], tout_voir=tout_voir)


class DecisionView(_UneDecision):
    """What one decision was taken on, as it was read then."""

    def get(self, request: HttpRequest, numero: int, decision: int) -> HttpResponse:
        [en_mots] = decisions_en_mots([self.decision])
        signe, mot = contenu_en_mots(self.dossier, self.decision, empreinte_actuelle(self.dossier))
        toutes = ("Ce qui a été décidé", reverse("dossier_decisions", args=[numero]))
        return self.page_revue(
            request,
            "workflows/decision.html",
            self.liste(request),
            reverse("dossier_decision", args=[numero, decision]),
            fil=self.fil(toutes, (en_mots["titre"], "")),
            decision=self.decision,
            en_mots=en_mots,
            garde=self.garde,
            signe=signe,
            mot=mot,
            intacte=instantane.empreinte(self.garde.contenu["decide"]) == self.decision.empreinte,
        )


class ExporterDecisionView(_UneDecision):
    """The review kept with a decision, as a file."""

    def get(self, request: HttpRequest, numero: int, decision: int, forme: str) -> HttpResponse:
        [en_mots] = decisions_en_mots([self.decision])
        quand = date_longue(self.decision.le, "heure")
        contexte = contexte_document(
            self.dossier,
            self.espace.etablissement,
            self.liste(request),
            ("Décision", f"{en_mots['titre']}, par {en_mots['qui']}, le {quand}"),
            ("Empreinte du contenu décidé", self.decision.empreinte),
        )
        return exporter(request, contexte, f"dossier-{numero}-decision-{decision}", forme)
