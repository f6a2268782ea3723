"""Marks of attention: what a reviewer should not miss (``modele.ATTENTIONS``).

The territory of an activity is the département of the establishment: the last offer of an activity there is a closing,
or the removal of the activity from a unit, after which no open UO of the département offers it, neither in the
register of today less what this dossier closes and removes, nor by what it adds.
"""

from collections.abc import Iterable, Mapping

from django.db import connection
from django.utils import timezone

from backoffice.socle.mots import nombre, pluriel
from structures.affichage import Affichage
from structures.champs import CHAMPS
from structures.domaine.cog import departement, departement_sql
from structures.domaine.patches import Etat, valeur
from structures.enums import Niveau
from structures.models import Fiche
from structures.requetes import versions_au

from ..domaine.collisions import Collision
from ..enums import Nature
from ..models import FicheTravail
from .modele import Attention, Changement

BAISSE_NOTABLE = 0.2  # of the places of a unit, or of the establishment


def places(etat: Mapping[str, object]) -> int:
    return sum(c.get("nombre") or 0 for c in valeur(etat, "capacites").values())


def _baisse(avant: int, apres: int) -> bool:
    return avant > 0 and apres < avant * (1 - BAISSE_NOTABLE)


def _de_a(avant: int, apres: int) -> str:
    return f"de {nombre(avant)} à {nombre(apres)} place{pluriel(max(avant, apres))}"


def sur_la_fiche(travail: FicheTravail, avant: Etat, apres: Etat, *, en_conflit: bool) -> list[Attention]:
    """What the change of one fiche tells by itself; no statement."""
    marques = []
    existait = travail.nature != Nature.AJOUT
    if "type_uo" in travail.patch and existait and travail.nature != Nature.SUPPRESSION:
        marques.append(Attention("type", "Type d’UO modifié"))
    if travail.rouvre:
        marques.append(Attention("reouverture", "fiche fermée, rouverte avec son identifiant et son historique"))
    if "unite_sensible" in travail.patch and valeur(avant, "unite_sensible") != valeur(apres, "unite_sensible"):
        devient = bool(apres.get("unite_sensible"))
        phrase = "devient une unité sensible" if devient else "n’est plus une unité sensible"
        marques.append(Attention("sensible", phrase))
    elif apres.get("unite_sensible"):
        marques.append(Attention("sensible", "unité sensible"))
    if "capacites" in travail.patch and existait and travail.nature != Nature.SUPPRESSION:
        apparait = places(avant), places(apres)
        if _baisse(*apparait):
            marques.append(Attention("capacite", f"capacité réduite {_de_a(*apparait)}"))
    if en_conflit:
        marques.append(Attention("conflit", "modifiée aussi au répertoire depuis : conflit à régler"))
    return marques


def marquer_collisions(liste: Iterable[Changement], trouvees: Iterable[Collision]) -> None:
    """What the register did to the tree meanwhile and nobody has settled."""
    par_fiche = {c.fiche: c for c in liste}
    for collision in trouvees:
        if collision.fiche in par_fiche:
            par_fiche[collision.fiche].attentions.append(Attention("conflit", collision.phrase))


def marquer_fermetures(liste: Iterable[Changement]) -> None:
    """Closings that take open fiches along."""
    for c in liste:
        if c.dessous:
            n = len(c.dessous)
            phrase = f"sa suppression ferme aussi {nombre(n)} fiche{pluriel(n)} rattachée{pluriel(n)}"
            c.attentions.insert(0, Attention("fermeture", phrase))


def marquer_etablissement(
    eg: Fiche, liste: Iterable[Changement], etats: Mapping[int, tuple[Etat, Etat]], travaux: Iterable[FicheTravail]
) -> None:
    """The establishment as a whole loses more than a fifth of its places: said on the change that takes most of them.

    One statement.
    """
    perdues = {}
    for travail in travaux:
        avant, apres = (places(etat) for etat in etats[travail.fiche_id])
        if travail.nature == Nature.AJOUT:
            avant = 0
        perdues[travail.fiche_id] = avant - (0 if travail.nature == Nature.SUPPRESSION else apres)
    total = sum(perdues.values())
    if total <= 0:
        return
    lues = versions_au().filter(eg=eg, niveau=Niveau.UO).order_by().values_list("capacites", flat=True)
    publiees = sum(places({"capacites": capacites}) for capacites in lues)
    if not _baisse(publiees, publiees - total):
        return
    principale = max(liste, key=lambda c: perdues[c.fiche])
    texte = f"capacité de l’établissement réduite {_de_a(publiees, publiees - total)}"
    principale.attentions.append(Attention("capacite", texte))


def marquer_dernieres_offres(
    eg: Fiche,
    liste: Iterable[Changement],
    etats: Mapping[int, tuple[Etat, Etat]],
    tous: Iterable[FicheTravail],
    mots: Affichage,
) -> None:
    """Activities that the département would offer no more. At most two statements.

    ``liste`` and ``etats``: the changes to mark; ``tous``: every working copy of the dossier, which may close or offer
    the same activity elsewhere.
    """
    perdues: dict[int, set[str]] = {}
    for c in liste:
        avant, apres = etats[c.fiche]
        gardees = frozenset() if c.nature == Nature.SUPPRESSION else valeur(apres, "activites")
        if perdues_ici := valeur(avant, "activites") - gardees:
            perdues[c.fiche] = set(perdues_ici)
    if not perdues:
        return
    fermees, retirees, ajoutees = _mouvements(tous)
    orphelines = _sans_autre_offre(eg, set().union(*perdues.values()) - ajoutees, fermees, retirees)
    for c in liste:
        codes = perdues.get(c.fiche, set()) & orphelines
        if codes:
            noms = sorted(mots.code(CHAMPS["activites"].nomenclature, code) for code in codes)
            cites = ", ".join(noms[:3]) + (f" et {len(noms) - 3} autres" if len(noms) > 3 else "")
            c.attentions.append(Attention("derniere-offre", f"dernière offre du département : {cites}"))


def _mouvements(tous: Iterable[FicheTravail]) -> tuple[list[int], list[tuple[int, str]], set[str]]:
    """(fiches closed, (fiche, activity) removed, activities added) by the dossier."""
    fermees, retirees, ajoutees = [], [], set()
    for travail in tous:
        if travail.nature == Nature.SUPPRESSION:
            fermees.append(travail.fiche_id)
            continue
        changement = travail.patch.get("activites", {})
        retirees += [(travail.fiche_id, code) for code in changement.get("retire", ())]
        ajoutees |= set(changement.get("ajoute", ()))
    return fermees, retirees, ajoutees


def _sans_autre_offre(eg: Fiche, codes: set[str], fermees: list[int], retirees: list[tuple[int, str]]) -> set[str]:
    """Those of the activities that no UO open today in the département of the EG offers, less what the dossier takes
    away."""
    commune = versions_au().filter(fiche=eg).order_by().values_list("commune", flat=True).first()
    if not codes or not commune:
        return set()
    with connection.cursor() as curseur:
        curseur.execute(
            f"""SELECT perdue.code FROM unnest(%(codes)s::text[]) AS perdue (code)
                WHERE NOT EXISTS (
                    SELECT 1 FROM structures_versionfiche uo JOIN structures_versionfiche eg ON eg.fiche_id = uo.eg_id
                    WHERE uo.niveau = 'UO' AND uo.activites @> ARRAY[perdue.code]::varchar[]
                      AND uo.validite @> %(jour)s::date AND eg.validite @> %(jour)s::date
                      AND {departement_sql("eg.commune")} = %(departement)s
                      AND (uo.date_fermeture IS NULL OR uo.date_fermeture > %(jour)s
                           OR uo.date_reouverture <= %(jour)s)
                      AND uo.fiche_id <> ALL (%(fermees)s::bigint[])
                      AND NOT EXISTS (
                          SELECT 1 FROM unnest(%(fiches)s::bigint[], %(retires)s::text[]) AS retrait (fiche, code)
                          WHERE retrait.fiche = uo.fiche_id AND retrait.code = perdue.code))""",  # noqa: S608 (SQL of ours)
            {
                "codes": list(codes),
                "fermees": fermees,
                "fiches": [fiche for fiche, _ in retirees],
                "retires": [code for _, code in retirees],
                "jour": timezone.localdate(),
                "departement": departement(commune),
            },
        )
        return {code for (code,) in curseur.fetchall()}
