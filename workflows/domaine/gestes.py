"""Gestures on the tree of a draft: create, duplicate, move, delete, undo.

Each verb locks the dossier, checks that the person edits its EG and that it is a draft, and lets the flow follow.
Those on several fiches do all of them or none, in a constant number of statements.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Invalide
from structures.champs import CHAMPS, champs_de
from structures.domaine.creer import creer_fiches
from structures.domaine.patches import Patch, difference, valeur
from structures.enums import Niveau, niveau_parent
from structures.models import Fiche
from structures.requetes import etats_au

from ..enums import TypeEvenement
from ..models import Dossier, FicheTravail
from .apercu import Apercu, NoeudTravail, apercu
from .collisions import collisions
from .fusion import etat_de_travail
from .qualite import a_corriger
from .qualite.identite import COPIE
from .travaux import accomplir, noeud_de, ouvrir_brouillon, poser_patch, refuser_si_depassee

QUANTITE_MAXIMALE = 200
DATES_DE_VIE = ("date_ouverture", "date_fermeture", "type_fermeture", "date_reouverture")  # not those of a copy


@transaction.atomic
def ajouter(
    *, numero: int, acteur: User, parent: int, quantite: int = 1, nom: str = "", vu: int | None = None
) -> list[FicheTravail]:
    """Create ``quantite`` fiches of the level that goes below ``parent``, en attente (acceptance 64–68).

    ``vu`` is the last event of the journal that the page knew: a second click on the same page is refused
    (``Conflit``) rather than done twice. None: no page (commands, tests).
    """
    dossier = ouvrir_brouillon(numero, acteur)
    _refuser_deux_fois(dossier, acteur, vu, TypeEvenement.FICHE_AJOUTEE, "Vous venez de créer ces fiches", sous=parent)
    arbre = apercu(dossier)
    noeud = noeud_de(dossier, arbre, parent)
    niveau = arbre.niveau_a_creer(noeud)
    if niveau is None:
        raise Invalide("niveau_illegal", f"Rien ne peut être créé sous {_nom(noeud)}.")
    if not 1 <= quantite <= QUANTITE_MAXIMALE:
        message = f"Choisissez une quantité entre 1 et {QUANTITE_MAXIMALE}."
        raise Invalide("quantite", message, champs={"quantite": [message]})
    fiches = creer_fiches(eg=dossier.eg, niveaux=[niveau] * quantite)
    patch: Patch = {"existe": True, "parent": parent} | ({"nom": nom} if nom else {})
    if niveau == Niveau.UO:  # what almost every fiche says
        patch |= {"age_min_unite": "an", "age_max_unite": "an"}
    travaux = [_nouvelle(dossier, acteur, fiche, dict(patch)) for fiche in fiches]
    accomplir(
        dossier, acteur, TypeEvenement.FICHE_AJOUTEE, travaux,
        fiche=fiches[0], fiches=[f.identifiant for f in fiches], niveau=niveau, sous=parent,
    )  # fmt: skip
    return travaux


@transaction.atomic
def dupliquer(
    *, numero: int, acteur: User, fiche: int, avec_dessous: bool = False, vu: int | None = None
) -> FicheTravail:
    """Copy a fiche to the same place: new identifier, no published history, en attente (acceptance 74).

    ``avec_dessous``: with what hangs below it in the dossier, in the same shape. Only the fiche itself is renamed.
    Returns its copy. ``vu``: as for ``ajouter``.
    """
    dossier = ouvrir_brouillon(numero, acteur)
    noeud = noeud_de(dossier, apercu(dossier), fiche)
    _refuser_deux_fois(
        dossier,
        acteur,
        vu,
        TypeEvenement.FICHE_DUPLIQUEE,
        "Vous venez de dupliquer cette fiche",
        modele=noeud.identifiant,
    )
    if noeud.niveau == Niveau.EG or noeud.supprime:
        raise Invalide("duplication_illegale", f"{_nom(noeud)} ne peut pas être dupliquée.")
    modeles = [n for n in noeud.parcours() if not n.supprime] if avec_dessous else [noeud]
    etats = etats_au(n.fiche_id for n in modeles)
    nouvelles = creer_fiches(eg=dossier.eg, niveaux=[n.niveau for n in modeles])
    copies = {modele.fiche_id: copie for modele, copie in zip(modeles, nouvelles, strict=True)}
    travaux = []
    for modele in modeles:
        etat = etat_de_travail(modele.travail, etats.get(modele.fiche_id, {}))
        patch = difference({}, {c.nom: valeur(etat, c.nom) for c in champs_de(modele.niveau)})
        patch = {n: v for n, v in patch.items() if n not in DATES_DE_VIE}
        if modele is noeud:
            patch["nom"] = f"{valeur(etat, 'nom')[: CHAMPS['nom'].longueur - len(COPIE)]}{COPIE}"
            patch["parent"] = noeud.parent_id
        else:
            patch["parent"] = copies[modele.parent_id or 0].pk
        travaux.append(_nouvelle(dossier, acteur, copies[modele.fiche_id], patch | {"existe": True}))
    accomplir(
        dossier, acteur, TypeEvenement.FICHE_DUPLIQUEE, travaux,
        fiche=nouvelles[0], modele=noeud.identifiant, fiches=[f.identifiant for f in nouvelles],
    )  # fmt: skip
    return travaux[0]


@transaction.atomic
def deplacer(*, numero: int, acteur: User, fiches: Sequence[int], parent: int) -> list[int]:
    """Put fiches, with what hangs below them, under another legal parent (acceptance 78); back to its published
    place undoes the move of a fiche. Returns those that moved: the others were there already.

    Refuses (``Invalide`` with ``champs``) all of them when one can't go there, and says which.
    """
    dossier = ouvrir_brouillon(numero, acteur)
    arbre = apercu(dossier)
    noeuds = [noeud_de(dossier, arbre, fiche) for fiche in dict.fromkeys(fiches)]
    sous = noeud_de(dossier, arbre, parent)
    for noeud in noeuds:
        if refus := refus_de_place(arbre, noeud, sous):
            raise Invalide("place_illegale", refus, champs={"parent": [refus]})
    deplaces = [n for n in noeuds if n.parent_id != sous.fiche_id]
    if not deplaces:
        message = f"Choisissez une autre place : {_nom(noeuds[0])} est déjà sous {_nom(sous)}."
        raise Invalide("deja_a_cette_place", message, champs={"parent": [message]})
    de = arbre.noeuds.get(deplaces[0].parent_id or 0)
    repertoire = etats_au(n.fiche_id for n in deplaces)
    place = {"parent": sous.fiche_id}
    finalisees = {n.fiche_id for n in deplaces if n.travail and n.travail.est_finalisee}
    travaux = [poser_patch(dossier, acteur, n, place, repertoire.get(n.fiche_id, {})) for n in deplaces]
    # Finalised before, or only moved: nothing to fill in, unless it lacks something.
    remplies = [t for t in travaux if t.fiche_id in finalisees or t.patch.keys() == {"parent"}]
    manques = a_corriger(arbre, remplies)
    for travail in remplies:
        if travail.fiche_id not in manques:
            travail.finaliser()
    accomplir(
        dossier, acteur, TypeEvenement.FICHE_DEPLACEE, travaux,
        fiche=deplaces[0].fiche_id, fiches=[n.identifiant for n in deplaces], de=de.nom if de else "", vers=sous.nom,
    )  # fmt: skip
    return [n.fiche_id for n in deplaces]


def refus_de_place(arbre: Apercu, noeud: NoeudTravail, sous: NoeudTravail) -> str:
    """Why a fiche can't be put there, as a sentence; "" when it can."""
    niveau = niveau_parent(noeud.niveau, arbre.champ)
    if noeud is arbre.racine or noeud.supprime:
        pourquoi = (
            "un établissement ne se déplace pas" if noeud is arbre.racine else "elle est supprimée par ce dossier"
        )
        return f"{_nom(noeud)} ne peut pas être déplacée : {pourquoi}."
    if niveau is None:
        return (
            f"{_nom(noeud)} ne peut aller nulle part : cet établissement n’a pas de niveau « {_mots(noeud.niveau)} »."
        )
    if sous.supprime:
        return f"{_nom(noeud)} ne peut pas aller sous {_nom(sous)}, que ce dossier supprime."
    if sous.niveau != niveau:
        return (
            f"Choisissez une place de la liste : {_nom(noeud)} ({_mots(noeud.niveau)}) se rattache à un niveau "
            f"« {_mots(niveau)} », pas à {_nom(sous)} ({_mots(sous.niveau)})."
        )
    return ""


@transaction.atomic
def supprimer(*, numero: int, acteur: User, fiches: Sequence[int], jeton: str | None = None) -> list[str]:
    """Delete fiches and all below. Published ones will be closed, new ones disappear (domain.md §2).

    ``jeton``: of the branch that the confirmation named; a branch that changed since is refused (``Conflit``).
    Refuses a new fiche under which published ones were moved, unless they are deleted too: they would be lost.
    Returns the names that go.
    """
    dossier = ouvrir_brouillon(numero, acteur)
    arbre = apercu(dossier)
    choisis = [noeud_de(dossier, arbre, fiche) for fiche in dict.fromkeys(fiches)]
    for noeud in choisis:
        if noeud is arbre.racine:
            raise Invalide("suppression_illegale", "Un établissement ne se supprime pas par un dossier collaboratif.")
        if noeud.supprime:
            raise Conflit("deja_supprimee", f"{_nom(noeud)} est déjà supprimée dans ce dossier.")
    branche = branches(choisis)
    refuser_si_depassee(dossier, branche, jeton)
    fermees = {n.fiche_id for n in branches(n for n in choisis if n.publie)}
    for noeud in choisis:
        accueillies = [n for n in noeud.parcours() if n.publie and not n.supprime and n.fiche_id not in fermees]
        if accueillies:
            raise Invalide(
                "fiches_accueillies",
                f"{_nom(accueillies[0])} a été déplacée sous la nouvelle fiche {_nom(noeud)} : déplacez-la d’abord "
                "ailleurs.",
            )
    travaux = [fermee(dossier, acteur, n) for n in branche]
    noms = [n.designation for n in branche]
    accomplir(
        dossier, acteur, TypeEvenement.FICHE_SUPPRIMEE, travaux,
        fiche=choisis[0].fiche_id, fiches=[n.identifiant for n in choisis], noms=noms,
    )  # fmt: skip
    return noms


def branches(noeuds: Iterable[NoeudTravail]) -> list[NoeudTravail]:
    """These fiches and all below them that the dossier does not delete yet, each once."""
    return list({n.fiche_id: n for noeud in noeuds for n in noeud.parcours() if not n.supprime}.values())


def fermee(dossier: Dossier, acteur: User, noeud: NoeudTravail) -> FicheTravail:
    """Patch ``existe: false`` on a published fiche; an empty one on a new fiche, which disappears.

    What was typed before stays in the patch, for the day the closing is undone; nothing is left to fill.
    """
    travail = noeud.travail or FicheTravail(dossier=dossier, fiche_id=noeud.fiche_id, modifiee_par=acteur)
    if noeud.publie:
        travail.patch, travail.base = {**travail.patch, "existe": False}, {**travail.base, "existe": True}
        travail.finaliser()
    else:
        travail.patch = {}
    return travail


@transaction.atomic
def annuler_changement(*, numero: int, acteur: User, fiche: int, jeton: str | None = None) -> None:
    """Forget what the dossier does to a fiche, one that the register closed since too. A closing is undone for the
    whole branch it took along; refuses to forget a new fiche that others hang under, and what would put a fiche under
    one that the dossier closes.

    ``jeton``: of the fiche as the page showed it; saved again since is refused (``Conflit``)."""
    dossier = ouvrir_brouillon(numero, acteur)
    travaux = list(dossier.fiches.select_related("fiche", "modifiee_par"))
    arbre = apercu(dossier, travaux)
    perdu = next((t for t in travaux if t.fiche_id == fiche and fiche not in arbre.noeuds), None)
    if perdu is not None:
        perdu.patch = {}
        accomplir(dossier, acteur, TypeEvenement.CHANGEMENT_ANNULE, [perdu], fiche=fiche)
        return
    noeud = noeud_de(dossier, arbre, fiche)
    if noeud.travail is None:
        raise Conflit("rien_a_annuler", "Ce dossier ne change plus cette fiche.")
    refuser_si_depassee(dossier, [noeud], jeton)
    if not noeud.publie and noeud.enfants:
        raise Invalide("fiches_dessous", "D’autres fiches sont rattachées à celle-ci : supprimez-la avec elles.")
    annules, reouverture = [noeud], noeud.supprime
    if reouverture:  # undone with everything that was closed by the same gesture
        lot = noeud.travail.revision
        annules = [n for n in arbre.noeuds.values() if n.supprime and n.travail and n.travail.revision == lot]
    for annule in annules:
        parent = _place_rendue(arbre, annule)
        if annule.publie and parent is not None and parent.supprime and parent not in annules:
            raise Invalide(
                "parent_supprime",
                f"{_nom(parent)}, à laquelle la fiche serait rattachée, est supprimée par ce dossier : annulez "
                "d’abord cette suppression.",
            )
    rendus = []
    for annule in annules:
        travail, garde = annule.travail, set[str]()
        if travail is None:
            continue
        if reouverture:
            garde = set(travail.patch) - {"existe"}
            if annule.parent_id not in arbre.noeuds:
                garde -= {"parent"}
        travail.patch = {nom: v for nom, v in travail.patch.items() if nom in garde}
        travail.base = {nom: v for nom, v in travail.base.items() if nom in garde}
        travail.mettre_en_attente()
        rendus.append(travail)
    accomplir(dossier, acteur, TypeEvenement.CHANGEMENT_ANNULE, rendus, fiche=fiche, nom=noeud.nom)


def _place_rendue(arbre: Apercu, annule: NoeudTravail) -> NoeudTravail | None:
    """An undone closing comes back where the dossier had put it, unless that was a new fiche given up since; any other
    undone change where the register has it."""
    if annule.supprime and annule.parent_id in arbre.noeuds:
        return arbre.noeuds[annule.parent_id]
    return arbre.noeuds.get(annule.parent_publie_id or 0)


@transaction.atomic
def confirmer_suppression(*, numero: int, acteur: User, fiche: int) -> None:
    """« Supprimer quand même » a fiche that the register changed after its deletion (``collisions``)."""
    dossier = ouvrir_brouillon(numero, acteur)
    travaux = list(dossier.fiches.select_related("fiche", "modifiee_par"))
    arbre = apercu(dossier, travaux)
    noeud = noeud_de(dossier, arbre, fiche)
    a_regler = {(c.fiche, c.code) for c in collisions(dossier, travaux, arbre)}
    if noeud.travail is None or (fiche, "changee_depuis_la_suppression") not in a_regler:
        raise Conflit("conflit_regle", f"Le sort de {_nom(noeud)} a déjà été réglé. Rechargez la page.")
    accomplir(dossier, acteur, TypeEvenement.FICHE_SUPPRIMEE, [noeud.travail], fiche=fiche, confirmer=True)


# -- below: what the gestures share ------------------------------------------------------------------


def _nouvelle(dossier: Dossier, acteur: User, fiche: Fiche, patch: Patch) -> FicheTravail:
    return FicheTravail(dossier=dossier, fiche=fiche, patch=patch, modifiee_par=acteur)


def _refuser_deux_fois(dossier: Dossier, acteur: User, vu: int | None, type_: str, phrase: str, **details: Any) -> None:
    if vu is None:
        return
    deja = dossier.evenements.filter(type=type_, acteur=acteur, pk__gt=vu, details__contains=details)
    if deja.exists():
        raise Conflit(
            "deja_fait", f"{phrase} : c’est fait, dans l’arbre du dossier. Recommencez de là pour en avoir d’autres."
        )


def _nom(noeud: NoeudTravail) -> str:
    return f"« {noeud.designation} »"


def _mots(niveau: str) -> str:
    return Niveau(niveau).label.lower()
