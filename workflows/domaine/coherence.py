"""What the dossier would publish, held against the rules that need no look-up: complete, coherent, legally hung.

A fiche was checked when it was finalised; the register may have moved since. A constant number of statements.
"""

from structures.champs import libelle, manquants
from structures.domaine.valider import erreurs_coherence
from structures.enums import niveau_parent
from structures.requetes import etats_au

from ..models import Dossier, FicheTravail
from .apercu import apercu
from .fusion import etat_de_travail


def incoherences(dossier: Dossier, travaux: list[FicheTravail]) -> list[str]:
    """One French sentence by fault; empty when everything the dossier touches may be published as it is."""
    arbre, repertoire = apercu(dossier, travaux), etats_au(t.fiche_id for t in travaux)
    fautes = []
    for travail in travaux:
        noeud = arbre.noeuds.get(travail.fiche_id)
        if noeud is None or noeud.supprime:
            continue
        nom, etat = noeud.nom or noeud.identifiant, etat_de_travail(travail, repertoire.get(travail.fiche_id, {}))
        absents = [libelle(champ, noeud.niveau) for champ in manquants(noeud.niveau, arbre.champ, etat)]
        if absents:
            fautes.append(f"« {nom} » n’est plus complète ({', '.join(absents[:3])}).")
        fautes += [
            f"« {nom} » : {m}" for messages in erreurs_coherence(travail.patch.keys(), etat).values() for m in messages
        ]
        parent = arbre.noeuds.get(noeud.parent_id or 0)
        if noeud is not arbre.racine and (
            parent is None or parent.supprime or parent.niveau != niveau_parent(noeud.niveau, arbre.champ)
        ):
            fautes.append(f"« {nom} » n’aurait plus de rattachement légal : déplacez-la ou supprimez-la.")
    return fautes
