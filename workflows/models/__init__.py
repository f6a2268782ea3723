from .dossier import Dossier, FicheTravail, Processus, Revision
from .journal import Commentaire, Decision, Evenement
from .tache import Tache

__all__ = ["Commentaire", "Decision", "Dossier", "Evenement", "FicheTravail", "Processus", "Revision", "Tache"]
