"""Reported errors: report one on a fiche, the lists, the page of a report and its endings."""

from typing import Any, NamedTuple, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Introuvable, Invalide, reporter
from backoffice.socle.vues import VueProtegee, veut_fragment

from .. import regles, requetes, suivi
from ..affichage import UNITES, Affichage
from ..champs import CHAMPS, Champ, Qui, champs_de
from ..domaine import signalements as verbes
from ..domaine.signalements import champ_en_mots
from ..enums import IssueSignalement
from ..forms.suivi import ClotureForm, FiltreSignalements, SignalementForm
from ..models import Fiche, Signalement, VersionFiche
from . import guidage
from .communs import (
    Jour,
    VueFiche,
    adresse_fiche,
    fermee_en_mots,
    version_ouverte,
)


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


def valeur_actuelle(user: Any, fiche: Fiche, version: VersionFiche, champ: str) -> list[str]:
    """What the register says of a field, as lines: none of one that she may not read, contacts très restreints
    masked for whoever may not read them."""
    droits = regles.droits_sur(user, fiche)
    if champ not in CHAMPS or champ in droits.champs_caches:
        return []
    etat = requetes.etat_de(version)
    affichage = Affichage(
        [etat],
        niveau=fiche.niveau,
        tres_restreint=droits.modifier,
        une_fiche=True,
    )
    texte = affichage.texte(champ, etat)
    lignes = texte if isinstance(texte, list) else [texte]
    return [ligne for ligne in lignes if ligne] or ["Non renseigné"]


# -- report ----------------------------------------------------------------------------------------------


class SignalerView(VueFiche):
    """« Signaler une erreur », by anybody signed in; ``?champ=`` names the field."""

    http_method_names = ["get", "head", "post"]
    version: VersionFiche

    def autoriser(self, request: HttpRequest) -> None:
        super().autoriser(request)
        self.version = version_ouverte(self.fiche, "il n’y a plus rien à y corriger.")

    def _champs(self) -> list[Champ]:
        tus = UNITES.keys() | regles.droits_sur(self.request.user, self.fiche).champs_caches
        return [c for c in champs_de(self.fiche.niveau) if c.nom not in tus]

    def get(self, request: HttpRequest, identifiant: str) -> HttpResponse:
        champs = self._champs()
        demande = request.GET.get("champ", "")
        champ = demande if demande in {c.nom for c in champs} else ""
        if veut_fragment(request):
            actuelle = valeur_actuelle(request.user, self.fiche, self.version, champ)
            reponse = render(request, "structures/_valeur_actuelle.html", {"actuelle": actuelle})
        else:
            form = SignalementForm(niveau=self.fiche.niveau, champs=champs, initial={"champ": champ})
            reponse = self._page(request, form, champ)
        patch_vary_headers(reponse, ["HX-Request"])
        return reponse

    def post(self, request: HttpRequest, identifiant: str) -> HttpResponse:
        champs, geste = self._champs(), request.POST.get("etape", "")
        if geste == "voir":  # without JavaScript: what the register says of the field just chosen
            form = SignalementForm(niveau=self.fiche.niveau, champs=champs, initial=request.POST.dict())
            return self._page(request, form, request.POST.get("champ", ""))
        form = SignalementForm(request.POST, niveau=self.fiche.niveau, champs=champs)
        if not form.is_valid():
            return self._page(request, form, form.cleaned_data.get("champ", ""), statut=422)
        saisie = form.cleaned_data
        premier = self._premier(saisie["champ"])
        try:
            if premier and geste == "completer":
                signalement = verbes.completer(
                    numero=premier.pk,
                    acteur=_user(request),
                    message=saisie["message"],
                    valeur_proposee=saisie["valeur_proposee"],
                )
                messages.success(request, "Votre signalement est complété.")
            else:
                signalement = verbes.signaler(fiche=self.fiche, acteur=_user(request), **saisie)
                messages.success(
                    request,
                    "Merci. Votre signalement est transmis à ceux qui peuvent corriger la fiche ; leur réponse vous "
                    "viendra par courriel.",
                )
        except Conflit as refus:
            return self._page(request, form, saisie["champ"], statut=409, refus=refus.message)
        except Invalide as refus:
            reporter(form, refus)
            return self._page(request, form, saisie["champ"], statut=422)
        return HttpResponseRedirect(reverse("signalement", args=[signalement.pk]))

    def _premier(self, champ: str) -> Signalement | None:
        """Her own report of this field that nobody closed yet."""
        siens = Signalement.objects.filter(auteur=_user(self.request), fiche=self.fiche, clos_le__isnull=True)
        return siens.filter(champ=champ).first()

    def _page(
        self, request: HttpRequest, form: SignalementForm, champ: str, statut: int = 200, refus: str = ""
    ) -> HttpResponse:
        return render(
            request,
            "structures/signaler.html",
            {
                "fiche": self.fiche,
                "nom": self.version.nom or "(sans nom)",
                "fil": self.fil(self.fiche, Jour(timezone.localdate()), "Signaler une erreur"),
                "form": form,
                "actuelle": valeur_actuelle(request.user, self.fiche, self.version, champ),
                "premier": self._premier(champ),
                "refus": refus,
                "url_fiche": adresse_fiche(self.fiche.identifiant),
            },
            status=statut,
        )


# -- lists -----------------------------------------------------------------------------------------------


class Ligne(NamedTuple):
    """One row of a list; the template decides nothing."""

    signalement: Signalement
    url: str
    champ: str
    fiche: str
    etablissement: str


def lignes(signalements: list[Signalement]) -> list[Ligne]:
    noms = suivi.noms_des(signalements)
    rien = ("", "")
    return [
        Ligne(
            s,
            reverse("signalement", args=[s.pk]),
            champ_en_mots(s),
            noms.get(s.fiche_id, rien)[1],
            noms.get(s.fiche.eg_id or 0, rien)[1] if s.fiche.eg_id != s.fiche_id else "",
        )
        for s in signalements
    ]


def demande(
    user: User, choix: QueryDict
) -> tuple[dict[str, QuerySet[Signalement]], dict[str, int | None], FiltreSignalements]:
    """Her lists, how many there are in those of open reports, and what the address asks for."""
    listes = suivi.onglets(user)
    nombres: dict[str, int | None] = {nom: listes[nom].count() for nom in ("a-traiter", "tous") if nom in listes}
    par_defaut = next((nom for nom, n in nombres.items() if n), "les-miens")
    return listes, nombres, FiltreSignalements(choix, onglets=listes, par_defaut=par_defaut)


class SignalementsView(VueProtegee):
    """« Signalements »: to close, all the open ones for a gestionnaire, one's own, closed; filters in the address,
    pages by key."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        listes, nombres, filtre = demande(_user(request), request.GET)
        onglet, choix = filtre.onglet_choisi, filtre.cleaned_data
        page = suivi.page(
            suivi.filtrer(listes[onglet], **filtre.criteres),
            croissant=onglet in nombres,
            apres=choix.get("apres"),
            avant=choix.get("avant"),
        )
        return render(
            request,
            "structures/signalements.html",
            {
                "filtre": filtre,
                "onglet": onglet,
                "ouverts": onglet in nombres,
                "supervise": "tous" in listes,
                "titre_onglet": suivi.ONGLETS[onglet],
                "onglets": [
                    {
                        "libelle": suivi.ONGLETS[nom],
                        "url": f"?{urlencode({'onglet': nom})}",
                        "nombre": nombres.get(nom),
                        "actif": nom == onglet,
                    }
                    for nom in listes
                ],
                "lignes": lignes(page.signalements),
                "precedent": f"?{filtre.requete(avant=page.precedent)}" if page.precedent else "",
                "suivant": f"?{filtre.requete(apres=page.suivant)}" if page.suivant else "",
            },
        )


# -- one report --------------------------------------------------------------------------------------------


class Remede(NamedTuple):
    """Where the field of a report is corrected; ``url`` "" when nothing can be done from here."""

    phrase: str
    bouton: str = ""
    url: str = ""


def remede(user: User, signalement: Signalement, version: VersionFiche) -> Remede:
    """Depends on who keeps the field: the establishment here or in a dossier, the imports, SESAN."""
    fiche, champ = signalement.fiche, CHAMPS.get(signalement.champ)
    if fermee := fermee_en_mots(version):
        return Remede(f"{fermee} : il n’y a plus rien à y corriger.")
    if champ is not None and champ.qui is Qui.IMPORT:
        return Remede(
            f"« {champ.libelle} » vient des fichiers nationaux (FINESS) et ne se modifie pas ici : demandez la "
            "correction à l’autorité qui tient ce fichier. Le répertoire la reprendra au prochain import."
        )
    if champ is not None and champ.qui in (Qui.DOSSIER, Qui.CREATION):
        phrase = (
            f"« {champ.libelle} » ne se modifie pas depuis le répertoire : changez-le dans un dossier collaboratif."
            if champ.qui is Qui.DOSSIER
            else f"« {champ.libelle} » ne change plus une fois la fiche créée : dans un dossier collaboratif, créez "
            "une nouvelle fiche et supprimez celle-ci."
        )
        return _par_dossier(user, fiche, phrase)
    url = reverse("fiche_modifier", args=[fiche.identifiant])
    if champ is None:
        return Remede("Relisez la fiche et corrigez ce qui doit l’être.", "Modifier la fiche", url)
    return Remede(
        "Corrigez la fiche s’il y a lieu, puis répondez ci-dessous.", "Corriger ce champ", f"{url}#id_{champ.nom}"
    )


def _par_dossier(user: User, fiche: Fiche, phrase: str) -> Remede:
    reservation, editeur = requetes.reservation_de(fiche.eg_id), regles.est_editeur(user, fiche)
    vers = guidage.sur_la_fiche(user, fiche, reservation, editeur=editeur)["vers_dossier"]
    if vers is None or not vers.dossier:
        return Remede(phrase)
    return Remede(f"{phrase} {vers.phrase}".strip(), vers.action, vers.url)


class VueSignalement(VueProtegee):
    """A page about one report; ``self.signalement``, 404 for whoever may not see it."""

    signalement: Signalement

    def autoriser(self, request: HttpRequest) -> None:
        visibles = regles.signalements_visibles(request.user).select_related("fiche__eg", "auteur", "clos_par")
        trouve = visibles.filter(pk=self.kwargs["numero"]).first()
        if trouve is None:
            raise Introuvable("signalement_inconnu", "Ce signalement n’existe pas, ou ne vous est pas ouvert.")
        self.signalement = trouve

    def page(self, request: HttpRequest, form: ClotureForm, statut: int = 200) -> HttpResponse:
        s = self.signalement
        ouvert = s.clos_le is None
        version = requetes.version_la_plus_proche(s.fiche)
        if version is None:
            raise Introuvable("fiche_inconnue", "La fiche de ce signalement n’est pas au répertoire.")
        traite = regles.peut_modifier(request.user, s.fiche)
        [ligne] = lignes([s])
        signaler = reverse("fiche_signaler", args=[s.fiche.identifiant])
        return render(
            request,
            "structures/signalement.html",
            {
                "ligne": ligne,
                "signalement": s,
                "identifiant": s.fiche.identifiant,
                "actuelle": valeur_actuelle(request.user, s.fiche, version, s.champ),
                "ouvert": ouvert,
                "remede": remede(_user(request), s, version) if traite and ouvert else None,
                "sien": ouvert and s.auteur_id == _user(request).pk,
                "url_completer": f"{signaler}?{urlencode({'champ': s.champ})}",
                "form": form,
            },
            status=statut,
        )


class SignalementView(VueSignalement):
    """What was reported, what the fiche says now, where to correct it, and how it ended."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        return self.page(request, ClotureForm())


class CloreView(VueSignalement):
    """« Corrigé » or « Sans suite », by those who may change the fiche."""

    http_method_names = ["post"]

    def autoriser(self, request: HttpRequest) -> None:
        super().autoriser(request)
        if not regles.peut_modifier(request.user, self.signalement.fiche):
            raise Interdit("sans_droit", "Seuls ceux qui peuvent modifier la fiche peuvent clore ce signalement.")

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        form = ClotureForm(request.POST)
        if form.is_valid():
            try:
                signalement = verbes.clore(numero=numero, acteur=_user(request), **form.cleaned_data)
            except Invalide as refus:
                reporter(form, refus)
            else:
                suite = IssueSignalement(signalement.issue).label.lower()
                messages.success(
                    request, f"Signalement clos ({suite}). {signalement.auteur} en est prévenu(e) par courriel."
                )
                return HttpResponseRedirect(reverse("signalements"))
        return self.page(request, form, statut=422)


class RetirerView(VueSignalement):
    """The reporter takes hers back."""

    http_method_names = ["get", "head", "post"]

    def autoriser(self, request: HttpRequest) -> None:
        super().autoriser(request)
        if self.signalement.auteur_id != _user(request).pk:
            raise Interdit("pas_le_sien", "Seule la personne qui a signalé l’erreur peut retirer son signalement.")

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        return render(
            request,
            "socle/confirmation.html",
            {
                "titre": "Retirer votre signalement ?",
                "texte": "Plus personne n’aura à s’en occuper. Vous pourrez signaler cette erreur à nouveau.",
                "confirmer": "Retirer mon signalement",
                "url": request.path,
                "retour": reverse("signalement", args=[numero]),
                "danger": False,
                "form": None,
            },
        )

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        verbes.retirer(numero=numero, acteur=_user(request))
        messages.success(request, "Votre signalement est retiré.")
        return HttpResponseRedirect(f"{reverse('signalements')}?onglet=les-miens")
