"""« Pourquoi ma fiche n’est pas visible »: what the page of a fiche says when consumers do not read it."""

from typing import Any

from django.utils import timezone

from backoffice.socle.mots import date_longue

from ..champs import UNITES, libelle
from ..enums import Niveau
from ..fhir.visibilite import Cause, Obstacle, pourquoi, visible_le
from ..models import Fiche, VersionFiche
from .communs import adresse_fiche


def sur_la_fiche(fiche: Fiche) -> dict[str, Any] | None:
    """For ``structures/_invisible.html``; None when the fiche, which exists today, is exposed."""
    jour = timezone.localdate()
    trouves = pourquoi(fiche.pk, jour)
    if not trouves:
        return None
    return {
        "raisons": [_raison(version, obstacle, fiche) for version, obstacle in trouves],
        "le": visible_le(fiche.pk, jour),
    }


def _raison(version: VersionFiche, obstacle: Obstacle, fiche: Fiche) -> dict[str, Any]:
    """``manquants`` are (name, label); ``url``, ``nom`` and ``niveau`` name the fiche above that is in the way."""
    manquants = {c.nom: libelle(c, version.niveau) for c in obstacle.manquants}
    au_dessus = version.fiche_id != fiche.pk
    return {
        "url": adresse_fiche(version.fiche.identifiant) if au_dessus else "",
        "nom": version.nom or version.fiche.identifiant,
        "niveau": Niveau(version.niveau).label.lower() if version.niveau not in (Niveau.EJ, Niveau.EG) else "",
        "phrase": _PHRASES[obstacle.cause].format(le=date_longue(obstacle.le) if obstacle.le else ""),
        # A number that is missing says it for its unit.
        "manquants": [(nom, mot) for nom, mot in manquants.items() if UNITES.get(nom) not in manquants],
    }


_PHRASES = {
    Cause.FUTURE: "n’ouvre que le {le}",
    Cause.FERMEE: "est fermée depuis le {le}",
    Cause.INCOMPLETE: "n’a pas tout ce que le modèle national exige :",
}
