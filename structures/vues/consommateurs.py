"""« Consommateurs »: the tools that read the exposition, for gestionnaires. A secret is shown by the answer that makes
it, and by no other page."""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Interdit, Introuvable, Invalide, reporter
from backoffice.socle.mots import date_longue
from backoffice.socle.vues import VueProtegee

from .. import consommation
from ..domaine import consommateurs as verbes
from ..enums import ActeConsommateur, ProfilAcces
from ..forms.consommateurs import ConsommateurForm, SecretForm, SuspensionForm
from ..models import Consommateur, JournalConsommateur
from ..regles import est_gestionnaire

_ICONES = {
    ActeConsommateur.CREATION: "ajout",
    ActeConsommateur.MODIFICATION: "crayon",
    ActeConsommateur.RENOUVELLEMENT: "cle",
    ActeConsommateur.SUSPENSION: "pause",
    ActeConsommateur.REACTIVATION: "demi-tour",
    ActeConsommateur.ABONNEMENT: "envoi",
}


class VueConsommateurs(VueProtegee):
    """A page of the gestionnaires: 403 for the others."""

    http_method_names = ["get", "head", "post"]

    def autoriser(self, request: HttpRequest) -> None:
        if not est_gestionnaire(request.user):
            raise Interdit("sans_droit", "Cette page est réservée aux gestionnaires SESAN.")

    @property
    def acteur(self) -> User:
        return cast(User, self.request.user)

    @sensitive_variables()
    def montrer_le_secret(self, consommateur: Consommateur, secret: str, titre: str) -> HttpResponse:
        adresse = f"{settings.SITE_URL}{reverse('fhir_jeton')}"
        contexte = {"consommateur": consommateur, "secret": secret, "titre": titre, "adresse": adresse}
        reponse = render(self.request, "structures/consommateur_secret.html", contexte)
        reponse["Cache-Control"] = "no-store"
        return reponse


class ConsommateursView(VueConsommateurs):
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        page = consommation.page_consommateurs(
            apres=request.GET.get("apres", "")[:200], avant=request.GET.get("avant", "")[:200]
        )
        return render(request, "structures/consommateurs.html", {"page": page})


class CreerConsommateurView(VueConsommateurs):
    def get(self, request: HttpRequest) -> HttpResponse:
        initial = {"profil": ProfilAcces.LIBRES, "quota_minute": 600}
        return self._page(ConsommateurForm(initial=initial | {"quota_jour": 100_000}))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ConsommateurForm(request.POST)
        if form.is_valid():
            try:
                consommateur, secret = verbes.creer(acteur=self.acteur, reglages=form.reglages())
            except Invalide as refus:
                reporter(form, refus)
            else:
                return self.montrer_le_secret(consommateur, secret, f"{consommateur} est ouvert")
        return self._page(form, 422)

    def _page(self, form: ConsommateurForm, statut: int = 200) -> HttpResponse:
        contexte = {"form": form, "titre": "Ouvrir un accès", "retour": reverse("consommateurs")}
        return render(self.request, "structures/consommateur_form.html", contexte, status=statut)


class VueConsommateur(VueConsommateurs):
    """Something about one consumer (``pk``)."""

    consommateur: Consommateur

    def autoriser(self, request: HttpRequest) -> None:
        super().autoriser(request)
        trouve = Consommateur.objects.filter(pk=self.kwargs["pk"]).first()
        if trouve is None:
            raise Introuvable("consommateur_inconnu", "Ce consommateur n’existe pas.")
        self.consommateur = trouve

    def revenir(self, phrase: str) -> HttpResponse:
        messages.success(self.request, phrase)
        return HttpResponseRedirect(self.url)

    @property
    def url(self) -> str:
        return reverse("consommateur", args=[self.consommateur.pk])

    def demander(self, form: Any, titre: str, texte: str, confirmer: str, *, danger: bool = False) -> HttpResponse:
        contexte = {
            "titre": titre,
            "texte": texte,
            "confirmer": confirmer,
            "url": self.request.path,
            "retour": self.url,
            "danger": danger,
            "form": form,
            "calme": not danger,
            "fil": [("Consommateurs", reverse("consommateurs")), (str(self.consommateur), self.url), (confirmer, "")],
        }
        return render(self.request, "socle/confirmation.html", contexte, status=422 if form.errors else 200)


class ConsommateurView(VueConsommateur):
    """Its use, what it sees, its refusals, its journal."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        c = self.consommateur
        demandee = request.GET.get("jours", "")
        periode = next((p for p in consommation.PERIODES if str(p) == demandee), consommation.PERIODES[0])
        contexte = {
            "c": c,
            "profil": ProfilAcces(c.profil).label,
            "usage": consommation.usage_de(c, periode),
            "periodes": consommation.PERIODES,
            "du_jour": consommation.requetes_du_jour(c),
            "refus": consommation.refus_de(c)[: consommation.DERNIERS_REFUS],
            "lectures": consommation.lectures(c),
            "contacts": consommation.contacts_vus(c),
            "journal": [_evenement(ligne) for ligne in consommation.journal_de(c)],
        }
        return render(request, "structures/consommateur.html", contexte)


class ModifierConsommateurView(VueConsommateur):
    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._page(ConsommateurForm.de(self.consommateur))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = ConsommateurForm(request.POST)
        if form.is_valid():
            try:
                verbes.modifier(pk=pk, acteur=self.acteur, reglages=form.reglages())
            except Invalide as refus:
                reporter(form, refus)
            else:
                return self.revenir("C’est enregistré : ces réglages valent dès la prochaine requête de l’outil.")
        return self._page(form, 422)

    def _page(self, form: ConsommateurForm, statut: int = 200) -> HttpResponse:
        contexte = {"form": form, "titre": f"Régler {self.consommateur}", "retour": self.url, "c": self.consommateur}
        return render(self.request, "structures/consommateur_form.html", contexte, status=statut)


class SecretView(VueConsommateur):
    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._demander(SecretForm())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = SecretForm(request.POST)
        if not form.is_valid():
            return self._demander(form)
        garder = form.cleaned_data["ancien"] == "garder"
        consommateur, secret = verbes.renouveler(pk=pk, acteur=self.acteur, garder_ancien=garder)
        return self.montrer_le_secret(consommateur, secret, f"Nouveau secret de l’outil « {consommateur} »")

    def _demander(self, form: SecretForm) -> HttpResponse:
        texte = "Le nouveau secret s’affiche une seule fois, sur la page suivante : préparez de quoi le transmettre."
        return self.demander(
            form, f"Renouveler le secret de l’outil « {self.consommateur} » ?", texte, "Renouveler le secret"
        )


class SuspendreView(VueConsommateur):
    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._demander(SuspensionForm())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = SuspensionForm(request.POST)
        if not form.is_valid():
            return self._demander(form)
        verbes.suspendre(pk=pk, acteur=self.acteur, motif=form.cleaned_data["motif"])
        return self.revenir(f"L’accès de l’outil « {self.consommateur} » est suspendu, ses jetons ne valent plus rien.")

    def _demander(self, form: SuspensionForm) -> HttpResponse:
        texte = (
            "Ses jetons cessent de valoir aussitôt, et il n’en reçoit plus. Son secret restera le même s’il revient."
        )
        titre = f"Suspendre l’accès de l’outil « {self.consommateur} » ?"
        return self.demander(form, titre, texte, "Suspendre l’accès", danger=True)


class ReactiverView(VueConsommateur):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        verbes.reactiver(pk=pk, acteur=self.acteur)
        return self.revenir(f"L’accès de l’outil « {self.consommateur} » est rendu, avec le même secret.")


def changements_en_mots(ligne: JournalConsommateur) -> list[str]:
    return [f"{quoi} : {avant} → {apres}" if avant else f"{quoi} : {apres}" for quoi, avant, apres in ligne.changements]


def _evenement(ligne: JournalConsommateur) -> dict[str, Any]:
    """A line of the journal for the timeline."""
    phrases = changements_en_mots(ligne)
    return {
        "quand": ligne.le,
        "titre": ActeConsommateur(ligne.acte).label,
        "qui": f"{ligne.acteur or 'Commande'}, {date_longue(ligne.le, 'heure')}",
        "texte": "\n".join([*phrases, *([f"Motif : {ligne.motif}"] if ligne.motif else [])]),
        "icone": _ICONES[ActeConsommateur(ligne.acte)],
    }
