"""Who may, in the register: predicates ``peut_x(user, …)`` and their scoped twins. One place answers both
« may this person? » and « which persons may? »; views, inbox and mail recipients all ask here."""

from collections.abc import Collection, Iterable
from datetime import date
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from backoffice.comptes.models import User

from .enums import ROLES_EDITEURS, Role
from .models import Fiche, Habilitation, Modification, VersionFiche

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


def _roles(user: "User | AnonymousUser", roles: Iterable[str]) -> QuerySet[Habilitation]:
    return Habilitation.objects.actives().filter(user_id=user.pk or 0, role__in=list(roles))


def est_gestionnaire(user: "User | AnonymousUser") -> bool:
    """SESAN staff, on the whole region."""
    return user.is_authenticated and _roles(user, [Role.GESTIONNAIRE]).exists()


def autorites_de(user: "User | AnonymousUser") -> set[str]:
    """Codes of the authorities the person belongs to."""
    return set(_roles(user, [Role.TUTELLE]).values_list("autorite_id", flat=True)) if user.is_authenticated else set()


def egs_de(user: "User | AnonymousUser", roles: Iterable[str] = ROLES_EDITEURS) -> QuerySet[Fiche]:
    """Establishments on which the person holds one of the roles, directly or through their EJ (today's)."""
    portees = _roles(user, roles).order_by().values("fiche_id")
    des_ej = VersionFiche.objects.filter(parent__in=portees, validite__contains=timezone.localdate())
    # A union rather than an « or »: PostgreSQL then starts from the habilitations, not from every fiche.
    return Fiche.objects.filter(niveau="EG", pk__in=portees.union(des_ej.order_by().values("fiche")))


def a_role_sur(user: "User | AnonymousUser", eg_id: int, roles: Iterable[str] = ROLES_EDITEURS) -> bool:
    return user.is_authenticated and egs_de(user, roles).filter(pk=eg_id).exists()


def peut_modifier(user: "User | AnonymousUser", fiche: Fiche) -> bool:
    """May change the content of this fiche directly: editors of its EG (of the EJ for an EJ fiche), gestionnaires."""
    if not user.is_authenticated:
        return False
    if est_gestionnaire(user):
        return True
    if fiche.eg_id is None:
        return _roles(user, ROLES_EDITEURS).filter(fiche_id=fiche.pk).exists()
    return a_role_sur(user, fiche.eg_id)


def peut_annuler(user: "User | AnonymousUser", modification: Modification) -> bool:
    """A planned change: its author, while she still may change the fiche, and gestionnaires (domain.md §4)."""
    return est_gestionnaire(user) or (modification.auteur_id == user.pk and peut_modifier(user, modification.fiche))


def peut_lire_contacts_tres_restreints(user: "User | AnonymousUser", fiche: Fiche) -> bool:
    """Those who answer for the establishment, and SESAN."""
    return peut_modifier(user, fiche)


def personnes_avec_role_sur(eg_ids: Collection[int], roles: Iterable[str]) -> QuerySet[User]:
    """Active people who hold one of the roles on one of the establishments, directly or through their EJ."""
    aujourdhui: date = timezone.localdate()
    ej = VersionFiche.objects.filter(fiche_id__in=eg_ids, validite__contains=aujourdhui).values("parent")
    portant = (
        Habilitation.objects.actives(aujourdhui)
        .filter(Q(fiche_id__in=eg_ids) | Q(fiche_id__in=ej), user_id=OuterRef("pk"), role__in=list(roles))
        .order_by()
    )
    return User.objects.filter(Exists(portant)).order_by("pk")


def gestionnaires() -> QuerySet[User]:
    portant = Habilitation.objects.actives().filter(user_id=OuterRef("pk"), role=Role.GESTIONNAIRE).order_by()
    return User.objects.filter(Exists(portant)).order_by("pk")


def membres_de(autorite: str) -> QuerySet[User]:
    """Active people who belong to the authority."""
    portant = (
        Habilitation.objects.actives()
        .filter(user_id=OuterRef("pk"), role=Role.TUTELLE, autorite_id=autorite)
        .order_by()
    )
    return User.objects.filter(Exists(portant)).order_by("pk")
