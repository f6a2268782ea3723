"""What a fiche lacks: the set twin of ``champs.manquants``."""

from collections.abc import Collection
from typing import Any

from django.db.models import Q, QuerySet

from .champs import CONTENU, Exige, Forme


def fiches_incompletes(medico_sociaux: Collection[int] | QuerySet[Any]) -> Q:
    """Versions that lack a mandatory field. ``medico_sociaux``: the ids of the médico-social EG among those of the
    query, or the query that finds them."""
    condition = Q(pk__in=[])
    for champ in CONTENU:
        if champ.exige is Exige.NON:
            continue
        vide = champ.vide()
        if champ.forme is Forme.ENSEMBLE:
            manque = Q((champ.nom, []))
        elif vide is None:
            manque = Q((f"{champ.nom}__isnull", True))
        else:
            manque = Q((champ.nom, vide))
        manque &= Q(niveau__in=sorted(champ.niveaux))
        if champ.exige is Exige.MEDICO_SOCIAL:
            manque &= Q(eg__in=medico_sociaux)
        condition |= manque
    return condition
