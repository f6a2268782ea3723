"""The verbs: what a file proposes is kept until its author confirms it, then laid over the draft as one gesture."""

from collections.abc import Collection, Mapping
from typing import Any, BinaryIO

from django.db import transaction
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Introuvable, Invalide
from structures.domaine.creer import creer_fiches
from structures.domaine.patches import Etat, Patch, composer
from structures.enums import Niveau
from structures.importations.tableau import lire
from structures.requetes import etats_au

from ...enums import TypeEvenement
from ...models import Dossier, Evenement, FicheTravail, Proposition
from ..apercu import Apercu, NoeudTravail, apercu, perdue
from ..gestes import fermee
from ..travaux import accomplir, ouvrir_brouillon, poser_patch
from .analyse import ERREURS_MAXIMALES, Erreur, analyser
from .colonnes import CREER, MODIFIER
from .gabarit import jetons_de
from .suppressions import emportees, revision_de

ORDRE = [Niveau.POLE, Niveau.SERVICE, Niveau.UF, Niveau.UO]


class FichierEnErreur(Invalide):
    """Nothing of the file is kept: ``erreurs`` says where and why, ``ERREURS_MAXIMALES`` of them at most."""

    def __init__(self, erreurs: list[Erreur]) -> None:
        n = f"{len(erreurs)} erreurs" if len(erreurs) > 1 else "une erreur"
        au_moins = "au moins " if len(erreurs) == ERREURS_MAXIMALES else ""
        super().__init__("fichier_en_erreur", f"Le fichier contient {au_moins}{n} : rien n’en est repris.")
        self.erreurs = erreurs


@transaction.atomic
def proposer(*, numero: int, acteur: User, nom: str, flux: BinaryIO, taille: int) -> Proposition:
    """Keep what a file would change; nothing is changed yet.

    Refuses a file that can't be read (``FichierRefuse``), that has errors (``FichierEnErreur``) or that changes
    nothing (``Invalide``); ``Conflit`` when the dossier is no longer a draft.
    """
    brutes = lire(flux, taille)
    dossier = ouvrir_brouillon(numero, acteur)
    analyse = analyser(dossier, brutes)
    if analyse.erreurs:
        raise FichierEnErreur(analyse.erreurs)
    if not analyse.lignes:
        raise Invalide(
            "fichier_sans_changement",
            "Ce fichier ne change rien : ses cellules disent ce qu’elles disaient quand il a été téléchargé, ou ce que "
            "le dossier dit déjà.",
        )
    return Proposition.objects.create(dossier=dossier, auteur=acteur, fichier=nom[:200], lignes=analyse.lignes)


@transaction.atomic
def appliquer_proposition(*, numero: int, acteur: User, proposition: int, prendre: Collection[str] = ()) -> Evenement:
    """Lay a proposal over the draft: created and changed fiches are en attente, all of it is one gesture to take back.

    ``prendre``: « ligne:champ » of the collisions where the file wins; elsewhere what others did stays. Refuses a
    proposal of somebody else (``Interdit``), one already applied, or made on fiches that were saved since, or whose
    deletions would take along others than the preview named (``Conflit``). A constant number of statements.
    """
    dossier = ouvrir_brouillon(numero, acteur)
    proposee = dossier.propositions.select_related("auteur").filter(pk=proposition).first()
    if proposee is None:
        raise Introuvable("proposition_inconnue", "Ce fichier n’a pas été déposé dans ce dossier.")
    if proposee.auteur_id != acteur.pk:
        raise Interdit("proposition_d_autrui", f"Seul celui qui a déposé ce fichier le reprend : {proposee.auteur}.")
    if proposee.appliquee_le is not None:
        raise Conflit("deja_appliquee", "Les changements de ce fichier ont déjà été repris dans le dossier.")
    arbre = apercu(dossier)
    egarees = {n.fiche_id for n in arbre.sans_rattachement()}
    touchees = [ligne["fiche"] for ligne in proposee.lignes if ligne["fiche"]]
    registre = etats_au(touchees)
    _refuser_si_depassee(proposee, arbre, jetons_de(registre))
    dessous = emportees(arbre, proposee.lignes)
    _refuser_si_emporte_plus(proposee, dessous)
    travaux = _travaux(dossier, acteur, proposee, arbre, registre, set(prendre))
    fermees = {n.fiche_id: n for cle, branche in dessous.items() for n in (arbre.noeuds[cle], *branche)}
    travaux |= {cle: fermee(dossier, acteur, noeud) for cle, noeud in fermees.items()}
    apres = {n.fiche_id: n.travail for n in arbre.noeuds.values() if n.travail} | travaux
    if noeud := perdue(dossier, apres.values(), egarees):
        raise Conflit(
            "proposition_depassee",
            f"« {noeud.designation} » n’aurait plus de rattachement : le dossier a changé depuis cet aperçu. Rien n’a "
            "été repris : déposez de nouveau le fichier.",
        )
    evenement = accomplir(
        dossier, acteur, TypeEvenement.FICHIER_APPLIQUE, travaux.values(), fichier=proposee.fichier,
        creees=sum(ligne["action"] == CREER for ligne in proposee.lignes), nombre=len(travaux),
    )  # fmt: skip
    proposee.appliquee_le = timezone.now()
    proposee.save(update_fields=["appliquee_le"])
    return evenement


def _refuser_si_depassee(proposee: Proposition, arbre: Apercu, jetons: Mapping[int, str]) -> None:
    """The fiches of the rows must still be as the preview showed them, and the places where they go be there."""
    cites = {p for ligne in proposee.lignes if isinstance(p := ligne["parent"], int)}
    disparues = cites - arbre.noeuds.keys()
    for ligne in proposee.lignes:
        if ligne["fiche"] is None:
            continue
        noeud = arbre.noeuds.get(ligne["fiche"])
        travail = noeud.travail if noeud else None
        if noeud is None or [revision_de(noeud), jetons.get(ligne["fiche"], "")] != ligne["version"]:
            nom = noeud.designation if noeud else "une fiche"
            qui = f" par {travail.modifiee_par}" if travail and travail.revision != ligne["version"][0] else ""
            raise Conflit(
                "proposition_depassee",
                f"« {nom} » a été modifiée{qui} depuis cet aperçu. Rien n’a été repris : déposez de nouveau le fichier "
                "pour voir ce qu’il changerait maintenant.",
            )
    if disparues:
        raise Conflit(
            "proposition_depassee",
            "Une fiche à laquelle le fichier rattache les siennes a été retirée depuis cet aperçu. Rien n’a été "
            "repris : déposez de nouveau le fichier.",
        )


def _refuser_si_emporte_plus(proposee: Proposition, dessous: Mapping[int, list[NoeudTravail]]) -> None:
    """A deletion takes along what the preview named, as it was then, and nothing else."""
    for ligne in proposee.lignes:
        montrees = dict(ligne["emporte"])
        for noeud in dessous.get(ligne["fiche"], []):
            if montrees.get(noeud.fiche_id) != revision_de(noeud):
                par = f" par {noeud.travail.modifiee_par}" if noeud.travail else ""
                raise Conflit(
                    "proposition_depassee",
                    f"« {noeud.designation} », que la suppression de la ligne {ligne['ligne']} emporterait, a été "
                    f"ajoutée ou modifiée{par} depuis cet aperçu. Rien n’a été repris : déposez de nouveau le fichier "
                    "pour voir ce qu’il changerait maintenant.",
                )


def _travaux(
    dossier: Dossier,
    acteur: User,
    proposee: Proposition,
    arbre: Apercu,
    registre: Mapping[int, Etat],
    prendre: set[str],
) -> dict[int, FicheTravail]:
    """The working copies that the proposal creates, from the top down, and changes, by fiche."""
    nouvelles = sorted(
        (ligne for ligne in proposee.lignes if ligne["action"] == CREER), key=lambda x: ORDRE.index(x["niveau"])
    )
    fiches = creer_fiches(eg=dossier.eg, niveaux=[ligne["niveau"] for ligne in nouvelles])
    cles: dict[Any, int] = {ligne["cle"]: f.pk for ligne, f in zip(nouvelles, fiches, strict=True)}

    def patch(ligne: dict[str, Any]) -> Patch:
        pris = {nom: c for nom, c in ligne["heurts"].items() if f"{ligne['ligne']}:{nom}" in prendre}
        place = {} if ligne["parent"] is None else {"parent": cles.get(ligne["parent"], ligne["parent"])}
        return composer(ligne["patch"], pris) | place

    travaux: dict[int, FicheTravail] = {}
    for ligne, fiche in zip(nouvelles, fiches, strict=True):
        travaux[fiche.pk] = FicheTravail(
            dossier=dossier, fiche=fiche, patch=patch(ligne) | {"existe": True}, modifiee_par=acteur
        )
    for ligne in proposee.lignes:
        if ligne["action"] == MODIFIER and (mien := patch(ligne)):
            noeud = arbre.noeuds[ligne["fiche"]]
            travaux[ligne["fiche"]] = poser_patch(dossier, acteur, noeud, mien, registre.get(ligne["fiche"], {}))
    return travaux
