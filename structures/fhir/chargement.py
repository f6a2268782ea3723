"""What the resources of a lot of fiches are built from, loaded in a number of statements that does not depend on it."""

from collections.abc import Collection
from datetime import date

from ..enums import Niveau
from ..models import Commune, Concept, Nomenclature, VersionFiche
from .ressources import LISTES, Referentiel


def referentiel_des_listes() -> tuple[dict[str, str], dict[tuple[str, str], str]]:
    """URL by list and label by (list, code) of all that is exposed: once for many lots."""
    urls = dict(Nomenclature.objects.filter(pk__in=LISTES).values_list("pk", "url"))
    concepts = Concept.objects.filter(nomenclature__in=LISTES).order_by()
    return urls, {
        (liste, code): libelle
        for liste, code, libelle in concepts.values_list("nomenclature_id", "code", "libelle").iterator()
    }


def versions_du_jour(fiches: Collection[int], jour: date) -> dict[int, VersionFiche]:
    """Versions of that day of these fiches, of all their ancestors and of their establishments, by fiche."""
    versions: dict[int, VersionFiche] = {}
    demandees = set(fiches)
    for _ in Niveau:  # the tree is no deeper than its levels
        trouvees = (
            VersionFiche.objects.filter(fiche__in=demandees, validite__contains=jour)
            .select_related("fiche", "parent")
            .defer("recherche")
        )
        versions |= {v.fiche_id: v for v in trouvees}
        demandees = {
            cle for v in versions.values() for cle in (v.parent_id, v.eg_id) if cle is not None
        } - versions.keys()
        if not demandees:
            break
    return versions


def referentiel(
    versions: Collection[VersionFiche], listes: tuple[dict[str, str], dict[tuple[str, str], str]]
) -> Referentiel:
    """What the codes of these versions mean, with the names of the communes that they cite."""
    communes = {v.commune for v in versions} | {code for v in versions for code in v.territoire}
    noms = dict(Commune.objects.filter(pk__in=communes).values_list("pk", "nom"))
    return Referentiel(*listes, noms, _jours_des_capacites(versions))


def _jours_des_capacites(versions: Collection[VersionFiche]) -> dict[tuple[int, str], date]:
    """A version that leaves a capacity as it was does not date it again."""
    actuelles = {v.fiche_id: v for v in versions if v.capacites}
    jours = {(fiche, cle): v.validite.lower for fiche, v in actuelles.items() for cle in v.capacites}
    a_remonter = set(jours)
    anciennes = VersionFiche.objects.filter(fiche__in=actuelles).order_by("-validite")
    for fiche, validite, capacites in anciennes.values_list("fiche_id", "validite", "capacites"):
        v = actuelles[fiche]
        if validite.lower >= v.validite.lower:
            continue
        for cle, capacite in v.capacites.items():
            if (fiche, cle) in a_remonter and capacites.get(cle) == capacite:
                jours[fiche, cle] = validite.lower
            else:
                a_remonter.discard((fiche, cle))
    return jours
