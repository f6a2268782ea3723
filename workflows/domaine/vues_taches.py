"""How a person arranges her inbox: lists kept under a name, shared or not, the one that opens first, the columns."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q, QuerySet

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Introuvable, Invalide
from structures.domaine.personnel import nom_lu, nom_pris, verrouiller

from ..models import PreferenceTaches, VueTaches
from ..regles import Portees, collegues_de

VUES_MAXIMUM = 50
LONGUEUR_REQUETE = 1_000


def vues_lisibles(user: User, tenus: Portees | None = None) -> QuerySet[VueTaches]:
    """Hers, and those that her colleagues share. ``tenus``: see ``regles.perimetre``."""
    return VueTaches.objects.filter(Q(user=user) | Q(partagee=True, user__in=collegues_de(user, tenus)))


@transaction.atomic
def enregistrer_vue(
    *, user: User, nom: str, requete: str, partagee: bool = False, par_defaut: bool = False, remplacer: bool = False
) -> VueTaches:
    """Keep a list (its canonical query string) under a name. A name that is taken (case ignored) is refused
    (``Invalide``) unless ``remplacer``: then its list changes. Also refused: more than ``VUES_MAXIMUM`` of them."""
    verrouiller(user)
    nom = nom_lu(nom, "vue")
    if len(requete) > LONGUEUR_REQUETE:
        raise Invalide("vue_longue", "Cette liste a trop de critères pour être enregistrée : retirez-en.")
    vue = VueTaches.objects.filter(user=user, nom__iexact=nom).first()
    if vue is not None and not remplacer:
        raise nom_pris(vue.nom, "Choisissez un autre nom, ou cochez « Remplacer la vue qui porte ce nom ».", "vue")
    if vue is None:
        if VueTaches.objects.filter(user=user).count() >= VUES_MAXIMUM:
            raise Invalide("vues_trop_nombreuses", f"Vous avez déjà {VUES_MAXIMUM} vues : supprimez-en une d’abord.")
        vue = VueTaches(user=user)
    vue.nom, vue.requete, vue.partagee = nom, requete, partagee
    vue.save()
    if par_defaut:
        _preferer(user, vue)
    return vue


@transaction.atomic
def modifier_vue(*, vue: VueTaches, nom: str, partagee: bool) -> VueTaches:
    """Rename it, share it or not any more; its list is not touched. ``Introuvable`` once it is deleted."""
    verrouiller(vue.user)
    nom = nom_lu(nom, "vue")
    relue = VueTaches.objects.filter(pk=vue.pk).first()
    if relue is None:
        raise Introuvable("vue_supprimee", f"La vue « {vue.nom} » a été supprimée entre-temps.")
    autre = VueTaches.objects.filter(user=vue.user_id, nom__iexact=nom).exclude(pk=vue.pk).first()
    if autre is not None:
        raise nom_pris(autre.nom, "Choisissez un autre nom.", "vue")
    relue.nom, relue.partagee = nom, partagee
    relue.save()
    return relue


@transaction.atomic
def supprimer_vue(*, vue: VueTaches) -> None:
    """Delete it, for those with whom it was shared too; twice is once."""
    verrouiller(vue.user)
    VueTaches.objects.filter(pk=vue.pk).delete()


@transaction.atomic
def ouvrir_sur(*, user: User, vue: VueTaches | None) -> None:
    """Which list the bare address of the inbox shows her: one of hers, one that is shared with her, or none."""
    verrouiller(user)
    _preferer(user, vue)


@transaction.atomic
def choisir_colonnes(*, user: User, colonnes: Sequence[str]) -> None:
    """The columns that she sees, in her order; none: the usual ones."""
    verrouiller(user)
    PreferenceTaches.objects.update_or_create(user=user, defaults={"colonnes": list(colonnes)})


def _preferer(user: User, vue: VueTaches | None) -> None:
    PreferenceTaches.objects.update_or_create(user=user, defaults={"vue": vue})
