"""« Associations »: what a code implies, set by gestionnaires. A change says what it touches before it is made."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse

from backoffice.comptes.models import User
from backoffice.exports.fichiers import Ligne
from backoffice.exports.registre import Contenu
from backoffice.socle.erreurs import Interdit, Introuvable, Invalide, reporter
from backoffice.socle.vues import VueProtegee

from .. import regles
from ..domaine import associations
from ..domaine.texte import normaliser
from ..enums import NatureRegle
from ..forms.associations import RegleForm

PAGE = 100


class VueAssociations(VueProtegee):
    nature: NatureRegle

    def autoriser(self, request: HttpRequest) -> None:
        self.nature = _nature_choisie(request.user, self.kwargs.get("nature", NatureRegle.CATEGORIE))


def _nature_choisie(user: User | AnonymousUser, nature: str) -> NatureRegle:
    if not regles.est_gestionnaire(user):
        raise Interdit("sans_droit", "Seuls les gestionnaires SESAN lisent et changent les associations.")
    if nature not in NatureRegle.values:
        raise Introuvable("nature_inconnue", "Cette association n’existe pas.")
    return NatureRegle(nature)


def exporter_regles(user: User, choix: QueryDict) -> Contenu:
    """``?nature=``, in the layout that the import of associations reads."""
    nature = _nature_choisie(user, choix.get("nature", NatureRegle.CATEGORIE))
    tenues, noms = associations.lire(nature), associations.cles_possibles(nature)

    def lignes() -> Iterator[Ligne]:
        if nature in associations.CIBLES:
            yield (
                ("type", "champ", "libelle") if nature == NatureRegle.TYPE_CHAMP else ("famille", "activite", "libelle")
            )
        else:
            yield ("code", *associations.CHAMPS[nature], "libelle")
        for cle, valeurs in sorted(tenues.items()):
            if nature in associations.CIBLES:
                code = cle.split("/", 1)[1] if nature == NatureRegle.TYPE_CHAMP else cle
                yield from ((code, cible, noms.get(cle, "")) for cible in valeurs["cibles"])
            else:
                yield (cle, *("+".join(valeurs[c]) for c in associations.CHAMPS[nature]), noms.get(cle, ""))

    return Contenu(lignes(), nom=nature.value)


class AssociationsView(VueAssociations):
    """The rules of a nature, in the order of their codes; ``?q=`` words of a label or a code."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, nature: str = "") -> HttpResponse:
        q, apres = request.GET.get("q", "").strip()[:100], request.GET.get("apres", "")[:60]
        tenues, mots = associations.lire(self.nature), normaliser(q)
        noms = associations.cles_possibles(self.nature)
        codes = [
            (cle, noms[cle])
            for cle in sorted(noms)
            if cle > apres and all(mot in normaliser(f"{cle} {noms[cle]}") for mot in mots.split())
        ]
        libelles = associations.possibles(self.nature)
        lignes = [
            (
                cle,
                nom,
                [(associations.LIBELLES[c], _mots(libelles[c], tenues.get(cle, {}).get(c, ()))) for c in self._champs],
            )
            for cle, nom in codes[:PAGE]
        ]
        contexte = {
            "nature": self.nature,
            "onglets": [
                {"libelle": n.label, "url": reverse("associations", args=[n.value]), "nombre": None,
                 "actif": n == self.nature, "retard": 0}
                for n in NatureRegle
            ],
            "colonnes": [associations.LIBELLES[c] for c in self._champs],
            "lignes": lignes,
            "q": q,
            "precedent": f"?{urlencode({'q': q})}" if apres else "",
            "suivant": f"?{urlencode({'q': q, 'apres': codes[PAGE - 1][0]})}" if len(codes) > PAGE else "",
        }  # fmt: skip
        return render(request, "structures/associations/liste.html", contexte)

    @property
    def _champs(self) -> tuple[str, ...]:
        return associations.CHAMPS[self.nature]


def _mots(libelles: dict[str, str], valeurs: tuple[str, ...]) -> str:
    montres = [libelles.get(v, v) for v in valeurs[:5]]
    reste = len(valeurs) - len(montres)
    return ", ".join(montres) + (f" et {reste} autre{'s' if reste > 1 else ''}" if reste else "")


class AssociationView(VueAssociations):
    """One rule. « Voir ce qui change » says what would be touched; « Confirmer » does it."""

    http_method_names = ["get", "head", "post"]

    def autoriser(self, request: HttpRequest) -> None:
        super().autoriser(request)
        self.noms = associations.cles_possibles(self.nature)
        if self.kwargs["cle"] not in self.noms:
            raise Introuvable("code_inconnu", "Ce code n’existe pas.")
        self.avant = associations.lire(self.nature)

    def get(self, request: HttpRequest, nature: str, cle: str) -> HttpResponse:
        return self._page(request, cle, RegleForm(nature=self.nature, tenues=self.avant.get(cle, {})))

    def post(self, request: HttpRequest, nature: str, cle: str) -> HttpResponse:
        form = RegleForm(request.POST, nature=self.nature, tenues=self.avant.get(cle, {}))
        if not form.is_valid():
            return self._page(request, cle, form, 422)
        touche = associations.consequences(self.nature, self.avant, {cle: form.valeurs}).get(cle, "")
        # What was shown: a colleague's change since, or another choice on this page, is shown again.
        vu = sha256(repr([self.avant.get(cle), form.valeurs, touche]).encode()).hexdigest()[:16] if touche else ""
        if not vu or request.POST.get("confirmer") != vu:
            return self._page(request, cle, form, touche=touche or "Rien ne change.", vu=vu)
        try:
            associations.fixer(
                nature=self.nature, cle=cle, valeurs=form.valeurs, acteur=cast(User, request.user)
            )  # fmt: skip
        except Invalide as refus:
            reporter(form, refus)
            return self._page(request, cle, form, 422)
        messages.success(request, f"C’est enregistré pour {cle} {self.noms[cle]}.")
        return HttpResponseRedirect(reverse("associations", args=[self.nature.value]))

    def _page(
        self, request: HttpRequest, cle: str, form: RegleForm, statut: int = 200, touche: str = "", vu: str = ""
    ) -> HttpResponse:
        contexte: dict[str, Any] = {
            "nature": self.nature,
            "cle": cle,
            "nom": self.noms[cle],
            "form": form,
            "touche": touche,
            "vu": vu,
            "fil": [
                ("Accueil", "/"),
                ("Nomenclatures", reverse("nomenclatures")),
                (self.nature.label, reverse("associations", args=[self.nature.value])),
                (cle, ""),
            ],
        }
        return render(request, "structures/associations/regle.html", contexte, status=statut)
