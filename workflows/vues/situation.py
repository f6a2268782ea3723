"""What a person may do with a task now: what the verbs would answer, asked before the buttons are drawn."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.urls import reverse

from backoffice.comptes.models import User

from .. import parcours
from ..domaine.equipe import refus_d_attribuer
from ..domaine.taches import refus_de, refus_de_mains
from ..models import MiseDeCote, Suivi


@dataclass(frozen=True, slots=True)
class Situation:
    """``raison``: why she may not decide. ``gestes``: lines of <c-menu-actions>. ``de_cote``: the day it comes back."""

    peut_decider: bool = False
    peut_prendre: bool = False
    peut_rendre: bool = False
    raison: str = ""
    gestes: list[dict[str, Any]] = field(default_factory=list)
    de_cote: date | None = None


def situation(user: User, tache: Any, suite: str = "") -> Situation:
    """``suite``: the list to come back to (``vues.suite``)."""
    suivre = _suivre(user, tache, suite)
    if tache.close_le is not None:
        return Situation(gestes=suivre)
    proprietaire = tache.tache.owner
    refus = refus_de(tache, user)
    tenue = refus_de_mains(tache, user) is not None and (refus is None or refus.code == "tache_prise")
    reservable = tache.etape.reservable
    gestes = []
    if tenue and reservable:
        gestes.append(_lien("Reprendre la tâche…", "tache_reprendre", "personne", tache, suite))
    if reservable and refus_d_attribuer(tache, user) is None:
        gestes.append(_lien("Attribuer à une autre personne…", "tache_attribuer", "comptes", tache, suite))
    if refus is not None:
        return Situation(raison=_raison(refus.code, refus.message, tache), gestes=gestes + suivre)
    mise = MiseDeCote.objects.en_cours(user.pk).filter(tache=tache).first()
    if mise is None:
        gestes.append(_lien("Mettre de côté…", "tache_mettre_de_cote", "horloge", tache, suite))
    libre_ou_sienne = proprietaire is None or proprietaire.pk == user.pk
    return Situation(
        peut_decider=True,
        peut_prendre=reservable and not tenue and (proprietaire is None or not libre_ou_sienne),
        peut_rendre=proprietaire is not None and libre_ou_sienne,
        raison="" if libre_ou_sienne else _detenue(proprietaire, tenue=tenue),
        gestes=gestes + suivre,
        de_cote=mise.retour_le if mise else None,
    )


def _detenue(proprietaire: User, *, tenue: bool) -> str:
    """Somebody else holds a task that one may decide on: she is absent, or can no longer do it."""
    if tenue:
        return f"{proprietaire} avait pris cette tâche : vous pouvez vous prononcer à sa place pendant son absence."
    return f"{proprietaire} avait pris cette tâche et ne peut plus la faire."


def _raison(code: str, message: str, tache: Any) -> str:
    if code != "sans_droit":
        return message
    return f"Cette tâche revient à : {parcours.qui_agit([tache])}. Vous pouvez la consulter."


def _lien(libelle: str, nom_url: str, icone: str, tache: Any, suite: str) -> dict[str, Any]:
    url = reverse(nom_url, args=[tache.pk])
    return {"libelle": libelle, "url": f"{url}?{suite}" if suite else url, "icone": icone}


def _suivre(user: User, tache: Any, suite: str) -> list[dict[str, Any]]:
    if not tache.dossier.est_ouvert:
        return []
    return [action_suivre(user, tache.dossier_id, {"tache": tache.pk, "suite": suite})]


def action_suivre(user: User, dossier: int, champs: dict[str, Any]) -> dict[str, Any]:
    """« Suivre le dossier », or « Ne plus suivre le dossier » for whoever does. ``champs`` are sent along."""
    suivi = Suivi.objects.filter(dossier=dossier, user=user.pk).exists()
    return {
        "libelle": "Ne plus suivre le dossier" if suivi else "Suivre le dossier",
        "url": reverse("dossier_suivre", args=[dossier]),
        "methode": "post",
        "champs": {"suivre": "non" if suivi else "oui", **champs},
        "icone": "oeil",
    }
