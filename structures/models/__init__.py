from .exposition import AExposer, JourExpose, Ressource, RessourceVersion
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
from .personnel import Favori, RechercheEnregistree
from .recherche import IndexEG, Mot
from .suivi import Confirmation, Fraicheur, Signalement

__all__ = [
    "AExposer",
    "Association",
    "Autorite",
    "Commune",
    "Concept",
    "Confirmation",
    "Departement",
    "Favori",
    "Fiche",
    "FicheReservee",
    "Fraicheur",
    "Habilitation",
    "IndexEG",
    "JourExpose",
    "Modification",
    "Mot",
    "Nomenclature",
    "RechercheEnregistree",
    "RegleCategorie",
    "RegleTarification",
    "Reservation",
    "Ressource",
    "RessourceVersion",
    "Signalement",
    "VersionFiche",
    "prochains_identifiants",
]
