"""The demo data: four establishments to work on, five more that hold dossiers in every state.

Everything goes through the domain verbs, so that loading it is also a first proof of them.
"""

from django.db import transaction

from structures.domaine.referentiels import charger_referentiels
from structures.models import Nomenclature
from structures.recherche import rafraichir_vocabulaire

from .acces import consommateurs_demo
from .comptes import ouvrir_comptes
from .dossiers import mener_dossiers
from .etablissements import poser_etablissements
from .gestes import changer_directement, confirmer_et_signaler, garder_pour_soi


@transaction.atomic
def charger_demo() -> None:
    """Load everything into an empty database, or nothing of it."""
    if not Nomenclature.objects.exists():
        charger_referentiels()
    structures = poser_etablissements()
    comptes = ouvrir_comptes(structures)
    changer_directement(structures, comptes)
    mener_dossiers(structures, comptes)
    confirmer_et_signaler(structures, comptes)
    garder_pour_soi(structures, comptes)
    consommateurs_demo(comptes["gestionnaire"])
    rafraichir_vocabulaire()
