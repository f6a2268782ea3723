"""Changes of a fiche once entered: planned ones told, cancelled and entered again; past ones undone (acceptance D)."""

from datetime import date
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Introuvable, Invalide
from backoffice.socle.mots import date_longue

from .. import regles, temps
from ..affichage import Affichage
from ..champs import CHAMPS, libelle
from ..domaine import suites
from ..domaine.lecture import Lecture
from ..domaine.patches import Etat, Patch, appliquer
from ..enums import Niveau
from ..forms import DateEffetForm
from ..models import Fiche, Modification
from .communs import Jour, VueFiche, adresse_fiche
from .historique import affichage_de, etats_des, evenements_de, noms_changes, qui, titre_de
from .modifier import ModifierView, quand_visible

DERNIERES = 10  # modifications shown on the page of a fiche


def sur_la_fiche(droits: regles.Droits, fiche: Fiche, etat: Etat, jour: date) -> tuple[Affichage, dict[str, Any]]:
    """(the words for ``etat`` and for its changes, what the page of the fiche tells of its changes). A planned
    change of nothing that she may read is not told."""
    caches = droits.champs_caches
    etapes = [e for e in temps.etapes_des(temps.prevues_de(fiche)) if not e.modification.patch.keys() <= caches]
    affichage = affichage_de(
        [fiche.pk],
        [etat, *etats_des(etapes)],
        niveau=fiche.niveau,
        jour=jour,
        tres_restreint=droits.modifier,
        champs_caches=caches,
    )
    prevus = [
        {
            "pk": m.pk,
            "date_effet": m.date_effet,
            "qui": qui(m),
            "titre": titre_de(m),
            "saisie_le": m.saisie_le,
            "motif": m.motif,
            "lignes": affichage.differences(avant, apres, m.patch, concis=True),
            "annulable": droits.annuler(m),
        }
        for m, avant, apres in etapes
    ]
    return affichage, {
        "prevus": prevus,
        "prochain": next((f"le {date_longue(m.date_effet)}" for m, _, _ in etapes if m.date_effet > jour), ""),
        "historique": evenements_de(temps.modifications_de(fiche)[:DERNIERES], fiche.niveau, caches),
        "nombre_modifications": fiche.modifications.count(),
    }


class _Changement(VueFiche):
    """A page about one modification of a fiche; 404 when it is none of its own."""

    def autoriser(self, request: HttpRequest) -> None:
        super().autoriser(request)
        self.modification = _modification_ou_404(self.fiche, self.kwargs["pk"])


class _ChangementPrevu(_Changement):
    """One that is planned, for its author and the gestionnaires; ``Conflit`` once it is not planned any more."""

    def autoriser(self, request: HttpRequest) -> None:
        super().autoriser(request)
        if not regles.peut_annuler(request.user, self.modification):
            raise Interdit(
                "sans_droit", "Seuls l’auteur du changement et les gestionnaires peuvent le modifier ou l’annuler."
            )
        suites.refuser_si_pas_prevue(self.modification)


class AnnulerChangementView(_ChangementPrevu):
    """Cancel a planned change: asks first (GET), then does it (POST)."""

    def get(self, request: HttpRequest, identifiant: str, pk: int) -> HttpResponse:
        m = self.modification
        champs = ", ".join(
            noms_changes(m, self.fiche.niveau, regles.droits_sur(request.user, self.fiche).champs_caches)
        )
        return render(
            request,
            "socle/confirmation.html",
            {
                "titre": "Annuler ce changement prévu ?",
                "texte": f"Le changement prévu le {date_longue(m.date_effet)} par {qui(m)} n’aura pas lieu.\n"
                f"Il porte sur : {champs}.",
                "confirmer": "Annuler ce changement",
                "url": request.path,
                "retour": adresse_fiche(identifiant),
                "danger": True,
                "form": None,
            },
        )

    def post(self, request: HttpRequest, identifiant: str, pk: int) -> HttpResponse:
        suites.annuler_prevue(modification=self.modification, acteur=cast(User, request.user))
        messages.success(
            request,
            f"Le changement prévu le {date_longue(self.modification.date_effet)} est annulé : il n’aura pas lieu.",
        )
        return HttpResponseRedirect(adresse_fiche(identifiant))


class ModifierChangementView(_ChangementPrevu, ModifierView):
    """Enter a planned change again by the form of the fiche: filled with it, measured against the fiche without it."""

    intitule = "Modifier le changement prévu de"
    miette = "Modifier un changement prévu"

    perdu: Conflit | None = None  # it is not planned any more

    def autoriser(self, request: HttpRequest) -> None:
        try:
            super().autoriser(request)
        except Conflit as refus:
            if request.POST.get("etape") != "enregistrer":
                raise
            self.perdu = refus
        self.remplace = self.modification

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if self.perdu is None:
            return super().post(request, **kwargs)
        saisie, effet = self._saisie(), self.effet(request.POST)
        if effet.is_valid() and self.deja_fait(saisie, saisie.patch, effet.cleaned_data["date_effet"]):
            return self.enregistree(effet.cleaned_data["date_effet"])
        raise self.perdu

    def jour_montre(self) -> date:
        return self.modification.date_effet

    def montrer(self, lecture: Lecture) -> Etat:
        return appliquer(lecture.etat, self.modification.patch)

    def effet(self, data: Any = None) -> DateEffetForm:
        form = DateEffetForm(gestionnaire=self.gestionnaire, data=data, jour=self.modification.date_effet)
        form.initial["motif"] = self.modification.motif
        return form

    def ecrire(self, patch: Patch, date_effet: date, jeton: str, motif: str) -> None:
        suites.modifier_prevue(
            modification=self.modification,
            acteur=cast(User, self.request.user),
            patch=patch,
            date_effet=date_effet,
            jeton=jeton,
            motif=motif,
        )

    def fait(self, date_effet: date) -> str:
        return f"Le changement prévu est modifié. {quand_visible(date_effet)}"


class DefaireView(_Changement):
    """Undo a past direct change: what goes back and what stays (GET), then from when (POST). Nothing is rewritten."""

    def autoriser(self, request: HttpRequest) -> None:
        super().autoriser(request)
        suites.refuser_si_indefaisable(self.modification, cast(User, request.user))
        self.gestionnaire = regles.est_gestionnaire(request.user)

    def get(self, request: HttpRequest, identifiant: str, pk: int) -> HttpResponse:
        return self._apercu(DateEffetForm(gestionnaire=self.gestionnaire), timezone.localdate())

    def post(self, request: HttpRequest, identifiant: str, pk: int) -> HttpResponse:
        effet = DateEffetForm(gestionnaire=self.gestionnaire, data=request.POST)
        if not effet.is_valid():
            return self._apercu(effet, timezone.localdate(), statut=422)
        jour = effet.cleaned_data["date_effet"]
        try:
            suites.defaire(
                modification=self.modification,
                acteur=cast(User, request.user),
                champs=request.POST.getlist("champs"),
                date_effet=jour,
                motif=effet.cleaned_data.get("motif", ""),
            )
        except Conflit as refus:
            if refus.code != "apercu_perime":
                raise
            return self._apercu(effet, jour, refus.message, statut=409)
        except Invalide as refus:
            for nom, phrases in refus.champs.items():
                connu = nom if nom in effet.fields else None
                effet.add_error(connu, [p if connu else f"{self._libelle(nom)} : {p}" for p in phrases])
            if not refus.champs:
                effet.add_error(None, refus.message)
            return self._apercu(effet, jour, statut=422)
        messages.success(request, f"La modification est défaite. {quand_visible(jour)}")
        return HttpResponseRedirect(reverse("fiche_historique", args=[identifiant]))

    def _apercu(self, effet: DateEffetForm, jour: date, refus: str = "", *, statut: int = 200) -> HttpResponse:
        """Before and after on that day, and what somebody changed again since, with who."""
        retour = suites.retour_de(self.modification, jour)
        if retour is None:
            raise Conflit(
                "fiche_fermee",
                f"Cette fiche n’existe pas au {date_longue(jour)} : elle a été fermée ou n’est pas encore ouverte.",
            )
        apres = appliquer(retour.etat, retour.patch)
        restes = {h.nom: h.mien for h in retour.heurts}
        affichage = Affichage([retour.etat, apres, restes], niveau=self.fiche.niveau, jour=jour, tres_restreint=True)
        return render(
            self.request,
            "structures/defaire.html",
            {
                "fiche": self.fiche,
                "nom": retour.etat.get("nom") or "(sans nom)",
                "niveau": Niveau(self.fiche.niveau).label,
                "fil": self.fil(self.fiche, Jour(timezone.localdate()), "Annuler une modification"),
                "modification": self.modification,
                "qui": qui(self.modification),
                "lignes": affichage.differences(retour.etat, apres, retour.patch),
                "champs": sorted(retour.champs),
                "heurts": [
                    {
                        "champ": self._libelle(h.nom),
                        "avant": affichage.texte(h.nom, {**retour.etat, h.nom: h.mien}),
                        "maintenant": affichage.texte(h.nom, retour.etat),
                        "par": retour.derniers.get(h.nom),
                    }
                    for h in retour.heurts
                ],
                "rien": "" if retour.patch else suites.rien_a_defaire(retour, self.fiche),
                "refus": refus,
                "effet": effet,
                "retour": reverse("fiche_historique", args=[self.fiche.identifiant]),
            },
            status=statut,
        )

    def _libelle(self, nom: str) -> str:
        return f"« {libelle(CHAMPS[nom], self.fiche.niveau)} »"


def _modification_ou_404(fiche: Fiche, pk: int) -> Modification:
    trouvee = fiche.modifications.filter(pk=pk).select_related("auteur", "annulee_par", "fiche").first()
    if trouvee is None:
        raise Introuvable("changement_inconnu", "Ce changement n’existe pas sur cette fiche.")
    return trouvee
