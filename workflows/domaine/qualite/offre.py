"""The offer of a unit: champ, type, what it must say of itself.

Perimeters by category (R66), mode (R213), activity (R211) and type (J238) are those of the ANS quality requirements,
read in the indicator queries that it publishes (docs/regles-qualite.md).
"""

from collections.abc import Iterator

from structures.enums import ChampEG

from .catalogue import DOMAINE, EXIGENCES, INSTALLE, UO, Constat, Gravite, Sujet, regle
from .contexte import Contexte
from .identite import dit

URGENCES, ACCUEIL_DES_URGENCES = frozenset({"157", "249"}), "33"
OBSTETRIQUE, HOSPITALISATIONS = frozenset({"100", "260"}), frozenset({"14", "28", "29", "30", "34"})
MEDECINE_PENITENTIAIRE = "089"
NOMS_SENSIBLES = (
    "uhsi ", "uhsir ", "usmp ", "uhsa ", "ufdh ", "umdh ", "nrbc ", "securise", "detenu", "penitenti", "decontamin",
    "contamine", "specialement amenage", "service medico psychologique regional",
)  # fmt: skip
SANS_UNITE_SENSIBLE = frozenset({"500", "124", "SA05", "SA07", "SA08", "SA09"})
MODES_D_HEBERGEMENT, HEBERGEMENT = frozenset({"46", "47", "48"}), "46"
TYPE_ET_TEMPORALITE = frozenset({"183", "186", "194", "195", "255", "390", "395", "437"})
TYPE_ET_TEMPORALITE_SI_HEBERGE = frozenset({"202", "207", "500", "501", "502"})
AVEC_PLACES = TYPE_ET_TEMPORALITE | TYPE_ET_TEMPORALITE_SI_HEBERGE | {
    "178", "182", "188", "189", "190", "192", "196", "197", "198", "209", "221", "228", "238", "246", "249", "252",
    "253", "354", "370", "377", "379", "381", "382", "396", "402", "445", "446", "448", "449", "460",
}  # fmt: skip
PLATEFORME_DE_REPIT, PASA = "38", "25"
CHAMPS_ADMIS = {
    ChampEG.SANITAIRE: frozenset({"01", "02", "03", "05"}),
    ChampEG.MEDICO_SOCIAL: frozenset({"04", "06"}),
    ChampEG.SOCIAL: frozenset({"04", "06"}),
}  # R227


# -- champ and type --------------------------------------------------------------------------------------


@regle(
    "BO-TYPE-CHAMP", "Le Type d’UO est du champ d’activité de l’unité",
    Gravite.BLOQUANT, UO, ["type_uo", "champ_activite"], DOMAINE,
)  # fmt: skip
def _type_hors_champ(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    champs = contexte.champs_des_types.get(fiche["type_uo"], set())
    if champs and fiche["champ_activite"] and fiche["champ_activite"] not in champs:
        yield Constat("type_uo", "Ce type n’est pas du champ d’activité de l’unité : choisissez un type du même champ.")


@regle(
    "BO-CHAMP-EG", "L’unité est du champ d’activité de son établissement",
    Gravite.AVERTISSEMENT, UO, ["champ_activite"], DOMAINE,
)  # fmt: skip
def _champ_d_un_autre(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    if fiche["champ_activite"] and fiche["champ_activite"] not in CHAMPS_ADMIS[ChampEG(contexte.arbre.champ)]:
        champ = ChampEG(contexte.arbre.champ).label.lower()
        yield Constat("champ_activite", f"Ce champ d’activité n’est pas celui d’un établissement du champ {champ}.")


@regle(
    "CO1", "Le nom d’une unité d’accueil des urgences le dit",
    Gravite.BLOQUANT, UO, ["nom", "mode_prise_en_charge", "activites"], EXIGENCES,
)  # fmt: skip
def _urgences_sans_le_dire(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    accueille = fiche["mode_prise_en_charge"] == ACCUEIL_DES_URGENCES and fiche["activites"] & URGENCES
    if accueille and fiche["nom"] and not dit(fiche["nom"], "urgence"):
        yield Constat("nom", "Cette unité accueille les urgences : son nom contient le mot « urgences ».")


@regle(
    "CO2", "Un établissement qui a une maternité la nomme",
    Gravite.AVERTISSEMENT, UO, ["nom", "mode_prise_en_charge", "activites"], EXIGENCES,
)  # fmt: skip
def _maternite_sans_nom(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    accouche = fiche["mode_prise_en_charge"] in HOSPITALISATIONS and fiche["activites"] & OBSTETRIQUE
    if accouche and not contexte.maternite:
        yield Constat("nom", "L’établissement hospitalise en obstétrique : une de ses unités se nomme « maternité ».")


@regle(
    "CO3", "Une unité sensible est déclarée telle, et elle seule",
    Gravite.AVERTISSEMENT, UO, ["nom", "activites", "unite_sensible"], EXIGENCES,
)  # fmt: skip
def _sensible_ou_non(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    if contexte.categorie in SANS_UNITE_SENSIBLE:
        return
    semble = MEDECINE_PENITENTIAIRE in fiche["activites"] or dit(fiche["nom"], *NOMS_SENSIBLES)
    if semble and not fiche["unite_sensible"]:
        yield Constat(
            "unite_sensible",
            "Son nom ou ses activités annoncent une unité sensible (détenus, décontamination…) : déclarez-la telle.",
        )
    elif fiche["unite_sensible"] and not semble:
        yield Constat(
            "unite_sensible",
            "Ni son nom ni ses activités n’annoncent une unité sensible (détenus, décontamination…) : vérifiez-le.",
        )


@regle(
    "CP5", "Dans ces catégories, l’unité indique son type et sa temporalité d’accueil",
    Gravite.BLOQUANT, UO, ["type_uo", "temporalite_accueil", "mode_prise_en_charge"], EXIGENCES,
)  # fmt: skip
def _sans_temporalite(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    categorie, mode = contexte.categorie, fiche["mode_prise_en_charge"]
    concernee = mode in MODES_D_HEBERGEMENT and fiche["type_uo"] != PLATEFORME_DE_REPIT and (
        categorie in TYPE_ET_TEMPORALITE or (categorie in TYPE_ET_TEMPORALITE_SI_HEBERGE and mode == HEBERGEMENT)
    )  # fmt: skip
    if concernee and not fiche["temporalite_accueil"]:  # a missing type is said by BO-ELEMENTS-UO
        yield Constat(
            "temporalite_accueil", "Indiquez si l’accueil est temporaire ou permanent : cette catégorie l’exige."
        )


@regle(
    "CP6", "Une unité qui héberge ou accueille indique ses places installées",
    Gravite.AVERTISSEMENT, UO, ["capacites", "mode_prise_en_charge", "type_uo"], EXIGENCES,
)  # fmt: skip
def _sans_places(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    concernee = (
        contexte.categorie in AVEC_PLACES
        and fiche["mode_prise_en_charge"] in MODES_D_HEBERGEMENT
        and fiche["type_uo"] not in (PLATEFORME_DE_REPIT, PASA)
    )
    if concernee and not sum(c["nombre"] for c in fiche["capacites"].values() if c["statut"] == INSTALLE):
        yield Constat("capacites", "Indiquez le nombre de places installées.")
