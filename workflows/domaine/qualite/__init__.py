"""The quality rules of the ROR that a dossier can decide: ``docs/regles-qualite.md`` says where each comes from.

    fautes = controler(apercu(dossier, travaux), travaux)   # a constant number of statements
    bloquantes(fautes)                                      # what prevents the sending and the publication

A rule is a small function (``catalogue``), by topic: ``elements``, ``identite``, ``offre``, ``codes``, ``accueil``,
``contacts``, ``vie``, ``arbre``. The register's own checks (``structures.champs``, ``structures.domaine.valider``) are
called, not repeated.
"""

from . import accueil, arbre, codes, contacts, elements, identite, offre, vie  # noqa: F401 (they enter their rules)
from .catalogue import CATALOGUE, Gravite, Regle
from .passe import Faute, a_corriger, bloquantes, controler

__all__ = ["CATALOGUE", "Faute", "Gravite", "Regle", "a_corriger", "bloquantes", "controler"]
