"""Gestures on the tree of a draft: create, duplicate, move, delete, undo.

Each verb locks the dossier, checks that the person edits its EG and that it is a draft, and lets the flow follow.
"""

from typing import Any

from django.db import transaction

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Invalide
from structures.champs import CHAMPS, champs_de
from structures.domaine.creer import creer_fiches
from structures.domaine.patches import Patch, difference, valeur
from structures.enums import Niveau
from structures.requetes import etats_au

from ..enums import Nature, TypeEvenement
from ..models import Dossier, FicheTravail
from .apercu import Apercu, NoeudTravail, apercu
from .contenu import manques
from .fusion import etat_de_travail
from .journal import consigner
from .travaux import (
    creer_travaux,
    enregistrer_patch,
    fermer_travaux,
    noeud_de,
    ouvrir_brouillon,
    retirer_travaux,
    rouvrir_travaux,
    suivre,
)

QUANTITE_MAXIMALE = 200
COPIE = " (copie)"  # two fiches of one name can't be told apart in the tree
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
    noeud = noeud_de(arbre, parent)
    niveau = arbre.niveau_a_creer(noeud)
    if niveau is None:
        raise Invalide("niveau_illegal", f"Rien ne peut être créé sous « {noeud.nom or noeud.identifiant} ».")
    if not 1 <= quantite <= QUANTITE_MAXIMALE:
        message = f"Choisissez une quantité entre 1 et {QUANTITE_MAXIMALE}."
        raise Invalide("quantite", message, champs={"quantite": [message]})
    fiches = creer_fiches(eg=dossier.eg, niveaux=[niveau] * quantite)
    patch: Patch = {"existe": True, "parent": parent} | ({"nom": nom} if nom else {})
    if niveau == Niveau.UO:  # what almost every fiche says
        patch |= {"age_min_unite": "an", "age_max_unite": "an"}
    travaux = creer_travaux(dossier, acteur, [(f, dict(patch)) for f in fiches])
    consigner(
        dossier, TypeEvenement.FICHE_AJOUTEE, acteur, fiche=fiches[0],
        fiches=[f.identifiant for f in fiches], niveau=niveau, sous=parent,
    )  # fmt: skip
    suivre(dossier, acteur)
    return travaux


@transaction.atomic
def dupliquer(*, numero: int, acteur: User, fiche: int, vu: int | None = None) -> FicheTravail:
    """Copy a fiche to the same place: new identifier, no published history, en attente (acceptance 74).

    ``vu``: as for ``ajouter``.
    """
    dossier = ouvrir_brouillon(numero, acteur)
    noeud = noeud_de(apercu(dossier), fiche)
    _refuser_deux_fois(
        dossier,
        acteur,
        vu,
        TypeEvenement.FICHE_DUPLIQUEE,
        "Vous venez de dupliquer cette fiche",
        modele=noeud.identifiant,
    )
    if noeud.niveau == Niveau.EG or noeud.supprime:
        raise Invalide("duplication_illegale", "Cette fiche ne peut pas être dupliquée.")
    etat = etat_de_travail(noeud.travail, etats_au([fiche]).get(fiche, {}))
    copie = difference({}, {c.nom: valeur(etat, c.nom) for c in champs_de(noeud.niveau)})
    copie = {n: v for n, v in copie.items() if n not in DATES_DE_VIE}
    copie["nom"] = f"{valeur(etat, 'nom')[: CHAMPS['nom'].longueur - len(COPIE)]}{COPIE}"
    (nouvelle,) = creer_fiches(eg=dossier.eg, niveaux=[noeud.niveau])
    patch: Patch = copie | {"existe": True, "parent": noeud.parent_id}
    (travail,) = creer_travaux(dossier, acteur, [(nouvelle, patch)])
    consigner(dossier, TypeEvenement.FICHE_DUPLIQUEE, acteur, fiche=nouvelle, modele=noeud.identifiant)
    suivre(dossier, acteur)
    return travail


@transaction.atomic
def deplacer(*, numero: int, acteur: User, fiche: int, parent: int) -> FicheTravail | None:
    """Put a fiche under another legal parent (acceptance 78); back to its published place undoes the move."""
    dossier = ouvrir_brouillon(numero, acteur)
    arbre = apercu(dossier)
    noeud = noeud_de(arbre, fiche)
    if noeud.supprime or noeud.niveau == Niveau.EG:
        raise Invalide("deplacement_illegal", "Cette fiche ne peut pas être déplacée.")
    if parent not in {place.fiche_id for place in arbre.places(noeud)}:
        message = "Choisissez une place de la liste : cette fiche ne peut pas aller là."
        raise Invalide("place_illegale", message, champs={"parent": [message]})
    travail = enregistrer_patch(dossier, acteur, noeud, {"parent": parent})
    if travail is not None and noeud.publie:
        _finaliser_si_complete(dossier, arbre, noeud, travail)
    consigner(
        dossier, TypeEvenement.FICHE_DEPLACEE, acteur, fiche=fiche,
        de=arbre.noeuds[noeud.parent_id].nom if noeud.parent_id in arbre.noeuds else "", vers=arbre.noeuds[parent].nom,
    )  # fmt: skip
    suivre(dossier, acteur)
    return travail


@transaction.atomic
def supprimer(*, numero: int, acteur: User, fiche: int) -> list[str]:
    """Delete a fiche and all below. Published ones will be closed, new ones disappear (domain.md §2).

    Refuses a new fiche under which published ones were moved: they would be lost. Returns the names that go.
    """
    dossier = ouvrir_brouillon(numero, acteur)
    arbre = apercu(dossier)
    noeud = noeud_de(arbre, fiche)
    if noeud.niveau == Niveau.EG:
        raise Invalide("suppression_illegale", "Un établissement ne se supprime pas par un dossier collaboratif.")
    branche = [n for n in noeud.parcours() if not n.supprime]
    if not branche:
        raise Conflit("deja_supprimee", "Cette fiche est déjà supprimée dans ce dossier.")
    accueillies = [n for n in branche if n.publie]
    if not noeud.publie and accueillies:
        raise Invalide(
            "fiches_accueillies",
            f"« {accueillies[0].nom} » a été déplacée sous cette nouvelle fiche : déplacez-la d’abord ailleurs.",
        )
    perdu = retirer_travaux(n.travail for n in branche if not n.publie and n.travail)
    publies = [n for n in branche if n.publie]
    for n in publies:
        parent = arbre.noeuds.get(n.parent_id or 0)
        if n.travail and parent is not None and not parent.publie:  # its new parent disappears: no place to go back to
            n.travail.patch.pop("parent", None)
            n.travail.base.pop("parent", None)
    fermer_travaux(dossier, acteur, publies)
    noms = [n.nom or n.identifiant for n in branche]
    consigner(dossier, TypeEvenement.FICHE_SUPPRIMEE, acteur, fiche=fiche, noms=noms, perdu=perdu)
    suivre(dossier, acteur)
    return noms


@transaction.atomic
def annuler_changement(*, numero: int, acteur: User, fiche: int) -> None:
    """Forget what the dossier does to a fiche. A closing is undone for the whole branch it took along;
    refuses to forget a new fiche that others hang under, and a move or closing that others depend on."""
    dossier = ouvrir_brouillon(numero, acteur)
    arbre = apercu(dossier)
    noeud = noeud_de(arbre, fiche)
    if noeud.travail is None:
        raise Conflit("rien_a_annuler", "Ce dossier ne change plus cette fiche.")
    if not noeud.publie and noeud.enfants:
        raise Invalide("fiches_dessous", "D’autres fiches sont rattachées à celle-ci : supprimez-la avec elles.")
    annules = [noeud]
    if noeud.supprime:  # undone with everything that was closed by the same gesture
        lot = noeud.travail.revision
        annules = [n for n in arbre.noeuds.values() if n.supprime and n.travail and n.travail.revision == lot]
    # An undone closing comes back where the dossier had put it, any other undone change where the register has it.
    for annule in annules:
        parent = arbre.noeuds.get((annule.parent_id if annule.supprime else annule.parent_publie_id) or 0)
        if annule.publie and parent is not None and parent.supprime and parent not in annules:
            raise Invalide(
                "parent_supprime",
                f"« {parent.nom} », à laquelle la fiche serait rattachée, est supprimée par ce dossier : annulez "
                "d’abord cette suppression.",
            )
    perdu = {}
    if noeud.supprime:
        rouvrir_travaux(acteur, [n.travail for n in annules if n.travail])
    else:
        perdu = retirer_travaux([noeud.travail])
    consigner(dossier, TypeEvenement.CHANGEMENT_ANNULE, acteur, fiche=fiche, nom=noeud.nom, perdu=perdu)
    suivre(dossier, acteur)


def _refuser_deux_fois(dossier: Dossier, acteur: User, vu: int | None, type_: str, phrase: str, **details: Any) -> None:
    if vu is None:
        return
    deja = dossier.evenements.filter(type=type_, acteur=acteur, pk__gt=vu, details__contains=details)
    if deja.exists():
        raise Conflit(
            "deja_fait", f"{phrase} : c’est fait, dans l’arbre du dossier. Recommencez de là pour en avoir d’autres."
        )


def _finaliser_si_complete(dossier: Dossier, arbre: Apercu, noeud: NoeudTravail, travail: FicheTravail) -> None:
    repertoire = etats_au([noeud.fiche_id]).get(noeud.fiche_id, {})
    seulement_deplacee = travail.nature == Nature.DEPLACEMENT and travail.patch.keys() == {"parent"}
    if seulement_deplacee and not manques(arbre, noeud, etat_de_travail(travail, repertoire)):
        travail.finaliser()
        travail.save(update_fields=["etat"])
