"""« Annuler la dernière opération »: take back a gesture of one's own on the fiches of a draft."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Introuvable, Invalide
from backoffice.socle.mots import date_longue
from structures.models import Fiche

from ..enums import EtatFiche, TypeEvenement
from ..models import Dossier, FicheTravail, Geste
from .apercu import apercu, perdue
from .journal import consigner
from .travaux import ecrire, ouvrir_brouillon, suivre


def gestes_a_defaire(dossier: Dossier, user: User, n: int = 10) -> list[Geste]:
    """Among the person's last ``n`` gestures those that can still be taken back, last first, with ``evenement``.

    Two statements. A gesture on which something was built comes back in the list when that is taken back.
    """
    if not dossier.est_brouillon:
        return []
    derniers = list(_gestes_de(dossier, user)[:n])
    revisions = _revisions(dossier, derniers)
    return [g for g in derniers if all(revisions.get(int(cle)) == r for cle, r in g.apres.items())]


def derniere_depassee(dossier: Dossier, user: User) -> tuple[Geste, str] | None:
    """The person's very last gesture, with ``evenement``, when something was built on it: it can't be taken back, and
    why. None when it can, or when there is none. Three statements at most."""
    dernier = _gestes_de(dossier, user).first() if dossier.est_brouillon else None
    refus = _depasse(dossier, dernier, _revisions(dossier, [dernier])) if dernier else None
    return (dernier, refus.message) if dernier and refus else None


def _gestes_de(dossier: Dossier, user: User) -> QuerySet[Geste]:
    gestes = dossier.gestes.filter(auteur=user, annule_le__isnull=True).select_related("evenement__fiche")
    return gestes.defer("avant").order_by("-pk")


def _revisions(dossier: Dossier, gestes: Iterable[Geste]) -> dict[int, int]:
    fiches = {int(cle) for geste in gestes for cle in geste.apres}
    return dict(dossier.fiches.filter(fiche__in=fiches).values_list("fiche_id", "revision"))


@transaction.atomic
def defaire(*, numero: int, acteur: User, geste: int) -> Geste:
    """Put the fiches of a gesture back as they were before it, number of the save included: what had been built on
    that save holds again.

    Refuses a gesture of somebody else (``Interdit``); one already taken back, or one of whose fiches was changed
    since (``Conflit``: by whom, when); a tree in which a fiche would have no legal parent (``Invalide``).
    """
    dossier = ouvrir_brouillon(numero, acteur)
    fait = dossier.gestes.select_related("evenement", "auteur").filter(pk=geste).first()
    if fait is None:
        raise Introuvable("geste_inconnu", "Cette opération n’existe pas dans ce dossier.")
    if fait.auteur_id != acteur.pk:
        raise Interdit("geste_d_autrui", f"Seule la personne qui a fait cette opération l’annule : {fait.auteur}.")
    if fait.annule_le is not None:
        raise Conflit("deja_defait", f"Cette opération a déjà été annulée le {date_longue(fait.annule_le, 'heure')}.")
    travaux = {t.fiche_id: t for t in dossier.fiches.select_related("fiche", "modifiee_par")}
    if refus := _depasse(dossier, fait, {cle: t.revision for cle, t in travaux.items()}):
        raise refus
    egarees = {n.fiche_id for n in apercu(dossier, list(travaux.values())).sans_rattachement()}
    fiches = Fiche.objects.in_bulk([int(cle) for cle in fait.avant])
    rendus = [
        _rendre(
            travaux.get(cle) or FicheTravail(dossier=dossier, fiche=fiche, modifiee_par=acteur), fait.avant[str(cle)]
        )
        for cle, fiche in fiches.items()
    ]
    apres = travaux | {t.fiche_id: t for t in rendus}
    if noeud := perdue(dossier, apres.values(), egarees):
        raise Invalide(
            "arbre_illegal",
            f"Cette opération ne peut plus être annulée : « {noeud.designation} » n’aurait plus "
            "de rattachement. Déplacez ou supprimez d’abord ce qui en dépend.",
        )
    ecrire(rendus)
    fait.annule_le = timezone.now()
    fait.save(update_fields=["annule_le"])
    consigner(
        dossier, TypeEvenement.GESTE_ANNULE, acteur, fiche=fait.evenement.fiche_id, geste=fait.pk,
        type=fait.evenement.type,
    )  # fmt: skip
    suivre(dossier, acteur)
    return fait


def _rendre(travail: FicheTravail, prise: dict[str, Any] | None) -> FicheTravail:
    """The working copy as the gesture found it; an empty patch when there was none."""
    travail.patch, travail.base = (prise["patch"], prise["base"]) if prise else ({}, {})
    if prise:
        travail.revision, travail.modifiee_par_id = prise["revision"], prise["par"]
        travail.modifiee_le = datetime.fromisoformat(prise["le"])
        travail.finaliser() if prise["etat"] == EtatFiche.FINALISEE else travail.mettre_en_attente()
    return travail


def _depasse(dossier: Dossier, fait: Geste, revisions: Mapping[int, int]) -> Conflit | None:
    """Who changed one of the fiches since, and when. ``revisions``: the number of each one's save."""
    for cle, numero in fait.apres.items():
        if revisions.get(int(cle)) == numero:
            continue
        # Every number was given by a gesture or by a return: the last of them that still holds came after this one.
        geste = Q(geste__annule_le__isnull=True, geste__apres__has_key=cle)
        renvoi = Q(type=TypeEvenement.RENVOYE, details__fiches_commentees__contains=[int(cle)])
        depuis = dossier.evenements.filter(geste | renvoi, pk__gt=fait.pk).select_related("acteur").latest("pk")
        return Conflit(
            "geste_depasse",
            f"{depuis.acteur} a changé depuis une des fiches de cette opération, le {date_longue(depuis.le, 'heure')} "
            f"({depuis.get_type_display().lower()}) : elle ne peut plus être annulée. Corrigez la fiche "
            "elle-même si c’est encore utile.",
        )
    return None
