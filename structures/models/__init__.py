from .exposition import AExposer, JourExpose, Ressource, RessourceVersion
from .fiche import Fiche, FicheReservee, Modification, Reservation, VersionFiche, prochains_identifiants
from .habilitation import Autorite, Habilitation
from .importation import DetailImportation, Importation, MorceauImporte
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
    "DetailImportation",
    "Favori",
    "Fiche",
    "FicheReservee",
    "Fraicheur",
    "Habilitation",
    "Importation",
    "IndexEG",
    "JourExpose",
    "Modification",
    "MorceauImporte",
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
