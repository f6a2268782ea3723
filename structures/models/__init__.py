from .abonnements import Abonnement, Livraison, TentativeLivraison
from .consommateurs import (
    CompteurConsommateur,
    Consommateur,
    JournalConsommateur,
    RefusConsommateur,
    UsageConsommateur,
)
from .exports_fhir import ExportFhir, FichierExport
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
    "Abonnement",
    "Association",
    "Autorite",
    "Commune",
    "CompteurConsommateur",
    "Concept",
    "Confirmation",
    "Consommateur",
    "Departement",
    "DetailImportation",
    "ExportFhir",
    "Favori",
    "Fiche",
    "FicheReservee",
    "FichierExport",
    "Fraicheur",
    "Habilitation",
    "Importation",
    "IndexEG",
    "JourExpose",
    "JournalConsommateur",
    "Livraison",
    "Modification",
    "MorceauImporte",
    "Mot",
    "Nomenclature",
    "RechercheEnregistree",
    "RefusConsommateur",
    "RegleCategorie",
    "RegleTarification",
    "Reservation",
    "Ressource",
    "RessourceVersion",
    "Signalement",
    "TentativeLivraison",
    "UsageConsommateur",
    "VersionFiche",
    "prochains_identifiants",
]
