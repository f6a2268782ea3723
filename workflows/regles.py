"""Who may, on dossiers and tasks: predicates and their scoped twins, from one table of steps (enums.ETAPES)."""

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from backoffice.comptes.models import User
from structures.enums import ROLES_EDITEURS, Role
from structures.models import Fiche, Habilitation, VersionFiche
from structures.regles import (
    a_role_sur,
    egs_de,
    egs_portes_par,
    gestionnaires,
    membres_de,
    personnes_avec_role_sur,
)

from .enums import ETAPES, SANS_PART, Cercle, EtatDossier, Issue
from .models import Decision, Dossier, Suppleance, Tache

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class Portees(dict[str, set[str | None]]):
    """Role → the authorities that it is held on; and whether the person stands in for somebody today."""

    supplee = False


# Role of an absent person → what one must hold oneself, today, to stand in for it (ADR 9). Nobody stands in for a
# Référent: what the team of an establishment does together needs no substitute.
TRANSMISSIBLES: dict[str, tuple[str, ...]] = {
    Role.DIRECTION: ROLES_EDITEURS,
    Role.TUTELLE: (Role.TUTELLE,),
    Role.GESTIONNAIRE: (Role.GESTIONNAIRE,),
}


def perimetre(user: "User | AnonymousUser", tenus: Portees | None = None) -> Q:
    """The tasks, open or not, that the habilitations of the person are for (not yet « what she sent herself »).

    ``tenus``: her ``portees`` when they have been read already.
    """
    if not user.is_authenticated:
        return Q(pk__in=[])
    return _pour(portees(user) if tenus is None else tenus, lambda roles: _ecrites(egs_de(user, roles)))


def _pour(tenus: Portees, egs_des: Callable[[Iterable[str]], list[int] | QuerySet[Fiche]]) -> Q:
    condition = Q(pk__in=[])
    egs: dict[frozenset[str], list[int] | QuerySet[Fiche]] = {}
    for etape in ETAPES.values():
        tenues = frozenset(tenus.keys() & etape.roles)
        if etape.cercle is Cercle.GESTIONNAIRES and tenues:
            condition |= Q(noeud=etape.noeud)
        elif etape.cercle is Cercle.TUTELLE and tenues:
            condition |= Q(noeud=etape.noeud, autorite__in=tenus[Role.TUTELLE])
        elif etape.cercle in (Cercle.EDITEURS, Cercle.DIRECTION) and tenues:
            if tenues not in egs:
                egs[tenues] = egs_des(tenues)
            condition |= Q(noeud=etape.noeud, eg__in=egs[tenues])
    return condition


def portees(user: "User | AnonymousUser") -> Portees:
    """The roles that the person holds today, each with the authorities that it is held on. One statement."""
    tenus = Portees()
    supplee = Exists(Suppleance.objects.en_cours().filter(suppleante=OuterRef("user")).order_by())
    tenues = Habilitation.objects.actives().filter(user=user.pk).annotate(supplee=supplee)
    for role, autorite, tenus.supplee in tenues.values_list("role", "autorite", "supplee"):
        tenus.setdefault(role, set()).add(autorite)
    return tenus


def roles_de(user: "User | AnonymousUser") -> Portees:
    """``portees`` of the person of a request, asked once for it: the menu wants them several times on every page."""
    if not hasattr(user, "_roles_du_jour"):
        user._roles_du_jour = portees(user) if user.is_authenticated else Portees()  # type: ignore[union-attr]
    roles: Portees = user._roles_du_jour  # type: ignore[union-attr]
    return roles


def _ecrites(egs: QuerySet[Fiche]) -> list[int] | QuerySet[Fiche]:
    """Written out when they are few: the partial index (step, EG) then finds the tasks without reading the others."""
    cles = list(egs.values_list("pk", flat=True)[:201])
    return cles if len(cles) < 201 else egs


def taches_de(user: "User | AnonymousUser", tenus: Portees | None = None) -> QuerySet[Tache]:
    """Tasks that the person may do: her perimeter, less the approval of what she sent herself, and the decisions that
    are for somebody whom she stands in for; less the approval of what one of them approved for another authority."""
    tenus = portees(user) if tenus is None else tenus
    condition = _pas_deux_fois(_en_propre(user, tenus), [user.pk], tenus)
    if tenus.supplee:
        absentes = _absentes(user)
        gagnees = perimetre_supplee(user, tenus, absentes)
        condition |= _pas_deux_fois(gagnees, [user.pk, *absentes], tenus)
    return Tache.objects.filter(condition)


def retenues_par_sa_signature(user: User) -> QuerySet[Tache]:
    """Tasks that she could do, had she not approved the same dossier for another authority (ADR 9)."""
    tenus = portees(user)
    condition = _en_propre(user, tenus)
    if tenus.supplee:
        condition |= perimetre_supplee(user, tenus, _absentes(user))
    return Tache.objects.filter(condition & _deja_approuvees([user.pk]))


def approbations_conjointes() -> QuerySet[Decision]:
    """What some authorities approved of the dossiers that still wait for another one. Each of them is to be approved by
    another person."""
    return Decision.objects.filter(
        noeud="approbation_tutelle",
        issue=Issue.APPROUVE,
        dossier__etat=EtatDossier.APPROBATION,
        le__gte=F("dossier__envoye_le"),
    ).order_by()


def _pas_deux_fois(condition: Q, signataires: Collection[int | None], tenus: Portees) -> Q:
    return condition & ~_deja_approuvees(signataires) if Role.TUTELLE in tenus else condition


def _deja_approuvees(signataires: Collection[int | None]) -> Q:
    signees = approbations_conjointes().filter(acteur__in=signataires).values("dossier")
    return Q(noeud="approbation_tutelle", close_le__isnull=True, dossier__in=signees)


def _en_propre(user: "User | AnonymousUser", tenus: Portees) -> Q:
    neutres = [etape.noeud for etape in ETAPES.values() if etape.neutre]
    return perimetre(user, tenus) & ~Q(noeud__in=neutres, dossier__envoye_par=user.pk)


def _absentes(user: "User | AnonymousUser") -> list[int]:
    return list(Suppleance.objects.en_cours().filter(suppleante=user.pk).values_list("absente", flat=True))


def perimetre_supplee(
    user: "User | AnonymousUser", tenus: Portees, toutes: Collection[int], absentes: Collection[int] | None = None
) -> Q:
    """Decisions that the person gains from those whom she stands in for (``absentes``; ``toutes`` unless said).

    Never on what she sent herself, nor on what anyone of ``toutes`` sent. From their own habilitations, not from what
    they stand in for: no chains. And only for the roles that she has a like of.
    """
    transmis = Portees()
    absentes = toutes if absentes is None else absentes
    roles = [role for role, siens in TRANSMISSIBLES.items() if tenus.keys() & set(siens)]
    tenues = Habilitation.objects.actives().filter(user__in=absentes, role__in=roles)
    for role, autorite in tenues.values_list("role", "autorite"):
        transmis.setdefault(role, set()).add(autorite)
    decisions = [etape.noeud for etape in ETAPES.values() if etape.cercle is not Cercle.EDITEURS]
    condition = _pour(transmis, lambda des: _ecrites(egs_portes_par(absentes, des)))
    return condition & Q(noeud__in=decisions) & ~Q(dossier__envoye_par__in=[user.pk, *toutes])


def pour_qui(user: User, taches: Collection[Tache], tenus: Portees | None = None) -> dict[int, User]:
    """For whom she does each of these tasks, when it is not in her own name: the person whom she stands in for.

    Her own right comes first, unless the absent person holds the task. One statement when she stands in for nobody.
    """
    tenus = portees(user) if tenus is None else tenus
    if not taches or not tenus.supplee:
        return {}
    absentes = {s.absente_id: s.absente for s in _suppleances_de(user)}
    celles_ci = Tache.objects.filter(pk__in=[t.pk for t in taches])
    siennes = set(celles_ci.filter(_en_propre(user, tenus)).values_list("pk", flat=True))
    pour: dict[int, User] = {}
    for cle, absente in absentes.items():
        for numero in celles_ci.filter(perimetre_supplee(user, tenus, absentes, [cle])).values_list("pk", flat=True):
            if numero not in siennes:
                pour.setdefault(numero, absente)
    return pour | {t.pk: absentes[t.tache.owner_id] for t in taches if t.tache.owner_id in absentes}


def _suppleances_de(user: User) -> QuerySet[Suppleance]:
    return Suppleance.objects.en_cours().filter(suppleante=user.pk).select_related("absente").order_by("absente")


def supplee(user: User, absente: User) -> bool:
    """Stands in for this person today."""
    return _suppleances_de(user).filter(absente=absente.pk).exists()


def peut_faire(user: "User | AnonymousUser", tache: Tache) -> bool:
    return taches_de(user).filter(pk=tache.pk).exists()


def acteurs_de(tache: Tache) -> QuerySet[User]:
    """Which people may do this task: the same table, seen from the other side."""
    signataires: list[int] = []
    if tache.etape.cercle is Cercle.TUTELLE:
        signees = approbations_conjointes().filter(dossier=tache.dossier_id)
        signataires = list(signees.values_list("acteur", flat=True))
    return acteurs_a(tache.noeud, tache.eg_id, tache.autorite_id, tache.dossier.envoye_par_id, signataires)


def acteurs_a(
    noeud: str, eg: int, autorite: str | None, expediteur: int | None, signataires: Collection[int] = ()
) -> QuerySet[User]:
    """Which people could do a step for this EG, this authority and what this person sends; ``signataires``: who
    approved already for another authority."""
    etape = ETAPES[noeud]
    if etape.cercle is Cercle.GESTIONNAIRES:
        people = gestionnaires()
    elif etape.cercle is Cercle.TUTELLE:
        people = membres_de(autorite or "")
    else:
        people = personnes_avec_role_sur([eg], etape.roles)
    if etape.neutre and expediteur:
        people = people.exclude(pk=expediteur)
    if etape.cercle is Cercle.EDITEURS:
        return people
    exclues = [*signataires, *([expediteur] if expediteur else [])]
    return _avec_suppleantes(people.exclude(pk__in=signataires), etape.roles[0], exclues)


def _avec_suppleantes(people: QuerySet[User], role: str, exclues: Collection[int]) -> QuerySet[User]:
    """Those people and the ones who stand in for them, ``perimetre_supplee`` from the other side: not ``exclues``, nor
    whoever stands in for one of them."""
    en_cours = Suppleance.objects.en_cours().order_by()
    semblable = Habilitation.objects.actives().filter(user=OuterRef("suppleante"), role__in=TRANSMISSIBLES[role])
    gagnent = en_cours.filter(Exists(semblable.order_by()), absente__in=people.order_by().values("pk"))
    if exclues:
        pour_elles = en_cours.filter(absente__in=exclues).values("suppleante")
        gagnent = gagnent.exclude(absente__in=exclues).exclude(suppleante__in=exclues)
        gagnent = gagnent.exclude(suppleante__in=pour_elles)
    return User.objects.filter(
        Q(pk__in=people.order_by().values("pk")) | Q(pk__in=gagnent.values("suppleante"))
    ).order_by("pk")


def dossiers_visibles(user: "User | AnonymousUser", tenus: Portees | None = None) -> QuerySet[Dossier]:
    """Dossiers of the establishments she edits; all of them for a gestionnaire; for a tutelle those that came to it;
    and those on which she decides for somebody who is absent. ``tenus``: see ``perimetre``."""
    if not user.is_authenticated:
        return Dossier.objects.none()
    tenus = portees(user) if tenus is None else tenus
    if Role.GESTIONNAIRE in tenus:
        return Dossier.objects.all()
    pour_elle = Q(autorite__in=tenus.get(Role.TUTELLE, ()))
    if tenus.supplee:
        pour_elle |= perimetre_supplee(user, tenus, _absentes(user))
    venus = Tache.objects.filter(pour_elle, dossier=OuterRef("pk")).order_by()
    return Dossier.objects.filter(Q(eg__in=egs_de(user)) | Exists(venus))


def interlocuteurs_de(dossier: Dossier) -> QuerySet[User]:
    """The people of ``dossiers_visibles``, for one dossier: those who talk about it while it is open; not those who
    only stand in for somebody."""
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
        | Q(pk__in=dossier.evenements.filter(acteur__isnull=False).exclude(type__in=SANS_PART).values("acteur")),
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


def suppleantes_possibles(absente: User, *, partout: bool) -> QuerySet[User]:
    """Who may stand in for her: people of the same establishment, authority or of SESAN; ``partout``: whoever holds a
    like role, what a gestionnaire may choose among (ADR 9)."""
    aujourdhui = timezone.localdate()
    condition = Q(pk__in=[])
    for role, fiche, autorite in (
        Habilitation.objects.actives().filter(user=absente).values_list("role", "fiche", "autorite")
    ):
        if role not in TRANSMISSIBLES:
            continue
        portee = Q()
        if not partout and autorite:
            portee = Q(autorite=autorite)
        elif not partout and fiche:
            liens = VersionFiche.objects.filter(validite__contains=aujourdhui).order_by()
            de_l_ej, ses_eg = liens.filter(fiche=fiche).values("parent"), liens.filter(parent=fiche).values("fiche")
            portee = Q(fiche=fiche) | Q(fiche__in=de_l_ej) | Q(fiche__in=ses_eg)
        condition |= Q(portee, role__in=TRANSMISSIBLES[role])
    tenues = Habilitation.objects.actives().filter(condition, user=OuterRef("pk")).order_by()
    people = User.objects.filter(Exists(tenues)).exclude(pk=absente.pk)
    return people.order_by("last_name", "first_name", "pk")
