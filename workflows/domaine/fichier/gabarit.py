"""The file to fill: the tree of the dossier as it is, one row a fiche, in the order of the tree."""

from collections.abc import Collection, Iterator, Mapping

from django.db.models import Count, Max, Q
from django.utils import timezone

from backoffice.exports.fichiers import Ligne
from structures.champs import Genre
from structures.domaine.patches import Etat, valeur
from structures.enums import Niveau
from structures.importations.tableau import FEUILLE
from structures.models import Fiche, Modification
from structures.requetes import etats_au

from ...models import Dossier
from ..apercu import Apercu, apercu
from ..fusion import etat_de_travail
from .colonnes import CHAMPS_DU_FICHIER, LISTES, LISTES_COMPOSEES, NIVEAUX, STRUCTURE, VERSION, ecrire
from .composes import MODELES
from .lexique import Lexique
from .suppressions import revision_de

EXPLICATIONS: tuple[Ligne, ...] = (
    ("Colonne", "Comment la remplir"),
    ("Identifiant", "Celui de la fiche. Pour une nouvelle fiche : un repère de votre choix (N1, N2…), que d’autres "
     "lignes peuvent citer dans « Rattachement », ou rien."),
    ("Niveau", "P (pôle), S (service), UF (unité fonctionnelle) ou UO (unité opérationnelle). Obligatoire pour une "
     "nouvelle fiche ; celui d’une fiche existante ne change pas."),
    ("Rattachement", "L’identifiant ou le repère de la fiche du dessus. Le changer déplace la fiche."),
    ("Action", "Vide ou « modifier » : les cellules changées sont reprises. « créer » : nouvelle fiche. "
     "« supprimer » : la fiche et tout ce qui est dessous."),
    ("Les autres colonnes", "Une par champ. Vider une cellule vide le champ. Une colonne ou une ligne retirée du "
     "fichier n’est pas changée. Celles qui ne sont pas du niveau de la fiche (ci-dessous) restent vides."),
    *(
        (f"Colonnes du niveau {niveau.value} ({niveau.label.lower()})",
         ", ".join(c.libelle for c in CHAMPS_DU_FICHIER if niveau in c.niveaux) + ".")
        for niveau in Niveau if niveau in NIVEAUX
    ),
    ("Listes", "Plusieurs valeurs séparées par « | ». Une valeur codée s’écrit par son libellé, son code, ou « Libellé "
     "[code] » : voir la feuille « Valeurs »."),
    ("Communes", "« Vanves (92) », son nom s’il est seul à le porter, ou son code INSEE."),
    *(
        (titre, f"« {MODELES[genre]} ». Plusieurs : séparés par « | ».")
        for titre, genre in (
            ("Équipements", Genre.EQUIPEMENTS), ("Capacités", Genre.CAPACITES), ("Horaires", Genre.HORAIRES),
            ("Contacts", Genre.CONTACTS),
        )
    ),
    ("Oui ou non", "oui ou non."),
    ("Dates", "31/03/2027."),
    ("Version", "Ne la modifiez pas : elle dit ce que le fichier montrait, pour que rien de ce qui a changé depuis ne "
     "soit écrasé."),
    ("Formules", "Elles sont refusées : remplacez-les par leur valeur."),
)  # fmt: skip


def du_registre(eg: Fiche) -> Apercu:
    """The tree of an establishment that no dossier changes yet."""
    return apercu(Dossier(eg=eg), [])


def lignes(arbre: Apercu) -> Iterator[Ligne]:
    """The header, then the fiches that the dossier does not delete. A constant number of statements."""
    noeuds = [n for n in arbre.racine.parcours() if n.niveau in NIVEAUX and not n.supprime]
    registre = etats_au(n.fiche_id for n in noeuds)
    etats = {n.fiche_id: etat_de_travail(n.travail, registre.get(n.fiche_id, {})) for n in noeuds}
    jetons = jetons_de(registre)
    lexique = Lexique(LISTES, communes_de(etats))
    yield (*STRUCTURE, *(champ.libelle for champ in CHAMPS_DU_FICHIER), VERSION)
    for n in noeuds:
        dessus = arbre.noeuds.get(n.parent_id or 0) if n is not arbre.racine else None
        yield (
            n.identifiant, n.niveau, dessus.identifiant if dessus else "", "",
            *(ecrire(c, etats[n.fiche_id], lexique) if n.niveau in c.niveaux else "" for c in CHAMPS_DU_FICHIER),
            version(revision_de(n), jetons.get(n.fiche_id, "")),
        )  # fmt: skip


def version(revision: int, jeton: str) -> str:
    """What a row was given with: save of the working copy, what the register held (``lecture.jeton_de``), day."""
    return f"{revision}/{jeton}/{timezone.localdate().isoformat()}"


def jetons_de(fiches: Collection[int] | Mapping[int, Etat]) -> dict[int, str]:
    """``lecture.jeton_de`` of several fiches, in one statement."""
    comptes = (
        Modification.objects.filter(fiche__in=list(fiches))
        .order_by()
        .values_list("fiche")
        .annotate(derniere=Max("pk"), annulees=Count("pk", filter=Q(annulee_le__isnull=False)))
    )
    return {fiche: f"{derniere}.{annulees}" for fiche, derniere, annulees in comptes}


def communes_de(etats: Mapping[int, Etat]) -> set[str]:
    codes: set[str] = set()
    for etat in etats.values():
        codes |= {etat["commune"]} if etat.get("commune") else set()
        codes |= valeur(etat, "territoire")
    return codes


def feuilles(arbre: Apercu) -> list[tuple[str, Iterator[Ligne]]]:
    """(title, rows) of the workbook."""
    return [(FEUILLE, lignes(arbre)), ("Mode d’emploi", iter(EXPLICATIONS)), ("Valeurs", _valeurs())]


def _valeurs() -> Iterator[Ligne]:
    """The open values of each coded column, as the file may say them."""
    lexique, jour = Lexique(LISTES), timezone.localdate()
    yield ("Colonne", "Valeur")
    listes = [(c.libelle, c.nomenclature) for c in CHAMPS_DU_FICHIER] + list(LISTES_COMPOSEES.items())
    for titre, liste in listes:
        if liste:
            for code in lexique.ouverts(liste, jour):
                yield (titre, lexique.mot(liste, code))
