"""A person leaves, or loses a right: what would be left without anybody, said before; where her tasks went, after."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from backoffice.socle.vues import entier
from structures.models import Habilitation
from workflows.boite import detaillees
from workflows.domaine.taches import taches_tenues
from workflows.models import Tache
from workflows.radar import Pourvoi, orphelines_sans, pourvoir
from workflows.requetes import sans_acteur

from . import domaine
from .views import VueCompte

MONTREES = 100


class Pourvois(NamedTuple):
    lignes: list[Pourvoi]
    reste: int


def _pourvois(taches: QuerySet[Tache], sauf: list[int]) -> Pourvois:
    """Those that nobody can do first; ``reste``: how many are not among the lines."""
    seules = sans_acteur(Habilitation.objects.actives().exclude(pk__in=sauf)).filter(pk=OuterRef("pk")).order_by()
    lues = list(detaillees(taches).alias(seule=Exists(seules)).order_by("-seule", "echeance", "pk")[:MONTREES])
    return Pourvois(pourvoir(lues, sauf), taches.count() - len(lues) if len(lues) == MONTREES else 0)


class Depart(NamedTuple):
    """A gesture after which the person can do less."""

    titre: str
    texte: str
    confirmer: str  # the button
    fait: str
    finissantes: QuerySet[Habilitation]  # that would count no more
    faire: Callable[..., list[int]]  # (acteur=…): the tasks that went back to the queue


class VueDepart(VueCompte, ABC):
    """Confirmation with its consequences, the gesture, then the report on the tasks that went back to the queue."""

    @abstractmethod
    def depart(self) -> Depart: ...

    def get(self, request: HttpRequest, pk: int, **_: Any) -> HttpResponse:
        depart = self.depart()
        tenues = Tache.objects.filter(pk__in=taches_tenues(self.compte))
        sauf = list(depart.finissantes.values_list("pk", flat=True))
        contexte = {
            "compte": self.compte,
            "url": request.path,
            "depart": depart,
            "tenues": _pourvois(tenues, sauf),
            "orphelines": _pourvois(orphelines_sans(depart.finissantes).exclude(pk__in=tenues.values("pk")), sauf),
        }
        return render(request, "pages/depart.html", contexte)

    def post(self, request: HttpRequest, pk: int, **_: Any) -> HttpResponse:
        depart = self.depart()
        rendues = depart.faire(acteur=request.user)
        if not rendues:
            messages.success(request, f"{depart.fait} Aucune tâche n’était à reprendre.")
            return redirect("compte", pk=pk)
        messages.success(request, depart.fait)
        taches = urlencode({"taches": ",".join(map(str, rendues))})
        return redirect(f"{reverse('compte_taches_rendues', args=[pk])}?{taches}")


class TerminerDroit(VueDepart):
    """« Mettre fin »: the right ends today, the tasks held under it go back to the queue."""

    def depart(self) -> Depart:
        droit = get_object_or_404(Habilitation, pk=self.kwargs["habilitation"], user=self.compte)
        role = droit.get_role_display()
        return Depart(
            titre=f"Mettre fin au droit « {role} » de {self.compte} ?",
            texte="Le droit s’arrête aujourd’hui. Les tâches prises à ce titre retournent dans la file commune.",
            confirmer="Mettre fin",
            fait=f"Le droit « {role} » a pris fin.",
            finissantes=Habilitation.objects.filter(pk=droit.pk),
            faire=partial(domaine.terminer_droit, habilitation=droit),
        )


class Desactiver(VueDepart):
    def depart(self) -> Depart:
        return Depart(
            titre=f"Désactiver le compte de {self.compte} ?",
            texte="La personne ne peut plus se connecter et sa session se termine. Ses tâches retournent dans la "
            "file commune, ses suppléances prennent fin. Rien n’est effacé : le compte peut être réactivé.",
            confirmer="Désactiver le compte",
            fait=f"Le compte « {self.compte.username} » est désactivé.",
            finissantes=self.compte.habilitations.all(),
            faire=partial(domaine.desactiver, user=self.compte),
        )


class TachesRendues(VueCompte):
    """Where the tasks of a person who left are now (``?taches=12,40``): who can do each, or nobody."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, pk: int, **_: Any) -> HttpResponse:
        mots = request.GET.get("taches", "")[:5000].split(",")
        numeros = [numero for mot in mots if (numero := entier(mot)) is not None]
        pourvois = _pourvois(Tache.objects.filter(pk__in=numeros, close_le__isnull=True), [])
        contexte = {"compte": self.compte, "pourvois": pourvois, "demandees": len(numeros)}
        return render(request, "pages/taches_rendues.html", contexte)
