"""The search of the register: criteria from the address, establishments that meet them, counts, spelling.

    criteres, erreurs = lire(request.GET, jour)
    page(criteres, user, apres=…)        the list, by keyset
    compter(criteres, user)              how many establishments
    facettes(criteres, user)             the values that the criteria could take, each with its count
    offres(criteres, egs)                the units that explain why an establishment is there
    correction(criteres, user)           the nearest spelling that finds something

Decisions and measures: docs/adr/0006-recherche.md.
"""

from .criteres import Criteres, lire
from .facettes import Facette, Valeur, facettes
from .requete import Page, compter, etablissements, offres, page
from .vocabulaire import correction, rafraichir_vocabulaire

__all__ = [
    "Criteres",
    "Facette",
    "Page",
    "Valeur",
    "compter",
    "correction",
    "etablissements",
    "facettes",
    "lire",
    "offres",
    "page",
    "rafraichir_vocabulaire",
]
