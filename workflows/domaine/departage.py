"""The register moved on under a working copy: what merges by itself, and what a person settles (domain.md §5)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from backoffice.socle.erreurs import Conflit, Invalide
from structures.champs import CHAMPS, LIES, UNITES, Genre, champs_de
from structures.domaine.fusion import Heurt, sans_heurts
from structures.domaine.lecture import etat_connu
from structures.domaine.patches import Etat, Patch, appliquer, difference, valeur

from ..models import FicheTravail
from .fusion import base_de, conflits, poser


class Garder(StrEnum):
    """What a person keeps of a field that the register and the dossier both changed."""

    REPERTOIRE = "repertoire"
    DOSSIER = "dossier"
    DEUX = "deux"


def choix_de(heurt: Heurt) -> tuple[Garder, ...]:
    """What can be kept: two versions of one contact can stand beside each other, two values of a field can't."""
    deux = CHAMPS[heurt.nom].genre is Genre.CONTACTS
    return tuple(Garder) if deux else (Garder.REPERTOIRE, Garder.DOSSIER)


def departager(travail: FicheTravail | None, repertoire: Mapping[str, Any], choix: Mapping[str, str]) -> None:
    """Make the working copy say what was chosen for each of these fields, measured against the register of now. What
    does not collide in a list stays from both sides. Nothing is written.

    Refuses a field whose conflict is settled already (``Conflit``), a choice that it does not have (``Invalide``).
    """
    ouverts = {UNITES.get(h.nom, h.nom): h for h in conflits(travail, repertoire)} if travail else {}
    for nom, garder in choix.items():
        if travail is None or nom not in ouverts:
            raise Conflit(
                "conflit_regle",
                f"Le conflit sur « {_mot(nom)} » a déjà été réglé. Rouvrez la fiche pour voir ce qui a été gardé.",
            )
        if garder not in choix_de(ouverts[nom]):
            message = "Choisissez la valeur à garder."
            raise Invalide("choix", message, champs={nom: [message]})
        lies = [n for n in (nom, LIES.get(nom, nom)) if n in travail.patch]
        mien = {n: travail.patch[n] for n in lies}
        base = base_de(travail, repertoire)
        cede = mien if garder == Garder.DOSSIER else sans_heurts(base, repertoire, mien, [nom])
        voulu = {n: valeur(appliquer(repertoire, cede), n) for n in lies}
        if garder == Garder.DEUX:
            voulu[nom] = _cote_a_cote(voulu[nom], mien[nom])
        poser(travail, repertoire, voulu)


def reprises(travail: FicheTravail, repertoire: Etat) -> tuple[Etat, Patch]:
    """(what the register said at the last save of the working copy, what it changed since and that the dossier takes
    up without asking). One statement."""
    alors = etat_connu(travail.fiche, travail.modifiee_le) or repertoire
    heurtes = {n for h in conflits(travail, repertoire) for n in (h.nom, LIES.get(h.nom, h.nom))}
    noms = [c.nom for c in champs_de(travail.fiche.niveau) if c.nom not in heurtes]
    return alors, difference(alors, {n: valeur(repertoire, n) for n in noms})


def _cote_a_cote(leurs: Mapping[str, Any], mien: Mapping[str, Any]) -> dict[str, Any]:
    """The contacts of both: those of ``mien`` that theirs says otherwise come under a key of their own."""
    ensemble = dict(leurs)
    for cle, contact in mien.get("pose", {}).items():
        while cle in ensemble and ensemble[cle] != contact:
            cle = f"{cle}-bis"
        ensemble[cle] = contact
    return ensemble


def _mot(nom: str) -> str:
    return CHAMPS[nom].libelle if nom in CHAMPS else nom
