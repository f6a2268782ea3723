"""Three-way merge of a working copy: base → register now against base → patch (model.md, domain.md §5)."""

from collections.abc import Iterable, Mapping
from typing import Any

from structures.domaine.fusion import Heurt, heurts
from structures.domaine.patches import Etat, appliquer, depuis_json, difference, valeur, vers_json

from ..models import FicheTravail


def etat_de_travail(travail: FicheTravail | None, repertoire: Mapping[str, Any]) -> Etat:
    """The content of a fiche as the dossier will publish it over the register of today."""
    return appliquer(repertoire, travail.patch) if travail else dict(repertoire)


def poser(travail: FicheTravail, repertoire: Mapping[str, Any], voulu: Mapping[str, Any]) -> None:
    """Make the dossier want these values of a published fiche: patch and base are measured against the register of
    now. A value that the register already has leaves the patch."""
    for nom, contenu in voulu.items():
        actuel = valeur(repertoire, nom)
        changement = difference({nom: actuel}, {nom: contenu})
        travail.patch = {n: v for n, v in travail.patch.items() if n != nom} | changement
        travail.base = {n: v for n, v in travail.base.items() if n != nom}
        if changement:
            travail.base[nom] = vers_json(nom, actuel)


def base_de(travail: FicheTravail, repertoire: Mapping[str, Any]) -> Etat:
    """What the register held when the dossier changed it. Only the fields of the patch were noted then: the others
    count as what they are now."""
    return {**repertoire, **{nom: depuis_json(nom, contenu) for nom, contenu in travail.base.items()}}


def conflits(travail: FicheTravail, repertoire: Mapping[str, Any]) -> list[Heurt]:
    """Fields to settle between the register (``leur``) and the dossier (``mien``)."""
    if travail.patch.get("existe") is False or not (repertoire or travail.patch.get("existe")):
        return []  # closed by the dossier, or in the register: nothing of it is published (collisions.py)
    compares = {nom: changement for nom, changement in travail.patch.items() if nom in travail.base}
    return heurts(base_de(travail, repertoire), repertoire, compares)


def tous_les_conflits(
    travaux: Iterable[FicheTravail], repertoire: Mapping[int, Mapping[str, Any]]
) -> dict[int, list[Heurt]]:
    """Conflicts by fiche id, only fiches that have some."""
    par_fiche = {t.fiche_id: conflits(t, repertoire.get(t.fiche_id, {})) for t in travaux}
    return {cle: liste for cle, liste in par_fiche.items() if liste}
