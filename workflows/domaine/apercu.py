"""The tree of a dossier: the register of today with the patches laid over it. A constant number of statements."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from structures.enums import niveau_enfant, niveau_parent
from structures.requetes import champ_et_filiere, noeuds_au, version_au

from ..enums import Nature
from ..models import Dossier, FicheTravail

SANS_NOM = "(sans nom)"


def designer(nom: str, identifiant: str) -> str:
    """How a sentence names a fiche: by its identifier when it has no name."""
    return nom or f"{SANS_NOM} {identifiant}"


@dataclass(slots=True)
class NoeudTravail:
    """One fiche as it will be; ``travail`` is None when the dossier does not touch it."""

    fiche_id: int
    niveau: str
    identifiant: str
    nom: str
    parent_id: int | None
    type_uo: str = ""
    sensible: bool = False
    publie: bool = True
    parent_publie_id: int | None = None
    travail: FicheTravail | None = None
    enfants: list["NoeudTravail"] = field(default_factory=list)

    @property
    def designation(self) -> str:
        return designer(self.nom, self.identifiant)

    @property
    def supprime(self) -> bool:
        return self.travail is not None and self.travail.nature == Nature.SUPPRESSION

    @property
    def neuve(self) -> bool:
        """Never published: neither a fiche of the register nor one that it closed and the dossier reopens."""
        return not self.publie and not (self.travail is not None and self.travail.rouvre)

    @property
    def deplace(self) -> bool:
        return self.travail is not None and self.publie and "parent" in self.travail.patch

    def parcours(self) -> Iterator["NoeudTravail"]:
        yield self
        for enfant in self.enfants:
            yield from enfant.parcours()


@dataclass(slots=True)
class Apercu:
    """``noeuds`` by fiche id, assembled under ``racine`` (the EG). ``champ`` of the EG decides the legal levels;
    ``ouvert``: it still exists in the register."""

    racine: NoeudTravail
    noeuds: dict[int, NoeudTravail]
    champ: str
    ouvert: bool

    def niveau_a_creer(self, noeud: NoeudTravail) -> str | None:
        """What can be created below this node; nothing below a fiche that will be closed."""
        return None if noeud.supprime else niveau_enfant(noeud.niveau, self.champ)

    def places(self, *noeuds: NoeudTravail) -> list[NoeudTravail]:
        """Legal new parents of fiches of one level, in tree order: right level, open, not the one they all have."""
        niveau = niveau_parent(noeuds[0].niveau, self.champ)
        ici = {n.parent_id for n in noeuds}
        return [n for n in self.racine.parcours() if n.niveau == niveau and not n.supprime and ici != {n.fiche_id}]

    def sans_rattachement(self) -> list[NoeudTravail]:
        """Fiches that stay and whose parent will not be there, or is not of the legal level."""
        return [n for n in self.noeuds.values() if n is not self.racine and not n.supprime and not self._rattachee(n)]

    def _rattachee(self, noeud: NoeudTravail) -> bool:
        parent = self.noeuds.get(noeud.parent_id or 0)
        return parent is not None and not parent.supprime and parent.niveau == niveau_parent(noeud.niveau, self.champ)


def apercu(dossier: Dossier, travaux: list[FicheTravail] | None = None) -> Apercu:
    """The overlay of a dossier. A closed or published dossier shows what it did over the register of today."""
    travaux = travaux if travaux is not None else list(dossier.fiches.select_related("fiche", "modifiee_par"))
    noeuds: dict[int, NoeudTravail] = {
        cle: NoeudTravail(
            n.fiche_id, n.niveau, n.identifiant, n.nom, n.parent_id, n.type_uo, n.sensible, parent_publie_id=n.parent_id
        )
        for cle, n in noeuds_au(dossier.eg).items()
    }
    for travail in travaux:
        noeud = noeuds.get(travail.fiche_id)
        if noeud is None:
            if travail.patch.get("existe") is not True:
                continue  # closed in the register since: nothing to lay the patch on
            fiche = travail.fiche
            noeud = NoeudTravail(fiche.pk, fiche.niveau, fiche.identifiant, "", None, publie=False)
            noeuds[fiche.pk] = noeud
        noeud.travail = travail
        patch = travail.patch
        noeud.nom = patch.get("nom", noeud.nom)
        noeud.parent_id = patch.get("parent", noeud.parent_id)
        noeud.type_uo = patch.get("type_uo", noeud.type_uo)
        noeud.sensible = patch.get("unite_sensible", noeud.sensible)
    eg = dossier.eg  # closed in the register since: what is left of the tree still has a root
    racine = noeuds.setdefault(eg.pk, NoeudTravail(eg.pk, eg.niveau, eg.identifiant, eg.identifiant, None))
    for noeud in noeuds.values():
        if noeud is not racine:  # a fiche whose place is gone is shown where it can be seen (collisions.py)
            place = noeuds.get(noeud.parent_id or 0) or noeuds.get(noeud.parent_publie_id or 0) or racine
            place.enfants.append(noeud)
    version = version_au(dossier.eg)
    champ, _ = champ_et_filiere(version.categorie if version else "")
    return Apercu(racine, noeuds, champ, ouvert=version is not None)


def perdue(dossier: Dossier, travaux: Iterable[FicheTravail], egarees: Collection[int]) -> NoeudTravail | None:
    """A fiche that a gesture would leave without a legal place, with these working copies; not one of ``egarees``,
    which had none before it (``Apercu.sans_rattachement``)."""
    apres = apercu(dossier, [t for t in travaux if t.patch])
    return next((n for n in apres.sans_rattachement() if n.fiche_id not in egarees), None)
