"""How fresh a fiche is, « Tout est à jour », and what its page says of the errors reported on it."""

from typing import Any, cast

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Interdit
from backoffice.socle.mots import nombre, pluriel

from .. import regles, requetes, suivi
from ..domaine.confirmer import confirmer
from ..domaine.signalements import champ_en_mots
from ..enums import Niveau
from ..models import Fiche
from .communs import VueFiche, adresse_fiche, version_ouverte

MONTRES = 3  # reports linked from the page of a fiche; the list holds the others


def sur_la_fiche(user: Any, fiche: Fiche, *, actuelle: bool, editeur: bool) -> dict[str, Any]:
    """What the page of a fiche shows of it, for ``structures/_fraicheur.html`` and ``structures/_signaler.html``.

    Both None unless ``actuelle`` (open, and shown as of today): there is nothing to answer for.
    """
    if not actuelle:
        return {"fraicheur": None, "signalements": None}
    lue = (
        Fiche.objects.filter(pk=fiche.pk)
        .select_related("fraicheur__auteur")
        .annotate(signalements_ouverts=Count("signalements", filter=Q(signalements__clos_le__isnull=True)))
        .get()
    )
    return {
        "fraicheur": _fraicheur(fiche, getattr(lue, "fraicheur", None), editeur=editeur),
        "signalements": _signalements(user, fiche, lue.signalements_ouverts),
    }


def _fraicheur(fiche: Fiche, derniere: Any, *, editeur: bool) -> dict[str, Any]:
    regle = suivi.fraicheur_des([fiche.pk]).get(fiche.pk) if fiche.niveau == Niveau.EG else None
    return {
        "derniere": derniere,
        "regle": regle,
        "a_relire": suivi.a_relire(fiche) if regle and regle.bientot < regle.offres else [],
        "url_confirmer": reverse("fiche_confirmer", args=[fiche.identifiant]) if editeur else "",
        **_question(fiche, regle.offres if regle else 0),
    }


def _question(fiche: Fiche, offres: int) -> dict[str, str]:
    """What « Tout est à jour » asks to confirm."""
    if fiche.niveau != Niveau.EG:
        return {
            "titre": "Cette fiche est-elle à jour ?",
            "texte": "Vous confirmez que tout ce que dit cette fiche est exact aujourd’hui, sans rien y changer.",
        }
    return {
        "titre": "Tout est-il à jour dans cet établissement ?",
        "texte": "Vous confirmez que la fiche de l’établissement et celles de ses unités opérationnelles "
        f"({nombre(offres)}) sont exactes aujourd’hui, sans rien y changer. Pour n’en confirmer qu’une, ouvrez sa "
        "fiche.",
    }


def _signalements(user: Any, fiche: Fiche, ouverts: int) -> dict[str, Any]:
    """``nombre`` of open reports, ``mots`` for it; ``liste``: address and field of the first that she may open."""
    liste = []
    if ouverts:
        visibles = regles.signalements_visibles(user).filter(fiche=fiche, clos_le__isnull=True)
        for signalement in visibles[:MONTRES]:
            signalement.fiche = fiche
            liste.append((reverse("signalement", args=[signalement.pk]), champ_en_mots(signalement)))
    return {
        "url": reverse("fiche_signaler", args=[fiche.identifiant]),
        "nombre": ouverts,
        "mots": f"{nombre(ouverts)} erreur{pluriel(ouverts)} signalée{pluriel(ouverts)}",
        "liste": liste,
    }


class ConfirmerView(VueFiche):
    """« Tout est à jour »: on a fiche; on an establishment, itself and all its UO."""

    http_method_names = ["get", "head", "post"]

    def autoriser(self, request: HttpRequest) -> None:
        super().autoriser(request)
        if not regles.est_editeur(request.user, self.fiche):
            raise Interdit(
                "sans_droit", "Seuls les Référents et les Directions de l’établissement peuvent confirmer ses fiches."
            )
        version_ouverte(self.fiche, "il n’y a plus rien à y confirmer.")

    def _fiches(self) -> list[int]:
        if self.fiche.niveau != Niveau.EG:
            return [self.fiche.pk]
        du_jour = requetes.versions_au().filter(eg=self.fiche, niveau__in=[Niveau.EG, Niveau.UO])
        return list(du_jour.order_by("fiche").values_list("fiche", flat=True))

    def get(self, request: HttpRequest, identifiant: str) -> HttpResponse:
        offres = len(self._fiches()) - 1
        return render(
            request,
            "socle/confirmation.html",
            {
                **_question(self.fiche, offres),
                "confirmer": "Tout est à jour",
                "url": request.path,
                "retour": adresse_fiche(identifiant),
                "danger": False,
                "form": None,
            },
        )

    def post(self, request: HttpRequest, identifiant: str) -> HttpResponse:
        nouvelles = confirmer(fiches=self._fiches(), acteur=cast(User, request.user))
        messages.success(
            request,
            f"C’est noté : {nombre(nouvelles)} fiche{pluriel(nouvelles)} "
            f"confirmée{pluriel(nouvelles)} à la date d’aujourd’hui."
            if nouvelles
            else "C’était déjà confirmé aujourd’hui.",
        )
        return HttpResponseRedirect(adresse_fiche(identifiant))
