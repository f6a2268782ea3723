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


def sans_heurts(travail: FicheTravail, repertoire: Mapping[str, Any], nom: str) -> Any:
    """What remains of the dossier's change of a field without the elements that the register changed too."""
    base = depuis_json(nom, travail.base[nom])
    autre = difference({nom: base}, {nom: valeur(repertoire, nom)}).get(nom, {})
    mien, forme = travail.patch[nom], CHAMPS[nom].forme
    if forme is Forme.VALEUR:
        return None
    if forme is Forme.ENSEMBLE:
        return {
            "ajoute": sorted(set(mien.get("ajoute", ())) - set(autre.get("retire", ()))),
            "retire": sorted(set(mien.get("retire", ())) - set(autre.get("ajoute", ()))),
        }
    touches = autre.get("pose", {}).keys() | set(autre.get("retire", ()))
    return {
        "pose": {cle: v for cle, v in mien.get("pose", {}).items() if cle not in touches},
        "retire": [cle for cle in mien.get("retire", ()) if cle not in touches],
    }


def conflits(travail: FicheTravail, repertoire: Mapping[str, Any]) -> list[ConflitChamp]:
    """Fields to settle. Elements of lists merge by themselves; equal changes on both sides are no conflict."""
    trouves = []
    if travail.patch.get("existe") is False:
        return []  # what was typed before the closing is kept for its undoing, not published
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
