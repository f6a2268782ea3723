"""What a person keeps for herself: favourites, saved searches, what she saw last (acceptance 20 to 22)."""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse

from backoffice.comptes.models import User
from backoffice.socle.champs_formulaire import TexteField
from backoffice.socle.erreurs import Introuvable, Invalide, reporter
from backoffice.socle.vues import VueProtegee, page_precedente, veut_fragment

from .. import requetes
from ..domaine import personnel
from ..models import Favori, Fiche, RechercheEnregistree, VersionFiche
from .communs import Jour, adresse_fiche, fiche_ou_404
from .criteres import canoniques, en_mots

COOKIE_VUS = "ror_vus"
NOMBRE_VUS = 8
DUREE_VUS = 30 * 24 * 3600  # seconds


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


class Lieu(NamedTuple):
    """A fiche to go to: its name, and the establishment that it is in."""

    fiche_id: int
    niveau: str
    nom: str
    ou: str
    url: str


def lieux(fiches: Iterable[int]) -> list[Lieu]:
    """These fiches as they are today, in the order given; closed ones are left out. Two statements."""
    cles = list(fiches)
    if not cles:
        return []
    egs = dict(Fiche.objects.filter(pk__in=cles).values_list("pk", "eg_id"))
    versions = requetes.versions_au().filter(fiche__in={*egs, *egs.values()} - {None}).order_by("fiche_id")
    lus = {v[0]: v for v in versions.values_list("fiche_id", "niveau", "nom", "fiche__identifiant")}
    lieux_ = []
    for cle in cles:
        if cle in lus:
            _, niveau, nom, identifiant = lus[cle]
            eg = egs[cle]
            ou = lus[eg][2] if eg is not None and eg != cle and eg in lus else ""
            lieux_.append(Lieu(cle, niveau, nom or "(sans nom)", ou, adresse_fiche(identifiant)))
    return lieux_


# -- seen last: kept in a cookie, for a page that is read writes nothing ---------------------------------------------


def _sel(request: HttpRequest) -> str:
    """The signature holds the person: what somebody else saw in this browser can't be read."""
    return f"vus.{request.user.pk}"


def _vus(request: HttpRequest) -> list[int]:
    brut = request.get_signed_cookie(COOKIE_VUS, default="", salt=_sel(request), max_age=DUREE_VUS) or ""
    return [int(cle) for cle in brut.split("-") if cle.isdecimal()]


def se_souvenir(request: HttpRequest, response: HttpResponse, fiche: Fiche) -> None:
    """Put the fiche first among those that this person saw last in this browser."""
    cles = [fiche.pk, *(cle for cle in _vus(request) if cle != fiche.pk)][:NOMBRE_VUS]
    response.set_signed_cookie(
        COOKIE_VUS,
        "-".join(map(str, cles)),
        salt=_sel(request),
        max_age=DUREE_VUS,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def vus_recemment(request: HttpRequest) -> list[Lieu]:
    return lieux(_vus(request))


# -- favourites -------------------------------------------------------------------------------------------------------


def favoris_parmi(request: HttpRequest, fiches: Collection[int]) -> set[int]:
    """Those of these fiches that are among the person's favourites; one statement."""
    return set(Favori.objects.filter(user=_user(request), fiche__in=fiches).values_list("fiche", flat=True))


def etoile(fiche_id: int, identifiant: str, nom: str, *, favorite: bool) -> dict[str, Any]:
    """What ``structures/_favori.html`` draws."""
    url = reverse("favori", args=[identifiant])
    return {"id": fiche_id, "nom": nom, "favorite": favorite, "url": url, "change": False, "avec_formulaire": False}


def sur_la_fiche(request: HttpRequest, fiche: Fiche) -> dict[str, Any]:
    """What the page of a fiche shows of it, for ``structures/_favori.html``."""
    favorite = bool(favoris_parmi(request, [fiche.pk]))
    return {"favori": etoile(fiche.pk, fiche.identifiant, "", favorite=favorite) | {"avec_formulaire": True}}


class FavoriView(VueProtegee):
    """The star of a fiche. ``favori=1`` puts it among the favourites, ``0`` takes it off: twice is once."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, identifiant: str) -> HttpResponse:
        fiche = fiche_ou_404(identifiant)
        version = VersionFiche.objects.filter(fiche=fiche).order_by("-validite").only("nom").first()
        if version is None:  # known to a dossier only
            raise Introuvable("fiche_inconnue", f"Aucune fiche du répertoire ne porte l’identifiant « {identifiant} ».")
        favorite = request.POST.get("favori") == "1"
        (personnel.ajouter_favori if favorite else personnel.retirer_favori)(user=_user(request), fiche=fiche)
        if veut_fragment(request):
            favori = etoile(fiche.pk, identifiant, version.nom, favorite=favorite) | {"change": True}
            return render(request, "structures/_favori.html", {"favori": favori})
        retour = page_precedente(request)
        if retour == "/":
            return redirect("fiche", identifiant)
        return HttpResponseRedirect(f"{retour}#favori-{fiche.pk}")


# -- saved searches ---------------------------------------------------------------------------------------------------


def adresse_recherche(criteres: str, jour: Jour | None = None) -> str:
    """The list under these criteria; « ?q= » when there are none, for the bare address applies the default search."""
    suite = f"&au={jour.jour.isoformat()}" if jour and jour.autre else ""
    return f"{reverse('repertoire')}?{criteres or 'q='}{suite}"


def recherches_de(user: User) -> list[RechercheEnregistree]:
    return list(RechercheEnregistree.objects.filter(user=user))


class RechercheForm(forms.Form):
    """A name, and whether the search applies by itself. ``remplacer`` only when a new one is saved."""

    use_required_attribute = False
    nom = TexteField(label="Nom de la recherche", max_length=80)
    par_defaut = forms.BooleanField(
        label="L’appliquer quand j’ouvre le répertoire (recherche par défaut)", required=False
    )
    remplacer = forms.BooleanField(label="Remplacer la recherche qui porte ce nom", required=False)

    def __init__(self, *arguments: Any, nouvelle: bool = False, **nommes: Any) -> None:
        super().__init__(*arguments, **nommes)
        if not nouvelle:
            del self.fields["remplacer"]


class RecherchesView(VueProtegee):
    """« Mes recherches »: the list, and the saving of the criteria shown by a list (POST)."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(request)

    def page(self, request: HttpRequest, form: RechercheForm | None = None, criteres: str = "") -> HttpResponse:
        recherches = recherches_de(_user(request))
        mots = en_mots([r.criteres for r in recherches] + [criteres])
        contexte = {
            "fil": [("Répertoire", adresse_recherche("")), ("Mes recherches", "")],
            "recherches": [
                {"recherche": r, "mots": m, "url": adresse_recherche(r.criteres)}
                for r, m in zip(recherches, mots, strict=False)
            ],
            "form": form,
            "criteres": criteres,
            "mots": mots[-1],
        }
        return render(request, "structures/recherches.html", contexte, status=422 if form else 200)

    def post(self, request: HttpRequest) -> HttpResponse:
        criteres = canoniques(request.POST.get("criteres", ""))
        form = RechercheForm(request.POST, nouvelle=True)
        if form.is_valid():
            try:
                recherche = personnel.enregistrer_recherche(user=_user(request), criteres=criteres, **form.cleaned_data)
            except Invalide as refus:
                reporter(form, refus)
            else:
                messages.success(request, f"La recherche « {recherche.nom} » est enregistrée.")
                return HttpResponseRedirect(adresse_recherche(recherche.criteres))
        return self.page(request, form, criteres)


class VueRecherche(VueProtegee):
    """A page about one saved search; somebody else's is a 404."""

    recherche: RechercheEnregistree

    def autoriser(self, request: HttpRequest) -> None:
        trouvee = RechercheEnregistree.objects.filter(pk=self.kwargs["pk"], user=_user(request)).first()
        if trouvee is None:
            raise Introuvable("recherche_inconnue", "Vous n’avez pas de recherche enregistrée à cette adresse.")
        self.recherche = trouvee


class RechercheView(VueRecherche):
    """Rename a saved search, make it the default one or an ordinary one."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        initial = {"nom": self.recherche.nom, "par_defaut": self.recherche.par_defaut}
        return self.page(request, RechercheForm(initial=initial))

    def page(self, request: HttpRequest, form: RechercheForm) -> HttpResponse:
        contexte = {
            "fil": [("Répertoire", adresse_recherche("")), ("Mes recherches", reverse("recherches")), ("Modifier", "")],
            "recherche": self.recherche,
            "mots": en_mots([self.recherche.criteres])[0],
            "form": form,
        }
        return render(request, "structures/recherche.html", contexte, status=422 if form.is_bound else 200)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = RechercheForm(request.POST)
        if form.is_valid():
            try:
                modifiee = personnel.modifier_recherche(recherche=self.recherche, **form.cleaned_data)
            except Invalide as refus:
                reporter(form, refus)
            else:
                messages.success(request, f"La recherche « {modifiee.nom} » est modifiée.")
                return redirect("recherches")
        return self.page(request, form)


class SupprimerRechercheView(VueRecherche):
    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return render(
            request,
            "socle/confirmation.html",
            {
                "titre": f"Supprimer la recherche « {self.recherche.nom} » ?",
                "texte": "Elle disparaît de « Mes recherches ». Le répertoire et vos favoris ne changent pas.",
                "confirmer": "Supprimer la recherche",
                "url": request.path,
                "retour": reverse("recherches"),
                "danger": True,
                "form": None,
            },
        )

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        personnel.supprimer_recherche(recherche=self.recherche)
        messages.success(request, f"La recherche « {self.recherche.nom} » est supprimée.")
        return redirect("recherches")


# -- the home page ----------------------------------------------------------------------------------------------------


def mon_repertoire(request: HttpRequest) -> dict[str, Any]:
    """« Mon répertoire » on the home page: favourites, what was seen last, saved searches. Four statements."""
    user = _user(request)
    favoris = list(Favori.objects.filter(user=user).order_by("-depuis").values_list("fiche", flat=True)[:NOMBRE_VUS])
    vus = _vus(request)
    par_cle = {lieu.fiche_id: lieu for lieu in lieux(dict.fromkeys([*favoris, *vus]))}
    return {
        "favoris": [par_cle[cle] for cle in favoris if cle in par_cle],
        "vus": [par_cle[cle] for cle in vus if cle in par_cle],
        "recherches": [(r, adresse_recherche(r.criteres)) for r in recherches_de(user)],
        "tous_les_favoris": adresse_recherche("favoris=1&mss=1"),
    }
