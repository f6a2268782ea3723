"""Who may, on dossiers and tasks: predicates and their scoped twins, from one table of steps (enums.ETAPES)."""

from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q, QuerySet

from backoffice.comptes.models import User
from structures.enums import ROLES_EDITEURS, Role
from structures.models import Habilitation
from structures.regles import (
    a_role_sur,
    autorites_de,
    egs_de,
    est_gestionnaire,
    gestionnaires,
    membres_de,
    personnes_avec_role_sur,
)

from .enums import ETAPES, Cercle, Issue
from .models import Decision, Dossier, Tache

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


def perimetre(user: "User | AnonymousUser") -> Q:
    """The tasks, open or not, that the habilitations of the person are for (not yet « what she sent herself »)."""
    if not user.is_authenticated:
        return Q(pk__in=[])
    condition = Q(pk__in=[])
    gestionnaire, autorites = est_gestionnaire(user), autorites_de(user)
    for etape in ETAPES.values():
        if etape.cercle is Cercle.GESTIONNAIRES and gestionnaire:
            condition |= Q(noeud=etape.noeud)
        elif etape.cercle is Cercle.TUTELLE and autorites:
            condition |= Q(noeud=etape.noeud, autorite__in=autorites)
        elif etape.cercle in (Cercle.EDITEURS, Cercle.DIRECTION):
            condition |= Q(noeud=etape.noeud, eg__in=egs_de(user, etape.roles))
    return condition


def taches_de(user: "User | AnonymousUser") -> QuerySet[Tache]:
    """Tasks that the person may do: her perimeter, less the approval of what she sent herself."""
    neutres = [etape.noeud for etape in ETAPES.values() if etape.neutre]
    return Tache.objects.filter(perimetre(user)).exclude(noeud__in=neutres, dossier__envoye_par=user.pk)


def peut_faire(user: "User | AnonymousUser", tache: Tache) -> bool:
    return taches_de(user).filter(pk=tache.pk).exists()


def acteurs_de(tache: Tache) -> QuerySet[User]:
    """Which people may do this task: the same table, seen from the other side."""
    etape = ETAPES[tache.noeud]
    if etape.cercle is Cercle.GESTIONNAIRES:
        people = gestionnaires()
    elif etape.cercle is Cercle.TUTELLE:
        people = membres_de(tache.autorite_id or "")
    else:
        people = personnes_avec_role_sur([tache.eg_id], etape.roles)
    return people.exclude(pk=tache.dossier.envoye_par_id) if etape.neutre and tache.dossier.envoye_par_id else people


def dossiers_visibles(user: "User | AnonymousUser") -> QuerySet[Dossier]:
    """Dossiers of the establishments she edits; all of them for a gestionnaire; for a tutelle those that came to it."""
    if not user.is_authenticated:
        return Dossier.objects.none()
    if est_gestionnaire(user):
        return Dossier.objects.all()
    venus = Tache.objects.filter(dossier=OuterRef("pk"), autorite__in=autorites_de(user)).order_by()
    return Dossier.objects.filter(Q(eg__in=egs_de(user)) | Exists(venus))


def peut_creer(user: "User | AnonymousUser", eg_id: int) -> bool:
    return a_role_sur(user, eg_id)


def peut_editer(user: "User | AnonymousUser", dossier: Dossier) -> bool:
    """Référents and Directions of the EG work on its dossiers; whether the state allows it is another question."""
    return a_role_sur(user, dossier.eg_id)


def peut_retirer(user: "User | AnonymousUser", dossier: Dossier) -> bool:
    """The sender, while she still edits the EG, until the first decision in favour (domain.md §6)."""
    if dossier.est_brouillon or not dossier.est_ouvert or dossier.envoye_par_id != user.pk:
        return False
    favorables = Decision.objects.filter(
        dossier=dossier, issue__in=[Issue.VALIDE, Issue.APPROUVE], le__gte=dossier.envoye_le
    )
    return peut_editer(user, dossier) and not favorables.exists()


def participants(dossier: Dossier) -> QuerySet[User]:
    """People who took part: authors of saves, sender, deciders. They hear of returns, refusals and publication,
    as long as their habilitation lets them see the dossier."""
    encore = Habilitation.objects.actives().filter(
        Q(role=Role.GESTIONNAIRE)
        | Q(autorite__in=dossier.autorites)
        | Q(user__in=personnes_avec_role_sur([dossier.eg_id], ROLES_EDITEURS)),
        user_id=OuterRef("pk"),
    )
    return User.objects.filter(
        Exists(encore.order_by()),
        Q(pk=dossier.auteur_id)
        | Q(pk=dossier.envoye_par_id)
        | Q(pk__in=dossier.evenements.filter(acteur__isnull=False).values("acteur")),
    ).order_by("pk")
