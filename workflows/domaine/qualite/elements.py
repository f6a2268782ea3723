"""Mandatory elements: what a fiche can't be finalised without (domain.md §3, mark *; acceptance 75)."""

from collections.abc import Callable, Iterator

from structures.champs import CHAMPS, UNITES, Champ, Exige, est_exige, est_vide, libelle, manquants
from structures.enums import Niveau

from .catalogue import DOMAINE, INTERNES, MODELE, UO, Constat, Gravite, Sujet, regle
from .contexte import Contexte


def _constat(champ: Champ, niveau: str) -> Constat:
    return Constat(champ.nom, f"« {libelle(champ, niveau)} » est obligatoire pour finaliser la fiche.")


def _toujours_exiges(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    niveau = fiche.noeud.niveau
    absents = {c.nom: c for c in manquants(niveau, contexte.arbre.champ, fiche.etat) if c.exige is Exige.TOUJOURS}
    for nom, champ in absents.items():
        if UNITES.get(nom) not in absents:  # a number and its unit are one question
            yield _constat(champ, niveau)


def _exige_en_medico_social(nom: str) -> Callable[[Sujet, Contexte], Iterator[Constat]]:
    champ = CHAMPS[nom]

    def chercher(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
        if est_exige(champ, contexte.arbre.champ) and est_vide(champ, fiche[nom]):
            yield _constat(champ, fiche.noeud.niveau)

    return chercher


for _code, _titre, _niveaux in (
    ("BO-ELEMENTS-EG", "Les éléments obligatoires de l’établissement sont remplis", (Niveau.EG,)),
    ("BO-ELEMENTS-OI", "Les éléments obligatoires du pôle, du service ou de l’UF sont remplis", INTERNES),
    ("BO-ELEMENTS-UO", "Les éléments obligatoires de l’unité opérationnelle sont remplis", UO),
):
    _champs = {c.nom for c in CHAMPS.values() if c.exige is Exige.TOUJOURS and c.niveaux.intersection(_niveaux)}
    regle(_code, _titre, Gravite.BLOQUANT, _niveaux, _champs, MODELE, obligatoire=True)(_toujours_exiges)

for _code, _titre, _nom in (
    ("BO-SERAFIN", "Une unité médico-sociale indique sa famille SERAFIN", "familles_serafin"),
    ("BO-PUBLIC", "Une unité médico-sociale indique le public pris en charge", "publics"),
):
    regle(_code, _titre, Gravite.BLOQUANT, UO, {_nom}, DOMAINE, obligatoire=True)(_exige_en_medico_social(_nom))
