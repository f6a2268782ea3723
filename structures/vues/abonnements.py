"""The webhooks of a consumer: list, one with its deliveries, one delivery with its tries, and what may be done."""

from datetime import datetime, time
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from backoffice.socle.erreurs import Introuvable, Invalide, reporter
from backoffice.socle.vues import entier

from .. import tasks
from ..forms.abonnements import TYPES, AbonnementForm, RejeuForm, RenouvellementForm, SuspensionForm
from ..livraisons import abonnements as verbes
from ..livraisons.changements import dernier_rang
from ..models import Abonnement, Livraison, TentativeLivraison
from .consommateurs import VueConsommateur

TAILLE_PAGE = 25
_NOMS = dict(TYPES)


class VueAbonnements(VueConsommateur):
    """A page about the webhooks of ``self.consommateur``; gestionnaires only."""

    @property
    def url_liste(self) -> str:
        return reverse("abonnements", args=[self.consommateur.pk])

    def fil(self, *suite: tuple[str, str]) -> list[tuple[str, str]]:
        return [
            ("Accueil", "/"),
            ("Consommateurs", reverse("consommateurs")),
            (str(self.consommateur), reverse("consommateur", args=[self.consommateur.pk])),
            ("Abonnements", self.url_liste if suite else ""),
            *suite,
        ]

    def formulaire(
        self, form: forms.Form, titre: str, bouton: str, retour: str, statut: int = 200, aide: str = ""
    ) -> HttpResponse:
        contexte = {
            "consommateur": self.consommateur,
            "fil": self.fil((titre, "")),
            "form": form,
            "titre": titre,
            "aide": aide,
            "bouton": bouton,
            "retour": retour,
        }
        return render(self.request, "structures/abonnement_form.html", contexte, status=statut)


class AbonnementsView(VueAbonnements):
    """All of them: a consumer has few."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        contexte = {
            "consommateur": self.consommateur,
            "fil": self.fil(),
            "abonnements": [_resume(a) for a in _avec_attente(self.consommateur.abonnements.order_by("pk"))],
            "url_creer": reverse("abonnement_creer", args=[pk]),
        }
        return render(request, "structures/abonnements.html", contexte)


def _avec_attente(abonnements: QuerySet[Abonnement]) -> QuerySet[Abonnement]:
    """With when something was last accepted (``livre_le``)."""
    livrees = Livraison.objects.filter(abonnement=OuterRef("pk"), livree_le__isnull=False).order_by("-pk")
    return abonnements.select_related("suspendu_par").annotate(livre_le=Subquery(livrees.values("livree_le")[:1]))


def _resume(abonnement: Any) -> dict[str, Any]:
    """What a list and the head of its page say of it."""
    if abonnement.suspendu_le is not None:
        etat, mot = ("inactive", "suspendu") if abonnement.suspendu_par_id else ("echec", "suspendu d’office")
    elif abonnement.echecs:
        etat, mot = "attention", "en difficulté"
    else:
        etat, mot = "active", "actif"
    return {
        "abonnement": abonnement,
        "url": reverse("abonnement", args=[abonnement.consommateur_id, abonnement.pk]),
        "etat": etat,
        "mot": mot,
        "types": [_NOMS[t].partition(" :")[0] for t in abonnement.types],
        "livre_le": abonnement.livre_le,
    }


class AbonnementCreerView(VueAbonnements):
    http_method_names = ["get", "head", "post"]
    titre = "Ajouter un abonnement"
    bouton = "Ajouter l’abonnement"
    aide = "L’outil sera prévenu de ce qui change à partir de maintenant. Pour un état complet, il lance un export."

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = AbonnementForm(initial={"types": list(_NOMS)})
        return self.formulaire(form, self.titre, self.bouton, self.url_liste, aide=self.aide)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = AbonnementForm(request.POST)
        if form.is_valid():
            try:
                cree = verbes.abonner(consommateur=pk, acteur=self.acteur, **form.cleaned_data)
            except Invalide as refus:
                reporter(form, refus)
            else:
                messages.success(request, "L’abonnement est ouvert. Transmettez son secret, puis faites un essai.")
                return HttpResponseRedirect(reverse("abonnement", args=[pk, cree.pk]))
        return self.formulaire(form, self.titre, self.bouton, self.url_liste, 422, self.aide)


class VueAbonnement(VueAbonnements):
    """A page about ``self.abonnement`` of this consumer; 404 for another's."""

    abonnement: Abonnement

    def autoriser(self, request: HttpRequest) -> None:
        super().autoriser(request)
        siens = _avec_attente(Abonnement.objects.filter(consommateur=self.consommateur))
        trouve = siens.filter(pk=self.kwargs["numero"]).first()
        if trouve is None:
            raise Introuvable("abonnement_inconnu", "Cet abonnement n’existe pas.")
        self.abonnement = trouve

    @property
    def url(self) -> str:
        return reverse("abonnement", args=[self.consommateur.pk, self.abonnement.pk])

    def adresse(self, nom: str, *args: Any) -> str:
        return reverse(nom, args=[self.consommateur.pk, self.abonnement.pk, *args])

    def page(self, secret: str = "") -> HttpResponse:
        avant = entier(self.request.GET.get("avant"))
        siennes = Livraison.objects.filter(abonnement=self.abonnement).defer("corps").order_by("-pk")
        if avant:
            siennes = siennes.filter(pk__lt=avant)
        derniere = TentativeLivraison.objects.filter(livraison=OuterRef("pk")).order_by("-pk")
        lues = list(
            siennes.annotate(
                essais=Count("tentatives"),
                statut=Subquery(derniere.values("statut")[:1]),
                erreur=Subquery(derniere.values("erreur")[:1]),
            )[: TAILLE_PAGE + 1]
        )
        contexte = {
            "consommateur": self.consommateur,
            "fil": self.fil((self.abonnement.adresse, "")),
            **_resume(self.abonnement),
            "retard": max(0, dernier_rang() - self.abonnement.curseur),
            "secret": secret,
            "ancien": self.abonnement.ancien_jusqu_a if _futur(self.abonnement.ancien_jusqu_a) else None,
            "livraisons": [
                {"livraison": un, "url": self.adresse("livraison", un.pk), **etat_de(un)} for un in lues[:TAILLE_PAGE]
            ],
            "suivant": f"?avant={lues[TAILLE_PAGE - 1].pk}" if len(lues) > TAILLE_PAGE else "",
            "precedent": self.url if avant else "",
            "urls": {
                nom: self.adresse(f"abonnement_{nom}")
                for nom in ("modifier", "secret", "renouveler", "suspendre", "reprendre", "essayer", "rejouer")
            },
        }
        reponse = render(self.request, "structures/abonnement.html", contexte)
        reponse["Cache-Control"] = "no-store, private"
        return reponse


def _futur(instant: datetime | None) -> bool:
    return instant is not None and instant > timezone.now()


def etat_de(livraison: Any) -> dict[str, str]:
    if livraison.livree_le is not None:
        return {"etat": "parti", "mot": "acceptée"}
    return {"etat": "echec", "mot": "refusée, sera retentée"} if livraison.essais else {"etat": "en-attente", "mot": ""}


class AbonnementView(VueAbonnement):
    """What it says, how it goes, its deliveries, the last first."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, pk: int, numero: int) -> HttpResponse:
        return self.page()


class AbonnementSecretView(VueAbonnement):
    """The page with the secret on it: a POST, for the journal notes who read it."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int, numero: int) -> HttpResponse:
        return self.page(verbes.reveler(numero=numero, acteur=self.acteur))


class AbonnementModifierView(VueAbonnement):
    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest, pk: int, numero: int) -> HttpResponse:
        a = self.abonnement
        initial = {"adresse": a.adresse, "types": a.types, "departements": a.departements}
        return self._page(AbonnementForm(initial=initial))

    def post(self, request: HttpRequest, pk: int, numero: int) -> HttpResponse:
        form = AbonnementForm(request.POST)
        if form.is_valid():
            try:
                verbes.modifier(numero=numero, acteur=self.acteur, **form.cleaned_data)
            except Invalide as refus:
                reporter(form, refus)
            else:
                messages.success(request, "C’est enregistré : la prochaine livraison en tient compte.")
                return HttpResponseRedirect(self.url)
        return self._page(form, 422)

    def _page(self, form: AbonnementForm, statut: int = 200) -> HttpResponse:
        return self.formulaire(form, "Modifier l’abonnement", "Enregistrer", self.url, statut)


class AbonnementRenouvelerView(VueAbonnement):
    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest, pk: int, numero: int) -> HttpResponse:
        return self.formulaire(RenouvellementForm(), "Renouveler le secret", "Renouveler le secret", self.url)

    def post(self, request: HttpRequest, pk: int, numero: int) -> HttpResponse:
        form = RenouvellementForm(request.POST)
        form.is_valid()
        verbes.renouveler_secret(numero=numero, acteur=self.acteur, **form.cleaned_data)
        messages.success(request, "Le secret est renouvelé : affichez-le, puis transmettez-le.")
        return HttpResponseRedirect(self.url)


class AbonnementSuspendreView(VueAbonnement):
    http_method_names = ["get", "head", "post"]
    aide = "Plus rien ne part. Les changements restent en attente, et partiront à la reprise."

    def get(self, request: HttpRequest, pk: int, numero: int) -> HttpResponse:
        return self._page(SuspensionForm())

    def post(self, request: HttpRequest, pk: int, numero: int) -> HttpResponse:
        form = SuspensionForm(request.POST)
        if not form.is_valid():
            return self._page(form, 422)
        verbes.suspendre(numero=numero, acteur=self.acteur, **form.cleaned_data)
        messages.success(request, "L’abonnement est suspendu.")
        return HttpResponseRedirect(self.url)

    def _page(self, form: SuspensionForm, statut: int = 200) -> HttpResponse:
        return self.formulaire(form, "Suspendre l’abonnement", "Suspendre l’abonnement", self.url, statut, self.aide)


class AbonnementReprendreView(VueAbonnement):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int, numero: int) -> HttpResponse:
        verbes.reprendre(numero=numero, acteur=self.acteur)
        tasks.reveiller_livraisons()
        messages.success(request, "L’abonnement est repris : ce qui attendait part maintenant.")
        return HttpResponseRedirect(self.url)


class AbonnementEssayerView(VueAbonnement):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int, numero: int) -> HttpResponse:
        livraison = verbes.essayer(numero=numero, acteur=self.acteur)
        tasks.reveiller_livraisons()
        messages.success(request, "L’essai part maintenant : rechargez cette page pour lire la réponse.")
        return HttpResponseRedirect(self.adresse("livraison", livraison.pk))


class AbonnementRejouerView(VueAbonnement):
    """« Rejouer depuis… »: a rank, or a day."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest, pk: int, numero: int) -> HttpResponse:
        return self._page(RejeuForm())

    def post(self, request: HttpRequest, pk: int, numero: int) -> HttpResponse:
        form = RejeuForm(request.POST)
        if form.is_valid():
            jour, rang = form.cleaned_data["jour"], form.cleaned_data["rang"]
            if jour is not None:
                rang = verbes.rang_du(timezone.make_aware(datetime.combine(jour, time())))
            try:
                verbes.rejouer_depuis(numero=numero, acteur=self.acteur, rang=rang)
            except Invalide as refus:
                form.add_error("rang" if jour is None else "jour", refus.message)
            else:
                tasks.reveiller_livraisons()
                messages.success(request, "Les changements sont redits depuis là.")
                return HttpResponseRedirect(self.url)
        return self._page(form, 422)

    def _page(self, form: RejeuForm, statut: int = 200) -> HttpResponse:
        aide = "Le destinataire reçoit de nouveau chaque changement depuis là, dans l’ordre."
        return self.formulaire(form, "Rejouer depuis…", "Rejouer", self.url, statut, aide)


class LivraisonView(VueAbonnement):
    """One delivery: what was sent, and what came of each try."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, pk: int, numero: int, livraison: int) -> HttpResponse:
        siennes = Livraison.objects.filter(abonnement=self.abonnement).select_related("rejoue")
        lue = siennes.annotate(essais=Count("tentatives")).filter(pk=livraison).first()
        if lue is None:
            raise Introuvable("livraison_inconnue", "Cette livraison n’existe pas, ou son journal a été purgé.")
        contexte = {
            "consommateur": self.consommateur,
            "fil": self.fil((self.abonnement.adresse, self.url), (f"Livraison {lue.pk}", "")),
            "abonnement": self.abonnement,
            "livraison": lue,
            **etat_de(lue),
            "tentatives": list(lue.tentatives.order_by("-pk")[:TAILLE_PAGE]),
            "url_rejouee": self.adresse("livraison", lue.rejoue.pk) if lue.rejoue else "",
            "url_rejouer": self.adresse("livraison_rejouer", lue.pk)
            if lue.livree_le and lue.nombre and not self.abonnement.suspendu_le
            else "",
        }
        return render(request, "structures/livraison.html", contexte)


class LivraisonRejouerView(VueAbonnement):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int, numero: int, livraison: int) -> HttpResponse:
        if not self.abonnement.livraisons.filter(pk=livraison).exists():
            raise Introuvable("livraison_inconnue", "Cette livraison n’existe pas, ou son journal a été purgé.")
        copie = verbes.rejouer(livraison=livraison, acteur=self.acteur)
        tasks.reveiller_livraisons()
        messages.success(request, "La livraison repart, sous un nouvel identifiant.")
        return HttpResponseRedirect(self.adresse("livraison", copie.pk))
