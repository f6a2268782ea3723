"""What the rules know besides the fiche: the tree, and what the references say of the codes held. Read once."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from django.utils import timezone

from backoffice.socle.mots import date_longue
from structures.affichage import codes_tenus
from structures.champs import CHAMPS, Forme, Genre
from structures.domaine.patches import Etat, Patch
from structures.domaine.texte import normaliser
from structures.domaine.valider import LISTES_SOEURS
from structures.enums import NatureConcept
from structures.models import Association, Commune
from structures.requetes import options_de, versions_au

from ..apercu import Apercu, NoeudTravail

_CODES = tuple(
    c
    for c in CHAMPS.values()
    if c.nomenclature or c.genre in (Genre.CAPACITES, Genre.CONTACTS)
)  # fmt: skip
_COMMUNES = tuple(c for c in CHAMPS.values() if c.genre in (Genre.COMMUNE, Genre.COMMUNES))

Code = tuple[str, str]  # nomenclature, code
Homonymie = tuple[int | None, str, str, str]  # parent, level, folded name, type


@dataclass(frozen=True, slots=True)
class Contexte:
    """``inconnus`` and ``fermes``: of the codes held, those that no list has, and those that none has in force, in
    words. ``champs_des_types``: by Type d'UO, its champs d'activité when known. ``communes``: by COG code held, its
    postal codes; ``communes_finies``: in words, those that are no more. ``homonymes``: who has this name and type in
    this place. ``maternite``: an open unit is named so. ``quittees``: the fiches below which the dossier closes
    something or moves it away."""

    arbre: Apercu
    categorie: str
    jour: date
    inconnus: Collection[Code]
    fermes: Mapping[Code, str]
    champs_des_types: Mapping[str, set[str]]
    communes: Mapping[str, list[str]]
    communes_finies: Mapping[str, str]
    homonymes: Mapping[Homonymie, set[int]]
    maternite: bool
    quittees: set[int]


def lire_contexte(arbre: Apercu, etats: Mapping[int, Etat]) -> Contexte:
    """What the rules need for these contents, by fiche, in four statements at most, one more for merged communes."""
    codes = {(liste, code) for etat in etats.values() for _, liste, code in codes_de(etat)}
    types = {etat["type_uo"] for etat in etats.values() if etat.get("type_uo")}
    communes = Commune.objects.in_bulk({code for etat in etats.values() for _, code in communes_de(etat)})
    eg = versions_au().filter(fiche=arbre.racine.fiche_id)
    jour = timezone.localdate()
    inconnus, fermes = _a_revoir(codes, jour)
    return Contexte(
        arbre=arbre,
        categorie=eg.values_list("categorie", flat=True).first() or "",
        jour=jour,
        inconnus=inconnus,
        fermes=fermes,
        champs_des_types=_champs_des_types(types),
        communes={code: commune.codes_postaux for code, commune in communes.items()},
        communes_finies=_communes_finies(list(communes.values())),
        homonymes=_homonymes(arbre, {arbre.noeuds[cle].parent_id for cle in etats}),
        maternite=any("maternité" in n.nom.lower() for n in arbre.noeuds.values() if not n.supprime),
        quittees=_quittees(arbre),
    )


def codes_de(etat: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(field, nomenclature, code) of every coded value of a state."""
    for champ in _CODES:
        contenu = etat.get(champ.nom)
        if contenu:
            yield from ((champ.nom, liste, code) for liste, code in codes_tenus(champ, contenu) if code)


def communes_de(etat: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(field, COG code) of every commune of a state."""
    for champ in _COMMUNES:
        contenu = etat.get(champ.nom)
        if contenu:
            codes = [contenu] if champ.genre is Genre.COMMUNE else contenu
            yield from ((champ.nom, code) for code in codes)


def apports(patch: Patch) -> Etat:
    """What a patch brings, in the shapes of a state: values, elements added, elements set."""
    apportes: Etat = {}
    for nom, changement in patch.items():
        match CHAMPS[nom].forme:
            case Forme.VALEUR:
                apportes[nom] = changement
            case Forme.ENSEMBLE:
                apportes[nom] = frozenset(changement.get("ajoute", ()))
            case Forme.INDEXE:
                apportes[nom] = changement.get("pose", {})
    return apportes


def homonymie(noeud: NoeudTravail, nom: str, type_uo: str) -> Homonymie:
    return noeud.parent_id, noeud.niveau, plie(nom), type_uo


@lru_cache(maxsize=10_000)
def plie(nom: str) -> str:
    """A name as it is compared; each is asked for by several rules."""
    return normaliser(nom)


def _a_revoir(codes: Collection[Code], jour: date) -> tuple[set[Code], dict[Code, str]]:
    soeurs = {(liste, code): [(s, code) for s in LISTES_SOEURS.get(liste, (liste,))] for liste, code in codes}
    options = options_de(paire for paires in soeurs.values() for paire in paires)
    inconnus, fermes = set(), {}
    for code, paires in soeurs.items():
        trouvees = [options[paire] for paire in paires if paire in options]
        if not trouvees:
            inconnus.add(code)
        elif all(o.ferme_au(jour) for o in trouvees):
            depuis = max(o.date_fin for o in trouvees if o.date_fin)
            quand = date_longue(depuis)
            fermes[code] = f"« {trouvees[0].libelle} » (code {code[1]}) n’est plus en vigueur depuis le {quand}"
    return inconnus, fermes


def _communes_finies(communes: Collection[Commune]) -> dict[str, str]:
    """By code, in words, those that are no more, with the one that took them over."""
    finies = {c.code: c for c in communes if c.date_fin}
    connues, a_lire = dict(finies), {c.devenue for c in finies.values()} - {""}
    while a_lire := a_lire - connues.keys():  # once more when what they became has merged since
        lues = Commune.objects.in_bulk(a_lire)
        connues |= lues
        a_lire = {c.devenue for c in lues.values() if c.date_fin}
    phrases = {}
    for code, commune in finies.items():
        actuelle: Commune | None = commune
        for _ in connues:
            if actuelle and actuelle.date_fin:
                actuelle = connues.get(actuelle.devenue)
        remede = (
            f"remplacez-la par {actuelle.libelle}"
            if actuelle
            else "son territoire a été partagé, choisissez celle qui convient"
        )
        depuis = date_longue(commune.date_fin)
        phrases[code] = f"« {commune.libelle} » (code {code}) n’est plus une commune depuis le {depuis} : {remede}."
    return phrases


def _champs_des_types(types: set[str]) -> dict[str, set[str]]:
    champs: dict[str, set[str]] = defaultdict(set)
    if types:
        associations = Association.objects.filter(
            nature=NatureConcept.TYPE_CHAMP, source__nomenclature="J238", source__code__in=types
        )
        for type_, champ in associations.order_by("pk").values_list("source__code", "cible__code"):
            champs[type_].add(champ)
    return champs


def _homonymes(arbre: Apercu, parents: set[int | None]) -> dict[Homonymie, set[int]]:
    homonymes: dict[Homonymie, set[int]] = defaultdict(set)
    for noeud in arbre.noeuds.values():
        if noeud.parent_id in parents and not noeud.supprime and noeud.nom:
            homonymes[homonymie(noeud, noeud.nom, noeud.type_uo)].add(noeud.fiche_id)
    return homonymes


def _quittees(arbre: Apercu) -> set[int]:
    quittees: set[int] = set()
    for noeud in arbre.noeuds.values():
        if noeud.supprime or noeud.deplace:
            parent = noeud.parent_publie_id
            while parent is not None and parent in arbre.noeuds and parent not in quittees:
                quittees.add(parent)
                parent = arbre.noeuds[parent].parent_publie_id
    return quittees
