"""The review of a dossier on screen: what it will do, the tree it gives, its exports."""

from io import BytesIO
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers

from backoffice.exports import document
from backoffice.exports.fichiers import FORMATS
from backoffice.socle.arbre import Noeud
from backoffice.socle.erreurs import Conflit, Introuvable
from backoffice.socle.mots import date_longue
from backoffice.socle.vues import entier

from .. import revue
from ..domaine.apercu import NoeudTravail
from ..models import Dossier
from ..revue import synthese, tableur
from ..revue.modele import ATTENTIONS, Changement
from .espace import VueDossier, nom_de


def contexte_revue(request: HttpRequest, liste: list[Changement], url: str) -> dict[str, Any]:
    """What the templates show of a review: all of it, or the part that the address asks for.

    ``?attention=`` keeps the changes with a mark, ``?fiche=`` one change; ``?bloc=`` lists what is folded under one
    line, ``?depuis=`` from there on.
    """
    code, fiche, cle = (request.GET.get(nom, "") for nom in ("attention", "fiche", "bloc"))
    tout = revue.resume(liste, url=url)
    contexte: dict[str, Any] = {"changements": liste, "resume": tout, "marques": tout.marques, "attention": ""}
    if code in ATTENTIONS:
        gardes = [c for c in liste if any(a.code == code for a in c.attentions)]
        return contexte | {"changements": gardes, "resume": revue.resume(gardes, url=url), "attention": code}
    if not fiche and not cle:
        return contexte
    partie = synthese.bloc(tout, liste, cle) if cle else None
    montres = partie.changements if partie else [c for c in liste if c.fiche == entier(fiche)]
    if not montres:
        raise Introuvable(
            "changements_inconnus",
            "Ces changements ne sont plus présentés ainsi : le dossier a changé. Ouvrez de nouveau la page de ses "
            "changements.",
        )
    depuis = entier(request.GET.get("depuis")) or 0
    fin = depuis + synthese.TRANCHE
    return contexte | {
        "partie": montres[depuis:fin],
        "depuis": depuis,
        "lignes_communes": partie.lignes if partie else [],
        "suite": f"{url}?bloc={cle}&depuis={fin}" if fin < len(montres) else "",
        "reste": max(0, len(montres) - fin),
    }


def onglets_des_marques(contexte: dict[str, Any], url: str) -> list[dict[str, Any]]:
    """<c-onglets-filtres>: every change, or those with one mark of attention."""
    tous = {"libelle": "Tous les changements", "url": url, "nombre": None, "actif": not contexte["attention"]}
    return [tous] + [
        {"libelle": m.libelle, "url": f"{url}?attention={m.code}", "nombre": m.total,
         "actif": contexte["attention"] == m.code}
        for m in contexte["marques"]
    ]  # fmt: skip


class VueRevue(VueDossier):
    """A page that shows a review, live or kept."""

    def page_revue(
        self, request: HttpRequest, gabarit: str, liste: list[Changement], url: str, **plus: Any
    ) -> HttpResponse:
        """The page; for the script, the lines that it unfolds."""
        contexte = contexte_revue(request, liste, url)
        if "partie" in contexte and getattr(request, "htmx", False):
            gabarit = "workflows/_changements_suite.html"
        contexte |= {"espace": self.espace, "dossier": self.dossier, "saisies_commentaires": {}}
        contexte["onglets"] = onglets_des_marques(contexte, url) if contexte["marques"] else []
        reponse = render(request, gabarit, contexte | {"commentable": "commenter" in request.GET} | plus)
        patch_vary_headers(reponse, ["HX-Request"])
        return reponse


class ChangementsView(VueRevue):
    """« Ce que le dossier change »: the same review as those who decide."""

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        url = reverse("dossier_changements", args=[numero])
        liste = revue.changements(self.dossier, request.user)
        fil = self.fil(("Ce que le dossier change", ""))
        return self.page_revue(request, "workflows/changements.html", liste, url, fil=fil)


class ArbreView(VueDossier):
    """« Voir l’arbre obtenu »: the establishment as it will be."""

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        if not self.dossier.est_ouvert:
            raise Conflit("dossier_termine", "Ce dossier est terminé : l’établissement se lit au répertoire.")
        racine = self.espace.arbre.racine
        revue_ = ("Ce que le dossier change", reverse("dossier_changements", args=[numero]))
        contexte = {
            "espace": self.espace,
            "dossier": self.dossier,
            "fil": self.fil(revue_, ("L’arbre obtenu", "")),
            "noeuds": [self._noeud(racine)],
            "total": sum(1 for n in racine.parcours() if not n.supprime),
        }
        return render(request, "workflows/arbre_obtenu.html", contexte)

    def _noeud(self, n: NoeudTravail) -> Noeud:
        depuis = self.espace.arbre.noeuds.get(n.parent_publie_id or 0) if n.deplace else None
        etats = [n.travail.nature] if n.travail else []
        return Noeud(
            id=n.identifiant,
            niveau=n.niveau,
            libelle=nom_de(n),
            url=self.espace.url_fiche(n.fiche_id),
            enfants=[self._noeud(enfant) for enfant in n.enfants if not enfant.supprime],
            etats=[*etats, *(["sensible"] if n.sensible else [])],
            note=f"depuis {nom_de(depuis)}" if depuis else "",
        )


GABARIT = "workflows/revue_document.html"


class ImprimerView(VueDossier):
    """The whole review on one page, unfolded: to print, and what the PDF is made of."""

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        liste = revue.changements(self.dossier, request.user)
        return document.imprimer(request, GABARIT, contexte_document(self.dossier, self.espace.etablissement, liste))


class ExporterView(VueDossier):
    """The review as a file to keep."""

    def get(self, request: HttpRequest, numero: int, forme: str) -> HttpResponse:
        liste = revue.changements(self.dossier, request.user)
        contexte = contexte_document(self.dossier, self.espace.etablissement, liste)
        return exporter(request, contexte, f"dossier-{numero}-changements", forme)


def contexte_document(
    dossier: Dossier, etablissement: str, liste: list[Changement], *plus: tuple[str, str]
) -> dict[str, Any]:
    """What a review says on paper, the same in every format. ``plus``: more (label, value) of what it is."""
    identite = [
        ("Dossier", f"{dossier.nom} (n° {dossier.pk})"),
        ("Établissement", f"{etablissement} ({dossier.eg.identifiant})"),
        ("État", dossier.get_etat_display()),
        ("Préparé par", str(dossier.auteur)),
    ]
    if dossier.envoye_le and not dossier.est_brouillon:
        identite.append(("Envoyé", f"par {dossier.envoye_par}, le {date_longue(dossier.envoye_le, 'heure')}"))
    identite += [*plus, ("Édité", f"le {date_longue(timezone.now(), 'heure')}")]
    return {
        "dossier": dossier,
        "identite": identite,
        "changements": liste,
        "resume": revue.resume(liste),
    }


def exporter(request: HttpRequest, contexte: dict[str, Any], nom: str, forme: str) -> HttpResponse:
    """A file, XLSX or PDF. When no PDF can be made here: the page to print, which says why."""
    if forme == "xlsx":
        tampon = BytesIO()
        tableur.ecrire(contexte["identite"], contexte["changements"], contexte["resume"], tampon)
        return _fichier(tampon.getvalue(), f"{nom}.xlsx", FORMATS["xlsx"].mime)
    if forme != "pdf":
        raise Introuvable("export_inconnu", "Cet export n’existe pas : exportez en XLSX ou en PDF.")
    changes = len(contexte["changements"])
    return document.en_pdf(request, GABARIT, contexte, nom, combien=changes, quoi="changements")


def _fichier(contenu: bytes, nom: str, mime: str) -> HttpResponse:
    return HttpResponse(contenu, content_type=mime, headers={"Content-Disposition": f'attachment; filename="{nom}"'})
