"""One pass of the rules over a dossier."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from structures.domaine.patches import Etat
from structures.enums import Niveau
from structures.requetes import etats_au

from ...models import FicheTravail
from ..apercu import Apercu, NoeudTravail
from ..fusion import etat_de_travail
from .catalogue import CATALOGUE, Gravite, Regle, Sujet
from .contexte import Contexte, lire_contexte


@dataclass(frozen=True, slots=True)
class Faute:
    """What a rule finds on a fiche. ``gravite``: what it means for the dossier. ``touchee``: the dossier has a part
    in it; otherwise the register had it before, on a fiche that the dossier leaves as it is. ``rang``: of the fiche in
    the order of the tree."""

    regle: Regle
    noeud: NoeudTravail
    champ: str
    phrase: str
    gravite: Gravite
    touchee: bool
    rang: int

    @property
    def bloque(self) -> bool:
        return self.touchee and self.gravite is Gravite.BLOQUANT

    @property
    def phrase_publique(self) -> str:
        """For who may not read all contacts: what one keeps to the establishment is left out."""
        return f"{self.regle.titre}." if self.champ == "contacts" else self.phrase

    @property
    def en_public(self) -> str:
        """With the name of the fiche."""
        return f"« {self.noeud.nom or self.noeud.identifiant} » : {self.phrase_publique}"


def controler(arbre: Apercu, travaux: Iterable[FicheTravail], *, repertoire_aussi: bool = False) -> list[Faute]:
    """What the rules find on the fiches of these working copies and on the tree, in the order of the tree.

    ``repertoire_aussi``: on the other fiches of the establishment too. A constant number of statements for any size.
    """
    copies = {t.fiche_id: t for t in travaux if t.fiche_id in arbre.noeuds}
    lues = list(arbre.noeuds if repertoire_aussi else copies)
    registre = etats_au(lues)
    etats = {cle: etat_de_travail(copies.get(cle), registre.get(cle, {})) for cle in lues}
    contexte = lire_contexte(arbre, etats)
    return [
        faute
        for rang, noeud in enumerate(arbre.racine.parcours())
        if not noeud.supprime or noeud is arbre.racine
        for faute in _fautes(rang, noeud, copies.get(noeud.fiche_id), etats.get(noeud.fiche_id), contexte)
    ]


def a_corriger(arbre: Apercu, travaux: Iterable[FicheTravail]) -> dict[int, dict[str, list[str]]]:
    """By fiche, what prevents its finalising: the sentences by field; absent when nothing does. Same statements."""
    manques: dict[int, dict[str, list[str]]] = {}
    for faute in bloquantes(controler(arbre, travaux)):
        manques.setdefault(faute.noeud.fiche_id, {}).setdefault(faute.champ, []).append(faute.phrase)
    return manques


def bloquantes(fautes: Iterable[Faute]) -> list[Faute]:
    """Those that prevent the sending and the publication."""
    return [faute for faute in fautes if faute.bloque]


def _fautes(
    rang: int, noeud: NoeudTravail, travail: FicheTravail | None, etat: Etat | None, contexte: Contexte
) -> Iterator[Faute]:
    # What a closed fiche comes back with was chosen long ago.
    patch = None if travail is None else {} if travail.rouvre else travail.patch
    sujet = Sujet(noeud, etat or {}, patch)
    entoure = travail is not None or noeud.travail is not None or noeud.fiche_id in contexte.quittees
    for regle in _REGLES[noeud.niveau]:
        if etat is None and not regle.sur_l_arbre:
            continue
        for champ, phrase in regle.chercher(sujet, contexte):
            touchee = entoure if regle.sur_l_arbre else travail is not None
            yield Faute(regle, noeud, champ, phrase, _gravite(regle, sujet), touchee, rang)


def _gravite(regle: Regle, sujet: Sujet) -> Gravite:
    """What the dossier did not do is no reason to stop it."""
    change = regle.obligatoire or sujet.neuve or sujet.patch is None or not regle.champs.isdisjoint(sujet.patch)
    return regle.gravite if change else Gravite.AVERTISSEMENT


_REGLES: dict[str, list[Regle]] = {niveau: [r for r in CATALOGUE.values() if niveau in r.niveaux] for niveau in Niveau}
