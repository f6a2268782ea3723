"""Home, accessibility, accounts."""

from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View

from backoffice.comptes.models import User
from backoffice.exports.fichiers import classeur
from backoffice.socle.erreurs import Introuvable, Invalide, reporter
from backoffice.socle.menu import adresse
from backoffice.socle.vues import VueProtegee
from notifications.domaine import serveur_configure
from structures.enums import ROLES_EDITEURS, Role
from structures.suivi import signalements_ouverts
from structures.vues.personnel import mon_repertoire
from workflows import boite
from workflows import requetes as dossiers
from workflows.alertes import circuits_a_verifier
from workflows.discussions import qui_attendent
from workflows.enums import ETAPES
from workflows.regles import roles_de
from workflows.vues.tache import AutreTutelle, autres_tutelles
from workflows.vues.taches import Ligne, lignes

from . import domaine, importation_comptes, incidents, requetes
from .forms import CompteForm, FiltreComptes, NouveauDroitForm


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


# -- home ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AApprouver:
    """A task of a tutelle with what the other authorities did."""

    ligne: Ligne
    autres: list[AutreTutelle]


class Accueil(VueProtegee):
    """« Accueil » by role; somebody with several roles gets the sections of each."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        user = _user(request)
        roles = roles_de(user)
        contexte: dict[str, Any] = {
            "roles": roles,
            "editeur": bool(roles.keys() & set(ROLES_EDITEURS)),
            "direction": Role.DIRECTION in roles,
            "tutelle": Role.TUTELLE in roles,
            "gestionnaire": Role.GESTIONNAIRE in roles,
            "url_dossiers": adresse("dossiers"),
            "discussions": qui_attendent(user)[:10],
            "mon_repertoire": mon_repertoire(request),
        }
        if contexte["editeur"]:
            contexte["etablissements"], contexte["encore"] = requetes.mes_etablissements(user)
            noeuds = ["redaction", "envoi"]
            contexte["dossiers_a_suivre"] = lignes(requetes.premieres_taches(user, noeuds=noeuds), user)
        if Role.DIRECTION in roles:
            contexte["a_valider"] = lignes(requetes.premieres_taches(user, noeuds=["validation_direction"]), user)
        if Role.TUTELLE in roles:
            taches = requetes.premieres_taches(user, noeuds=["approbation_tutelle"], limite=20)
            soeurs = dossiers.tutelles_soeurs(taches)
            contexte["a_approuver"] = [
                AApprouver(ligne, autres_tutelles(soeurs.get(ligne.tache.pk, []))) for ligne in lignes(taches, user)
            ]
        if Role.GESTIONNAIRE in roles:
            charge = dossiers.charge_par_etape(boite.a_faire(user))
            contexte |= {
                "charge": [(ETAPES[c.noeud], c) for c in charge],
                "retards": sum(c.en_retard for c in charge),
                "incidents": [(incidents.GENRES[genre], genre, n) for genre, n in incidents.compter().items() if n],
                "circuits": len(circuits_a_verifier()),
                "signalements": signalements_ouverts(),
                "miennes": lignes(requetes.premieres_taches(user, a_elle=True), user),
            }
        return render(request, "pages/accueil.html", contexte)


class Accessibilite(View):
    """The accessibility statement; open to everybody, as the law wants."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "pages/accessibilite.html")


# -- accounts --------------------------------------------------------------------------------------------


class VueGestionnaire(VueProtegee):
    """A page of the gestionnaires: 403 for the others."""

    def autoriser(self, request: HttpRequest) -> None:
        domaine.exiger_gestionnaire(_user(request))


class Comptes(VueGestionnaire):
    """The list: search, right, open or closed."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        filtre = FiltreComptes(request.GET)
        filtre.is_valid()
        choix = filtre.cleaned_data
        trouves = requetes.chercher_comptes(
            q=choix.get("q", ""), role=choix.get("role", ""), etat=choix.get("etat", "")
        )
        page = requetes.page_comptes(trouves, apres=choix.get("apres", ""), avant=choix.get("avant", ""))
        contexte = {
            "filtre": filtre,
            "filtre_actif": any(choix.get(nom) for nom in ("q", "role", "etat")),
            "page": page,
            "lignes": [
                (u, [(d.get_role_display(), requetes.ou_en_mots(d, page.noms)) for d in u.droits]) for u in page.comptes
            ],
        }
        return render(request, "pages/comptes.html", contexte)


class ModeleComptes(VueGestionnaire):
    """The spreadsheet to fill (``importation_comptes``)."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return classeur(importation_comptes.modele(), "comptes-modele")


def _dire_l_envoi(request: HttpRequest, fait: str, envoi: str) -> None:
    """Say what was done, and that the password leaves only where a server can take it."""
    if serveur_configure():
        messages.success(request, f"{fait} {envoi}")
    else:
        messages.warning(
            request,
            f"{fait} Aucun serveur de courriel n’est configuré : le mot de passe provisoire n’est pas parti, "
            "le courriel est gardé dans « Envois ».",
        )


class CreerCompte(VueGestionnaire):
    """« Ouvrir un compte »: the account, its first right and the mail, together or not at all."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        initial = {nom: request.GET.get(nom, "")[:150] for nom in ("role", "finess", "autorite")}
        return render(request, "pages/compte_creer.html", {"form": CompteForm(initial=initial)})

    def post(self, request: HttpRequest) -> HttpResponse:
        form = CompteForm(request.POST)
        if form.is_valid():
            try:
                user = domaine.ouvrir_compte(acteur=_user(request), **form.cleaned_data)
            except Invalide as refus:
                reporter(form, refus)
            else:
                fait = f"Le compte « {user.username} » est ouvert."
                _dire_l_envoi(request, fait, f"Son identifiant et un mot de passe provisoire partent à {user.email}.")
                return redirect("compte", pk=user.pk)
        return render(request, "pages/compte_creer.html", {"form": form}, status=422)


class VueCompte(VueGestionnaire):
    """Something about one account (``pk``); GET of a gesture comes back to its page."""

    http_method_names = ["get", "head", "post"]
    compte: User

    def autoriser(self, request: HttpRequest) -> None:
        super().autoriser(request)
        trouve = User.objects.filter(pk=self.kwargs["pk"]).first()
        if trouve is None:
            raise Introuvable("compte_inconnu", "Ce compte n’existe pas.")
        self.compte = trouve

    def get(self, request: HttpRequest, pk: int, **_: Any) -> HttpResponse:
        return redirect("compte", pk=pk)

    def page(self, request: HttpRequest, form: NouveauDroitForm | None = None) -> HttpResponse:
        compte = self.compte
        refusee = form is not None
        contexte = {
            "compte": compte,
            "habilitations": requetes.habilitations_de(compte),
            "form": form or NouveauDroitForm(),
            "refusee": refusee,
            "c_est_moi": compte.pk == _user(request).pk,
            "taches": requetes.taches_tenues(compte),
        }
        return render(request, "pages/compte.html", contexte, status=422 if refusee else 200)


class Compte(VueCompte):
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, pk: int, **_: Any) -> HttpResponse:
        return self.page(request)


class DonnerDroit(VueCompte):
    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = NouveauDroitForm(request.POST)
        if form.is_valid():
            try:
                domaine.donner_droit(user=self.compte, acteur=_user(request), **form.cleaned_data)
            except Invalide as refus:
                reporter(form, refus)
            else:
                messages.success(request, "Le droit est donné.")
                return redirect("compte", pk=pk)
        return self.page(request, form)


def _confirmer(request: HttpRequest, **contexte: Any) -> HttpResponse:
    return render(request, "socle/confirmation.html", {"danger": True, "form": None, **contexte})


class Reactiver(VueCompte):
    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        domaine.reactiver(user=self.compte, acteur=_user(request))
        messages.success(request, f"Le compte « {self.compte.username} » est réactivé, avec les droits qu’il avait.")
        return redirect("compte", pk=pk)


class RedonnerMotDePasse(VueCompte):
    def get(self, request: HttpRequest, pk: int, **_: Any) -> HttpResponse:
        return _confirmer(
            request,
            titre=f"Donner un nouveau mot de passe provisoire à {self.compte} ?",
            texte=f"Le mot de passe actuel cesse de marcher et les sessions ouvertes se terminent. Le nouveau part à "
            f"{self.compte.email}.",
            confirmer="Envoyer un mot de passe provisoire",
            danger=False,
            url=request.path,
            retour=reverse("compte", args=[pk]),
        )

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        domaine.redonner_mot_de_passe(user=self.compte, acteur=_user(request))
        _dire_l_envoi(
            request, "Le mot de passe est remplacé.", f"Un mot de passe provisoire part à {self.compte.email}."
        )
        return redirect("compte", pk=pk)
