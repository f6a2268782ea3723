"""What hangs under a fiche on its page: the tree of an establishment, its filters, how complete it is."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from django.http import HttpRequest

from backoffice.socle.arbre import Noeud as NoeudAffiche
from backoffice.socle.etats import signe

from .. import requetes
from ..enums import Niveau
from ..etablissement import ETATS, etats_des_fiches
from ..models import Fiche
from ..requetes import Noeud
from .communs import Jour, adresse_fiche, noeuds_affiches

UN_ECRAN = 12  # fiches from which on a tree gets its filter and its buttons
PREMIERES = 8  # incomplete fiches named on the page of an establishment; the tree shows them all


class Filtre(NamedTuple):
    """A link that narrows the tree to the fiches that carry a sign; "" shows them all."""

    etat: str
    mot: str
    nombre: int


def arbre_de(request: HttpRequest, fiche: Fiche, jour: Jour, contenu_au: date, champ_eg: str) -> dict[str, Any] | None:
    """The tree of an EG, the establishments of an EJ, the branch of the others; None for an UO."""
    if fiche.niveau == Niveau.EJ:
        egs = requetes.egs_de_ej(fiche.pk, contenu_au)
        noeuds = [
            NoeudAffiche(v.fiche.identifiant, "EG", v.nom, url=adresse_fiche(v.fiche.identifiant, jour)) for v in egs
        ]
        comptes_ej = [("EG", len(noeuds))] if noeuds else []
        return {"titre": "Établissements", "noeuds": noeuds, "decompte": comptes_ej, "grand": False}
    if fiche.niveau == Niveau.UO or fiche.eg is None:
        return None
    lus = requetes.noeuds_au(fiche.eg, contenu_au)
    racine = requetes.assembler(lus, fiche.eg.pk) and lus.get(fiche.pk)
    if racine is None:
        return None
    tous = list(racine.parcours())
    etats = etats_des_fiches(fiche.eg, champ_eg, contenu_au)
    comptes = {etat: sum(etat in etats.get(n.fiche_id, ()) for n in tous) for etat in ETATS}
    filtres = [Filtre(etat, signe(etat).mot, n) for etat, n in comptes.items() if n]
    montrer = request.GET.get("montrer", "")
    montrer = montrer if comptes.get(montrer) else ""
    vise = request.GET.get("fiche", "")
    actif = next((n.fiche_id for n in tous if n.identifiant == vise), fiche.pk)
    return {
        "titre": "Structures",
        "noeuds": noeuds_affiches(racine, jour, actif, etats, montrer),
        "decompte": _decompte(tous[1:]),
        "filtres": [Filtre("", "toutes les fiches", len(tous)), *filtres] if filtres else [],
        "montrer": montrer,
        "grand": len(tous) > UN_ECRAN,
        **_completude(tous, etats, jour),
    }


def _decompte(noeuds: Iterable[Noeud]) -> list[tuple[str, int]]:
    """(level, number) of the fiches of a tree, from the top."""
    niveaux = [n.niveau for n in noeuds]
    return [(str(n.value), niveaux.count(n)) for n in Niveau if n in niveaux]


def _completude(tous: list[Noeud], etats: Mapping[int, list[str]], jour: Jour) -> dict[str, Any]:
    """How many fiches are complete, and the first of those that are not."""
    incompletes = [n for n in tous if "incomplete" in etats.get(n.fiche_id, ())]
    return {
        "total": len(tous),
        "completes": len(tous) - len(incompletes),
        "incompletes": [(n.nom or "(sans nom)", adresse_fiche(n.identifiant, jour)) for n in incompletes[:PREMIERES]],
        "autres_incompletes": max(0, len(incompletes) - PREMIERES),
    }
