"""Rules that the register already holds on every save, entered here under a code."""

from collections.abc import Iterable, Iterator

from structures.domaine.valider import COHERENCES

from .catalogue import DOMAINE, Constat, Gravite, Sujet, regle
from .contexte import Contexte


def coherence(code: str, titre: str, cle: str, niveaux: Iterable[str]) -> None:
    """Enter ``COHERENCES[cle]`` as a blocking rule."""
    source = COHERENCES[cle]

    def chercher(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
        return (Constat(source.champ, phrase) for phrase in source.dire(fiche.etat))

    regle(code, titre, Gravite.BLOQUANT, niveaux, source.lus, DOMAINE)(chercher)
