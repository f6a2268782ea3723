"""The tree of a dossier on screen: what happens to each fiche, what can be done with it, filters, what changed."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from backoffice.socle.arbre import Noeud
from structures.enums import Niveau, niveau_parent

from ..domaine.apercu import SANS_NOM, Apercu, NoeudTravail
from ..domaine.travaux import jeton_de
from ..enums import Nature, TypeEvenement

if TYPE_CHECKING:
    from .espace import Espace

GRAND_ARBRE = 150  # from that many fiches on, the tree is folded where nothing changes
MENUS_INCLUS = 40  # up to that many fiches, each menu comes with the page; else when it is opened

CREER = {
    Niveau.POLE: "Créer des pôles",
    Niveau.SERVICE: "Créer des services",
    Niveau.UF: "Créer des unités fonctionnelles",
    Niveau.UO: "Créer des unités opérationnelles",
}
FILTRES = {
    "": "Toutes",
    "touchees": "Changées",
    Nature.AJOUT.value: "Ajouts",
    Nature.MODIFICATION.value: "Modifications",
    Nature.DEPLACEMENT.value: "Déplacements",
    Nature.SUPPRESSION.value: "Suppressions",
    "en-attente": "En attente",
    "finalisees": "Finalisées",
    "conflits": "En conflit",
    "commentees": "Commentées",
}


def nom_de(noeud: NoeudTravail) -> str:
    return noeud.designation


def chemin(arbre: Apercu, noeud: NoeudTravail | None) -> str:
    """« Pôle A › Service B », from below the EG down to this fiche."""
    maillons: list[str] = []
    while noeud is not None and noeud is not arbre.racine and len(maillons) < 6:
        maillons.append(nom_de(noeud))
        noeud = arbre.noeuds.get(noeud.parent_id or 0)
    return " › ".join(reversed(maillons))


# -- what happens to a fiche ---------------------------------------------------------------------------


def natures(noeud: NoeudTravail) -> list[str]:
    """What the dossier does to a fiche: one nature, or a move with changes of content."""
    if noeud.travail is None:
        return []
    nature = noeud.travail.nature
    avec = nature == Nature.DEPLACEMENT and noeud.travail.patch.keys() - {"parent"}
    return [nature, Nature.MODIFICATION.value] if avec else [nature]


def etats(espace: "Espace", noeud: NoeudTravail) -> list[str]:
    """The signs of a line of the tree."""
    if noeud.travail is None:
        return ["sensible"] if noeud.sensible else []
    signes = [*natures(noeud), "finalisee" if noeud.travail.est_finalisee else "en-attente"]
    if noeud.fiche_id in espace.en_conflit:
        signes.append("conflit")
    if noeud.fiche_id in espace.commentaires:
        signes.append("commentee")
    return signes


def provenance(espace: "Espace", noeud: NoeudTravail) -> str:
    """« depuis Cardiologie », for a fiche that moves."""
    depuis = espace.arbre.noeuds.get(noeud.parent_publie_id or 0)
    return f"depuis {nom_de(depuis)}" if noeud.deplace and not noeud.supprime and depuis else ""


# -- what can be done with it --------------------------------------------------------------------------


def actions(espace: "Espace", noeud: NoeudTravail) -> list[dict[str, Any]]:
    """What this person may do with a fiche of the tree now, for <c-menu-actions>."""
    cle = noeud.fiche_id
    lire = {"libelle": "Voir la fiche", "url": espace.url_fiche(cle), "icone": "oeil"}
    if not espace.modifiable:
        return [lire]
    if noeud.supprime:
        vu = {"jeton": jeton_de([noeud])}
        # A closing that came back from an approver waits to be decided again.
        a_confirmer = noeud.travail is not None and not noeud.travail.est_finalisee
        confirmer = [_poster(espace, "finaliser", "Confirmer la suppression", "coche", cle, vu)] if a_confirmer else []
        return [lire, *confirmer, _poster(espace, "annuler", "Annuler la suppression", "demi-tour", cle, vu)]
    lignes: list[dict[str, Any]] = []
    if dessous := espace.arbre.niveau_a_creer(noeud):
        lignes.append({"libelle": CREER[Niveau(dessous)], "url": f"{espace.url}ajouter/?sous={cle}", "icone": "ajout"})
    verbe = "Modifier la fiche" if noeud.publie else "Compléter la fiche"
    lignes.append({"libelle": verbe, "url": espace.url_fiche(cle), "icone": "crayon"})
    annuler = _demander(espace, "annuler", "Annuler ce changement", "demi-tour", cle)
    annulable = noeud.travail is not None and noeud.publie  # a new fiche is deleted, not undone
    if noeud is espace.arbre.racine:
        return [*lignes, annuler] if annulable else lignes
    a_dessous = any(not n.supprime for n in noeud.enfants)
    dupliquer = (espace, "dupliquer", "Dupliquer", "dupliquer", cle)
    lignes.append(_demander(*dupliquer) if a_dessous else _poster(*dupliquer, {"vu": espace.dernier_evenement}))
    deplacer = _demander(espace, "deplacer", "Déplacer", "deplacement", cle)
    lignes.append(deplacer if _ailleurs(espace, noeud) else deplacer | {"aide": "Il n’y a pas d’autre place possible."})
    if annulable:
        lignes.append(annuler)
    return [*lignes, _demander(espace, "supprimer", "Supprimer", "corbeille", cle) | {"danger": True}]


def _ailleurs(espace: "Espace", noeud: NoeudTravail) -> bool:
    """Whether another place than its own is open to a fiche."""
    niveau = niveau_parent(noeud.niveau, espace.arbre.champ) or ""
    ici = espace.arbre.noeuds.get(noeud.parent_id or 0)
    compte = ici is not None and ici.niveau == niveau and not ici.supprime
    return espace.niveaux_ouverts[niveau] > compte


def niveaux_ouverts(arbre: Apercu) -> Counter[str]:
    """How many fiches of each level stay open."""
    return Counter(n.niveau for n in arbre.noeuds.values() if not n.supprime)


def _demander(espace: "Espace", verbe: str, libelle: str, icone: str, fiche: int) -> dict[str, Any]:
    return {"libelle": libelle, "url": f"{espace.url}{verbe}/?fiche={fiche}", "icone": icone}


def _poster(espace: "Espace", verbe: str, libelle: str, icone: str, fiche: int, vu: dict[str, Any]) -> dict[str, Any]:
    """``vu``: what the page knows, by which the verb refuses what it was not asked for."""
    champs = {"fiche": fiche, **vu}
    return {"libelle": libelle, "url": f"{espace.url}{verbe}/", "icone": icone, "methode": "post", "champs": champs}


# -- filters -------------------------------------------------------------------------------------------


def retenues(espace: "Espace", montrer: str) -> set[int] | None:
    """Fiches that a filter of the tree keeps; None: all."""
    touchees = [n for n in espace.arbre.racine.parcours() if n.travail]
    match montrer:
        case "touchees":
            return {n.fiche_id for n in touchees}
        case "en-attente":
            return {n.fiche_id for n in espace.en_attente}
        case "finalisees":
            return {n.fiche_id for n in touchees if n.travail and n.travail.est_finalisee}
        case "conflits":
            return espace.en_conflit
        case "commentees":
            return espace.commentaires.keys() & espace.arbre.noeuds.keys()
        case _ if montrer in Nature:
            return {n.fiche_id for n in touchees if montrer in natures(n)}
    return None


def filtres(espace: "Espace", montrer: str) -> list[dict[str, Any]]:
    """The filters that keep something, and the one in force, for <c-onglets-filtres>."""
    lignes = []
    for valeur, libelle in FILTRES.items():
        gardees = retenues(espace, valeur)
        nombre = len(espace.arbre.noeuds) if gardees is None else len(gardees)
        if nombre or valeur == montrer:
            url = f"{espace.url}?montrer={valeur}" if valeur else espace.url
            lignes.append({"libelle": libelle, "url": url, "nombre": nombre, "actif": valeur == montrer})
    return lignes


# -- drawing -------------------------------------------------------------------------------------------


def dessiner(espace: "Espace", *, actif: int | None = None, montrer: str = "", choisir: bool = False) -> list[Noeud]:
    """The tree for <c-arbre>. In a big one, branches where nothing changes are folded below the pôles.

    ``choisir``: with a box to tick on each line, for those who have no JavaScript.
    """
    gardees = retenues(espace, montrer)
    grand = len(espace.arbre.noeuds) >= GRAND_ARBRE

    def un(n: NoeudTravail) -> tuple[Noeud, bool] | None:
        dessous = [x for x in (un(enfant) for enfant in n.enfants) if x]
        racine = n is espace.arbre.racine
        hors = gardees is not None and n.fiche_id not in gardees
        if hors and not dessous and not racine:
            return None
        touche = any(t for _, t in dessous)
        affiche = ligne(espace, n)
        affiche.enfants = [x for x, _ in dessous]
        affiche.ouvert = not grand or touche or gardees is not None or n.niveau in (Niveau.EG, Niveau.POLE)
        affiche.actif, affiche.hors = n.fiche_id == actif, hors
        affiche.case = n.fiche_id if choisir and not racine else 0
        return affiche, touche or n.travail is not None

    racine = un(espace.arbre.racine)
    return [racine[0]] if racine else []


def ligne(espace: "Espace", n: NoeudTravail) -> Noeud:
    """One line, without what hangs below it."""
    return Noeud(
        id=n.identifiant,
        niveau=n.niveau,
        libelle=n.nom or SANS_NOM,
        url=espace.url_fiche(n.fiche_id),
        etats=etats(espace, n),
        supprime=n.supprime,
        note=provenance(espace, n) if n.nom else n.identifiant,
        actions=actions(espace, n) if espace.menus_inclus else [],
        attrs={"id": f"fiche-{n.fiche_id}"},
    )


def lignes_depuis(espace: "Espace", vu: int) -> tuple[list[tuple[Noeud, int, int]], list[int]]:
    """What changed in the tree since the event ``vu``, whoever did it: (line, fiche above it, sister before it) in the
    order of the tree, and the fiches that are no longer in it. Two statements."""
    depuis = espace.dossier.evenements.filter(pk__gt=vu).values_list("type", "fiche_id", "details__geste")
    defaits = {geste for type_, _, geste in depuis if type_ == TypeEvenement.GESTE_ANNULE}
    touchees = {fiche for _, fiche, _ in depuis if fiche}
    gestes = espace.dossier.gestes.filter(pk__gt=vu) | espace.dossier.gestes.filter(pk__in=defaits)
    for apres in gestes.values_list("apres", flat=True):
        touchees.update(map(int, apres))
    places = []
    for parent in espace.arbre.racine.parcours():
        avant = 0
        for n in parent.enfants:
            if n.fiche_id in touchees:
                places.append((ligne(espace, n), parent.fiche_id, avant))
            avant = n.fiche_id
    if espace.arbre.racine.fiche_id in touchees:
        places.append((ligne(espace, espace.arbre.racine), 0, 0))
    dessinees = {n.fiche_id for n in espace.arbre.racine.parcours()}
    return places, sorted(touchees - dessinees)
