"""« Aperçu de la publication »: asked by a button, for it takes the locks of a publication."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from backoffice.socle.arbre import Noeud as NoeudAffiche
from backoffice.socle.erreurs import Conflit
from backoffice.socle.mots import date_longue
from structures.enums import Niveau
from structures.requetes import Noeud

from ..domaine.apercu import SANS_NOM
from ..domaine.qualite import controler
from ..domaine.simulation import Simulation, simuler
from .arbre import GRAND_ARBRE
from .controles import Controles
from .espace import VueDossier

NIVEAUX = (Niveau.POLE, Niveau.SERVICE, Niveau.UF, Niveau.UO)


class ApercuView(VueDossier):
    """For whoever sees the dossier, author or approver, while it is open."""

    def autoriser(self, request: HttpRequest) -> None:
        super().autoriser(request)
        if not self.dossier.est_ouvert:
            raise Conflit("dossier_termine", "Ce dossier est terminé : il n’y a plus de publication à prévoir.")

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        return self._page(request, None)

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        return self._page(request, simuler(numero=numero, acteur=self.acteur))

    def _page(self, request: HttpRequest, simulation: Simulation | None) -> HttpResponse:
        contexte = {
            "espace": self.espace,
            "dossier": self.dossier,
            "fil": self.fil(("Aperçu de la publication", "")),
            "simulation": simulation,
            "obstacles": self.espace.obstacles if self.dossier.est_brouillon else [],
            "noeuds": [],
            "comptes": [],
            "avertissements": None,
        }
        if simulation is not None and simulation.racine is not None:
            fautes = controler(self.espace.arbre, self.espace.travaux)
            controles = Controles(self.dossier, self.request.user, fautes, en_edition=self.espace.modifiable)
            contexte |= {
                "avertissements": controles.par_fiche(["avertissements"], slice(10)),
                "noeuds": [self._noeud(simulation.racine)],
                "comptes": [
                    (niveau.label, simulation.avant[niveau], simulation.apres[niveau])
                    for niveau in NIVEAUX
                    if simulation.avant[niveau] or simulation.apres[niveau]
                ],
                "jour": date_longue(simulation.jour),
            }
        return render(request, "workflows/apercu.html", contexte)

    def _noeud(self, racine: Noeud) -> NoeudAffiche:
        """The tree of the register to come, with what the dossier does to each fiche."""
        travaux = {t.fiche_id: t for t in self.espace.travaux}
        grand = sum(1 for _ in racine.parcours()) >= GRAND_ARBRE

        def un(n: Noeud) -> tuple[NoeudAffiche, bool]:
            dessous = [un(enfant) for enfant in n.enfants]
            travail, touche = travaux.get(n.fiche_id), any(t for _, t in dessous)
            etats = [travail.nature] if travail else []
            affiche = NoeudAffiche(
                id=n.identifiant,
                niveau=n.niveau,
                libelle=n.nom or SANS_NOM,
                enfants=[enfant for enfant, _ in dessous],
                etats=etats + (["sensible"] if n.sensible else []),
                ouvert=not grand or touche or n.niveau in (Niveau.EG, Niveau.POLE),
            )
            return affiche, touche or travail is not None

        return un(racine)[0]
