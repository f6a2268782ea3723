"""The authorities that SESAN sets by hand on a handicap establishment: first of the rules of domain.md §6."""

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Interdit, Invalide

from ..models import Fiche, Modification
from ..regles import est_gestionnaire
from .enregistrer import verrouiller
from .lecture import lire
from .modifier import modifier


@transaction.atomic
def fixer_tutelles(*, eg: Fiche, acteur: User, autorites: Collection[str], jeton: str, motif: str) -> Modification:
    """Set them from today on; none of them: back to the rules. A direct change like another, in the history of the EG
    with its reason; dossiers already sent keep their route.

    ``jeton``: what the form showed (structures/domaine/lecture.py). Refuses (``Invalide``, motif or autorites)
    no reason or an unknown authority; what ``modifier`` refuses, a colleague's other choice since among it.
    """
    if not est_gestionnaire(acteur):
        raise Interdit("sans_droit", "Seuls les gestionnaires SESAN fixent la tutelle d’un établissement.")
    motif = " ".join(motif.split())
    if not motif or len(motif) > 500:
        message = "Indiquez pourquoi, en 500 caractères au plus : l’historique de l’établissement le garde."
        raise Invalide("motif", message, champs={"motif": [message]})
    eg = verrouiller([eg.pk])[eg.pk]
    lecture = lire(eg)
    voulues, tenues = set(autorites), set(lecture.etat.get("autorites") or () if lecture else ())
    patch = {"autorites": {"ajoute": sorted(voulues - tenues), "retire": sorted(tenues - voulues)}}
    return modifier(
        fiche=eg, acteur=acteur, patch=patch, date_effet=timezone.localdate(), jeton=jeton, motif=motif
    )  # fmt: skip
