from .dossier import Dossier, FicheTravail, Processus, Revision
from .ecart import FicheEcartee
from .journal import Commentaire, Decision, Evenement, Instantane, TeteJournal
from .lot import LigneLot, Lot
from .suivi import MiseDeCote, Suivi
from .suppleance import Suppleance
from .tache import Tache
from .travail import Geste, Presence, Proposition
from .vue import PreferenceTaches, VueTaches

__all__ = [
    "Commentaire",
    "Decision",
    "Dossier",
    "Evenement",
    "FicheEcartee",
    "FicheTravail",
    "Geste",
    "Instantane",
    "LigneLot",
    "Lot",
    "MiseDeCote",
    "PreferenceTaches",
    "Presence",
    "Processus",
    "Proposition",
    "Revision",
    "Suivi",
    "Suppleance",
    "Tache",
    "TeteJournal",
    "VueTaches",
]
