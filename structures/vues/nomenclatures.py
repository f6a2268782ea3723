"""« Nomenclatures »: the lists of codes, where they come from, and the fiches that hold closed codes. Gestionnaires."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from backoffice.comptes.models import User
from backoffice.exports.fichiers import Ligne, cellules
from backoffice.exports.registre import Contenu
from backoffice.socle.erreurs import Interdit, Introuvable
from backoffice.socle.vues import VueProtegee, entier
from notifications.rendu import absolue

from .. import nomenclatures, regles
from ..domaine.usages import DEBUT, Usage, est_employee
from ..models import Nomenclature

_ACCUEIL = [("Accueil", "/")]


class VueNomenclatures(VueProtegee):
    http_method_names = ["get", "head"]

    def autoriser(self, request: HttpRequest) -> None:
        _exiger_gestionnaire(request.user)


def _exiger_gestionnaire(user: User | AnonymousUser) -> None:
    if not regles.est_gestionnaire(user):
        raise Interdit("sans_droit", "Les nomenclatures se consultent ici par les gestionnaires SESAN.")


def _liste_ou_404(code: str) -> Nomenclature:
    liste = Nomenclature.objects.filter(pk=code).first()
    if liste is None:
        raise Introuvable("nomenclature_inconnue", "Le répertoire ne connaît pas cette nomenclature.")
    return liste


def _filtres(choix: QueryDict) -> tuple[str, str]:
    """(words, state) of the address of a list of codes."""
    etat = choix.get("etat", "")
    return choix.get("q", "").strip()[:100], etat if etat in nomenclatures.ETATS else ""


class NomenclaturesView(VueNomenclatures):
    def get(self, request: HttpRequest) -> HttpResponseBase:
        contexte = {"listes": nomenclatures.listes(), "fil": [*_ACCUEIL, ("Nomenclatures", "")]}
        return render(request, "structures/nomenclatures/listes.html", contexte)


class VueListe(VueNomenclatures):
    """A page about one list."""

    liste: Nomenclature

    def autoriser(self, request: HttpRequest) -> None:
        super().autoriser(request)
        self.liste = _liste_ou_404(self.kwargs["code"])

    def fil(self, *suite: tuple[str, str]) -> list[tuple[str, str]]:
        adresse = reverse("nomenclature", args=[self.liste.pk]) if suite else ""
        return [*_ACCUEIL, ("Nomenclatures", reverse("nomenclatures")), (self.liste.pk, adresse), *suite]


class NomenclatureView(VueListe):
    """The codes of a list, by pages; ``?q=`` words of the label or a code, ``?etat=``."""

    def get(self, request: HttpRequest, code: str) -> HttpResponseBase:
        q, etat = _filtres(request.GET)
        lignes, suite = nomenclatures.codes(self.liste, q=q, etat=etat, apres=request.GET.get("apres", "")[:40])
        contexte: dict[str, Any] = {
            "liste": self.liste,
            "employee": est_employee(self.liste.pk),
            "lignes": lignes,
            "q": q,
            "etat": etat,
            "etats": nomenclatures.ETATS.items(),
            "suivant": f"?{urlencode({'q': q, 'etat': etat, 'apres': suite})}" if suite else "",
            "precedent": f"?{urlencode({'q': q, 'etat': etat})}" if request.GET.get("apres") else "",
            "fil": self.fil(),
        }
        return render(request, "structures/nomenclatures/liste.html", contexte)


class TenantsView(VueListe):
    """The fiches that hold a code (``?code=``), or any closed code of the list."""

    def get(self, request: HttpRequest, code: str) -> HttpResponseBase:
        demande = request.GET.get("code", "")[:40]
        codes = nomenclatures.a_corriger(self.liste, demande)
        lus, suite = nomenclatures.tenants(self.liste, codes, _apres(request))
        contexte = {
            "liste": self.liste,
            "code": demande,
            "tenants": lus,
            "precedent": f"?{urlencode({'code': demande})}" if request.GET.get("apres") else "",
            "suivant": f"?{urlencode({'code': demande, 'apres': '|'.join(map(str, suite))})}" if suite else "",
            "fil": self.fil((f"Fiches qui tiennent {demande}" if demande else "Codes fermés à corriger", "")),
        }
        return render(request, "structures/nomenclatures/tenants.html", contexte)


def _apres(request: HttpRequest) -> Usage:
    code, fiche, champ = [*request.GET.get("apres", "").split("|"), "", "", ""][:3]
    numero = entier(fiche)
    return DEBUT if numero is None else Usage(code, numero, champ)


# -- exports: every page of the lists ---------------------------------------------------------------------------------


def exporter_listes(user: User, choix: QueryDict) -> Contenu:
    _exiger_gestionnaire(user)
    lues = nomenclatures.listes()

    def lignes() -> Iterator[Ligne]:
        yield ("Code", "Libellé", "Fichier officiel", "Version", "Codes", "Fermés", "Complétée par", "Système", "OID")
        for n in lues:
            yield cellules(n.pk, n.libelle, n.nom, n.version, n.total, n.fermes, n.complement, n.url, n.oid)  # type: ignore[attr-defined]

    return Contenu(lignes(), lambda: len(lues))


def exporter_codes(user: User, choix: QueryDict) -> Contenu:
    """``?liste=``, and the filters of the page."""
    liste = _liste_choisie(user, choix)
    q, etat = _filtres(choix)

    def lignes() -> Iterator[Ligne]:
        yield ("Nomenclature", "Code", "Libellé", "Début", "Fin", "Fermé", "Remplacé par", "Fiches")
        for ligne in nomenclatures.tous_les_codes(liste, q=q, etat=etat):
            c = ligne.concept
            yield cellules(
                liste.pk, c.code, c.libelle, c.date_debut, c.date_fin, ligne.ferme, c.remplace_par, ligne.fiches
            )

    return Contenu(lignes(), nom=liste.pk)


def exporter_tenants(user: User, choix: QueryDict) -> Contenu:
    """``?liste=``, and ``?code=`` for one code instead of every closed one."""
    liste, code = _liste_choisie(user, choix), choix.get("code", "")[:40]

    def lignes() -> Iterator[Ligne]:
        yield (
            "Nomenclature", "Code", "Libellé", "Fermé le", "Remplacé par", "Fiche", "Identifiant", "Établissement",
            "Champ", "Adresse",
        )  # fmt: skip
        for t in nomenclatures.tous_les_tenants(liste, nomenclatures.a_corriger(liste, code)):
            yield cellules(
                liste.pk, t.concept.code, t.concept.libelle, t.concept.date_fin, t.remplacant, t.nom, t.fiche,
                t.etablissement, t.champ, absolue(reverse("fiche", args=[t.fiche])),
            )  # fmt: skip

    return Contenu(lignes(), nom=f"{liste.pk}-{code or 'codes-fermes'}".replace("/", "-"))


def _liste_choisie(user: User, choix: QueryDict) -> Nomenclature:
    _exiger_gestionnaire(user)
    return _liste_ou_404(choix.get("liste", ""))
