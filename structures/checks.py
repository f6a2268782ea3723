"""The catalogue of fields and the columns of ``VersionFiche`` must say the same thing."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, register

from .champs import CONTENU, SECTIONS
from .models import VersionFiche

IDENTITE = {"id", "fiche", "niveau", "eg", "parent", "parent_niveau", "validite", "modification", "recherche"}


@register("structures")
def catalogue_complet(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """Each content field has its column and a section of the screen, each column its entry."""
    colonnes = {champ.name for champ in VersionFiche._meta.get_fields()} - IDENTITE
    declares = {champ.nom for champ in CONTENU}
    erreurs = [
        Error(f"« {nom} » est dans VersionFiche mais pas dans structures/champs.py.", id="structures.E001")
        for nom in sorted(colonnes - declares)
    ]
    erreurs += [
        Error(
            f"« {nom} » est dans structures/champs.py mais n’a pas de colonne dans VersionFiche.", id="structures.E002"
        )
        for nom in sorted(declares - colonnes)
    ]
    erreurs += [
        Error(f"« {champ.nom} » est dans une section inconnue : {champ.section}.", id="structures.E003")
        for champ in CONTENU
        if champ.section not in SECTIONS
    ]
    return erreurs
