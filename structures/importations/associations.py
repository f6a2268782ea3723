"""Associations as a kind of import: four layouts of a table, known by their columns, in CSV or XLSX.

``code;filiere;champ;autorites`` rules of categories; ``code;autorites`` modes of tarification; ``type;champ`` and
``famille;activite`` (or the official ``systeme_source;code_source;systeme_cible;code_cible``, ASS_A14) a line a pair.
What a file says of a code replaces what was held of it; codes that it does not name stay as they are.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path

from ..domaine import associations
from ..domaine.associations import CHAMPS, CIBLES, LIBELLES, SOURCES, Regles, Valeurs
from ..domaine.texte import normaliser
from ..enums import NatureRegle, SortDetail
from .bilan import Bilan, Detail
from .genres import Genre
from .lecture import FichierRefuse
from .nos.edition import numero_de
from .suivi import Suivi
from .tableau import illisible, lire

_COLONNES: dict[frozenset[str], str] = {
    frozenset({"systeme_source", "code_source", "systeme_cible", "code_cible"}): NatureRegle.FAMILLE_ACTIVITE,
    frozenset({"code", "filiere", "champ", "autorites"}): NatureRegle.CATEGORIE,
    frozenset({"code", "autorites"}): NatureRegle.TARIFICATION,
    frozenset({"type", "champ"}): NatureRegle.TYPE_CHAMP,
    frozenset({"famille", "activite"}): NatureRegle.FAMILLE_ACTIVITE,
}


def importer(chemin: Path, suivi: Suivi) -> Bilan:
    suivi.etape("Lecture du fichier")
    colonnes, lignes = _lire(chemin)
    nature = next((nature for attendues, nature in _COLONNES.items() if attendues <= set(colonnes)), None)
    if nature is None:
        raise FichierRefuse(f"ses colonnes ne sont d’aucune association. {_attendues()}", ligne=1)
    voulues, refus = _regles(nature, lignes)
    avant = associations.lire(nature, verrouiller=True)
    suivi.etape("Comparaison et écriture", len(voulues))
    phrases = associations.consequences(nature, avant, voulues)
    details = [*_details(nature, avant, voulues, phrases), *refus]
    associations.ecrire(nature, avant, voulues)
    egales = len(voulues) - len(phrases)
    libelle = NatureRegle(nature).label
    return Bilan(
        [f"{libelle} : {len(voulues)} codes lus, {len(phrases)} changent, {egales} sont déjà ainsi.",
         "Un dossier déjà envoyé en validation garde son circuit."],
        {},
        details,
        complet=True,
    )  # fmt: skip


def _attendues() -> str:
    """The columns that are expected, with the values that those of a closed choice may have."""
    permises = associations.possibles(NatureRegle.CATEGORIE)
    choix = ". ".join(f"{champ} : {', '.join(v)}" for champ, v in permises.items())
    return (
        "Colonnes attendues : code;filiere;champ;autorites (catégories) ; code;autorites (modes de tarification) ; "
        "type;champ (types d’UO) ; famille;activite, ou les colonnes d’ASS_A14 (familles). Valeurs possibles, "
        f"{choix} (plusieurs se joignent par +). L’export de la page « Associations » est un modèle à remplir."
    )


def _lire(chemin: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """(columns, (line, cells by column))."""
    with chemin.open("rb") as flux:
        table = lire(flux, chemin.stat().st_size)
    if not table:
        raise FichierRefuse("il est vide.")
    colonnes = [normaliser(c).replace(" ", "_") for c in table[0]]
    lignes = []
    for numero, cellules in enumerate(table[1:], 2):
        if len(cellules) > len(colonnes):
            raise FichierRefuse(f"{len(cellules)} cellules pour {len(colonnes)} colonnes.", ligne=numero)
        for cellule in cellules:
            if pourquoi := illisible(cellule):
                raise FichierRefuse(pourquoi, ligne=numero)
        if cellules:
            lignes.append((numero, dict(zip_longest(colonnes, cellules, fillvalue=""))))
    return colonnes, lignes


def _regles(nature: str, lignes: list[tuple[int, dict[str, str]]]) -> tuple[Regles, list[Detail]]:
    """(values by key, lines that are refused with their reason). A refused line leaves its code alone."""
    possibles, cles = associations.possibles(nature), associations.cles_possibles(nature)
    lus: dict[str, list[tuple[int, Valeurs]]] = defaultdict(list)
    refus: dict[str, list[Detail]] = defaultdict(list)
    for numero, ligne in lignes:
        cle, valeurs = _paire(nature, ligne) if nature in CIBLES else (ligne["code"], _valeurs(nature, ligne))
        fautes = [] if cle in cles else [("", f"le code {cle[:40]} n’est pas dans {' ni '.join(SOURCES[nature])}")]
        for champ, choisies in valeurs.items():
            inconnues = [v for v in choisies if v not in possibles[champ]]
            if inconnues:
                fautes.append((champ, f"{', '.join(inconnues)[:60]} : valeur inconnue, ou code fermé"))
            if champ in ("filiere", "champ") and not choisies:
                fautes.append((champ, "la valeur manque"))
        refus[cle] += [
            Detail(SortDetail.REFUSE, numero, LIBELLES.get(champ, "code"), cle, champ=LIBELLES.get(champ, ""),
                   apres=", ".join(valeurs.get(champ, ())), raison=raison)
            for champ, raison in fautes
        ]  # fmt: skip
        lus[cle].append((numero, valeurs))
    regles: Regles = {}
    for cle, occurrences in lus.items():
        if refus[cle]:
            continue
        if nature in CIBLES:
            regles[cle] = {"cibles": tuple(sorted({c for _, v in occurrences for c in v["cibles"]}))}
        elif any(valeurs != occurrences[0][1] for _, valeurs in occurrences):
            raison = f"déjà, autrement, ligne {occurrences[0][0]}"
            refus[cle].append(Detail(SortDetail.REFUSE, occurrences[-1][0], cle=cle, raison=raison))
        else:
            regles[cle] = occurrences[0][1]
    return regles, [detail for du_code in refus.values() for detail in du_code]


def _valeurs(nature: str, ligne: Mapping[str, str]) -> Valeurs:
    """« ARS+CD » is two kinds of authority."""
    return {
        champ: tuple(v.strip() for v in ligne[champ].split("+") if v.strip()) if champ == "autorites"
        else tuple([normaliser(ligne[champ]).replace(" ", "-")] if ligne[champ] else [])
        for champ in CHAMPS[nature]
    }  # fmt: skip


def _paire(nature: str, ligne: Mapping[str, str]) -> tuple[str, Valeurs]:
    if "systeme_source" in ligne:
        source = f"{numero_de(ligne['systeme_source'])}/{ligne['code_source']}"
        cible = ligne["code_cible"] if numero_de(ligne["systeme_cible"]) == CIBLES[nature] else ligne["systeme_cible"]
        return source, {"cibles": (cible,)}
    if nature == NatureRegle.TYPE_CHAMP:
        return f"J238/{ligne['type']}", {"cibles": (ligne["champ"],)}
    famille = ligne["famille"]
    return famille if "/" in famille else f"R265/{famille}", {"cibles": (ligne["activite"],)}


def _details(nature: str, avant: Regles, voulues: Regles, phrases: Mapping[str, str]) -> Iterator[Detail]:
    noms = associations.cles_possibles(nature)
    for cle in sorted(phrases):
        sort = SortDetail.CHANGE if cle in avant else SortDetail.CREE
        for champ in CHAMPS[nature]:
            tenues, neuves = avant.get(cle, {}).get(champ, ()), voulues[cle][champ]
            if tenues != neuves:
                yield Detail(sort, cle=cle, nom=noms.get(cle, ""), champ=LIBELLES[champ], avant=", ".join(tenues),
                             apres=", ".join(neuves), raison=phrases[cle])  # fmt: skip


ASSOCIATIONS = Genre(
    "associations",
    "Associations",
    "Ce qu’un code implique pour un autre, en CSV ou XLSX : catégorie → filière, champ et autorités ; mode de "
    "tarification → autorités ; type d’UO → champ ; famille → activités (ASS_A14 compris). "
    "Modèle à remplir : l’export de la page « Associations ».",
    (".csv", ".xlsx"),
    importer,
)
