"""« Tutelles de l’établissement »: who approves for a handicap EG, why, and how a gestionnaire sets it by hand."""

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Interdit, Introuvable, Invalide, reporter

from .. import regles, requetes
from ..competence import Circuit, regles_de
from ..domaine.lecture import lire
from ..domaine.tutelles import fixer_tutelles
from ..enums import Filiere, Niveau, OrigineTutelle
from ..forms.tutelles import TutellesForm
from ..models import VersionFiche
from .communs import VueFiche, adresse_fiche, jour_demande


class TutellesView(VueFiche):
    """Gestionnaires only. What it says is true of the next sending: a dossier that was sent keeps its route."""

    version: VersionFiche

    def autoriser(self, request: HttpRequest) -> None:
        super().autoriser(request)
        if not regles.est_gestionnaire(request.user):
            raise Interdit("sans_droit", "Seuls les gestionnaires SESAN fixent la tutelle d’un établissement.")
        version = requetes.version_au(self.fiche) if self.fiche.niveau == Niveau.EG else None
        if version is None:
            raise Introuvable("pas_un_eg", "Une tutelle se fixe sur un établissement (entité géographique) ouvert.")
        self.version = version
        request.libelles_saisie = {"motif": "Motif"}  # type: ignore[attr-defined]

    def get(self, request: HttpRequest, identifiant: str) -> HttpResponse:
        lecture = lire(self.fiche)
        form = TutellesForm(
            initial={"autorites": sorted(self.version.autorites), "jeton": lecture.jeton if lecture else ""}
        )
        return self._page(request, form)

    def post(self, request: HttpRequest, identifiant: str) -> HttpResponse:
        donnees = request.POST.copy()
        if "regle" in donnees:  # the button « Revenir à la règle »
            donnees.setlist("autorites", [])
        form = TutellesForm(donnees)
        if not self._handicap():
            raise Invalide("hors_handicap", "L’approbation de cet établissement ne revient pas à une tutelle.")
        if not form.is_valid():
            return self._page(request, form, 422)
        try:
            fixer_tutelles(
                eg=self.fiche,
                acteur=cast(User, request.user),
                autorites=form.cleaned_data["autorites"],
                jeton=form.cleaned_data["jeton"],
                motif=form.cleaned_data["motif"],
            )
        except Invalide as refus:
            reporter(form, refus)
            return self._page(request, form, 422)
        messages.success(request, "C’est enregistré : la tutelle vaut pour les prochains envois en validation.")
        return HttpResponseRedirect(reverse("fiche_tutelles", args=[self.fiche.identifiant]))

    def _handicap(self) -> bool:
        return requetes.champ_et_filiere(self.version.categorie)[1] == Filiere.HANDICAP

    def _circuits(self) -> tuple[Circuit, Circuit]:
        """(as things are, as the rules alone would have it)."""
        regles_ = regles_de([self.version])
        tenues, self.version.autorites = self.version.autorites, []
        selon_la_regle = regles_.circuit(self.version)
        self.version.autorites = tenues
        self.noms = {code: autorite.nom for code, autorite in regles_.autorites.items()}
        return regles_.circuit(self.version), selon_la_regle

    def _page(self, request: HttpRequest, form: TutellesForm, statut: int = 200) -> HttpResponse:
        jour = jour_demande(request, self.fiche)
        circuit, regle = self._circuits()
        contexte: dict[str, Any] = {
            "fiche": self.fiche,
            "nom": self.version.nom,
            "fil": self.fil(self.fiche, jour, "Tutelles"),
            "url_fiche": adresse_fiche(self.fiche.identifiant, jour),
            "form": form,
            "handicap": self._handicap(),
            "a_la_main": circuit.origine == OrigineTutelle.MANUELLE,
            "tutelles": [self.noms.get(code, code) for code in circuit.autorites],
            "origine": OrigineTutelle(circuit.origine).label if circuit.origine else "",
            "regle": [self.noms.get(code, code) for code in regle.autorites],
            "origine_regle": OrigineTutelle(regle.origine).label if regle.origine else "",
            "reservation": requetes.reservation_de(self.fiche.pk),
        }
        return render(request, "structures/tutelles.html", contexte, status=statut)
