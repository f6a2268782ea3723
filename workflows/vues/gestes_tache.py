"""Gestures on a task that ask something first: take it over, give it, put it aside; and following a dossier."""

from abc import ABC, abstractmethod
from datetime import date, timedelta
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Interdit, Introuvable, Invalide, reporter
from backoffice.socle.mots import date_longue
from backoffice.socle.vues import VueProtegee, entier

from .. import regles, traitements
from ..domaine import equipe, suivi
from ..domaine import taches as verbes
from ..forms_taches import AttributionForm, MiseDeCoteForm, RepriseForm
from .decisions import revenir
from .suite import adresse_de_la_liste, adresse_de_la_tache, suite_de
from .tache import tache_visible


class GesteTache(VueProtegee, ABC):
    """A question, then the verb. What is typed is kept when it is refused."""

    http_method_names = ["get", "head", "post"]
    confirmer: ClassVar[str]
    tache: Any

    def autoriser(self, request: HttpRequest) -> None:
        self.tache = tache_visible(cast(User, request.user), self.kwargs["numero"])
        verbes.tache_ouverte(self.tache.pk, self.tache.dossier)
        if refus := self.refus(cast(User, request.user)):
            raise refus

    def refus(self, user: User) -> Interdit | None:
        return verbes.refus_de_droit(self.tache, user)

    @abstractmethod
    def formulaire(self, donnees: Any = None) -> forms.Form:
        """What is asked."""

    @abstractmethod
    def titre(self) -> str: ...

    @abstractmethod
    def texte(self) -> str:
        """What goes with it."""

    @abstractmethod
    def faire(self, donnees: dict[str, Any], acteur: User) -> str:
        """The verb; what is said once it is done."""

    @property
    def calme(self) -> bool:
        """Whether ``texte`` is plain words, not a warning."""
        return False

    @property
    def tenue_par(self) -> Any:
        return self.tache.tache.owner

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        return self._page(request, self.formulaire())

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        form = self.formulaire(request.POST)
        if form.is_valid():
            try:
                phrase = self.faire(form.cleaned_data, cast(User, request.user))
            except Invalide as refus:
                reporter(form, refus)
            else:
                messages.success(request, phrase)
                return revenir(request, self.tache.pk)
        return self._page(request, form)

    def _page(self, request: HttpRequest, form: forms.Form) -> HttpResponse:
        suite = suite_de(request)
        contexte = {
            "titre": self.titre(),
            "texte": self.texte(),
            "confirmer": self.confirmer,
            "url": f"{request.path}?{suite}" if suite else request.path,
            "retour": adresse_de_la_tache(self.tache.pk, suite),
            "danger": False,
            "calme": self.calme,
            "fil": [
                ("Accueil", reverse("accueil")),
                ("Tâches", adresse_de_la_liste(suite)),
                (self.tache.dossier.nom, adresse_de_la_tache(self.tache.pk, suite)),
                (self.confirmer, ""),
            ],
            "form": form,
        }
        return render(request, "socle/confirmation.html", contexte, status=422 if form.errors else 200)


class Reprendre(GesteTache):
    confirmer = "Reprendre la tâche"

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        if self.tenue_par in (None, request.user):  # nobody to take it from
            return redirect(adresse_de_la_tache(numero, suite_de(request)))
        return super().get(request, numero)

    def formulaire(self, donnees: Any = None) -> RepriseForm:
        return RepriseForm(donnees, initial={"vu": self.tache.tache.owner_id})

    def titre(self) -> str:
        return f"Reprendre « {self.tache.dossier.nom} » ?"

    def texte(self) -> str:
        depuis = self.tache.tache.assigned
        quand = f" depuis le {date_longue(depuis, 'heure')}" if depuis else ""
        return f"{self.tenue_par} a cette tâche{quand}. Elle passe à votre nom, et un courriel l’en prévient."

    def faire(self, donnees: dict[str, Any], acteur: User) -> str:
        equipe.reprendre(numero=self.tache.pk, acteur=acteur, motif=donnees["motif"], vu=donnees["vu"])
        return f"« {self.tache.dossier.nom} » est à votre nom."


class Attribuer(GesteTache):
    confirmer = "Attribuer la tâche"

    def refus(self, user: User) -> Interdit | None:
        return equipe.refus_d_attribuer(self.tache, user)

    @property
    def d_un_autre(self) -> bool:
        return self.tenue_par is not None and self.tenue_par.pk != self.request.user.pk

    def formulaire(self, donnees: Any = None) -> AttributionForm:
        personnes = traitements.collegues(cast(User, self.request.user), [self.tache])
        expediteur = self.tache.dossier.envoye_par_id if self.tache.etape.neutre else None
        return AttributionForm(
            donnees,
            personnes=[p for p in personnes if p.pk not in (expediteur, self.tache.tache.owner_id)],
            tenue=self.d_un_autre,
            initial={"vu": self.tache.tache.owner_id},
        )

    def titre(self) -> str:
        return f"Attribuer « {self.tache.dossier.nom} »"

    def texte(self) -> str:
        debut = f"{self.tenue_par} a pris cette tâche. " if self.d_un_autre else ""
        return f"{debut}La personne choisie la trouve dans « Mes tâches », et un courriel l’en prévient."

    def faire(self, donnees: dict[str, Any], acteur: User) -> str:
        a = User.objects.get(pk=donnees["a"])
        equipe.attribuer(numero=self.tache.pk, acteur=acteur, a=a, vu=donnees["vu"], motif=donnees["motif"])
        return f"« {self.tache.dossier.nom} » est au nom de {a}, qui en est prévenu par courriel."


class MettreDeCote(GesteTache):
    confirmer = "Mettre de côté"

    def refus(self, user: User) -> Any:
        return verbes.refus_de(self.tache, user)

    def formulaire(self, donnees: Any = None) -> MiseDeCoteForm:
        return MiseDeCoteForm(donnees, initial={"retour_le": self.demain})

    def titre(self) -> str:
        return f"Mettre de côté « {self.tache.dossier.nom} »"

    def texte(self) -> str:
        echeance = date_longue(self.tache.echeance, "jour")
        if self.calme:
            return f"Échéance de la tâche : {echeance}."
        return f"L’échéance de la tâche est le {echeance} : elle sera en retard quand elle reviendra."

    @property
    def demain(self) -> date:
        return timezone.localdate() + timedelta(days=1)

    @property
    def calme(self) -> bool:
        return self.demain <= timezone.localdate(self.tache.echeance)

    def faire(self, donnees: dict[str, Any], acteur: User) -> str:
        mise = suivi.mettre_de_cote(
            numero=self.tache.pk, acteur=acteur, retour_le=donnees["retour_le"],
            malgre_echeance=donnees["malgre_echeance"],
        )  # fmt: skip
        return f"« {self.tache.dossier.nom} » est mise de côté : elle revient le {date_longue(mise.retour_le, 'jour')}."


class Ressortir(VueProtegee):
    """A task that one had put aside is back in one's lists."""

    http_method_names = ["get", "head", "post"]

    def autoriser(self, request: HttpRequest) -> None:
        self.tache = tache_visible(cast(User, request.user), self.kwargs["numero"])
        if request.method == "POST" and (refus := verbes.refus_de_droit(self.tache, cast(User, request.user))):
            raise refus

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        return redirect("tache", numero=numero)

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        suivi.ressortir(numero=numero, acteur=cast(User, request.user))
        messages.success(request, f"« {self.tache.dossier.nom} » est de nouveau dans vos listes.")
        return revenir(request, numero)


class Suivre(VueProtegee):
    """« Suivre » and « Ne plus suivre » a dossier that one sees, from its page or from that of a task (``tache``)."""

    http_method_names = ["post"]

    def autoriser(self, request: HttpRequest) -> None:
        if not regles.dossiers_visibles(request.user).filter(pk=self.kwargs["numero"]).exists():
            raise Introuvable("dossier_inconnu", "Ce dossier n’existe pas, ou il n’est pas visible avec votre compte.")

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        user = cast(User, request.user)
        if request.POST.get("suivre") == "non":
            dossier = suivi.ne_plus_suivre(numero=numero, acteur=user)
            messages.success(request, f"Vous ne suivez plus « {dossier.nom} ».")
        else:
            dossier = suivi.suivre(numero=numero, acteur=user)
            messages.success(
                request,
                f"Vous suivez « {dossier.nom} » : un courriel vous prévient des renvois, des décisions et de la "
                "publication.",
            )
        if tache := entier(request.POST.get("tache")):
            return revenir(request, tache)
        return redirect("dossier", numero=numero)
