"""« Tout est à jour »: answer for fiches without changing them."""

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit

from ..models import Confirmation, VersionFiche
from ..regles import est_editeur
from .enregistrer import verrouiller
from .fraicheur import Reponse, noter


@transaction.atomic
def confirmer(*, fiches: Collection[int], acteur: User) -> int:
    """Confirm the open fiches of one establishment; returns how many had not been confirmed yet that day.

    Twice the same day does nothing more. Refuses: not an editor of their establishment (``Interdit``); one of them
    that is closed, or none at all for they all are (``Conflit``). A constant number of statements.
    """
    verrouillees = verrouiller(fiches)
    par_structure = {fiche.eg_id or fiche.pk: fiche for fiche in verrouillees.values()}
    if not all(est_editeur(acteur, fiche) for fiche in par_structure.values()):
        raise Interdit(
            "sans_droit", "Seuls les Référents et les Directions de l’établissement peuvent confirmer ses fiches."
        )
    aujourdhui, maintenant = timezone.localdate(), timezone.now()
    ouvertes = set(
        VersionFiche.objects.filter(fiche__in=fiches, validite__contains=aujourdhui).values_list("fiche", flat=True)
    )
    if not fiches or ouvertes != set(fiches):
        raise Conflit(
            "fiche_fermee",
            "Une de ces fiches a été fermée entre-temps : rechargez la page et confirmez celles qui restent.",
        )
    faites = set(
        Confirmation.objects.filter(fiche__in=fiches, faite_le__date=aujourdhui).values_list("fiche", flat=True)
    )
    nouvelles = [fiche for pk, fiche in verrouillees.items() if pk not in faites]
    Confirmation.objects.bulk_create([Confirmation(fiche=f, auteur=acteur, faite_le=maintenant) for f in nouvelles])
    noter([Reponse(f.pk, f.eg_id, maintenant, acteur.pk) for f in nouvelles])
    return len(nouvelles)
