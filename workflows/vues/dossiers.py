"""A dossier as a whole: the list, creation, workspace, what it changes, journal, sending, withdrawal, abandonment."""

from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Introuvable, Invalide, reporter
from backoffice.socle.mots import nombre, pluriel
from backoffice.socle.vues import VueProtegee, entier
from structures.competence import Circuit
from structures.enums import Niveau
from structures.models import Fiche
from structures.regles import egs_de
from structures.requetes import noms_au, reservation_de, reservations_des, version_au

from .. import chronologie, parcours, regles, requetes, revue, schema
from ..alertes import Alerte, alertes_de
from ..domaine import creer as creation
from ..domaine import decisions, instantane
from ..enums import OUVERTS, TERMINES, EtatDossier
from ..forms import DossierForm
from ..models import Dossier
from .controles import Controles
from .espace import ACCUEIL, JOURNAL_COURT, Espace, VueDossier, debut_du_fil, derniers_evenements

ONGLETS = {"ouverts": "Ouverts", "termines": "Terminés", "tous": "Tous"}


def demande(user: "User | AnonymousUser", choix: QueryDict) -> tuple[str, str, QuerySet[Dossier]]:
    """(words, tab, dossiers) that the address of the list asks for."""
    q, onglet = choix.get("q", "").strip()[:100], choix.get("etat", "")
    trouves = requetes.rechercher_dossiers(user, q)
    if onglet == "tous":
        return q, onglet, trouves
    if onglet == "termines":
        return q, onglet, trouves.filter(etat__in=TERMINES)
    return q, "ouverts", trouves.filter(etat__in=OUVERTS)


class DossiersView(VueProtegee):
    """« Dossiers collaboratifs »: those the person may see; what the page shows is in its address."""

    def get(self, request: HttpRequest) -> HttpResponse:
        q, onglet, retenus = demande(request.user, request.GET)
        ouverts, termines = requetes.nombres_de_dossiers(requetes.rechercher_dossiers(request.user, q))
        nombres = {"ouverts": ouverts, "termines": termines, "tous": ouverts + termines}
        page = requetes.page_dossiers(
            retenus, apres=entier(request.GET.get("apres")), avant=entier(request.GET.get("avant"))
        )
        avancees = requetes.avancements(page.lignes)
        editeur = egs_de(request.user).exists()
        return render(
            request,
            "workflows/dossiers.html",
            {
                "q": q,
                "onglet": onglet,
                "onglets": [
                    {
                        "libelle": libelle,
                        "url": "?" + urlencode({"etat": cle} | ({"q": q} if q else {})),
                        "nombre": nombres[cle],
                        "actif": cle == onglet,
                    }
                    for cle, libelle in ONGLETS.items()
                ],
                "lignes": [ligne_de(d, avancees[d.pk]) for d in page.lignes],
                "page": page,
                "total": nombres["tous"],
                "editeur": editeur,
            },
        )


def ligne_de(dossier: Dossier, avancement: requetes.Avancement) -> dict[str, Any]:
    return {
        "dossier": dossier,
        "signe": parcours.signe_de(dossier),
        "mot": parcours.mot_de(dossier),
        "avancement": avancement,
        "quoi": "fiche finalisée" if avancement.finalisees < 2 else "fiches finalisées",
        "etape": avancement.taches[0].etape.titre if avancement.taches else "",
        "qui": parcours.qui_agit(avancement.taches),
        "echeance": min((t.echeance for t in avancement.taches), default=None),
        "retard": any(t.en_retard for t in avancement.taches),
    }


class CreerView(VueProtegee):
    """« Créer un dossier collaboratif »: on one of one's establishments, with a name (acceptance 54–56)."""

    def autoriser(self, request: HttpRequest) -> None:
        egs = list(egs_de(request.user).order_by("pk"))
        if not egs:
            raise Interdit("sans_droit", "Seuls les Référents et Directions d’un établissement créent un dossier.")
        self.egs = {eg.identifiant: eg for eg in egs}
        request.libelles_saisie = {"eg": "Établissement", "nom": "Nom du dossier"}  # type: ignore[attr-defined]

    def _choix(self) -> list[tuple[str, str]]:
        """(identifier, name) of one's establishments that are open today, by name."""
        noms = noms_au([eg.pk for eg in self.egs.values()])
        return sorted(noms.values(), key=lambda paire: paire[1].casefold())

    def get(self, request: HttpRequest) -> HttpResponse:
        choix = self._choix()
        demande = request.GET.get("eg", "")
        if demande:
            self._verifier(demande)
        voulu = demande or (choix[0][0] if len(choix) == 1 else "")
        return self._page(request, DossierForm(etablissements=choix, initial={"eg": voulu}), choix)

    def _verifier(self, identifiant: str) -> None:
        if identifiant in self.egs:
            return
        fiche = Fiche.objects.filter(identifiant=identifiant[:20]).first()
        if fiche is None:
            raise Introuvable("fiche_inconnue", "Cet établissement n’existe pas.")
        if fiche.niveau != Niveau.EG:
            raise Invalide("pas_un_eg", "Un dossier collaboratif se crée sur un établissement (entité géographique).")
        raise Interdit("sans_droit", "Vous n’êtes ni Référent ni Direction de cet établissement.")

    def post(self, request: HttpRequest) -> HttpResponse:
        choix = self._choix()
        form = DossierForm(etablissements=choix, data=request.POST)
        if not form.is_valid():
            return self._page(request, form, choix, statut=422)
        eg = self.egs[form.cleaned_data["eg"]]
        try:
            dossier = creation.creer(eg=eg, nom=form.cleaned_data["nom"], acteur=cast(User, request.user))
        except Invalide as refus:
            reporter(form, refus)
            return self._page(request, form, choix, statut=422)
        except Conflit as refus:
            ouvert = reservation_de(eg.pk)
            return self._page(request, form, choix, statut=409, refus=refus, ouvert=ouvert)
        messages.success(request, f"Le dossier « {dossier.nom} » est créé. Choisissez une fiche pour commencer.")
        return HttpResponseRedirect(reverse("dossier", args=[dossier.pk]))

    def _page(
        self, request: HttpRequest, form: DossierForm, choix: list[tuple[str, str]], statut: int = 200, **plus: Any
    ) -> HttpResponse:
        par_pk = {eg.pk: identifiant for identifiant, eg in self.egs.items()}
        noms = dict(choix)
        contexte = {
            "form": form,
            "fil": [*debut_du_fil(), ("Créer un dossier", "")],
            "ouverts": [
                (noms.get(par_pk[pk], par_pk[pk]), r.nom, reverse("dossier", args=[r.dossier]))
                for pk, r in reservations_des(list(par_pk)).items()
            ],
            "refus": None,
            "ouvert": None,
        }
        return render(request, "workflows/creer.html", contexte | plus, status=statut)


class DossierView(VueDossier):
    """The workspace: where the dossier is, its tree, what is to be done, its journal."""

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        if getattr(request, "htmx", False):
            return self._partie(request)
        contexte = self.page(request) | {
            "espace": self.espace,
            "dossier": self.dossier,
            "fil": self.fil(),
            "panneau": ACCUEIL,
            "titre_panneau": "",
            "sur_fiche": False,
            "journal": self.espace.journal(),
            "schema": _schema(self.espace),
        }
        if not self.dossier.est_ouvert:
            liste = revue.changements(self.dossier, request.user)
            url = reverse("dossier_changements", args=[self.dossier.pk])
            contexte |= {"changements": liste, "resume": revue.resume(liste, url=url)}
        reponse = render(request, "workflows/dossier.html", contexte)
        patch_vary_headers(reponse, ["HX-Request"])
        return reponse

    def _partie(self, request: HttpRequest) -> HttpResponse:
        """The tree alone when a filter asks for it, else what stands beside it."""
        if request.htmx.target != "arbre-dossier":  # type: ignore[attr-defined]
            contexte = {"journal": self.espace.journal()}
            return self.panneau(request, ACCUEIL, contexte, titre="")
        contexte = self.page(request) | {"espace": self.espace, "dossier": self.dossier}
        reponse = render(request, "workflows/_arbre.html", contexte)
        patch_vary_headers(reponse, ["HX-Request"])
        return reponse


def _schema(espace: Espace) -> str:
    ici = parcours.position_de(espace.dossier)
    faits = {e["noeud"] for e in espace.etapes if e["etat"] == "fait"} | {"creation"}
    if ici == EtatDossier.PUBLIE:
        faits.add("publication")
    if ici in ("refuse", "abandonne"):
        faits -= {ici}
    mots = {"fait": "fait", "en-cours": "en cours", "a-venir": "à venir", "sans-objet": "sans objet"}
    texte = " ".join(f"{i}. {e['libelle']} : {mots[e['etat']]}." for i, e in enumerate(espace.etapes, 1))
    return schema.dessin(espace.parcours, ici, faits, texte)


class CircuitView(VueProtegee):
    """The BPMN 2.0 of the flow, to open in a modelling tool."""

    def get(self, request: HttpRequest) -> HttpResponse:
        reponse = HttpResponse(schema.bpmn(), content_type="application/bpmn+xml; charset=utf-8")
        reponse["Content-Disposition"] = 'attachment; filename="dossier-collaboratif.bpmn"'
        return reponse


class EnvoyerView(VueDossier):
    """« Envoyer en validation »: what is sent, to whom; what is missing when it can't be.

    The form says what the page shows: the digest of the content (``vu``), the last event of the journal (``depuis``).
    """

    edition = True

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        return self._page(request)

    def _page(self, request: HttpRequest, *, refus: str = "", statut: int = 200) -> HttpResponse:
        """409 with ``refus``: the page as it is now, under what happened since the one that was sent."""
        # Read before the changes: should somebody save in between, the page is asked to be read again.
        vu = instantane.empreinte(instantane.contenu_decide(self.espace.travaux))
        depuis = self.espace.dernier_evenement
        venus: list[dict[str, Any]] = []
        lu = entier(request.POST.get("depuis")) or 0
        if refus:
            recents = derniers_evenements(self.dossier, JOURNAL_COURT)
            venus = chronologie.lignes_journal(self.dossier, [e for e in recents if e.pk > lu])
        liste = revue.changements(self.dossier, request.user)
        return render(
            request,
            "workflows/envoyer.html",
            {
                "espace": self.espace,
                "dossier": self.dossier,
                "fil": self.fil(("Envoyer en validation", "")),
                "changements": liste,
                "resume": revue.resume(liste, url=reverse("dossier_changements", args=[self.dossier.pk])),
                "alertes": self._alertes(),
                "controles": Controles(self.dossier, request.user, self.espace.fautes, en_edition=False),
                "vu": vu,
                "depuis": depuis,
                "refus": refus,
                "venus": venus,
            },
            status=statut,
        )

    def _alertes(self) -> list[Alerte]:
        espace, eg = self.espace, version_au(self.dossier.eg)
        if eg is None or not espace.pret:
            return []

        def personne(noeud: str, autorite: str) -> bool:
            return not regles.acteurs_a(noeud, eg.fiche_id, autorite or None, espace.user.pk).exists()

        trajet = espace.parcours
        noms = dict(zip(trajet.codes, trajet.autorites, strict=True))
        return alertes_de(Circuit(trajet.filiere, list(trajet.codes)), noms, eg, personne)

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        try:
            dossier = decisions.envoyer(numero=numero, acteur=self.acteur, vu=request.POST.get("vu", ""))
        except Conflit as refus:
            if refus.code != "contenu_change":
                raise
            self.autoriser(request)  # the workspace was read before the lock
            return self._page(request, refus=refus.message, statut=409)
        taches = dossier.taches.filter(close_le__isnull=True).select_related("tache__owner", "autorite")
        qui = parcours.qui_agit(taches)
        messages.success(request, f"Le dossier est envoyé. Prochaine étape : {qui}.")
        return HttpResponseRedirect(self.espace.url)


class RetirerView(VueDossier):
    """The sender takes the dossier back."""

    def autoriser(self, request: HttpRequest) -> None:
        super().autoriser(request)
        if not self.espace.editeur:
            raise Interdit("sans_droit", "Seule la personne qui a envoyé le dossier peut le retirer.")
        if request.method == "GET" and not self.espace.retirable:
            raise Conflit(
                "plus_retirable",
                "Ce dossier ne peut pas être retiré : seule la personne qui l’a envoyé le peut, avant la première "
                "décision favorable.",
            )

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        return _confirmer(
            request,
            self.espace,
            titre=f"Retirer le dossier « {self.dossier.nom} » ?",
            texte="Le dossier redevient un brouillon que vous pourrez corriger puis renvoyer.\n"
            "Les personnes qui devaient se prononcer en sont averties. L’historique est gardé.",
            confirmer="Retirer le dossier",
        )

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        decisions.retirer(numero=numero, acteur=self.acteur)
        messages.success(request, "Le dossier est retiré : il est de nouveau un brouillon.")
        return HttpResponseRedirect(self.espace.url)


class AbandonnerView(VueDossier):
    """End a draft without publishing it."""

    edition = True

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        n = self.espace.total
        perdues = f"Les changements préparés sur {nombre(n)} fiche{pluriel(n)} ne seront jamais publiés.\n" if n else ""
        return _confirmer(
            request,
            self.espace,
            titre=f"Abandonner le dossier « {self.dossier.nom} » ?",
            texte=f"{perdues}Le répertoire reste tel qu’il est. Le dossier et son historique restent consultables.\n"
            "Un dossier abandonné ne peut pas être repris.",
            confirmer="Abandonner le dossier",
            danger=True,
        )

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        decisions.abandonner(numero=numero, acteur=self.acteur)
        messages.success(request, f"Le dossier « {self.dossier.nom} » est abandonné. Rien n’a changé au répertoire.")
        return HttpResponseRedirect(self.espace.url)


def _confirmer(
    request: HttpRequest, espace: Espace, *, titre: str, texte: str, confirmer: str, danger: bool = False
) -> HttpResponse:
    contexte = {
        "titre": titre,
        "texte": texte,
        "confirmer": confirmer,
        "url": request.path,
        "retour": espace.url,
        "danger": danger,
        "form": None,
    }
    return render(request, "socle/confirmation.html", contexte)
