"""Three-way merge of a working copy: base → register now against base → patch (model.md, domain.md §5)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from structures.champs import CHAMPS, Forme
from structures.domaine.modifier import se_heurtent
from structures.domaine.patches import Etat, appliquer, depuis_json, difference, valeur, vers_json

from ..models import FicheTravail


@dataclass(frozen=True, slots=True)
class ConflitChamp:
    """A field that the register and the dossier changed differently since the working copy was made."""

    nom: str
    base: Any
    repertoire: Any
    dossier: Any


def base_de(travail: FicheTravail, repertoire: Mapping[str, Any]) -> Etat:
    """The state the patch was made on: the recorded base of patched fields, the register of today elsewhere."""
    return {**repertoire, **{nom: depuis_json(nom, v) for nom, v in travail.base.items()}}


def etat_de_travail(travail: FicheTravail | None, repertoire: Mapping[str, Any]) -> Etat:
    """The content of a fiche as the dossier will publish it over the register of today."""
    return appliquer(repertoire, travail.patch) if travail else dict(repertoire)


def enregistrer_base(travail: FicheTravail, repertoire: Mapping[str, Any]) -> None:
    """Record the register's value of each newly patched field, forget those no longer patched."""
    travail.base = {
        nom: travail.base[nom] if nom in travail.base else vers_json(nom, valeur(repertoire, nom))
        for nom in travail.patch
    }


def conflits(travail: FicheTravail, repertoire: Mapping[str, Any]) -> list[ConflitChamp]:
    """Fields to settle. Elements of lists merge by themselves; equal changes on both sides are no conflict."""
    trouves = []
    for nom, changement in travail.patch.items():
        if nom not in travail.base:
            continue
        base, maintenant = depuis_json(nom, travail.base[nom]), valeur(repertoire, nom)
        autre = difference({nom: base}, {nom: maintenant})
        if autre and se_heurtent(nom, changement, autre[nom]):
            cote_dossier = appliquer({nom: base}, {nom: changement})[nom]
            if CHAMPS[nom].forme is not Forme.VALEUR or cote_dossier != maintenant:
                trouves.append(ConflitChamp(nom, base, maintenant, cote_dossier))
    return trouves


def tous_les_conflits(
    travaux: Iterable[FicheTravail], repertoire: Mapping[int, Mapping[str, Any]]
) -> dict[int, list[ConflitChamp]]:
    """Conflicts by fiche id, only fiches that have some."""
    par_fiche = {t.fiche_id: conflits(t, repertoire.get(t.fiche_id, {})) for t in travaux}
    return {cle: liste for cle, liste in par_fiche.items() if liste}
