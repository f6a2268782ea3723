"""« Absences »: who stands in for oneself, for whom one stands in; for gestionnaires, those of any account."""

from typing import Any, cast

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Interdit, Introuvable, Invalide, reporter
from backoffice.socle.mots import date_longue
from backoffice.socle.vues import VueProtegee
from structures.regles import est_gestionnaire

from ..domaine import suppleances
from ..forms_absences import AbsenceForm
from ..models import Suppleance
from ..regles import TRANSMISSIBLES, portees
from .circuits import exiger_gestionnaire

PASSEES = 20  # that the page still shows


class Absences(VueProtegee):
    """One's own."""

    http_method_names = ["get", "head", "post"]
    compte: User

    def autoriser(self, request: HttpRequest) -> None:
        self.compte = cast(User, request.user)

    def get(self, request: HttpRequest, **_: Any) -> HttpResponse:
        return self.page(request, self.formulaire(request))

    def post(self, request: HttpRequest, **_: Any) -> HttpResponse:
        form = self.formulaire(request, request.POST)
        if form.is_valid():
            try:
                suppleances.ecrire(absente=self.compte, acteur=cast(User, request.user), **form.cleaned_data)
            except Invalide as refus:
                reporter(form, refus)
            else:
                lus = form.cleaned_data
                jours = f"du {date_longue(lus['du'])} au {date_longue(lus['au'])}"
                messages.success(request, f"{lus['suppleante']} supplée {self.compte} {jours}.")
                return redirect(request.path)
        return self.page(request, form, status=422)

    def formulaire(self, request: HttpRequest, donnees: Any = None) -> AbsenceForm:
        return AbsenceForm(donnees, absente=self.compte, partout=est_gestionnaire(cast(User, request.user)))

    def page(self, request: HttpRequest, form: AbsenceForm, status: int = 200) -> HttpResponse:
        lues = list(siennes(self.compte)[: 2 * PASSEES])
        contexte = {
            "compte": self.compte,
            "c_est_moi": self.compte.pk == cast(User, request.user).pk,
            "form": form,
            "refusee": status == 422,
            "transmet": bool(portees(self.compte).keys() & TRANSMISSIBLES.keys()),
            "absences": [s for s in lues if s.absente_id == self.compte.pk],
            "suppleances": [s for s in lues if s.suppleante_id == self.compte.pk],
        }
        return render(request, "workflows/absences.html", contexte, status=status)


def siennes(compte: User) -> QuerySet[Suppleance]:
    """The substitutions of somebody, in both directions, the last first."""
    des_deux = Suppleance.objects.filter(Q(absente=compte) | Q(suppleante=compte))
    return des_deux.select_related("absente", "suppleante", "ecrite_par", "finie_par").order_by("-du", "-pk")


class AbsencesDe(Absences):
    """Those of an account, for gestionnaires."""

    def autoriser(self, request: HttpRequest) -> None:
        exiger_gestionnaire(request.user)
        trouve = User.objects.filter(pk=self.kwargs["compte"]).first()
        if trouve is None:
            raise Introuvable("compte_inconnu", "Ce compte n’existe pas.")
        self.compte = trouve


class TerminerAbsence(VueProtegee):
    """« Mettre fin » to a substitution, or cancel one to come: confirmation, then the gesture."""

    http_method_names = ["get", "head", "post"]
    suppleance: Suppleance

    def autoriser(self, request: HttpRequest) -> None:
        user = cast(User, request.user)
        trouvee = Suppleance.objects.select_related("absente", "suppleante").filter(pk=self.kwargs["numero"]).first()
        concernees = {trouvee.absente_id, trouvee.suppleante_id} if trouvee else set()
        if trouvee is None or (user.pk not in concernees and not est_gestionnaire(user)):
            raise Introuvable("suppleance_inconnue", "Cette suppléance n’existe pas.")
        if user.pk == trouvee.suppleante_id and not est_gestionnaire(user):
            raise Interdit("sans_droit", f"Demandez à {trouvee.absente} ou à un gestionnaire SESAN d’y mettre fin.")
        self.suppleance = trouvee

    def _retour(self, request: HttpRequest) -> str:
        moi = self.suppleance.absente_id == request.user.pk
        return reverse("absences") if moi else reverse("absences_de", args=[self.suppleance.absente_id])

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        s = self.suppleance
        return render(
            request,
            "socle/confirmation.html",
            {
                "titre": f"Mettre fin à la suppléance de {s.absente} par {s.suppleante} ?",
                "texte": f"Elle court du {date_longue(s.du)} au {date_longue(s.au)}. Les tâches prises à ce titre "
                "retournent dans la file commune.",
                "confirmer": "Mettre fin",
                "danger": True,
                "form": None,
                "url": request.path,
                "retour": self._retour(request),
            },
        )

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        suppleances.terminer(numero=numero, acteur=cast(User, request.user))
        messages.success(request, f"La suppléance de {self.suppleance.absente} a pris fin.")
        return redirect(self._retour(request))
