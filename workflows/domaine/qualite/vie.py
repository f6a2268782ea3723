"""Opening, closing, reopening; ages that follow each other."""

from collections.abc import Iterator

from .catalogue import BON_SENS, DOMAINE, TOUS, UO, Constat, Gravite, Sujet, regle
from .coherences import coherence
from .contexte import Contexte

DEFINITIVE, PROVISOIRE = "DEF", "PRO"  # R286

coherence("BO-AGES", "L’âge minimum ne dépasse pas l’âge maximum", "ages", UO)
coherence("BO-FERMETURE-ORDRE", "La fermeture vient après l’ouverture", "fermeture", TOUS)
coherence("BO-REOUVERTURE-ORDRE", "La réouverture vient après la fermeture", "reouverture", UO)


@regle(
    "BO-FERMETURE", "Une fermeture a un type et une date",
    Gravite.BLOQUANT, TOUS, ["type_fermeture", "date_fermeture"], DOMAINE,
)  # fmt: skip
def _fermeture_a_moitie(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    if fiche["date_fermeture"] and not fiche["type_fermeture"]:
        yield Constat("type_fermeture", "Choisissez le type de la fermeture, ou retirez sa date.")
    elif fiche["type_fermeture"] and not fiche["date_fermeture"]:
        yield Constat("date_fermeture", "Indiquez la date de la fermeture, ou retirez son type.")


@regle(
    "BO-FERMETURE-DEF", "Une fermeture définitive passée est une suppression",
    Gravite.AVERTISSEMENT, TOUS, ["type_fermeture", "date_fermeture"], DOMAINE,
)  # fmt: skip
def _fermee_mais_la(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    if fiche["type_fermeture"] == DEFINITIVE and _passee(fiche["date_fermeture"], contexte):
        yield Constat("date_fermeture", "La fiche est fermée définitivement depuis cette date : supprimez-la.")


@regle(
    "BO-REOUVERTURE", "Seule une fermeture qui n’est pas définitive a une réouverture prévue",
    Gravite.BLOQUANT, UO, ["type_fermeture", "date_reouverture"], DOMAINE,
)  # fmt: skip
def _definitive_et_rouverte(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    if fiche["type_fermeture"] == DEFINITIVE and fiche["date_reouverture"]:
        yield Constat(
            "date_reouverture", "Une fermeture définitive n’a pas de réouverture : changez le type ou la date."
        )


@regle(
    "BO-FERMETURE-PRO", "Une fermeture provisoire dit quand l’unité rouvre, et rouvre ce jour-là",
    Gravite.AVERTISSEMENT, UO, ["type_fermeture", "date_fermeture", "date_reouverture"], BON_SENS,
)  # fmt: skip
def _rouvre_quand(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    if fiche["type_fermeture"] == PROVISOIRE and fiche["date_fermeture"] and not fiche["date_reouverture"]:
        yield Constat("date_reouverture", "La fermeture est provisoire : indiquez quand l’unité doit rouvrir.")
    elif _passee(fiche["date_reouverture"], contexte):
        yield Constat(
            "date_reouverture", "L’unité devait rouvrir à cette date : retirez la fermeture ou changez la date."
        )


def _passee(jour: str | None, contexte: Contexte) -> bool:
    return bool(jour) and str(jour) <= contexte.jour.isoformat()
