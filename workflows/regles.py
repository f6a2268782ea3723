"""Who may, on dossiers and tasks: predicates and their scoped twins, from one table of steps (enums.ETAPES)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from backoffice.comptes.models import User
from structures.enums import ROLES_EDITEURS, Role
from structures.models import Fiche, Habilitation, VersionFiche
from structures.regles import (
    a_role_sur,
    egs_de,
    gestionnaires,
    membres_de,
    personnes_avec_role_sur,
)

from .enums import ETAPES, PERSONNELS, Cercle
from .models import Dossier, Tache

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


Portees = dict[str, set[str | None]]  # role → the authorities that it is held on


def perimetre(user: "User | AnonymousUser", tenus: Portees | None = None) -> Q:
    """The tasks, open or not, that the habilitations of the person are for (not yet « what she sent herself »).

    ``tenus``: her ``portees`` when they have been read already.
    """
    condition = Q(pk__in=[])
    if not user.is_authenticated:
        return condition
    tenus = portees(user) if tenus is None else tenus
    egs: dict[frozenset[str], list[int] | QuerySet[Fiche]] = {}
    for etape in ETAPES.values():
        tenues = frozenset(tenus.keys() & etape.roles)
        if etape.cercle is Cercle.GESTIONNAIRES and tenues:
            condition |= Q(noeud=etape.noeud)
        elif etape.cercle is Cercle.TUTELLE and tenues:
            condition |= Q(noeud=etape.noeud, autorite__in=tenus[Role.TUTELLE])
        elif etape.cercle in (Cercle.EDITEURS, Cercle.DIRECTION) and tenues:
            if tenues not in egs:
                egs[tenues] = _egs(user, tenues)
            condition |= Q(noeud=etape.noeud, eg__in=egs[tenues])
    return condition


def portees(user: "User | AnonymousUser") -> Portees:
    """The roles that the person holds today, each with the authorities that it is held on. One statement."""
    tenus: Portees = {}
    for role, autorite in Habilitation.objects.actives().filter(user=user.pk).values_list("role", "autorite"):
        tenus.setdefault(role, set()).add(autorite)
    return tenus


def roles_de(user: "User | AnonymousUser") -> Portees:
    """``portees`` of the person of a request, asked once for it: the menu wants them several times on every page."""
    if not hasattr(user, "_roles_du_jour"):
        user._roles_du_jour = portees(user) if user.is_authenticated else {}  # type: ignore[union-attr]
    roles: Portees = user._roles_du_jour  # type: ignore[union-attr]
    return roles


def _egs(user: "User | AnonymousUser", roles: Iterable[str]) -> list[int] | QuerySet[Fiche]:
    """Written out when they are few: the partial index (step, EG) then finds the tasks without reading the others."""
    egs = egs_de(user, roles)
    cles = list(egs.values_list("pk", flat=True)[:201])
    return cles if len(cles) < 201 else egs


def taches_de(user: "User | AnonymousUser", tenus: Portees | None = None) -> QuerySet[Tache]:
    """Tasks that the person may do: her perimeter, less the approval of what she sent herself."""
    neutres = [etape.noeud for etape in ETAPES.values() if etape.neutre]
    return Tache.objects.filter(perimetre(user, tenus)).exclude(noeud__in=neutres, dossier__envoye_par=user.pk)


def peut_faire(user: "User | AnonymousUser", tache: Tache) -> bool:
    return taches_de(user).filter(pk=tache.pk).exists()


def acteurs_de(tache: Tache) -> QuerySet[User]:
    """Which people may do this task: the same table, seen from the other side."""
    return acteurs_a(tache.noeud, tache.eg_id, tache.autorite_id, tache.dossier.envoye_par_id)


def acteurs_a(noeud: str, eg: int, autorite: str | None, expediteur: int | None) -> QuerySet[User]:
    """Which people could do a step for this EG, this authority and what this person sends."""
    etape = ETAPES[noeud]
    if etape.cercle is Cercle.GESTIONNAIRES:
        people = gestionnaires()
    elif etape.cercle is Cercle.TUTELLE:
        people = membres_de(autorite or "")
    else:
        people = personnes_avec_role_sur([eg], etape.roles)
    return people.exclude(pk=expediteur) if etape.neutre and expediteur else people


def dossiers_visibles(user: "User | AnonymousUser", tenus: Portees | None = None) -> QuerySet[Dossier]:
    """Dossiers of the establishments she edits; all of them for a gestionnaire; for a tutelle those that came to it.
    ``tenus``: see ``perimetre``."""
    if not user.is_authenticated:
        return Dossier.objects.none()
    tenus = portees(user) if tenus is None else tenus
    if Role.GESTIONNAIRE in tenus:
        return Dossier.objects.all()
    venus = Tache.objects.filter(dossier=OuterRef("pk"), autorite__in=tenus.get(Role.TUTELLE, ())).order_by()
    return Dossier.objects.filter(Q(eg__in=egs_de(user)) | Exists(venus))


def interlocuteurs_de(dossier: Dossier) -> QuerySet[User]:
    """The people of ``dossiers_visibles``, for one dossier: those who talk about it while it is open."""
    venu_a = dossier.taches.filter(autorite__isnull=False).order_by().values("autorite")
    habilites = Habilitation.objects.actives().filter(
        Q(role=Role.GESTIONNAIRE)
        | Q(role=Role.TUTELLE, autorite__in=venu_a)
        | Q(user__in=personnes_avec_role_sur([dossier.eg_id], ROLES_EDITEURS).order_by().values("pk")),
        user_id=OuterRef("pk"),
    )
    return User.objects.filter(Exists(habilites.order_by())).order_by("last_name", "first_name", "pk")


def roles_sur(dossier: Dossier) -> dict[User, list[str]]:
    """``interlocuteurs_de``, each with what makes her one: « Référent », « Tutelle, ARS Île-de-France ». One
    statement."""
    ej = VersionFiche.objects.filter(fiche=dossier.eg_id, validite__contains=timezone.localdate()).values("parent")
    tenues = Habilitation.objects.actives().filter(
        Q(fiche__isnull=True) | Q(fiche=dossier.eg_id) | Q(fiche__in=ej), user__in=interlocuteurs_de(dossier).order_by()
    )
    roles: dict[User, list[str]] = {}
    for tenue in tenues.select_related("user", "autorite").order_by(
        "user__last_name", "user__first_name", "user", "pk"
    ):
        role = Role(tenue.role).label
        mot = f"{role}, {tenue.autorite}" if tenue.autorite else role
        if mot not in roles.setdefault(tenue.user, []):
            roles[tenue.user].append(mot)
    return roles


def peut_creer(user: "User | AnonymousUser", eg_id: int) -> bool:
    return a_role_sur(user, eg_id)


def peut_editer(user: "User | AnonymousUser", dossier: Dossier) -> bool:
    """Référents and Directions of the EG work on its dossiers; whether the state allows it is another question."""
    return a_role_sur(user, dossier.eg_id)


def participants(dossier: Dossier) -> QuerySet[User]:
    """People who took part: whoever opened it, sent it or did something that its journal keeps; and those who follow
    it. They hear of returns, refusals and publication, as long as their habilitation lets them see the dossier."""
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
        | Q(pk__in=dossier.suivis.order_by().values("user"))
        | Q(pk__in=dossier.evenements.filter(acteur__isnull=False).exclude(type__in=PERSONNELS).values("acteur")),
    ).order_by("pk")


def collegues_de(user: "User | AnonymousUser", tenus: Portees | None = None) -> QuerySet[User]:
    """People who hold a role of hers on the same thing: gestionnaires among themselves, members of an authority,
    editors of an establishment that she edits or of the same EJ. She is one of them."""
    tenus = portees(user) if tenus is None else tenus
    siennes = Habilitation.objects.actives().filter(user=user.pk).order_by()
    communes = Q(autorite__in=[a for a in tenus.get(Role.TUTELLE, ()) if a])
    if Role.GESTIONNAIRE in tenus:
        communes |= Q(role=Role.GESTIONNAIRE)
    if tenus.keys() & set(ROLES_EDITEURS):
        portees_ = siennes.filter(role__in=ROLES_EDITEURS).values("fiche")
        communes |= Q(role__in=ROLES_EDITEURS) & (Q(fiche__in=portees_) | Q(fiche__in=egs_de(user)))
    tenues = Habilitation.objects.actives().filter(communes, user=OuterRef("pk")).order_by()
    return User.objects.filter(Exists(tenues))
