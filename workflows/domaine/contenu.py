"""The content of the fiches of a draft: fill, finalise, settle a conflict with the register."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Invalide
from backoffice.socle.mots import date_longue
from structures.champs import CHAMPS, Qui, libelle
from structures.domaine.fusion import heurts
from structures.domaine.patches import Etat, Patch, appliquer, difference, utile, valeur
from structures.domaine.valider import erreurs_contenu
from structures.enums import NatureConcept
from structures.models import Association
from structures.requetes import etats_au

from ..enums import TypeEvenement
from ..models import FicheTravail
from .apercu import NoeudTravail, apercu
from .departage import departager
from .fusion import conflits, etat_de_travail
from .journal import consigner
from .qualite import a_corriger
from .travaux import accomplir, change, noeud_de, ouvrir_brouillon, photo, poser_patch

MODIFIABLES = frozenset({Qui.PARTOUT, Qui.DOSSIER})
A_LA_CREATION = MODIFIABLES | {Qui.CREATION}
TYPE_ET_CHAMP = {"type_uo", "champ_activite"}


@transaction.atomic
def enregistrer(
    *,
    numero: int,
    acteur: User,
    fiche: int,
    saisie: Mapping[str, Any],
    revision: int,
    finaliser: bool = False,
    registre: Etat,
    departages: Mapping[str, str] | None = None,
) -> FicheTravail | None:
    """« Enregistrer et mettre en attente », or « … et finaliser » (acceptance 73 and 75).

    ``saisie`` is the state of the fields of the form, ``revision`` the save that it showed (0: untouched). What
    others saved meanwhile merges; a value changed on both sides is refused (``Conflit`` with ``champs``: theirs).
    ``departages``: by field that the register changed too, what to keep (``departage.Garder``); it is done first.
    ``registre``: what ``saisie`` and ``departages`` were decided on; a direct change of the same since is refused too.
    Finalising is refused (``Invalide`` with ``champs``) while mandatory fields are missing or a conflict with the
    register is open. Returns None when nothing is left to change. A save that changes nothing leaves no trace.
    """
    dossier = ouvrir_brouillon(numero, acteur)
    arbre = apercu(dossier)
    noeud = noeud_de(dossier, arbre, fiche)
    refuser_supprimee(noeud)
    avant = photo(noeud.travail) if noeud.travail else None
    repertoire = etats_au([fiche]).get(fiche, {})
    _refuser_champs_figes(noeud, saisie, etat_de_travail(noeud.travail, repertoire))
    if departages:
        departager(noeud.travail, repertoire, departages)
        for champ, garder in departages.items():
            consigner(dossier, TypeEvenement.CONFLIT_REGLE, acteur, fiche=fiche, champ=champ, garder=garder)
    mien = _ce_que_j_ai_change(noeud, repertoire, saisie, revision)
    _refuser_registre_depasse(noeud, registre, repertoire, mien, departages or {})
    etat = etat_de_travail(noeud.travail, repertoire)
    mien |= _champ_du_type(noeud, mien, appliquer(etat, mien))
    if mien:
        erreurs = erreurs_contenu(noeud.niveau, etat, utile(etat, mien))
        if erreurs:
            raise Invalide("contenu", "Certaines informations sont à corriger.", champs=erreurs)
    travail = poser_patch(dossier, acteur, noeud, mien, repertoire)
    if finaliser:
        if not travail.patch:
            raise Invalide("rien_a_finaliser", "Cette fiche est identique au répertoire : il n’y a rien à finaliser.")
        _refuser_de_finaliser(travail, repertoire, a_corriger(arbre, [travail]).get(fiche, {}))
        travail.finaliser()
    if departages or change(travail, avant):
        type_ = TypeEvenement.FICHE_FINALISEE if finaliser else TypeEvenement.FICHE_ENREGISTREE
        accomplir(dossier, acteur, type_, [travail], fiche=fiche, champs=sorted(mien))
    return travail if travail.patch else None


@transaction.atomic
def finaliser(*, numero: int, acteur: User, fiches: Sequence[int]) -> tuple[list[int], dict[int, dict[str, list[str]]]]:
    """Finalise fiches as they are: (those that were finalised, what the others lack by field; "" concerns no field).

    One that is complete does not wait for the others; one that already is finalised is in neither. A constant number
    of statements.
    """
    dossier = ouvrir_brouillon(numero, acteur)
    arbre = apercu(dossier)
    repertoire = etats_au(fiches)
    manques = a_corriger(arbre, dossier.fiches.filter(fiche__in=fiches))
    faits: list[FicheTravail] = []
    refus: dict[int, dict[str, list[str]]] = {}
    for fiche in dict.fromkeys(fiches):
        noeud = arbre.noeuds.get(fiche)
        if noeud is None or noeud.travail is None:
            refus[fiche] = {"": ["Ce dossier ne change plus cette fiche : il n’y a rien à finaliser."]}
        elif not noeud.travail.est_finalisee:
            try:
                _refuser_de_finaliser(noeud.travail, repertoire.get(fiche, {}), manques.get(fiche, {}))
            except Invalide as trouve:
                refus[fiche] = trouve.champs
            else:
                noeud.travail.finaliser()
                faits.append(noeud.travail)
    if faits:
        accomplir(
            dossier, acteur, TypeEvenement.FICHE_FINALISEE, faits,
            fiche=faits[0].fiche_id, fiches=[t.fiche.identifiant for t in faits],
        )  # fmt: skip
    return [t.fiche_id for t in faits], refus


def refuser_supprimee(noeud: NoeudTravail) -> None:
    """Refuse to work on a fiche that the dossier closes: who decided it, and how to change that."""
    if noeud.supprime and noeud.travail is not None:
        quand = date_longue(noeud.travail.modifiee_le, "heure")
        raise Conflit(
            "fiche_supprimee",
            f"{noeud.travail.modifiee_par} a supprimé « {noeud.designation} » dans ce dossier le {quand}. "
            "Pour la modifier, annulez d’abord cette suppression.",
        )


def _ce_que_j_ai_change(
    noeud: NoeudTravail, repertoire: Mapping[str, Any], saisie: Mapping[str, Any], revision: int
) -> Patch:
    """The patch from what the form showed to what was typed; refused where somebody changed the same since."""
    travail = noeud.travail
    actuelle = travail.revision if travail else 0
    if revision == actuelle:
        return difference(etat_de_travail(travail, repertoire), dict(saisie))
    vue = travail.revisions.filter(numero=revision).first() if travail else None
    if travail is None or (vue is None and revision != 0):
        raise Conflit(
            "fiche_modifiee",
            "Le changement que votre formulaire montrait a été annulé dans ce dossier pendant que vous le remplissiez. "
            "Rouvrez la fiche, vérifiez-la et refaites vos changements s’ils sont encore utiles.",
        )
    montre = appliquer(repertoire, vue.patch if vue else {})
    mien = difference(montre, dict(saisie))
    trouves = [h.nom for h in heurts(montre, appliquer(repertoire, travail.patch), mien)]
    if trouves:
        noms = ", ".join(f"« {libelle(CHAMPS[n], noeud.niveau)} »" for n in trouves)
        quand = date_longue(travail.modifiee_le, "heure")
        phrase = (
            f"{travail.modifiee_par} a enregistré cette fiche le {quand}, pendant que vous la remplissiez, et y a "
            f"changé {noms} autrement que vous. Comparez les deux versions et gardez la bonne."
        )
        raise Conflit("fiche_modifiee", phrase, champs={n: [phrase] for n in trouves})
    return mien


def _refuser_registre_depasse(
    noeud: NoeudTravail, vu: Etat, repertoire: Etat, mien: Patch, departages: Mapping[str, str]
) -> None:
    """The last moment of the register: what was decided on a value that is no longer there is decided again."""
    depasses = {n for n in departages if valeur(vu, n) != valeur(repertoire, n)}
    depasses |= {h.nom for h in heurts(vu, repertoire, mien)}
    if depasses:
        noms = ", ".join(f"« {libelle(CHAMPS[n], noeud.niveau)} »" for n in sorted(depasses))
        phrase = f"Une modification directe du répertoire vient de changer {noms}. Comparez les versions."
        raise Conflit("fiche_modifiee", phrase, champs={n: [phrase] for n in depasses})


def _refuser_champs_figes(noeud: NoeudTravail, saisie: Mapping[str, Any], etat: Mapping[str, Any]) -> None:
    """A dossier changes everything but official identities; champ and mode are typed once (domain.md §2)."""
    permis = A_LA_CREATION if noeud.neuve else MODIFIABLES
    for nom, contenu in saisie.items():
        champ = CHAMPS.get(nom)
        if champ is None or champ.nom in ("existe", "parent") or noeud.niveau not in champ.niveaux:
            raise Invalide("champ_inconnu", f"Le champ « {nom} » n’existe pas sur cette fiche.")
        if champ.qui not in permis and contenu != valeur(etat, nom):
            raise Invalide("champ_fige", f"« {champ.libelle} » ne peut pas être modifié dans un dossier.")


def _champ_du_type(noeud: NoeudTravail, mien: Patch, voulu: Etat) -> Patch:
    if not mien.keys() & TYPE_ET_CHAMP:
        return {}
    champs = Association.objects.filter(
        nature=NatureConcept.TYPE_CHAMP, source__nomenclature="J238", source__code=valeur(voulu, "type_uo")
    ).values_list("cible__code", flat=True)
    return champ_du_type(list(champs), mien, voulu, noeud.neuve)


def champ_du_type(champs: Sequence[str], mien: Patch, voulu: Etat, neuve: bool) -> Patch:
    """What a patch on an UO lacks for its champ to be one of its type (``champs``, none known: any): a type brings its
    champ to a fiche without one, and to a new one unless the patch gives it. Else both agree, or ``Invalide``
    (domain.md §2)."""
    champ = valeur(voulu, "champ_activite")
    if not mien.keys() & TYPE_ET_CHAMP or not champs or champ in champs:
        return {}
    if not champ or (neuve and "champ_activite" not in mien):
        return {"champ_activite": champs[0]}
    message = "Choisissez un type du même champ d’activité que l’unité."
    raise Invalide("type_hors_champ", message, champs={"type_uo": [message]})


def _refuser_de_finaliser(
    travail: FicheTravail, repertoire: Mapping[str, Any], a_corriger: Mapping[str, list[str]]
) -> None:
    a_regler = conflits(travail, repertoire)
    if a_regler:
        noms = {c.nom: ["Le répertoire a changé cette valeur : choisissez celle à garder."] for c in a_regler}
        raise Invalide("conflit_a_regler", "Réglez d’abord les conflits avec le répertoire.", champs=noms)
    if a_corriger:
        raise Invalide("incomplete", "La fiche ne peut pas encore être finalisée.", champs=a_corriger)
