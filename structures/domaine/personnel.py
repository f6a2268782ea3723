"""What a person keeps for herself: favourites and saved searches (acceptance 20 to 22). Nobody else sees them."""

from django.db import transaction

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Invalide

from ..models import Favori, Fiche, RechercheEnregistree

RECHERCHES_MAXIMUM = 50
LONGUEUR_CRITERES = 4_000


def ajouter_favori(*, user: User, fiche: Fiche) -> None:
    """Put the fiche among the favourites; nothing changes when it is there already."""
    Favori.objects.bulk_create([Favori(user=user, fiche=fiche)], ignore_conflicts=True)


def retirer_favori(*, user: User, fiche: Fiche) -> None:
    """Take the fiche off the favourites; nothing changes when it is not there."""
    Favori.objects.filter(user=user, fiche=fiche).delete()


@transaction.atomic
def enregistrer_recherche(
    *, user: User, nom: str, criteres: str, par_defaut: bool = False, remplacer: bool = False
) -> RechercheEnregistree:
    """Keep the criteria (a canonical query string) under a name, as the default search when asked.

    A name that is taken is refused (``Invalide``, case ignored) unless ``remplacer``: then its criteria change.
    Also refused: no criterion at all, too many criteria, more than ``RECHERCHES_MAXIMUM`` searches.
    """
    verrouiller(user)
    nom = nom_lu(nom)
    if not criteres:
        raise Invalide("recherche_vide", "Choisissez au moins un critère avant d’enregistrer la recherche.")
    if len(criteres) > LONGUEUR_CRITERES:
        raise Invalide("recherche_longue", "Cette recherche a trop de critères pour être enregistrée : retirez-en.")
    recherche = RechercheEnregistree.objects.filter(user=user, nom__iexact=nom).first()
    if recherche is not None and not remplacer:
        raise nom_pris(recherche.nom, "Choisissez un autre nom, ou cochez « Remplacer la recherche qui porte ce nom ».")
    if recherche is None:
        if RechercheEnregistree.objects.filter(user=user).count() >= RECHERCHES_MAXIMUM:
            raise Invalide(
                "recherches_trop_nombreuses",
                f"Vous avez déjà {RECHERCHES_MAXIMUM} recherches enregistrées : supprimez-en une d’abord.",
            )
        recherche = RechercheEnregistree(user=user)
    recherche.nom, recherche.criteres = nom, criteres
    return _poser(recherche, par_defaut=par_defaut or recherche.par_defaut)


@transaction.atomic
def modifier_recherche(*, recherche: RechercheEnregistree, nom: str, par_defaut: bool) -> RechercheEnregistree:
    """Rename it, make it the default search or an ordinary one; its criteria are not touched. Refuses a name that
    another one bears (``Invalide``), a search deleted meanwhile (``Conflit``)."""
    verrouiller(recherche.user)
    nom = nom_lu(nom)
    relue = RechercheEnregistree.objects.filter(pk=recherche.pk).first()
    if relue is None:
        raise Conflit(
            "recherche_supprimee",
            f"Vous avez supprimé la recherche « {recherche.nom} » entre-temps : il n’y a plus rien à modifier. "
            "Enregistrez-la de nouveau depuis le répertoire si elle vous sert encore.",
        )
    autres = RechercheEnregistree.objects.filter(user=recherche.user_id).exclude(pk=recherche.pk)
    autre = autres.filter(nom__iexact=nom).first()
    if autre is not None:
        raise nom_pris(autre.nom, "Choisissez un autre nom.")
    relue.nom = nom
    return _poser(relue, par_defaut=par_defaut)


@transaction.atomic
def supprimer_recherche(*, recherche: RechercheEnregistree) -> None:
    """Delete it; twice is once."""
    verrouiller(recherche.user)
    recherche.delete()


def verrouiller(user: User) -> None:
    """One change of what a person keeps at a time: names and the one default are then checked in peace."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)


def nom_lu(nom: str, de_quoi: str = "recherche") -> str:
    """The name given to a search, or to something else that is kept under one (a feminine word); ``Invalide`` else."""
    nom = " ".join(nom.split())
    if not nom:
        raise _refus("nom_vide", f"Donnez un nom à la {de_quoi}.")
    if len(nom) > 80:
        raise _refus("nom_long", f"Ce nom a {len(nom)} caractères : 80 au plus.")
    return nom


def nom_pris(nom: str, suite: str, quoi: str = "recherche") -> Invalide:
    return _refus("nom_pris", f"Vous avez déjà une {quoi} « {nom} ». {suite}")


def _refus(code: str, message: str) -> Invalide:
    return Invalide(code, message, champs={"nom": [message]})


def _poser(recherche: RechercheEnregistree, *, par_defaut: bool) -> RechercheEnregistree:
    """Write it; the default search before it becomes an ordinary one."""
    if par_defaut:
        RechercheEnregistree.objects.filter(user=recherche.user_id, par_defaut=True).exclude(pk=recherche.pk).update(
            par_defaut=False
        )
    recherche.par_defaut = par_defaut
    recherche.save()
    return recherche
