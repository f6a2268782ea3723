from .dossier import Dossier, FicheTravail, Processus, Revision
from .journal import Commentaire, Decision, Evenement, Instantane
from .tache import Tache
from .travail import Geste, Presence, Proposition

__all__ = [
    "Commentaire",
    "Decision",
    "Dossier",
    "Evenement",
    "FicheTravail",
    "Geste",
    "Instantane",
    "Presence",
    "Processus",
    "Proposition",
    "Revision",
    "Tache",
]
