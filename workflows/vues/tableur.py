"""« Modifier dans un tableur », from the page of an establishment: its content as a file, and the dossier that the file
comes back to."""

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Introuvable, Invalide, reporter
from backoffice.socle.vues import VueProtegee
from structures.enums import Niveau
from structures.models import Fiche, Reservation
from structures.regles import egs_de
from structures.requetes import noms_au, reservation_de

from ..domaine import creer as creation
from ..domaine.fichier.gabarit import EXPLICATIONS, du_registre
from ..forms import DossierForm
from .fichier import gabarit


class VueTableur(VueProtegee):
    """For the Référents and Directions of an establishment that is open: the file holds all its contacts."""

    eg: Fiche
    nom: str
    reservation: Reservation | None

    def autoriser(self, request: HttpRequest) -> None:
        eg = Fiche.objects.filter(identifiant=self.kwargs["identifiant"], niveau=Niveau.EG).first()
        noms = noms_au([eg.pk]) if eg else {}
        if eg is None or eg.pk not in noms:
            raise Introuvable("etablissement_inconnu", "Aucun établissement ouvert ne porte cet identifiant.")
        if not egs_de(request.user).filter(pk=eg.pk).exists():
            raise Interdit("sans_droit", "Seuls les Référents et Directions de l’établissement le modifient.")
        self.eg, self.nom = eg, noms[eg.pk][1]
        self.reservation = reservation_de(eg.pk)


class TableurView(VueTableur):
    """The three steps: download, open a dossier, deposit the file. An open dossier has a file of its own."""

    def get(self, request: HttpRequest, identifiant: str) -> HttpResponse:
        return self._page(request, DossierForm(etablissements=self._choix(), initial={"eg": self.eg.identifiant}))

    def _choix(self) -> list[tuple[str, str]]:
        return [(self.eg.identifiant, self.nom)]

    def post(self, request: HttpRequest, identifiant: str) -> HttpResponse:
        donnees = request.POST.copy()
        donnees["eg"] = self.eg.identifiant
        form = DossierForm(etablissements=self._choix(), data=donnees)
        if not form.is_valid():
            return self._page(request, form, 422)
        try:
            dossier = creation.creer(eg=self.eg, nom=form.cleaned_data["nom"], acteur=cast(User, request.user))
        except Invalide as refus:
            reporter(form, refus)
            return self._page(request, form, 422)
        except Conflit as refus:
            self.reservation = reservation_de(self.eg.pk)
            return self._page(request, form, 409, refus.message)
        messages.success(request, f"Le dossier « {dossier.nom} » est créé : déposez-y votre fichier.")
        return HttpResponseRedirect(reverse("dossier_fichier", args=[dossier.pk]))

    def _page(self, request: HttpRequest, form: Any, statut: int = 200, refus: str = "") -> HttpResponse:
        r = self.reservation
        url = reverse("etablissement_gabarit", args=[self.eg.identifiant])
        contexte = {
            "eg": self.eg,
            "nom": self.nom,
            "form": form,
            "refus": refus,
            "reservation": r,
            "url_dossier": reverse("dossier" if r.envoye_le else "dossier_fichier", args=[r.dossier]) if r else "",
            "gabarits": [(cle.upper(), f"{url}?format={cle}") for cle in ("xlsx", "ods", "csv")],
            "explications": EXPLICATIONS[1:],
        }
        return render(request, "workflows/tableur.html", contexte, status=statut)


class GabaritView(VueTableur):
    """The establishment of today as a file to fill."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, identifiant: str) -> HttpResponseBase:
        nom = f"etablissement-{self.eg.identifiant[1:]}"
        return gabarit(du_registre(self.eg), nom, request.GET.get("format", "xlsx"))
