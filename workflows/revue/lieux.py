"""Where the fiches of a dossier are: names, levels and places, in the tree as it will be."""

from dataclasses import dataclass

from structures.domaine.texte import normaliser
from structures.enums import Niveau
from structures.models import VersionFiche

from ..domaine.apercu import SANS_NOM, Apercu
from ..models import FicheTravail

_RANGS = {niveau: rang for rang, niveau in enumerate(Niveau.values)}


@dataclass(slots=True)
class Lieux:
    """By fiche id: name, level, parent; ``rang`` orders them as the tree does."""

    noms: dict[int, str]
    niveaux: dict[int, str]
    parents: dict[int, int | None]
    rang: dict[int, int]

    def nom(self, fiche: int | None) -> str:
        return self.noms.get(fiche or 0, "") or SANS_NOM

    def lieu(self, fiche: int | None) -> str:
        """The name of a place, "" when nothing is known of it."""
        return self.nom(fiche) if fiche in self.noms else ""

    def chemin(self, fiche: int | None) -> str:
        """« Pôle A › Service B », from below the EG down to this fiche."""
        maillons: list[str] = []
        vus: set[int] = set()
        while fiche in self.noms and fiche not in vus and self.niveaux.get(fiche) not in (Niveau.EG, Niveau.EJ):
            vus.add(fiche)
            maillons.append(self.nom(fiche))
            fiche = self.parents.get(fiche)
        return " › ".join(reversed(maillons))


def lieux_de(travaux: list[FicheTravail], arbre: Apercu | None) -> Lieux:
    """In the tree that an open dossier makes; of an ended one (no ``arbre``), the last known names and places."""
    if arbre is None:
        lieux = Lieux({}, {}, {}, {})
        _ajouter_disparues(lieux, travaux)
        ordre = sorted(lieux.noms, key=lambda f: (_RANGS.get(lieux.niveaux[f], 9), normaliser(lieux.noms[f]), f))
        lieux.rang = {fiche: i for i, fiche in enumerate(ordre)}
        return lieux
    noeuds = arbre.noeuds.values()
    lieux = Lieux(
        {n.fiche_id: n.nom for n in noeuds},
        {n.fiche_id: n.niveau for n in noeuds},
        {n.fiche_id: n.parent_id for n in noeuds},
        {n.fiche_id: i for i, n in enumerate(arbre.racine.parcours())},
    )
    _ajouter_disparues(lieux, travaux)
    return lieux


def _ajouter_disparues(lieux: Lieux, travaux: list[FicheTravail]) -> None:
    """Complete with the last known name and place of the fiches that the register of today does not hold."""
    cites = {p for t in travaux for p in (t.patch.get("parent"), t.base.get("parent")) if p}
    manquent = ({t.fiche_id for t in travaux} | cites) - lieux.noms.keys()
    if manquent:
        versions = VersionFiche.objects.filter(fiche__in=manquent).order_by("fiche_id", "validite")
        for fiche, niveau, nom, parent in versions.values_list("fiche_id", "niveau", "nom", "parent_id"):
            lieux.noms[fiche], lieux.niveaux[fiche], lieux.parents[fiche] = nom, niveau, parent
    for travail in travaux:
        if travail.fiche_id in manquent:
            fiche = travail.fiche_id
            lieux.niveaux[fiche] = travail.fiche.niveau
            lieux.noms[fiche] = travail.patch.get("nom", lieux.noms.get(fiche, ""))
            lieux.parents[fiche] = travail.patch.get("parent", lieux.parents.get(fiche))
