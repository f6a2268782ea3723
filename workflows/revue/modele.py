"""One change of a dossier, in words: plain values only, so that a review can be kept as JSON."""

from dataclasses import dataclass, field
from typing import Any

from structures.enums import Niveau

from ..models import Commentaire

# What a reviewer should not miss, in the order of the screen: code → name of the filter.
ATTENTIONS = {
    "fermeture": "Fermeture avec des fiches rattachées",
    "derniere-offre": "Dernière offre du département",
    "capacite": "Capacité réduite de plus de 20 %",
    "type": "Type d’UO modifié",
    "reouverture": "Réouverture d’une fiche fermée",
    "sensible": "Unité sensible",
    "conflit": "Conflit avec le répertoire",
}


@dataclass(slots=True)
class Attention:
    """A reason to look closer at a change. ``code``: key of ``ATTENTIONS``."""

    code: str
    texte: str

    def __str__(self) -> str:
        return self.texte


@dataclass(slots=True)
class Changement:
    """What a dossier does to one fiche, as a reviewer reads it.

    ``nature`` is the heading it stands under, ``natures`` everything it is: a moved fiche may be modified too, a
    modification may change the name or the type (signs of ``socle.etats``). ``lignes``: before → after for
    <c-table-diff>; ``contenu``: [label, value] pairs of a new fiche, ``extrait`` its one-line summary. ``parent``:
    name of what it hangs under, ``chemin``: the path down to there. ``de`` and ``vers``: names of the places of a move.
    ``sous``: the fiche whose closing takes this one along; ``dessous``: those that this closing takes along.
    ``direct``: could have been a modification directe.
    """

    fiche: int
    identifiant: str
    niveau: str
    nom: str
    url: str
    nature: str
    finalisee: bool
    direct: bool
    natures: list[str]
    ancien_nom: str = ""
    parent: str = ""
    chemin: str = ""
    de: str = ""
    vers: str = ""
    lignes: list[dict[str, Any]] = field(default_factory=list)
    contenu: list[list[Any]] = field(default_factory=list)
    extrait: str = ""
    attentions: list[Attention] = field(default_factory=list)
    sous: int | None = None
    commentaires: list[Commentaire] = field(default_factory=list)
    dessous: list["Changement"] = field(default_factory=list)

    @property
    def niveau_en_mots(self) -> str:
        return Niveau(self.niveau).label

    @property
    def etat(self) -> str:
        return "finalisee" if self.finalisee else "en-attente"

    @property
    def entraine(self) -> bool:
        return self.sous is not None

    @property
    def en_conflit(self) -> bool:
        return any(a.code == "conflit" for a in self.attentions)

    @property
    def ancre(self) -> str:
        return f"changement-{self.fiche}"

    @property
    def cle_dessous(self) -> str:
        """Names what the closing takes along in addresses (``synthese.bloc``)."""
        return f"sous-{self.fiche}"


def rattacher(liste: list[Changement]) -> None:
    """Hang each closing that another one takes along under it (``sous`` → ``dessous``)."""
    par_fiche = {c.fiche: c for c in liste}
    for c in liste:
        if c.sous is not None:
            par_fiche[c.sous].dessous.append(c)
