"""Who is received, when, where, how many: ages, hours, territory, capacities."""

from collections import Counter
from collections.abc import Iterator

from structures.champs import JOURS_PAR_UNITE
from structures.domaine.horaires import OUVERTURE, lire_cle

from .catalogue import BON_SENS, DOMAINE, INSTALLE, UO, Constat, Gravite, Sujet, regle
from .contexte import Contexte

AGE_PLAUSIBLE = 130  # years
FONCTIONNEMENT = "02"  # R252
A_HEURES = frozenset({"32", "47", "48", "56"})  # consultation, accueil de jour, de nuit, non programmé (R213)
TEMPORAIRE = "01"  # R240
AU_DOMICILE = frozenset({"31", "49"})  # HAD, sur les lieux de vie (R213)
DISPONIBLE, OCCUPE, RESERVE, FERME, SUPPLEMENTAIRE = "02", "03", "04", "05", "06"  # R330


@regle(
    "BO-AGE-PLAUSIBLE", f"Les âges ne dépassent pas {AGE_PLAUSIBLE} ans",
    Gravite.AVERTISSEMENT, UO, ["age_min", "age_min_unite", "age_max", "age_max_unite"], BON_SENS,
)  # fmt: skip
def _age_impossible(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    for nom in ("age_min", "age_max"):
        jours = (fiche[nom] or 0) * JOURS_PAR_UNITE.get(fiche[f"{nom}_unite"], 0)
        if jours > AGE_PLAUSIBLE * JOURS_PAR_UNITE["an"]:
            yield Constat(nom, f"Cet âge dépasse {AGE_PLAUSIBLE} ans : vérifiez-le, avec son unité.")


@regle(
    "BO-HORAIRES", "Une unité qui reçoit à heures fixes, ou de façon temporaire, dit quand",
    Gravite.AVERTISSEMENT, UO,
    ["horaires", "mode_prise_en_charge", "temporalite_accueil", "ouverture_annuelle"], BON_SENS,
)  # fmt: skip
def _sans_horaires(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    genres = {lire_cle(cle)[0] for cle in fiche["horaires"]}
    if genres & {OUVERTURE, FONCTIONNEMENT}:
        return
    if fiche["mode_prise_en_charge"] in A_HEURES:
        yield Constat(
            "horaires", "Ce mode de prise en charge reçoit à heures fixes : indiquez les horaires d’ouverture."
        )
    elif fiche["temporalite_accueil"] == TEMPORAIRE and not fiche["ouverture_annuelle"]:
        yield Constat("horaires", "L’accueil est temporaire : indiquez les horaires ou l’ouverture annuelle.")


@regle(
    "BO-TERRITOIRE", "Une unité qui se déplace chez les personnes dit dans quelles communes",
    Gravite.AVERTISSEMENT, UO, ["territoire", "mode_prise_en_charge"], DOMAINE,
)  # fmt: skip
def _sans_territoire(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    if fiche["mode_prise_en_charge"] in AU_DOMICILE and not fiche["territoire"]:
        yield Constat("territoire", "L’unité intervient chez les personnes : ajoutez les communes où elle se déplace.")


@regle(
    "BO-CAPACITE-UNIQUE", "Une capacité est donnée une fois par nature et statut",
    Gravite.BLOQUANT, UO, ["capacites"], DOMAINE,
)  # fmt: skip
def _capacite_en_double(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    compte = Counter((c["nature"], c["statut"]) for c in fiche["capacites"].values())
    if any(n > 1 for n in compte.values()):
        yield Constat("capacites", "Deux capacités ont la même nature et le même statut : gardez-en une.")


@regle(
    "BO-CAPACITE-SOMME", "Les capacités d’une nature tiennent dans ce qui est installé",
    Gravite.AVERTISSEMENT, UO, ["capacites"], BON_SENS,
)  # fmt: skip
def _capacite_depassee(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    sommes: Counter[tuple[str, str]] = Counter()
    for capacite in fiche["capacites"].values():
        sommes[capacite["nature"], capacite["statut"]] += capacite["nombre"]
    for nature in sorted({nature for nature, _ in sommes}):
        total = sommes[nature, INSTALLE] + sommes[nature, SUPPLEMENTAIRE]
        employe = sum(sommes[nature, statut] for statut in (DISPONIBLE, OCCUPE, RESERVE, FERME))
        if employe > total:
            yield Constat(
                "capacites",
                f"Pour une nature, {employe} disponibles, occupés, réservés ou fermés dépassent {total} installés ou "
                "supplémentaires.",
            )
