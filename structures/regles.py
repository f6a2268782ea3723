"""Who may, in the register: predicates ``peut_x(user, …)`` and their scoped twins. One place answers both
« may this person? » and « which persons may? »; views, inbox and mail recipients all ask here."""

from collections.abc import Collection, Iterable
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from backoffice.comptes.models import User

from .champs import CONTENU, Champ, Qui, champs_de
from .enums import ROLES_EDITEURS, Role, Source
from .models import Fiche, Habilitation, Modification, Signalement, VersionFiche

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


def _roles(user: "User | AnonymousUser", roles: Iterable[str]) -> QuerySet[Habilitation]:
    return Habilitation.objects.actives().filter(user_id=user.pk or 0, role__in=list(roles))


def est_gestionnaire(user: "User | AnonymousUser") -> bool:
    """SESAN staff, on the whole region."""
    return user.is_authenticated and _roles(user, [Role.GESTIONNAIRE]).exists()


def egs_de(user: "User | AnonymousUser", roles: Iterable[str] = ROLES_EDITEURS) -> QuerySet[Fiche]:
    """Establishments on which the person holds one of the roles, directly or through their EJ (today's)."""
    return _egs_portes(_roles(user, roles))


def egs_avec_editeur(roles: Iterable[str] = ROLES_EDITEURS) -> QuerySet[Fiche]:
    """Establishments that somebody edits today, on which somebody holds one of these roles."""
    return _egs_portes(Habilitation.objects.actives().filter(role__in=list(roles)))


def egs_portes_par(users: Collection[int], roles: Iterable[str]) -> QuerySet[Fiche]:
    """``egs_de`` of several people together."""
    return _egs_portes(Habilitation.objects.actives().filter(user__in=users, role__in=list(roles)))


def _egs_portes(habilitations: QuerySet[Habilitation]) -> QuerySet[Fiche]:
    portees = habilitations.order_by().values("fiche_id")
    des_ej = VersionFiche.objects.filter(parent__in=portees, validite__contains=timezone.localdate())
    # A union rather than an « or »: PostgreSQL then starts from the habilitations, not from every fiche.
    return Fiche.objects.filter(niveau="EG", pk__in=portees.union(des_ej.order_by().values("fiche")))


def a_role_sur(user: "User | AnonymousUser", eg_id: int, roles: Iterable[str] = ROLES_EDITEURS) -> bool:
    return user.is_authenticated and egs_de(user, roles).filter(pk=eg_id).exists()


def peut_modifier(user: "User | AnonymousUser", fiche: Fiche) -> bool:
    """May change the content of this fiche directly: editors of its EG (of the EJ for an EJ fiche), gestionnaires."""
    return est_gestionnaire(user) or est_editeur(user, fiche)


def est_editeur(user: "User | AnonymousUser", fiche: Fiche) -> bool:
    """Answers for this fiche: Référents and Directions of its EG (of the EJ for an EJ fiche)."""
    if fiche.eg_id is None:
        return user.is_authenticated and _roles(user, ROLES_EDITEURS).filter(fiche_id=fiche.pk).exists()
    return a_role_sur(user, fiche.eg_id)


class Droits(NamedTuple):
    """What a person may do with one fiche, read once for all that a page asks (``droits_sur``)."""

    user_id: int | None
    niveau: str
    gestionnaire: bool
    editeur: bool

    @property
    def modifier(self) -> bool:
        """``peut_modifier``."""
        return self.gestionnaire or self.editeur

    @property
    def champs_modifiables(self) -> list[Champ]:
        """Content fields that she may change directly, in the order of the screen."""
        if self.gestionnaire:
            return champs_de(self.niveau, {Qui.PARTOUT, Qui.GESTIONNAIRE})
        return champs_de(self.niveau, {Qui.PARTOUT}) if self.editeur else []

    @property
    def champs_caches(self) -> set[str]:
        """Fields whose name and values she may not read: what SESAN keeps for its own follow-up."""
        return set() if self.gestionnaire else {c.nom for c in CONTENU if c.section == "gestion"}

    def annuler(self, modification: Modification) -> bool:
        """``peut_annuler``."""
        sien = self.editeur and modification.auteur_id == self.user_id
        return modification.source == Source.DIRECT and (self.gestionnaire or sien)


def droits_sur(user: "User | AnonymousUser", fiche: Fiche) -> Droits:
    return Droits(user.pk, fiche.niveau, est_gestionnaire(user), est_editeur(user, fiche))


def peut_annuler(user: "User | AnonymousUser", modification: Modification) -> bool:
    """Cancel a planned direct change, or enter it again: its author, while she still may change the fiche, and
    gestionnaires (domain.md §4)."""
    return droits_sur(user, modification.fiche).annuler(modification)


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


def editeurs_de(fiche: Fiche) -> QuerySet[User]:
    """The people of ``est_editeur``."""
    return personnes_avec_role_sur([fiche.eg_id or fiche.pk], ROLES_EDITEURS)


def editeurs_des(egs: Collection[int]) -> dict[int, list[User]]:
    """``editeurs_de`` for several establishments, by EG; one that nobody edits is absent. Three statements."""
    versions = VersionFiche.objects.filter(fiche__in=egs, validite__contains=timezone.localdate())
    ej_de = dict(versions.values_list("fiche", "parent"))
    portees: dict[int, set[int]] = {}
    for user, fiche in (
        Habilitation.objects.actives()
        .filter(role__in=ROLES_EDITEURS, fiche__in={*egs, *ej_de.values()} - {None})
        .values_list("user", "fiche")
    ):
        portees.setdefault(fiche or 0, set()).add(user)
    people = User.objects.in_bulk({user for users in portees.values() for user in users})
    par_eg = {eg: portees.get(eg, set()) | portees.get(ej_de.get(eg) or 0, set()) for eg in egs}
    return {eg: [people[pk] for pk in sorted(users)] for eg, users in par_eg.items() if users}


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


# -- reported errors -----------------------------------------------------------------------------------


def _signalements_de_ses_fiches(user: "User | AnonymousUser") -> Q:
    """Reports on the fiches of ``est_editeur``."""
    return Q(fiche__eg__in=egs_de(user)) | Q(fiche__in=_roles(user, ROLES_EDITEURS).order_by().values("fiche"))


def signalements_a_traiter(user: "User | AnonymousUser", roles: Collection[str] | None = None) -> QuerySet[Signalement]:
    """Open reports that wait for her: on the fiches that she edits and, for a gestionnaire, on those that no Référent
    and no Direction answers for. ``roles``: those that she holds, when they have been read already."""
    a_elle = Q(pk__in=[])
    if roles is None or any(r in roles for r in ROLES_EDITEURS):
        a_elle |= _signalements_de_ses_fiches(user)
    if roles is None or Role.GESTIONNAIRE in roles:
        a_elle |= _sans_editeur() & Q(Exists(_roles(user, [Role.GESTIONNAIRE]).order_by()))
    return Signalement.objects.filter(a_elle, clos_le__isnull=True)


def _sans_editeur() -> Q:
    """Reports on fiches that no Référent and no Direction answers for."""
    editeurs = Habilitation.objects.actives().filter(role__in=ROLES_EDITEURS).order_by()
    de_l_eg = editeurs.filter(fiche=Coalesce(OuterRef("fiche__eg"), OuterRef("fiche")))
    de_l_ej = editeurs.filter(
        fiche__versions_enfants__fiche=OuterRef("fiche__eg"),
        fiche__versions_enfants__validite__contains=timezone.localdate(),
    )
    return ~Q(Exists(de_l_eg)) & ~Q(Exists(de_l_ej))


def traitants_de(fiche: Fiche) -> QuerySet[User]:
    """The people of ``signalements_a_traiter``, for a fiche."""
    editeurs = editeurs_de(fiche)
    return editeurs if editeurs.exists() else gestionnaires()


def signalements_visibles(user: "User | AnonymousUser") -> QuerySet[Signalement]:
    """Reports that she made or may close; all of them for a gestionnaire."""
    if est_gestionnaire(user):
        return Signalement.objects.all()
    return Signalement.objects.filter(Q(auteur=user.pk) | _signalements_de_ses_fiches(user))


def signalements_ouverts(user: "User | AnonymousUser") -> QuerySet[Signalement]:
    """Every open report, for a gestionnaire: she supervises those that wait for an establishment too."""
    return Signalement.objects.filter(Exists(_roles(user, [Role.GESTIONNAIRE]).order_by()), clos_le__isnull=True)


def signalements_traites(user: "User | AnonymousUser") -> QuerySet[Signalement]:
    """Closed ones among those that she may close."""
    if est_gestionnaire(user):
        return Signalement.objects.filter(clos_le__isnull=False)
    return Signalement.objects.filter(_signalements_de_ses_fiches(user), clos_le__isnull=False)
