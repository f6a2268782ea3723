"""What the deletions of a file take along: what its author reads in the preview, and nothing more, goes with them."""

from collections.abc import Iterable, Mapping
from typing import Any

from ..apercu import Apercu, NoeudTravail
from .colonnes import SUPPRIMER


def emportees(arbre: Apercu, lignes: Iterable[Mapping[str, Any]]) -> dict[int, list[NoeudTravail]]:
    """By fiche that these rows (``Analyse.lignes``) delete, those below that go with it: not those that other rows move
    elsewhere, nor those that the dossier deletes already."""
    lignes = list(lignes)
    parties = {ligne["fiche"] for ligne in lignes if ligne["parent"] is not None}

    def dessous(noeud: NoeudTravail) -> Iterable[NoeudTravail]:
        for enfant in noeud.enfants:
            if enfant.fiche_id not in parties:
                if not enfant.supprime:
                    yield enfant
                yield from dessous(enfant)

    supprimees = (ligne["fiche"] for ligne in lignes if ligne["action"] == SUPPRIMER)
    return {cle: list(dessous(arbre.noeuds[cle])) for cle in supprimees}


def accueillies(arbre: Apercu, branches: Mapping[int, list[NoeudTravail]]) -> dict[int, NoeudTravail]:
    """By new fiche that the file deletes (``emportees``), a published one that was moved under it and would be lost:
    the gesture refuses it too (``gestes.supprimer``). Not one that goes with a published fiche deleted as well."""
    fermees = {n.fiche_id for cle, branche in branches.items() if arbre.noeuds[cle].publie for n in branche}
    fermees |= branches.keys()
    perdues = {cle: [n for n in b if n.publie and n.fiche_id not in fermees] for cle, b in branches.items()}
    return {cle: noeuds[0] for cle, noeuds in perdues.items() if noeuds}


def revision_de(noeud: NoeudTravail) -> int:
    """Number of the last save of a fiche in the dossier, 0 when the dossier does not touch it."""
    return noeud.travail.revision if noeud.travail else 0
