"""The threads of a dossier: all of them, those of a fiche, and what is written in them."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.cache import patch_vary_headers

from backoffice.socle.erreurs import Introuvable, Invalide
from backoffice.socle.vues import entier, page_precedente
from structures.models import Fiche

from ..discussions import Discussion, Fil, Refus, fils_de
from ..domaine import commentaires
from ..models import Commentaire, Dossier
from .espace import VueDossier

TAILLE_PAGE = 30
FILTRES = {"": "À résoudre", "moi": "Qui me citent", "resolus": "Résolus", "tous": "Tous"}
SECTION = "commentaires"  # id of the section of a fiche: what htmx aims at when a thread is opened


def demande(dossier: Dossier, user: Any, choix: QueryDict) -> tuple[dict[str, list[Fil]], str]:
    """The threads of each list, and the list that the address asks for."""
    tous = fils_de(dossier)
    listes = {
        "": [f for f in tous if not f.resolu],
        "moi": [f for f in tous if f.cite(user)],
        "resolus": [f for f in tous if f.resolu],
        "tous": tous,
    }
    montrer = choix.get("montrer", "")
    return listes, montrer if montrer in FILTRES else ""


class CommentairesView(VueDossier):
    """Every thread of the dossier, those that wait first."""

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        listes, montrer = demande(self.dossier, request.user, request.GET)
        debut = entier(request.GET.get("debut")) or 0
        fin = debut + TAILLE_PAGE
        contexte = {
            "espace": self.espace,
            "dossier": self.dossier,
            "fil_ariane": self.fil(("Commentaires", "")),
            "fils": listes[montrer][debut:fin],
            "total": len(listes["tous"]),
            "montrer": montrer,
            "onglets": [
                {"libelle": FILTRES[v], "url": f"?montrer={v}", "nombre": len(f), "actif": v == montrer}
                for v, f in listes.items()
            ],
            "precedent": f"?montrer={montrer}&debut={max(0, debut - TAILLE_PAGE)}" if debut else "",
            "suivant": f"?montrer={montrer}&debut={fin}" if fin < len(listes[montrer]) else "",
        }
        return render(request, "workflows/commentaires.html", contexte)


class VueFil(VueDossier):
    """What is written on a fiche: done, back to the page one wrote from; refused, the form with what was typed."""

    fiche: Fiche

    def autoriser(self, request: HttpRequest) -> None:
        super().autoriser(request)
        request.libelles_saisie = {"texte": "Votre commentaire"}  # type: ignore[attr-defined]
        fiches = Fiche.objects.filter(eg=self.dossier.eg_id)
        if "fil" in self.kwargs:
            de_ce_fil = self.dossier.commentaires.filter(pk=self.kwargs["fil"], parent__isnull=True)
            fiche = fiches.filter(pk__in=de_ce_fil.order_by().values("fiche")).first()
        else:
            fiche = fiches.filter(pk=self.kwargs["fiche"]).first()
        if fiche is None:
            raise Introuvable("fil_inconnu", "Ce que vous cherchez ne fait pas partie de ce dossier.")
        self.fiche = fiche

    @property
    def saisie(self) -> dict[str, Any]:
        """What a form of a thread posts, as the verbs take it."""
        recu = self.request.POST
        cites = [n for n in map(entier, recu.getlist("cites")) if n is not None]
        return {"texte": recu.get("texte", ""), "cites": cites, "vu": entier(recu.get("vu"))}

    def montrer(self, *, fait: str = "", ici: int = 0, refus: Refus | None = None) -> HttpResponse:
        """The comments of the fiche: a page; for htmx the section of the panel or, when it aims at one, a thread."""
        discussion = Discussion(self.dossier, self.request.user, self.fiche.pk, self.fiche.niveau, refus)
        contexte = {
            "espace": self.espace,
            "dossier": self.dossier,
            "discussion": discussion,
            "fait": fait,
            "ici": ici,
        }
        statut = 422 if refus else 200
        htmx = getattr(self.request, "htmx", None)
        if htmx:
            gabarit = "workflows/_commentaires_fiche.html"
            fil = next((f for f in discussion.fils if f.premier.pk == ici), None)
            if htmx.target != SECTION and fil:
                gabarit, contexte["fil"] = "workflows/_fil_commentaires.html", fil
            corps = render_to_string(gabarit, contexte, self.request)
            compte = render_to_string("workflows/_fils_ouverts.html", contexte | {"oob": True}, self.request)
            reponse = HttpResponse(corps + compte, status=statut)
        else:
            liste = reverse("dossier_commentaires", args=[self.dossier.pk])
            contexte["fil_ariane"] = self.fil(("Commentaires", liste), (discussion.nom, ""))
            reponse = render(self.request, "workflows/commentaires_fiche.html", contexte, status=statut)
        patch_vary_headers(reponse, ["HX-Request", "HX-Target"])
        return reponse

    def revenir(self, commentaire: Commentaire, fait: str) -> HttpResponse:
        fil = commentaire.parent_id or commentaire.pk
        if getattr(self.request, "htmx", False):
            return self.montrer(fait=fait, ici=fil)
        messages.success(self.request, fait)
        page = page_precedente(self.request)
        if page == "/":
            page = reverse("dossier_fiche_commentaires", args=[self.dossier.pk, self.fiche.pk])
        return HttpResponseRedirect(f"{page}#fil-{fil}")


class FicheCommentairesView(VueFil):
    """The threads of one fiche; POST opens one."""

    def get(self, request: HttpRequest, numero: int, fiche: int) -> HttpResponse:
        return self.montrer()

    def post(self, request: HttpRequest, numero: int, fiche: int) -> HttpResponse:
        saisie = self.saisie | {"champ": request.POST.get("champ", "")}
        try:
            ecrit = commentaires.commenter(numero=numero, acteur=self.acteur, fiche=fiche, **saisie)
        except Invalide as refus:
            return self.montrer(refus=Refus(0, saisie["texte"], refus.champs, saisie["champ"], saisie["cites"]))
        return self.revenir(ecrit, "Votre commentaire est enregistré.")


class FilView(VueFil):
    """One thread: GET leads to it among those of its fiche, POST answers."""

    def get(self, request: HttpRequest, numero: int, fil: int) -> HttpResponse:
        page = reverse("dossier_fiche_commentaires", args=[numero, self.fiche.pk])
        return HttpResponseRedirect(f"{page}#fil-{fil}")

    def post(self, request: HttpRequest, numero: int, fil: int) -> HttpResponse:
        saisie = self.saisie
        try:
            ecrit = commentaires.repondre(numero=numero, acteur=self.acteur, fil=fil, **saisie)
        except Invalide as refus:
            return self.montrer(ici=fil, refus=Refus(fil, saisie["texte"], refus.champs, "", saisie["cites"]))
        return self.revenir(ecrit, "Votre réponse est enregistrée.")


class ResoudreView(VueFil):
    def post(self, request: HttpRequest, numero: int, fil: int) -> HttpResponse:
        premier = commentaires.resoudre(numero=numero, acteur=self.acteur, fil=fil)
        return self.revenir(premier, "Le commentaire est résolu.")


class RouvrirView(VueFil):
    def post(self, request: HttpRequest, numero: int, fil: int) -> HttpResponse:
        premier = commentaires.rouvrir(numero=numero, acteur=self.acteur, fil=fil)
        return self.revenir(premier, "Le commentaire est rouvert.")
