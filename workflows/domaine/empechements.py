"""Everything that prevents a dossier from being sent and published: one list for the workspace, the verbs, the
simulation."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from structures.requetes import etats_au

from ..models import Dossier, FicheTravail
from .apercu import Apercu, NoeudTravail, apercu
from .collisions import Collision, collisions
from .fusion import tous_les_conflits
from .qualite import Faute, bloquantes, controler


@dataclass(frozen=True, slots=True)
class Empechement:
    """``phrase``: in French, for anybody who sees the dossier. ``fiche`` and ``champ``: where it is settled, when it
    is on a fiche and in its form (« conflits »: among the versions to compare)."""

    code: str
    phrase: str
    fiche: int | None = None
    champ: str = ""


def empechements(
    dossier: Dossier,
    travaux: list[FicheTravail],
    arbre: Apercu | None = None,
    conflits: Collection[int] | None = None,
    tombees: Collection[Collision] | None = None,
    fautes: Callable[[], list[Faute]] | None = None,
) -> list[Empechement]:
    """What prevents the sending: no change, fiches en attente, and what would prevent the publication.

    ``arbre``, ``conflits`` (fiches in conflict with the register), ``tombees`` (collisions) and ``fautes`` (what the
    rules find, asked when it is needed): for who has read them.
    The rules are read once every fiche is finalised: before, nobody says that they hold. A constant number of
    statements.
    """
    if not any(t.patch for t in travaux):
        return [Empechement("sans_changement", "Ce dossier ne change rien : ajoutez ou modifiez au moins une fiche.")]
    arbre = arbre or apercu(dossier, travaux)
    attente = [n for n in arbre.racine.parcours() if n.travail and not n.travail.est_finalisee]
    return [
        *(Empechement("fiches_en_attente", f"{_nom(n)} est en attente.", n.fiche_id) for n in attente),
        *_registre(dossier, travaux, arbre, conflits, tombees),
        *([] if attente else _regles(fautes() if fautes else controler(arbre, travaux))),
    ]


def empechements_de_publier(dossier: Dossier, travaux: list[FicheTravail]) -> list[Empechement]:
    """What prevents the publication: a conflict or a collision with the register, a quality rule. A constant number
    of statements."""
    arbre = apercu(dossier, travaux)
    return [*_registre(dossier, travaux, arbre), *_regles(controler(arbre, travaux))]


def _registre(
    dossier: Dossier,
    travaux: list[FicheTravail],
    arbre: Apercu,
    conflits: Collection[int] | None = None,
    tombees: Collection[Collision] | None = None,
) -> Iterator[Empechement]:
    if conflits is None:
        conflits = tous_les_conflits(travaux, etats_au(t.fiche_id for t in travaux))
    for collision in collisions(dossier, travaux, arbre) if tombees is None else tombees:
        yield Empechement("arbre_illegal", collision.phrase, collision.fiche)
    for noeud in arbre.racine.parcours():
        if noeud.fiche_id in conflits:
            phrase = f"{_nom(noeud)} a changé aussi au répertoire : choisissez les valeurs à garder."
            yield Empechement("conflits", phrase, noeud.fiche_id, "conflits")


def _regles(fautes: list[Faute]) -> Iterator[Empechement]:
    for faute in bloquantes(fautes):
        yield Empechement("contenu", faute.en_public, faute.noeud.fiche_id, faute.champ)


def _nom(noeud: NoeudTravail) -> str:
    return f"« {noeud.designation} »"
