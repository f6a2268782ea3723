"""The tree that the dossier would leave behind it. What hangs nowhere is no rule but a collision (``collisions``)."""

from collections.abc import Iterator

from structures.enums import Niveau

from .catalogue import BON_SENS, INTERNES, Constat, Gravite, Sujet, regle
from .contexte import Contexte


@regle(
    "BO-VIDE", "Un pôle, un service ou une UF qui reste contient quelque chose",
    Gravite.AVERTISSEMENT, INTERNES, ["parent"], BON_SENS, sur_l_arbre=True,
)  # fmt: skip
def _reste_vide(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    if all(enfant.supprime for enfant in fiche.noeud.enfants):
        yield Constat(
            "parent", "Il ne reste rien dessous : supprimez cette fiche, ou rattachez-lui ce qui doit y être."
        )


@regle(
    "BO-SANS-UO", "Un établissement ouvert garde au moins une unité opérationnelle",
    Gravite.AVERTISSEMENT, [Niveau.EG], ["parent"], BON_SENS, sur_l_arbre=True,
)  # fmt: skip
def _sans_unite(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    if not any(n.niveau == Niveau.UO and not n.supprime for n in contexte.arbre.noeuds.values()):
        yield Constat("", "L’établissement n’aurait plus aucune unité opérationnelle : il n’offrirait plus rien.")
