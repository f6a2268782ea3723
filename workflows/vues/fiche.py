"""A fiche of a dossier: its form on a draft, for those who edit it; else what the dossier does to it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from backoffice.socle.erreurs import Introuvable
from structures.affichage import Affichage
from structures.champs import champs_de, libelle
from structures.enums import Niveau
from structures.models import Fiche
from structures.requetes import champ_et_filiere, etats_au, version_au
from structures.sections import sections

from .. import revue
from ..domaine.fusion import etat_de_travail
from .arbre import chemin, nom_de
from .fiche_enregistrer import VueEnregistrement


class FicheView(VueEnregistrement):
    """One fiche of the tree, to fill or to read; of an ended dossier, what was done to it."""

    def get(self, request: HttpRequest, numero: int, fiche: int) -> HttpResponse:
        if not self.dossier.est_ouvert:
            return self._passee(request)
        if not self.espace.modifiable or self.place.supprime:
            return self._lecture(request)
        self.lire_registre()
        return self.rendre(request, self.formulaire(etat_de_travail(self.travail, self.registre)))

    def _lecture(self, request: HttpRequest) -> HttpResponse:
        """What the dossier does to the fiche, then everything that it holds."""
        place, arbre = self.place, self.espace.arbre
        etat = etat_de_travail(self.travail, etats_au([self.cle]).get(self.cle, {}))
        eg = version_au(self.dossier.eg)
        mots = Affichage([etat], niveau=place.niveau, tres_restreint=self.droits.modifier)
        visibles = [c for c in champs_de(place.niveau) if c.nom not in self.droits.champs_caches]
        avant, apres = self.voisines([n for n in arbre.racine.parcours() if n.travail])
        en_attente = self.travail is not None and not self.travail.est_finalisee
        contexte = self._changement(request) | {
            **self.discussion,
            "travail": self.travail,
            "precedente": avant,
            "suivante": apres,
            "manques": [libelle(c, place.niveau) for c in self.manques(etat)] if en_attente else [],
            "fiche": self.travail.fiche if self.travail else Fiche.objects.get(pk=self.cle),
            "niveau": Niveau(place.niveau).label,
            "nom": nom_de(place),
            "sections": sections(mots, etat, champ_et_filiere(eg.categorie if eg else "")[0], visibles),
            "supprimee": place.supprime,
            "annulable": place.supprime and self.espace.modifiable,
            "au_repertoire": place.publie,
            "ou": chemin(arbre, arbre.noeuds.get(place.parent_id or 0)),
        }
        return self.panneau(request, "workflows/_panneau_lecture.html", contexte, titre=nom_de(place), actif=self.cle)

    def _passee(self, request: HttpRequest) -> HttpResponse:
        """What an ended dossier did, or would have done, to the fiche."""
        if self.travail is None:
            raise Introuvable("fiche_inconnue", "Ce dossier n’a pas changé cette fiche.")
        fiche = self.travail.fiche
        contexte = self._changement(request)
        nom = contexte["changement"].nom
        contexte |= {
            "fiche": fiche,
            "niveau": Niveau(fiche.niveau).label,
            "nom": nom,
            "au_repertoire": fiche.versions.exists(),
            "espace": self.espace,
            "dossier": self.dossier,
            "fil": self.fil((nom, "")),
            "titre_panneau": nom,
        }
        return render(request, "workflows/fiche_passee.html", contexte)

    def _changement(self, request: HttpRequest) -> dict[str, Any]:
        liste = revue.changements(self.dossier, request.user, fiche=self.cle) if self.travail else []
        return {"changement": liste[0] if liste else None}
