"""The radar of tasks that nobody can do: why, told to the gestionnaires once a day while it lasts; and what a departure
would leave without anybody."""

from collections.abc import Collection
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from backoffice.comptes.models import User
from notifications.domaine import notifier
from structures.enums import ROLES_EDITEURS, Role
from structures.models import Habilitation
from structures.regles import gestionnaires
from structures.requetes import versions_au

from . import notifications as types
from .boite import detaillees
from .delais import est_ouvre
from .enums import Cercle
from .models import Tache
from .regles import approbations_conjointes
from .requetes import sans_acteur

CITEES = 20  # in the mail; the page has them all

_DE_QUOI = {
    Cercle.EDITEURS: "sur cet établissement",
    Cercle.DIRECTION: "sur cet établissement",
    Cercle.TUTELLE: "pour cette autorité",
    Cercle.GESTIONNAIRES: "à SESAN",
}
_QUI = {
    Cercle.EDITEURS: "Personne n’est Référent ni Direction",
    Cercle.DIRECTION: "Personne n’est Direction",
    Cercle.TUTELLE: "Personne n’est membre",
    Cercle.GESTIONNAIRES: "Personne n’est gestionnaire",
}


class Pourvoi(NamedTuple):
    """A task, who can do it now in their own name, and why nobody when there is nobody."""

    tache: Any
    acteurs: list[User]
    raison: str


def pourvoir(taches: Collection[Any], sauf: Collection[int] = ()) -> list[Pourvoi]:
    """``sauf``: habilitations that are about to end and don't count. Two statements for any number of tasks, one
    more when an authority is to approve: who approved already for another one.

    Give tasks with ``dossier``. Who stands in for somebody is not named: without the absent person nobody does.
    """
    egs = {t.eg_id for t in taches}
    ej_de = dict(versions_au().filter(fiche__in=egs).values_list("fiche", "parent"))
    structures = {*egs, *ej_de.values()} - {None}
    autorites = {t.autorite_id for t in taches} - {None}
    toutes = list(
        Habilitation.objects.filter(
            Q(role=Role.GESTIONNAIRE)
            | Q(role=Role.TUTELLE, autorite__in=autorites)
            | Q(role__in=ROLES_EDITEURS, fiche__in=structures)
        )
        .select_related("user")
        .order_by("user__last_name", "user__first_name", "pk")
    )
    signataires = _signataires({t.dossier_id for t in taches if t.autorite_id})
    return [
        _pourvoi(t, [h for h in toutes if _vaut(h, t, ej_de.get(t.eg_id))], sauf, signataires.get(t.dossier_id, set()))
        for t in taches
    ]


def _signataires(dossiers: Collection[int]) -> dict[int, set[int]]:
    par_dossier: dict[int, set[int]] = {}
    if dossiers:
        signees = approbations_conjointes().filter(dossier__in=dossiers)
        for dossier, acteur in signees.values_list("dossier", "acteur"):
            par_dossier.setdefault(dossier, set()).add(acteur)
    return par_dossier


def _vaut(tenue: Habilitation, tache: Tache, ej: int | None) -> bool:
    if tenue.role not in tache.etape.roles:
        return False
    if tenue.role in ROLES_EDITEURS:
        return tenue.fiche_id in (tache.eg_id, ej)
    return tenue.role != Role.TUTELLE or tenue.autorite_id == tache.autorite_id


def _pourvoi(tache: Tache, tenues: list[Habilitation], sauf: Collection[int], signataires: Collection[int]) -> Pourvoi:
    jour = timezone.localdate()
    courantes = [h for h in tenues if h.debut <= jour and (h.fin is None or h.fin > jour)]
    partantes = [h for h in courantes if h.pk in sauf]
    courantes = [h for h in courantes if h.pk not in sauf]
    actifs = {h.user_id: h.user for h in courantes if h.user.is_active}
    impartiaux = {cle: u for cle, u in actifs.items() if not tache.etape.neutre or cle != tache.dossier.envoye_par_id}
    acteurs = {cle: u for cle, u in impartiaux.items() if cle not in signataires}
    cercle = tache.etape.cercle
    if acteurs:
        raison = ""
    elif impartiaux:
        raison = f"Seul quelqu’un qui a approuvé le dossier pour une autre tutelle a ce rôle {_DE_QUOI[cercle]}."
    elif actifs:
        raison = f"Seule la personne qui a envoyé le dossier a ce rôle {_DE_QUOI[cercle]}."
    elif courantes:
        raison = f"Les comptes de ceux qui ont ce rôle {_DE_QUOI[cercle]} sont tous désactivés."
    elif partantes:
        raison = f"Personne d’autre n’a ce rôle {_DE_QUOI[cercle]}."
    elif tenues:
        raison = f"Les droits de ceux qui avaient ce rôle {_DE_QUOI[cercle]} ont pris fin, ou n’ont pas commencé."
    else:
        raison = f"{_QUI[cercle]} {_DE_QUOI[cercle]}."
    return Pourvoi(tache, list(acteurs.values()), raison)


def orphelines_sans(tenues: QuerySet[Habilitation]) -> QuerySet[Tache]:
    """Open tasks that nobody could do any more if these habilitations ended now, and that somebody can do today."""
    restent = Habilitation.objects.actives().exclude(pk__in=tenues.values("pk"))
    return sans_acteur(restent).exclude(pk__in=sans_acteur().order_by().values("pk"))


@transaction.atomic
def annoncer() -> int:
    """The mail of the day to the gestionnaires; nothing on days off, nor when somebody can do everything.

    Once a day whatever the number of runs: the key holds the day. Returns how many tasks wait.
    """
    aujourdhui = timezone.localdate()
    if not est_ouvre(aujourdhui):
        return 0
    seules = sans_acteur()
    nombre = seules.count()
    if nombre:
        premieres = list(detaillees(seules).order_by("creee_le", "pk")[:CITEES])
        lignes = [
            {
                "dossier": p.tache.dossier.nom,
                "etablissement": p.tache.nom_eg or p.tache.eg.identifiant,
                "etape": p.tache.etape.titre,
                "raison": p.raison,
            }
            for p in pourvoir(premieres)
        ]
        notifier(
            types.RadarSansActeur,
            destinataires=gestionnaires(),
            cle=f"radar:{aujourdhui}",
            contexte={"nombre": nombre, "lignes": lignes, "reste": nombre - len(lignes)},
            lien=f"{reverse('supervision_incidents')}?genre=sans-acteur",
        )
    return nombre
