"""« Imports »: the files that feed the register. Deposit, progress, report, confirmation, for gestionnaires."""

from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django_htmx.http import HttpResponseClientRefresh

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Interdit, Introuvable, Invalide
from backoffice.socle.mots import nombre
from backoffice.socle.vues import VueProtegee, entier, veut_fragment

from .. import regles, tasks
from ..enums import EtatImportation, SortDetail
from ..importations import depot, genres
from ..models import DetailImportation, Importation, MorceauImporte
from ..models.importation import EN_ATTENTE, EN_COURS, FINIES

TAILLE_PAGE = 50
SIGNES = {
    EtatImportation.A_ANALYSER: "en-attente",
    EtatImportation.ANALYSE: "en-cours",
    EtatImportation.A_CONFIRMER: "a-confirmer",
    EtatImportation.A_APPLIQUER: "en-attente",
    EtatImportation.APPLICATION: "en-cours",
    EtatImportation.APPLIQUEE: "applique",
    EtatImportation.REFUSEE: "refuse",
    EtatImportation.INTERROMPUE: "echec",
    EtatImportation.ABANDONNEE: "abandonne",
}


class VueImport(VueProtegee):
    def autoriser(self, request: HttpRequest) -> None:
        if not regles.est_gestionnaire(request.user):
            raise Interdit("sans_droit", "Seuls les gestionnaires SESAN importent des fichiers.")

    @property
    def acteur(self) -> User:
        return cast(User, self.request.user)


def importations_de(genre: str) -> QuerySet[Importation]:
    """Of this kind, all of them when there is no such kind; the last first."""
    liste = Importation.objects.select_related("auteur").order_by("-pk")
    return liste.filter(genre=genre) if genre in {g.code for g in genres.tous()} else liste


class ImportationsView(VueImport):
    """The kinds of files, and what was deposited, the last first."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        connus = {g.code: g for g in genres.tous()}
        genre = request.GET.get("genre", "")
        liste = importations_de(genre)
        avant = entier(request.GET.get("avant"))
        lues = list((liste.filter(pk__lt=avant) if avant else liste)[: TAILLE_PAGE + 1])
        vivantes = depot.vivantes()
        base = {"genre": genre} if genre in connus else {}
        suivant = f"?{urlencode(base | {'avant': lues[TAILLE_PAGE - 1].pk})}" if len(lues) > TAILLE_PAGE else ""
        contexte = {
            "genres": list(connus.values()),
            "genre": genre if genre in connus else "",
            "importations": [Vue(i, vivantes) for i in lues[:TAILLE_PAGE]],
            "precedent": f"?{urlencode(base)}" if avant else "",
            "suivant": suivant,
        }
        return render(request, "structures/importations/liste.html", contexte)


class DeposerView(VueImport):
    """One kind of file: what it is, its options, the file to send."""

    def get(self, request: HttpRequest, genre: str) -> HttpResponse:
        return self._page(request, genres.genre_de(genre))

    def post(self, request: HttpRequest, genre: str) -> HttpResponse:
        choisi = genres.genre_de(genre)
        envoye = request.FILES.get("fichier")
        if envoye is None:
            return self._page(request, choisi, "Choisissez le fichier à importer.", 422)
        options = {o.code: _option(o, request.POST.get(o.code, "")) for o in choisi.options}
        try:
            importation = depot.deposer(
                genre=genre, nom=envoye.name or "", morceaux=envoye.chunks(), acteur=self.acteur, options=options
            )
        except Invalide as refus:
            return self._page(request, choisi, refus.message, 422)
        tasks.reveiller_import(importation.pk)
        return HttpResponseRedirect(reverse("importation", args=[importation.pk]))

    def _page(self, request: HttpRequest, genre: genres.Genre, refus: str = "", statut: int = 200) -> HttpResponse:
        contexte = {
            "genre": genre,
            "options": [(o, request.POST.get(o.code, "")) for o in genre.options],
            "extensions": ",".join(genre.extensions),
            "mega": depot.TAILLE_MAX >> 20,
            "modele": reverse(genre.modele) if genre.modele else "",
            "refus": refus,
        }
        return render(request, "structures/importations/deposer.html", contexte, status=statut)


def _option(option: genres.Option, brut: str) -> Any:
    if option.choix:
        return brut if brut in dict(option.choix) else option.choix[0][0]
    return bool(brut)


@dataclass(frozen=True, slots=True)
class Vue:
    """An import as its page and the list show it. ``morte``: it was running, and nobody is at it any more."""

    importation: Importation
    vivantes: set[int]

    @property
    def genre(self) -> str:
        connu = next((g for g in genres.tous() if g.code == self.importation.genre), None)
        return connu.libelle if connu else self.importation.genre

    @property
    def gabarit(self) -> str:
        connu = next((g for g in genres.tous() if g.code == self.importation.genre), None)
        return connu.gabarit if connu else ""

    @property
    def etat(self) -> EtatImportation:
        if self.importation.etat in EN_COURS and depot.interrompue(self.importation, self.vivantes):
            return EtatImportation.INTERROMPUE
        return EtatImportation(self.importation.etat)

    @property
    def signe(self) -> str:
        return SIGNES[self.etat]

    @property
    def attend(self) -> bool:
        return self.etat in EN_ATTENTE

    @property
    def court(self) -> bool:
        return self.etat in EN_COURS

    @property
    def a_confirmer(self) -> bool:
        return self.etat == EtatImportation.A_CONFIRMER

    @property
    def a_relancer(self) -> bool:
        return self.etat in (EtatImportation.A_CONFIRMER, EtatImportation.INTERROMPUE)

    @property
    def finie(self) -> bool:
        return self.etat in FINIES

    @property
    def message(self) -> str:
        if self.etat == EtatImportation.INTERROMPUE and not self.importation.message:
            return "Le programme qui y travaillait s’est arrêté. Rien n’a été changé : relancez l’analyse."
        return self.importation.message


class VueImportation(VueImport):
    importation: Importation

    def autoriser(self, request: HttpRequest) -> None:
        super().autoriser(request)
        trouvee = Importation.objects.select_related("auteur", "confirme_par").filter(pk=self.kwargs["numero"]).first()
        if trouvee is None:
            raise Introuvable("importation_inconnue", "Cet import n’existe pas.")
        self.importation = trouvee


class ImportationView(VueImportation):
    """How far it is; then its report, by fate, with what there is to do. htmx asks for the fragment until then."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        vue = Vue(self.importation, depot.vivantes())
        if veut_fragment(request):
            if not (vue.attend or vue.court):
                return HttpResponseClientRefresh()
            contexte = {"vue": vue, "i": self.importation, "url": reverse("importation", args=[numero])}
            return render(request, "structures/importations/_suivi.html", contexte)
        sorts = self.importation.bilan.get("sorts", {})
        if self.importation.etat == EtatImportation.REFUSEE:  # nothing of it will be: only why
            sorts = {sort: n for sort, n in sorts.items() if sort == SortDetail.REFUSE}
        demande = request.GET.get("sort", "")
        absent = bool(demande) and demande not in sorts
        sort = "" if absent else demande or next((s for s in SortDetail.values if s in sorts), "")
        champ, q = request.GET.get("champ", "")[:80], request.GET.get("q", "").strip()[:80]
        details = details_filtres(self.importation, sort, champ, q)
        apres = entier(request.GET.get("apres"))
        lus = list((details.filter(pk__gt=apres) if apres else details)[: TAILLE_PAGE + 1]) if sort else []
        base = {cle: valeur for cle, valeur in (("sort", sort), ("champ", champ), ("q", q)) if valeur}
        suivant = f"?{urlencode(base | {'apres': lus[TAILLE_PAGE - 1].pk})}" if len(lus) > TAILLE_PAGE else ""
        contexte = {
            "vue": vue,
            "i": self.importation,
            "bilan": self.importation.bilan,
            "nombres": [(mots, n) for mots, n in self.importation.bilan.get("nombres", {}).items() if n],
            "octets": MorceauImporte.objects.filter(importation=self.importation).exists(),
            "onglets": [
                {"libelle": SortDetail(s).label, "url": f"?sort={s}", "nombre": sorts[s], "actif": s == sort}
                for s in SortDetail.values
                if s in sorts
            ],
            "sort": sort,
            "absent": absent,
            "champ": champ,
            "q": q,
            "champs": _champs(self.importation, sort),
            "details": lus[:TAILLE_PAGE],
            "precedent": f"?{urlencode(base)}" if apres else "",
            "suivant": suivant,
            "requete": urlencode({"import": numero, **base}),
            "url": reverse("importation", args=[numero]),
            "gabarit": vue.gabarit,
        }
        return render(request, "structures/importations/page.html", contexte)


def details_filtres(importation: Importation, sort: str, champ: str, q: str) -> QuerySet[DetailImportation]:
    details = DetailImportation.objects.filter(importation=importation).order_by("pk")
    if sort:
        details = details.filter(sort=sort)
    if champ:
        details = details.filter(champ=champ)
    if q:
        details = details.filter(Q(cle__icontains=q) | Q(nom__icontains=q) | Q(raison__icontains=q))
    return details


def _champs(importation: Importation, sort: str) -> list[str]:
    lus = DetailImportation.objects.filter(importation=importation, sort=sort).exclude(champ="")
    return list(lus.order_by("champ").values_list("champ", flat=True).distinct()[:100])


class FichierImporteView(VueImportation):
    """The file as it was deposited, while it is kept."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, numero: int) -> HttpResponseBase:
        morceaux = MorceauImporte.objects.filter(importation=self.importation).order_by("rang")
        if not morceaux.exists():
            raise Introuvable("fichier_efface", "Ce fichier a été effacé : l’import est terminé, ou trop ancien.")
        contenus = (bytes(m) for m in morceaux.values_list("contenu", flat=True).iterator(chunk_size=4))
        reponse = StreamingHttpResponse(contenus, content_type="application/octet-stream")
        reponse["Content-Disposition"] = content_disposition_header(True, self.importation.fichier)
        reponse["Content-Length"] = str(self.importation.taille)
        return reponse


class ConfirmerView(VueImportation):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        depot.confirmer(numero=numero, acteur=self.acteur, empreinte=request.POST.get("empreinte", ""))
        tasks.reveiller_import(numero)
        return HttpResponseRedirect(reverse("importation", args=[numero]))


class RelancerView(VueImportation):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        depot.relancer(numero=numero, acteur=self.acteur)
        tasks.reveiller_import(numero)
        return HttpResponseRedirect(reverse("importation", args=[numero]))


class AnnulerView(VueImportation):
    """Give it up, or stop it; asked first where there is no dialog."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        contexte = {
            "titre": "Abandonner cet import ?",
            "texte": f"« {self.importation.fichier} » ne sera pas appliqué, et le fichier sera effacé "
            f"({nombre(self.importation.taille)} octets). Le répertoire ne change pas.",
            "confirmer": "Abandonner l’import",
            "url": request.path,
            "retour": reverse("importation", args=[numero]),
            "danger": True,
        }
        return render(request, "socle/confirmation.html", contexte)

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        importation = depot.annuler(numero=numero, acteur=self.acteur)
        if importation.etat in FINIES:
            messages.success(request, "L’import est abandonné : le répertoire n’a pas changé.")
        else:
            messages.info(request, "L’import s’arrêtera à sa prochaine étape : le répertoire ne change pas.")
        return HttpResponseRedirect(reverse("importation", args=[numero]))
