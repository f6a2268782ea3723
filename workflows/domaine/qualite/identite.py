"""Names, official identities, addresses."""

from collections.abc import Iterator

from structures.champs import CHAMPS, Qui, libelle
from structures.enums import Niveau

from ..apercu import NoeudTravail
from .catalogue import BON_SENS, CHAMPS_DE_DOSSIER, DOMAINE, GUIDE, TOUS, UO, Constat, Gravite, Sujet, regle
from .contexte import Contexte, homonymie, plie

UNITE = "Unité"  # how the name of an UO starts (acceptance 70)
COPIE = " (copie)"  # ends the name of a duplicated fiche: two of one name can't be told apart in the tree

_OFFICIELS = frozenset({Qui.IMPORT, Qui.GESTIONNAIRE})


def nom_inhabituel(niveau: str, nom: str) -> bool:
    """True for the name of an UO that does not start as the guide asks (acceptance 70); it does not block."""
    return niveau == Niveau.UO and bool(nom.strip()) and not nom.strip().lower().startswith(UNITE.lower())


@regle(
    "BO-NOM-UNITE", "Le nom d’une unité opérationnelle commence par « Unité »",
    Gravite.AVERTISSEMENT, UO, ["nom"], GUIDE,
)  # fmt: skip
def _nom_d_unite(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    if nom_inhabituel(fiche.noeud.niveau, fiche["nom"]):
        yield Constat("nom", "Le nom ne commence pas par « Unité », suivi du nom du type : gardez-le s’il convient.")


@regle("BO-NOM-COPIE", "Une fiche dupliquée reçoit son propre nom", Gravite.AVERTISSEMENT, TOUS, ["nom"], BON_SENS)
def _nom_de_copie(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    if fiche["nom"].endswith(COPIE):
        yield Constat("nom", "Le nom finit encore par « (copie) » : donnez à la fiche son propre nom.")


@regle(
    "BO-DOUBLON", "Deux fiches du même endroit n’ont pas le même nom et le même type",
    Gravite.AVERTISSEMENT, [n for n in TOUS if n != Niveau.EG], ["nom", "type_uo", "parent"], BON_SENS,
)  # fmt: skip
def _doublon(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    cle = homonymie(fiche.noeud, fiche["nom"], fiche["type_uo"] if fiche.noeud.niveau == Niveau.UO else "")
    noeuds = contexte.arbre.noeuds
    autres = [noeuds[cle_] for cle_ in contexte.homonymes.get(cle, ()) if cle_ != fiche.noeud.fiche_id]
    # Said once of two: on the one that the dossier touches, else on the younger.
    if fiche["nom"] and any(_rang(autre) < _rang(fiche.noeud) for autre in autres):
        mots = "le même nom et le même type" if fiche.noeud.niveau == Niveau.UO else "le même nom"
        autre = min(autres, key=_rang)
        yield Constat("nom", f"La fiche {autre.identifiant}, au même endroit, a {mots} : distinguez-les.")


def _rang(noeud: NoeudTravail) -> tuple[bool, int]:
    return noeud.travail is not None, noeud.fiche_id


@regle(
    "BO-IDENTITE", "Un dossier ne change ni l’identité officielle d’un établissement ni la nature d’une unité publiée",
    Gravite.BLOQUANT, TOUS, [c.nom for c in CHAMPS_DE_DOSSIER if c.qui in _OFFICIELS | {Qui.CREATION}], DOMAINE,
)  # fmt: skip
def _identite_changee(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    figes = _OFFICIELS if fiche.neuve else _OFFICIELS | {Qui.CREATION}
    for nom in fiche.patch or ():
        if CHAMPS[nom].qui in figes:
            yield Constat(nom, f"« {libelle(CHAMPS[nom], fiche.noeud.niveau)} » ne change pas par un dossier.")
    if fiche.noeud is contexte.arbre.racine and (fiche.patch or {}).keys() & {"existe", "parent"}:
        yield Constat("", "Un établissement ne se ferme et ne se déplace pas par un dossier collaboratif.")


@regle(
    "BO-CODE-POSTAL", "Le code postal est celui de la commune",
    Gravite.AVERTISSEMENT, [Niveau.EG], ["code_postal", "commune"], BON_SENS,
)  # fmt: skip
def _code_postal(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    possibles = contexte.communes.get(fiche["commune"], [])
    if fiche["code_postal"] and possibles and fiche["code_postal"] not in possibles:
        mots = ", ".join(possibles[:5])
        yield Constat("code_postal", f"Ce code postal n’est pas celui de la commune ({mots}) : vérifiez l’adresse.")


def dit(nom: str, *mots: str) -> bool:
    """True when a name holds a word that begins so (folded: no accent, no capital); « uhsi » and a space: that word."""
    lu = f" {plie(nom)} "
    return any(f" {mot}" in lu for mot in mots)
