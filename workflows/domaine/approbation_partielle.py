"""« Approuver sauf certaines fiches »: what goes along with the fiches that approvers except, and whether the rest is
one that the register may show.

Three things tie a change to an excepted one (``entrainees``):

    place     it is created under, or moved to, a fiche whose creation is excepted
    reste     it closes a fiche under which an excepted one stays
    dessous   it is a closing that went with that of a branch whose top is excepted

Authorities that approve jointly except each for herself: the union counts, and everybody sees it before deciding.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Invalide
from structures.models import Autorite

from ..enums import Issue, Nature
from ..models import Dossier, FicheEcartee, FicheTravail
from .apercu import Apercu, NoeudTravail, apercu
from .empechements import empechements_de_publier

MOTIF_MAXIMAL = 2000  # characters
CITES = 5  # refusals told in a sentence


class Lien(StrEnum):
    PLACE = "place"
    RESTE = "reste"
    DESSOUS = "dessous"


@dataclass(frozen=True, slots=True)
class Entrainee:
    """A fiche that goes along with another one (``avec``), chosen or itself taken along."""

    fiche: int
    avec: int
    lien: Lien


@dataclass(frozen=True, slots=True)
class Ecart:
    """A fiche that somebody chose to except, for herself or for an authority. ``qui``: « Y », or « Y, pour X »."""

    fiche: int
    motif: str
    par: User
    autorite: Autorite | None = None
    qui: str = ""


@dataclass(frozen=True, slots=True)
class Partage:
    """A dossier cut in two: ``retenus`` are published, ``ecartes`` come back. Together they are the dossier."""

    dossier: Dossier
    arbre: Apercu
    ecarts: list[Ecart]
    entrainees: dict[int, Entrainee]
    retenus: list[FicheTravail]
    ecartes: list[FicheTravail]
    rangs: dict[int, int]

    @property
    def jeton(self) -> str:
        """Names what a confirmation showed: the content, and what is left out of it."""
        contenu = [self.dossier.empreinte, sorted(t.fiche_id for t in self.ecartes)]
        return hashlib.sha256(json.dumps(contenu).encode()).hexdigest()

    def nom(self, fiche: int) -> str:
        noeud = self.arbre.noeuds.get(fiche)
        return noeud.designation if noeud else "(fiche fermée)"

    def raison(self, entrainee: Entrainee) -> str:
        """Why a fiche goes along, in French."""
        avec = f"« {self.nom(entrainee.avec)} »"
        match entrainee.lien:
            case Lien.PLACE:
                return f"Le dossier la rattache à {avec}, dont la création est écartée."
            case Lien.RESTE:
                return f"Elle ne peut pas être supprimée : {avec} y reste rattachée."
        return f"Sa suppression allait avec celle de {avec}, qui est écartée."

    def rang(self, fiche: int) -> int:
        """Its place in the order of the tree."""
        return self.rangs.get(fiche, len(self.rangs))

    def motifs(self, fiche: int) -> list[Ecart]:
        return [e for e in self.ecarts if e.fiche == fiche]


def partager(dossier: Dossier, ecarts: Iterable[Ecart]) -> Partage:
    """Cut the dossier. ``Invalide`` for a fiche that it does not change. At most five statements."""
    travaux = list(dossier.fiches.select_related("fiche", "modifiee_par"))
    arbre = apercu(dossier, travaux)
    ecarts = list(ecarts)
    choisies = {e.fiche for e in ecarts}
    if not choisies <= {t.fiche_id for t in travaux}:
        raise Invalide("fiche_inconnue", "Une des fiches à écarter n’est pas changée par ce dossier.")
    avec = entrainees(arbre, travaux, choisies)
    rang = {n.fiche_id: i for i, n in enumerate(arbre.racine.parcours())}
    travaux.sort(key=lambda t: rang.get(t.fiche_id, len(rang)))
    return Partage(
        dossier, arbre, ecarts, avec,
        retenus=[t for t in travaux if t.fiche_id not in choisies and t.fiche_id not in avec],
        ecartes=[t for t in travaux if t.fiche_id in choisies or t.fiche_id in avec],
        rangs=rang,
    )  # fmt: skip


def entrainees(arbre: Apercu, travaux: Iterable[FicheTravail], choisies: Collection[int]) -> dict[int, Entrainee]:
    """What goes along with the chosen fiches, the nearest tie first. No statement."""
    restants = {t.fiche_id: t for t in travaux if t.fiche_id not in choisies}
    trouvees: dict[int, Entrainee] = {}
    registre = {n.fiche_id: n.parent_publie_id for n in arbre.noeuds.values() if n.publie}
    nouvelles = list(_fermees_avec(arbre, restants, choisies))
    while True:
        for e in nouvelles:
            trouvees[e.fiche] = e
            del restants[e.fiche]
        nouvelles = list(_sans_place(registre, restants, arbre.racine.fiche_id))
        if not nouvelles:
            return trouvees


def _fermees_avec(
    arbre: Apercu, restants: Mapping[int, FicheTravail], choisies: Collection[int]
) -> Iterator[Entrainee]:
    """Closings below a chosen one. Not those below a closing that is only taken along: they can go on."""
    for cle in restants:
        noeud = arbre.noeuds.get(cle)
        dessus = _dessus(arbre, noeud)
        while dessus is not None and noeud is not None and noeud.supprime and dessus.supprime:
            if dessus.fiche_id in choisies:
                yield Entrainee(cle, dessus.fiche_id, Lien.DESSOUS)
                break
            dessus = _dessus(arbre, dessus)


def _dessus(arbre: Apercu, noeud: NoeudTravail | None) -> NoeudTravail | None:
    return arbre.noeuds.get(noeud.parent_id or 0) if noeud else None


def _sans_place(
    registre: Mapping[int, int | None], restants: Mapping[int, FicheTravail], racine: int
) -> Iterator[Entrainee]:
    """What the changes that are left would leave nowhere: the change of place that leads there, or the closing that
    takes the place away."""
    parents = dict(registre)
    for cle, travail in restants.items():
        if travail.nature == Nature.SUPPRESSION:
            parents.pop(cle, None)
        elif "parent" in travail.patch:
            parents[cle] = travail.patch["parent"]
    vues = set()
    for cle, parent in parents.items():
        if cle == racine or parent in parents or parent is None:
            continue
        deplacee = restants.get(cle)
        if deplacee is not None and "parent" in deplacee.patch:
            yield Entrainee(cle, parent, Lien.PLACE)
        elif parent in restants and parent not in vues:
            vues.add(parent)
            yield Entrainee(parent, cle, Lien.RESTE)


def ecarts_de(dossier: Dossier) -> list[Ecart]:
    """What approvers excepted since the dossier was sent. One statement."""
    ecartees = FicheEcartee.objects.filter(
        decision__dossier=dossier, decision__issue=Issue.APPROUVE, decision__le__gte=dossier.envoye_le
    ).select_related("decision__acteur", "decision__pour", "decision__autorite")
    return [Ecart(e.fiche_id, e.motif, e.decision.acteur, e.decision.autorite, e.decision.qui) for e in ecartees]


def obstacles(partage: Partage) -> list[str]:
    """What prevents the rest from being published, a sentence each that names the fiche."""
    if not partage.retenus:
        return ["Plus rien ne serait publié : toutes les fiches du dossier seraient écartées."]
    return [e.phrase for e in empechements_de_publier(partage.dossier, partage.retenus)]


def refuser_si_impossible(partage: Partage) -> None:
    """``Invalide`` when nothing would remain, or when the rest is not what the register may show."""
    trouves = obstacles(partage)
    if trouves and not partage.retenus:
        raise Invalide("rien_a_publier", f"{trouves[0]} Renvoyez plutôt le dossier pour correction.")
    if trouves:
        suite = f" (et {len(trouves) - CITES} autres raisons)" if len(trouves) > CITES else ""
        raise Invalide(
            "reste_illegal",
            f"Sans les fiches écartées, le reste ne peut pas être publié. {' '.join(trouves[:CITES])}{suite} "
            "Écartez aussi ces fiches, ou renvoyez le dossier pour correction.",
        )


def refuser_si_depasse(partage: Partage, jeton: str) -> None:
    """``Conflit`` when what would be left out is no longer what the confirmation showed."""
    if partage.jeton != jeton:
        autres = sorted({e.autorite.nom for e in partage.ecarts if e.autorite})
        qui = f" {' et '.join(autres)} : fiches écartées à relire." if autres else ""
        raise Conflit(
            "partage_change",
            f"Ce qui serait publié n’est plus ce que la page montrait.{qui} Rien n’a été décidé : relisez, puis "
            "confirmez si c’est encore ce que vous voulez.",
        )


def exiger_motifs(ecartees: Mapping[int, str]) -> dict[int, str]:
    """The reasons without blanks around; ``Invalide`` when one is missing or too long."""
    propres = {fiche: motif.replace("\r\n", "\n").strip() for fiche, motif in ecartees.items()}
    message = "Indiquez pourquoi cette fiche est écartée : ses auteurs le lisent (2 000 caractères au plus)."
    champs = {f"motif-{f}": [message] for f, motif in propres.items() if not motif or len(motif) > MOTIF_MAXIMAL}
    if champs:
        raise Invalide("motif", message, champs=champs)
    return propres
