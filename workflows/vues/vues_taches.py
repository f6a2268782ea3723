"""Named views of the inbox and its columns: keep, share, rename, delete, open first."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse

from backoffice.comptes.models import User
from backoffice.socle.champs_formulaire import TexteField
from backoffice.socle.erreurs import Introuvable, Invalide, reporter
from backoffice.socle.vues import VueProtegee

from .. import regles
from ..domaine import vues_taches as verbes
from ..forms_taches import COLONNES, HABITUELLES, FiltreTaches
from ..models import PreferenceTaches, VueTaches


def preference_de(user: User) -> PreferenceTaches:
    """Hers, or that of somebody who chose nothing. One statement."""
    return PreferenceTaches.objects.filter(user=user).first() or PreferenceTaches(user=user)


def adresse(vue: VueTaches) -> str:
    return f"{reverse('taches')}?{vue.requete}&vue={vue.pk}"


def vues_de(user: User, *, active: int | None = None) -> list[dict[str, Any]]:
    """The menu of views: hers, then those of her colleagues with their names. One statement."""
    vues = verbes.vues_lisibles(user, regles.roles_de(user)).select_related("user")
    return sorted(
        (
            {"vue": v, "url": adresse(v), "de": "" if v.user_id == user.pk else str(v.user), "active": v.pk == active}
            for v in vues
        ),
        key=lambda ligne: (bool(ligne["de"]), ligne["vue"].nom.lower(), ligne["vue"].pk),
    )


def canonique(requete: str, user: User) -> str:
    """What is readable of the address of a list, without its page nor the view that it came from."""
    return FiltreTaches(QueryDict(requete[:2000]), roles=regles.roles_de(user)).requete(vue=None)


class VueForm(forms.Form):
    """A name, and with whom. The last two only when a new one is kept."""

    use_required_attribute = False
    nom = TexteField(label="Nom de la vue", max_length=80)
    partagee = forms.BooleanField(label="La partager avec mes collègues", required=False)
    par_defaut = forms.BooleanField(label="L’ouvrir quand j’arrive sur « Tâches »", required=False)
    remplacer = forms.BooleanField(label="Remplacer la vue qui porte ce nom", required=False)

    def __init__(self, *arguments: Any, nouvelle: bool = False, **nommes: Any) -> None:
        super().__init__(*arguments, **nommes)
        if not nouvelle:
            del self.fields["par_defaut"], self.fields["remplacer"]


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


class Vues(VueProtegee):
    """« Vues »: hers and those shared with her; the saving of the list shown (POST)."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        requete = canonique(request.GET.urlencode(), _user(request)) if request.GET else ""
        form = VueForm(nouvelle=True, initial={"nom": ""}) if requete else None
        return self.page(request, form, requete)

    def page(self, request: HttpRequest, form: VueForm | None, requete: str) -> HttpResponse:
        user = _user(request)
        contexte = {
            "vues": vues_de(user),
            "par_defaut": preference_de(user).vue_id,
            "form": form,
            "requete": requete,
        }
        return render(request, "workflows/taches/vues.html", contexte, status=422 if form and form.errors else 200)

    def post(self, request: HttpRequest) -> HttpResponse:
        user = _user(request)
        requete = canonique(request.POST.get("requete", ""), user)
        form = VueForm(request.POST, nouvelle=True)
        if form.is_valid():
            try:
                vue = verbes.enregistrer_vue(user=user, requete=requete, **form.cleaned_data)
            except Invalide as refus:
                reporter(form, refus)
            else:
                avec = " et partagée avec vos collègues" if vue.partagee else ""
                messages.success(request, f"La vue « {vue.nom} » est enregistrée{avec}.")
                return redirect(adresse(vue))
        return self.page(request, form, requete)


class UneVue(VueProtegee):
    """One view: hers, or one that is shared with her (``lisibles``); else a 404."""

    http_method_names = ["get", "head", "post"]
    vue: VueTaches

    def lisibles(self, user: User) -> QuerySet[VueTaches]:
        return VueTaches.objects.filter(user=user)

    def autoriser(self, request: HttpRequest) -> None:
        vue = self.lisibles(_user(request)).filter(pk=self.kwargs["pk"]).select_related("user").first()
        if vue is None:
            raise Introuvable("vue_inconnue", "Cette vue n’existe pas, ou n’est pas à vous.")
        self.vue = vue


class ModifierVue(UneVue):
    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.page(request, VueForm(initial={"nom": self.vue.nom, "partagee": self.vue.partagee}))

    def page(self, request: HttpRequest, form: VueForm) -> HttpResponse:
        contexte = {"vue": self.vue, "url": adresse(self.vue), "form": form}
        return render(request, "workflows/taches/vue.html", contexte, status=422 if form.is_bound else 200)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = VueForm(request.POST)
        if form.is_valid():
            try:
                modifiee = verbes.modifier_vue(vue=self.vue, **form.cleaned_data)
            except Invalide as refus:
                reporter(form, refus)
            else:
                messages.success(request, f"La vue « {modifiee.nom} » est modifiée.")
                return redirect("vues_taches")
        return self.page(request, form)


class SupprimerVue(UneVue):
    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        contexte = {
            "titre": f"Supprimer la vue « {self.vue.nom} » ?",
            "texte": "Elle disparaît de vos vues"
            + (" et de celles de vos collègues" if self.vue.partagee else "")
            + ". Les tâches ne changent pas.",
            "confirmer": "Supprimer la vue",
            "url": request.path,
            "retour": reverse("vues_taches"),
            "danger": True,
            "form": None,
        }
        return render(request, "socle/confirmation.html", contexte)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        verbes.supprimer_vue(vue=self.vue)
        messages.success(request, f"La vue « {self.vue.nom} » est supprimée.")
        return redirect("vues_taches")


class OuvrirSur(UneVue):
    """« Ouvrir par défaut »; ``non=1`` takes it back."""

    http_method_names = ["post"]

    def lisibles(self, user: User) -> QuerySet[VueTaches]:
        return verbes.vues_lisibles(user)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        retiree = request.POST.get("non") == "1"
        verbes.ouvrir_sur(user=_user(request), vue=None if retiree else self.vue)
        fin = "ne s’ouvre plus d’elle-même" if retiree else "s’ouvre quand vous arrivez sur « Tâches »"
        messages.success(request, f"La vue « {self.vue.nom} » {fin}.")
        return redirect("vues_taches")


class Colonnes(VueProtegee):
    """« Colonnes »: for each one, hidden or its place. Works without any script."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        choisies = preference_de(_user(request)).colonnes or list(HABITUELLES)
        rangs = {nom: rang for rang, nom in enumerate(choisies, 1)}
        lignes = sorted(COLONNES.items(), key=lambda paire: rangs.get(paire[0], len(COLONNES)))
        contexte = {
            "lignes": [(nom, libelle, rangs.get(nom, 0)) for nom, libelle in lignes],
            "rangs": range(1, len(COLONNES) + 1),
        }
        return render(request, "workflows/taches/colonnes.html", contexte)

    def post(self, request: HttpRequest) -> HttpResponse:
        user = _user(request)
        if "habituelles" in request.POST:
            verbes.choisir_colonnes(user=user, colonnes=[])
        else:
            places = [(request.POST.get(f"rang_{nom}", ""), nom) for nom in COLONNES]
            choisies = sorted((int(r), i, nom) for i, (r, nom) in enumerate(places) if r in _RANGS)
            verbes.choisir_colonnes(user=user, colonnes=[nom for _, _, nom in choisies])
        messages.success(request, "Vos colonnes sont enregistrées.")
        return redirect("taches")


_RANGS = {str(rang) for rang in range(1, len(COLONNES) + 1)}
