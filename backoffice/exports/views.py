"""« Exporter », and « Mes exports »: those that are prepared in the background."""

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Introuvable
from backoffice.socle.vues import VueProtegee, page_precedente, veut_fragment

from . import domaine, registre, tasks
from .fichiers import FORMATS, fichier
from .models import OUVERTS, EtatExport, ExportDemande, Morceau

SEUIL = 5_000  # rows above which a format that can't be sent as it is written is prepared in the background
MONTRES = 50
SIGNES: dict[str, str] = {
    EtatExport.EN_ATTENTE: "en-attente",
    EtatExport.EN_COURS: "en-attente",
    EtatExport.PRET: "faite",
    EtatExport.ANNULE: "retire",
    EtatExport.ECHEC: "echec",
}
# Where a reader is in the list says nothing of what the file holds.
_PAGES = ("apres", "avant", "page", "forme")


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


def _filtres(request: HttpRequest) -> QueryDict:
    choix = request.GET.copy()
    for nom in _PAGES:
        choix.pop(nom, None)
    return choix


class Exporter(VueProtegee):
    """A list with its filters, as a file. CSV leaves row after row; a long XLSX or ODS is prepared in the background,
    which the person confirms first: a GET writes nothing."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, nom: str, forme: str) -> HttpResponseBase:
        export = registre.trouver(nom)
        if forme not in FORMATS:
            raise Introuvable("export_inconnu", "Cet export n’existe pas : CSV, XLSX ou ODS.")
        choix = _filtres(request)
        contenu = export.ouvrir(_user(request), choix)
        lignes = contenu.lignes
        if FORMATS[forme].entier:
            lignes = iter(lignes)
            premieres = list(islice(lignes, SEUIL + 2))
            if len(premieres) > SEUIL + 1:
                return redirect(_adresse_preparer(nom, choix, forme))
            lignes = chain(premieres, lignes)
        return fichier(forme, lignes, domaine.nom_du_fichier(export, contenu), export.titre)


def _adresse_preparer(nom: str, choix: QueryDict, forme: str) -> str:
    requete = "&".join(filter(None, [choix.urlencode(), urlencode({"forme": forme})]))
    return f"{reverse('export_preparer', args=[nom])}?{requete}"


class Preparer(VueProtegee):
    """Ask for an export in the background: GET says what that means, POST does it."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest, nom: str) -> HttpResponse:
        export, choix = registre.trouver(nom), _filtres(request)
        export.ouvrir(_user(request), choix)
        voulue = request.GET.get("forme", "")
        contexte = {
            "titre": export.titre,
            "formes": list(FORMATS),
            "voulue": voulue if voulue in FORMATS else "xlsx",
            "url": f"{reverse('export_preparer', args=[nom])}?{choix.urlencode()}",
            "url_csv": f"{reverse('exporter', args=[nom, 'csv'])}?{choix.urlencode()}",
            "long": voulue in FORMATS,
            "seuil": SEUIL,
            "retour": page_precedente(request),
            "jours": domaine.DUREE.days,
        }
        return render(request, "exports/preparer.html", contexte)

    def post(self, request: HttpRequest, nom: str) -> HttpResponse:
        demande = domaine.demander(
            acteur=_user(request), nom=nom, requete=_filtres(request).urlencode(), forme=request.POST.get("forme", "")
        )
        tasks.reveiller(demande.pk)
        return redirect("mes_exports")


class MesExports(VueProtegee):
    """One's own, the last first. htmx asks for the list again until none is being prepared."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        demandes = list(domaine.siennes(_user(request)).order_by("-pk")[:MONTRES])
        contexte = {
            "lignes": [_ligne(d) for d in demandes],
            "en_cours": any(d.etat in OUVERTS for d in demandes),
            "jours": domaine.DUREE.days,
        }
        gabarit = "exports/_mes_exports.html" if veut_fragment(request) else "exports/mes_exports.html"
        return render(request, gabarit, contexte)


def _ligne(demande: ExportDemande) -> dict[str, Any]:
    return {
        "demande": demande,
        "signe": SIGNES[demande.etat],
        "ouvert": demande.etat in OUVERTS,
        "pret": demande.etat == EtatExport.PRET,
        "taille": filesizeformat(demande.taille) if demande.taille is not None else "",
    }


class Annuler(VueProtegee):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        demande = domaine.annuler(numero=numero, acteur=_user(request))
        messages.success(request, f"L’export « {demande.titre} » est annulé.")
        return redirect("mes_exports")


class Telecharger(VueProtegee):
    """The file, for its author as long as she may see the list."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, numero: int) -> HttpResponseBase:
        demande = domaine.siennes(_user(request)).filter(pk=numero).first()
        if demande is None:
            raise Introuvable(
                "export_inconnu",
                "Cet export n’existe plus, ou n’est pas le vôtre : les fichiers sont gardés 7 jours.",
            )
        if demande.etat != EtatExport.PRET:
            raise Conflit("export_pas_pret", f"Ce fichier n’est pas prêt : {demande.get_etat_display().lower()}.")
        registre.trouver(demande.nom).ouvrir(_user(request), QueryDict(demande.requete))
        reponse = StreamingHttpResponse(_morceaux(demande), content_type=FORMATS[demande.forme].mime)
        reponse["Content-Length"] = str(demande.taille)
        reponse["Content-Disposition"] = f'attachment; filename="{demande.fichier}"'
        reponse["Cache-Control"] = "no-store, private"
        return reponse


def _morceaux(demande: ExportDemande) -> Iterator[bytes]:
    """One piece in memory at a time."""
    for rang in range(demande.morceaux.count()):
        yield bytes(Morceau.objects.get(demande=demande, rang=rang).contenu)
