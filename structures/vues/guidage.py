"""Where someone looks for what lives on the other side: the way from a fiche of the register to the dossier that
changes the structure of its establishment (acceptance 50 and 54)."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from backoffice.socle.mots import date_longue

from ..enums import Niveau
from ..models import Fiche, Reservation
from .communs import adresse, bandeau_dossier


@dataclass(frozen=True, slots=True)
class VersDossier:
    """``phrase``: what stands in the way or who can, "" when one just goes. ``url`` and ``action``: the link.
    ``dossier``: it opens or creates one; False: it tells those who can."""

    phrase: str
    url: str
    action: str
    dossier: bool = True


def sur_la_fiche(
    user: Any, fiche: Fiche, reservation: Reservation | None, *, editeur: bool, actuelle: bool = True
) -> dict[str, Any]:
    """The open dossier (``structures/_bandeau.html``) and, today, the way to it for what hangs under an EG."""
    bandeau = bandeau_dossier(user, reservation)
    vers = None
    if actuelle and fiche.eg_id:
        vers = vers_dossier(fiche, reservation, editeur=editeur, visible=bool(bandeau and bandeau["url"]))
    return {"bandeau": bandeau, "vers_dossier": vers}


def vers_dossier(fiche: Fiche, reservation: Reservation | None, *, editeur: bool, visible: bool) -> VersDossier:
    """Open the dossier of the establishment, at this fiche when it is below the EG, or create one; for those who may
    not, what they can do. ``editeur``: Référent or Direction of it. ``visible``: she may open the dossier there is."""
    if reservation is not None and not visible:
        return VersDossier(
            "Un dossier est ouvert sur cet établissement : ses Référents et sa Direction y travaillent. "
            "Dites-leur ce qui ne va pas.",
            *_signaler(fiche),
            dossier=False,
        )
    if reservation is not None:
        url = adresse("dossier", reservation.dossier)
        if reservation.envoye_le:
            return VersDossier(
                f"Le dossier « {reservation.nom} » est en cours de validation depuis le "
                f"{date_longue(reservation.envoye_le)} : attendez qu’il soit publié ou rendu à ses auteurs.",
                url,
                "Voir le dossier",
            )
        if fiche.niveau != Niveau.EG:
            url = adresse("dossier_fiche", reservation.dossier, fiche.pk)
        return VersDossier("", url, f"Ouvrir le dossier « {reservation.nom} »")
    if editeur and fiche.eg is not None:
        creer = adresse("dossier_creer")
        return VersDossier("", f"{creer}?{urlencode({'eg': fiche.eg.identifiant})}", "Créer un dossier collaboratif")
    return VersDossier(
        "Un Référent ou une Direction de l’établissement peut en créer un. Dites-leur ce qui ne va pas.",
        *_signaler(fiche),
        dossier=False,
    )


def _signaler(fiche: Fiche) -> tuple[str, str]:
    return adresse("fiche_signaler", fiche.identifiant), "Signaler une erreur"
