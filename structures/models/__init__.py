from .fiche import Fiche, FicheReservee, Modification, Reservation, VersionFiche, prochains_identifiants
from .habilitation import Autorite, Habilitation
from .nomenclature import (
    Association,
    Commune,
    Concept,
    Departement,
    Nomenclature,
    RegleCategorie,
    RegleTarification,
)

__all__ = [
    "Association",
    "Autorite",
    "Commune",
    "Concept",
    "Departement",
    "Fiche",
    "FicheReservee",
    "Habilitation",
    "Modification",
    "Nomenclature",
    "RegleCategorie",
    "RegleTarification",
    "Reservation",
    "VersionFiche",
    "prochains_identifiants",
]
