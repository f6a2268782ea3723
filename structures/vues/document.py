"""An establishment on paper: its tree and its fiches on a day, with a place to sign. A page to print, and its PDF."""

from collections.abc import Collection, Iterator
from copy import copy
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from backoffice.exports import document
from backoffice.socle.erreurs import Introuvable
from backoffice.socle.mots import date_longue

from .. import regles, requetes
from ..affichage import Affichage, champ_en_mots
from ..champs import UNITES, champs_de, est_exige, est_vide, libelle
from ..domaine.patches import Etat, valeur
from ..enums import Niveau
from .communs import VueFiche, adresse_fiche, champ_de_l_eg, jour_demande
from .historique import affichage_de

GABARIT = "structures/document.html"


class VueDocument(VueFiche):
    http_method_names = ["get", "head"]

    def contenu(self, request: HttpRequest) -> dict[str, Any]:
        """The whole establishment, in a constant number of statements. 404 for another level, or a day it was not
        there."""
        eg, jour = self.fiche, jour_demande(request)
        racine = requetes.arbre(eg, jour.jour) if eg.niveau == Niveau.EG else None
        if racine is None:
            raise Introuvable("sans_document", "Seul un établissement, un jour où il est ouvert, s’imprime en entier.")
        noeuds = list(racine.parcours())
        etats = requetes.etats_au([n.fiche_id for n in noeuds], jour.jour)
        droits = regles.droits_sur(request.user, eg)
        affichage = affichage_de(
            list(etats),
            list(etats.values()),
            niveau=eg.niveau,
            jour=jour.jour,
            tres_restreint=droits.modifier,
            champs_caches=droits.champs_caches,
        )
        etat = etats[eg.pk]
        version = requetes.version_au(eg, jour.jour)
        assert version is not None
        champ_eg = champ_de_l_eg(eg, version, jour.jour)
        ej = requetes.noms_au({racine.parent_id} if racine.parent_id else set(), jour.jour)
        return {
            "fiche": eg,
            "nom": racine.nom or "(sans nom)",
            "identite": [
                ("Établissement", f"{racine.nom} (FINESS {eg.identifiant[1:]})"),
                *(("Entité juridique", f"{nom} (FINESS {numero[1:]})") for numero, nom in ej.values()),
                ("Catégorie", str(affichage.texte("categorie", etat))),
                ("Champ", champ_en_mots(champ_eg)),
                ("Fiches", str(len(noeuds))),
                ("Contenu du répertoire au", date_longue(jour.jour, "jour")),
                ("Édité", f"le {date_longue(timezone.now(), 'heure')} par {request.user}"),
            ],
            "au": jour.jour,
            "racine": racine,
            "fiches": [_fiche(n, etats[n.fiche_id], affichage, champ_eg, droits.champs_caches) for n in noeuds],
            "url_fiche": adresse_fiche(eg.identifiant, jour),
        }

    def nom_du_fichier(self, request: HttpRequest) -> str:
        return f"etablissement-{self.fiche.identifiant[1:]}-{jour_demande(request).jour.isoformat()}"


def _fiche(
    noeud: requetes.Noeud, etat: Etat, affichage: Affichage, champ_eg: str, caches: Collection[str]
) -> dict[str, Any]:
    mots = copy(affichage)
    mots.niveau = noeud.niveau
    return {
        "noeud": noeud,
        "niveau": Niveau(noeud.niveau).label,
        "nom": noeud.nom or "(sans nom)",
        "lignes": list(_lignes(mots, etat, champ_eg, caches)),
    }


def _lignes(affichage: Affichage, etat: Etat, champ_eg: str, caches: Collection[str]) -> Iterator[tuple[str, Any]]:
    """(label, value) of what is filled, and of what a fiche can't be finalised without."""
    for champ in champs_de(affichage.niveau):
        if champ.nom in caches or champ.nom in UNITES or champ.nom in ("nom", "parent"):
            continue
        if not est_vide(champ, valeur(etat, champ.nom)):
            yield libelle(champ, affichage.niveau), affichage.texte(champ.nom, etat)
        elif est_exige(champ, champ_eg):
            yield libelle(champ, affichage.niveau), "non renseigné"


class ImprimerView(VueDocument):
    """The page to print."""

    def get(self, request: HttpRequest, identifiant: str) -> HttpResponse:
        return document.imprimer(request, GABARIT, self.contenu(request))


class PdfView(VueDocument):
    def get(self, request: HttpRequest, identifiant: str) -> HttpResponse:
        contenu = self.contenu(request)
        return document.en_pdf(
            request, GABARIT, contenu, self.nom_du_fichier(request), combien=len(contenu["fiches"]), quoi="fiches"
        )
