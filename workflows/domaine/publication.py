"""Publication: every patch of the dossier becomes a modification of today, all at once (domain.md §5)."""

from typing import Any

from django.urls import reverse
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit
from notifications.domaine import notifier
from structures.domaine import reserver
from structures.domaine.enregistrer import enregistrer, verrouiller
from structures.enums import Source
from structures.models import Modification
from structures.requetes import etats_au

from .. import notifications as types
from ..enums import TypeEvenement
from ..models import Dossier, FicheTravail
from ..regles import participants
from .coherence import incoherences
from .fusion import tous_les_conflits
from .journal import consigner
from .taches import contexte_mail


def publier(dossier: Dossier, acteur: User | None) -> None:
    """Write the dossier into the register, in the transaction of the last approval: all of it, or nothing.

    The dossier is locked; the EG is locked here, then the fiches. A constant number of statements for any size.
    Refuses (``Conflit``) when the register moved on in a way that somebody must settle.
    """
    verrouiller([dossier.eg_id])
    travaux = list(dossier.fiches.select_related("fiche"))
    a_regler = tous_les_conflits(travaux, etats_au(t.fiche_id for t in travaux))
    if a_regler:
        raise Conflit(
            "conflit_a_regler",
            f"Le répertoire a changé depuis l’envoi sur {len(a_regler)} fiche(s) de ce dossier. "
            "Renvoyez-le pour correction : ses auteurs choisiront la valeur à garder.",
        )
    illegales = incoherences(dossier, travaux)
    if illegales:
        raise Conflit(
            "contenu_a_revoir",
            f"Le répertoire a changé depuis l’envoi : {'; '.join(illegales[:3])} Renvoyez ce dossier pour correction.",
        )
    modifications = modifications_de(dossier, travaux)
    enregistrer(modifications)
    dossier.publier()
    dossier.save(update_fields=["etat", "publie_le", "termine_le"])
    reserver.clore(dossier=dossier.pk)
    consigner(dossier, TypeEvenement.PUBLIE, acteur, fiches=len(modifications))
    notifier(
        types.DossierPublie,
        destinataires=participants(dossier),
        cle=f"dossier:{dossier.pk}:publie",
        contexte=contexte_mail(dossier),
        lien=reverse("fiche", args=[dossier.eg.identifiant]),
        sauf=acteur,
    )


def modifications_de(dossier: Dossier, travaux: list[FicheTravail]) -> list[Modification]:
    """The unsaved modifications that the dossier stands for, dated today; parents come before their children."""
    jour = timezone.localdate()
    return [
        Modification(
            fiche=travail.fiche,
            date_effet=jour,
            patch=_patch_publie(travail.patch, jour.isoformat()),
            source=Source.DOSSIER,
            origine=f"dossier {dossier.pk}",
            auteur_id=dossier.envoye_par_id,
        )
        for travail in travaux
    ]


def _patch_publie(patch: dict[str, Any], jour: str) -> dict[str, Any]:
    if patch.get("existe") is False:
        return {"existe": False, "type_fermeture": "DEF", "date_fermeture": jour}
    return patch
