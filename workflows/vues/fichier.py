"""« Remplir depuis un fichier »: the template to download, the file to send, what it would change, its confirmation."""

from copy import copy
from typing import Any, BinaryIO, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from backoffice.exports.fichiers import FORMATS, classeur, fichier
from backoffice.socle.erreurs import Conflit, Introuvable, Invalide
from backoffice.socle.mots import nombre, pluriel
from structures.affichage import Affichage
from structures.champs import CHAMPS, UNITES, libelle
from structures.domaine.patches import Etat, Patch, appliquer
from structures.domaine.texte import normaliser
from structures.enums import Niveau
from structures.importations.tableau import FEUILLE, TAILLE_MAXIMALE
from structures.requetes import etats_au

from ..domaine.apercu import Apercu, apercu
from ..domaine.fichier.appliquer import FichierEnErreur, appliquer_proposition, proposer
from ..domaine.fichier.colonnes import CREER, SUPPRIMER
from ..domaine.fichier.gabarit import EXPLICATIONS, feuilles, lignes
from ..domaine.fusion import etat_de_travail
from ..enums import Nature
from ..models import Proposition
from .arbre import nom_de
from .espace import VueDossier


class FichierView(VueDossier):
    """The template, and the file to send; refused, its errors by line and column."""

    edition = True

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        return self._page(request)

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        envoye = request.FILES.get("fichier")
        if envoye is None:
            return self._page(request, refus="Choisissez le fichier à lire.", statut=422)
        try:
            proposition = proposer(
                numero=numero,
                acteur=self.acteur,
                nom=envoye.name or "",
                flux=cast(BinaryIO, envoye),
                taille=envoye.size or 0,
            )
        except FichierEnErreur as refus:
            return self._page(request, refus=refus.message, erreurs=refus.erreurs, nom=envoye.name, statut=422)
        except Invalide as refus:
            return self._page(request, refus=refus.message, nom=envoye.name, statut=422)
        return HttpResponseRedirect(reverse("dossier_proposition", args=[numero, proposition.pk]))

    def _page(
        self, request: HttpRequest, *, refus: str = "", erreurs: Any = (), nom: str | None = "", statut: int = 200
    ) -> HttpResponse:
        url = reverse("dossier_gabarit", args=[self.dossier.pk])
        contexte = {
            "espace": self.espace,
            "dossier": self.dossier,
            "fil": self.fil(("Remplir depuis un fichier", "")),
            "gabarits": [(cle.upper(), f"{url}?format={cle}") for cle in ("xlsx", "ods", "csv")],
            "explications": EXPLICATIONS[1:],
            "mega": TAILLE_MAXIMALE // 1024 // 1024,
            "refus": refus,
            "erreurs": sorted(erreurs, key=lambda e: e.ligne),
            "nom": nom,
        }
        return render(request, "workflows/fichier.html", contexte, status=statut)


class GabaritView(VueDossier):
    """The file to fill, with the tree of the dossier as it is."""

    edition = True
    http_method_names = ["get"]

    def get(self, request: HttpRequest, numero: int) -> HttpResponseBase:
        format_ = request.GET.get("format", "xlsx")
        nom = f"dossier-{numero}-{normaliser(self.dossier.nom).replace(' ', '-')[:40]}"
        return gabarit(apercu(self.dossier), nom, format_)


def gabarit(arbre: Apercu, nom: str, format_: str) -> HttpResponseBase:
    """This tree as a file to fill."""
    if format_ not in FORMATS:
        raise Invalide("format_inconnu", "Ce format n’existe pas : choisissez XLSX, ODS ou CSV.")
    if format_ == "xlsx":
        return classeur(feuilles(arbre), nom)
    return fichier(format_, lignes(arbre), nom, FEUILLE)


class PropositionView(VueDossier):
    """What a file that was sent would change; confirmed by whoever sent it."""

    edition = True

    def autoriser(self, request: HttpRequest) -> None:
        super().autoriser(request)
        trouvee = self.dossier.propositions.select_related("auteur").filter(pk=self.kwargs["proposition"]).first()
        if trouvee is None:
            raise Introuvable("proposition_inconnue", "Ce fichier n’a pas été déposé dans ce dossier.")
        self.proposition: Proposition = trouvee

    def get(self, request: HttpRequest, numero: int, proposition: int) -> HttpResponse:
        return self._page(request)

    def _page(self, request: HttpRequest, *, refus: str = "", statut: int = 200) -> HttpResponse:
        numero = self.dossier.pk
        depot = ("Remplir depuis un fichier", reverse("dossier_fichier", args=[numero]))
        return render(
            request,
            "workflows/fichier_apercu.html",
            {
                "espace": self.espace,
                "dossier": self.dossier,
                "proposition": self.proposition,
                "fil": self.fil(depot, ("Aperçu", "")),
                "lignes": self.proposition.lignes if self.proposition.appliquee_le else _Apercu(self).lignes(),
                "sienne": self.proposition.auteur_id == self.acteur.pk,
                "refus": refus,
            },
            status=statut,
        )

    def post(self, request: HttpRequest, numero: int, proposition: int) -> HttpResponse:
        try:
            evenement = appliquer_proposition(
                numero=numero, acteur=self.acteur, proposition=proposition, prendre=request.POST.getlist("prendre")
            )
        except Conflit as refus:
            if refus.code != "proposition_depassee":
                raise
            self.autoriser(request)  # the workspace was read before the lock
            return self._page(request, refus=refus.message, statut=409)
        n = evenement.details["nombre"]
        suite = "elles sont en attente : relisez-les, puis finalisez-les." if n > 1 else "elle est en attente."
        messages.success(request, f"{nombre(n)} fiche{pluriel(n)} reprise{pluriel(n)} du fichier ; {suite}")
        return HttpResponseRedirect(self.espace.url)


class _Apercu:
    """A proposal in words: what each row does, before and after; labels are read once for all of them."""

    def __init__(self, vue: PropositionView) -> None:
        self.proposees = vue.proposition.lignes
        self.noeuds = vue.espace.arbre.noeuds
        fiches = [ligne["fiche"] for ligne in self.proposees if ligne["fiche"]]
        registre = etats_au(fiches)
        self.etats = {
            cle: etat_de_travail(self.noeuds[cle].travail if cle in self.noeuds else None, registre.get(cle, {}))
            for cle in fiches
        }
        self.noms = {x["cle"]: x["patch"].get("nom") or f"({x['cle'].strip()})" for x in self.proposees if x["cle"]}
        couples = [self._avant_apres(ligne) for ligne in self.proposees]
        collisions = [appliquer(avant, x["heurts"]) for x, (avant, _) in zip(self.proposees, couples, strict=True)]
        self.affichage = Affichage(
            [etat for couple in couples for etat in couple] + collisions, niveau=Niveau.UO, tres_restreint=True
        )

    def _avant_apres(self, ligne: dict[str, Any]) -> tuple[Etat, Etat]:
        avant = self.etats.get(ligne["fiche"], {})
        return avant, appliquer(avant, ligne["patch"])

    def lignes(self) -> list[dict[str, Any]]:
        return [self._ligne(ligne) for ligne in self.proposees]

    def _ligne(self, ligne: dict[str, Any]) -> dict[str, Any]:
        avant, apres = self._avant_apres(ligne)
        mots = copy(self.affichage)
        mots.niveau = ligne["niveau"]
        noeud = self.noeuds.get(ligne["fiche"])
        natures = [Nature.AJOUT] if ligne["action"] == CREER else []
        if ligne["action"] == SUPPRIMER:
            natures = [Nature.SUPPRESSION]
        elif not natures:
            natures = [Nature.DEPLACEMENT] if ligne["parent"] is not None else []
            natures += [Nature.MODIFICATION] if ligne["patch"] or ligne["heurts"] else []
        return {
            "numero": ligne["ligne"],
            "niveau": ligne["niveau"],
            "nom": nom_de(noeud) if noeud else self.noms.get(ligne["cle"], ""),
            "natures": natures,
            "vers": self._lieu(ligne["parent"]),
            "emporte": [
                (self.noeuds[cle].niveau, nom_de(self.noeuds[cle])) for cle, _ in ligne["emporte"] if cle in self.noeuds
            ],
            "lignes": mots.differences(avant, apres, _dits(ligne["patch"])),
            "heurts": [self._heurt(ligne, nom, avant, mots) for nom in ligne["heurts"]],
        }

    def _lieu(self, parent: int | str | None) -> str:
        if isinstance(parent, int):
            return nom_de(self.noeuds[parent]) if parent in self.noeuds else ""
        return self.noms.get(parent or "", "")

    def _heurt(self, ligne: dict[str, Any], nom: str, avant: Etat, mots: Affichage) -> dict[str, Any]:
        return {
            "cle": f"{ligne['ligne']}:{nom}",
            "champ": libelle(CHAMPS[nom], ligne["niveau"]),
            "maintenant": mots.texte(nom, avant),
            "fichier": mots.texte(nom, appliquer(avant, {nom: ligne["heurts"][nom]})),
        }


def _dits(patch: Patch) -> list[str]:
    """The fields to show: the unit of an age that nobody gives says nothing."""
    return [nom for nom in patch if UNITES.get(nom, nom) in patch]
