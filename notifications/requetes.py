"""Read models of « Envois »."""

from typing import NamedTuple

from django.db.models import Q, QuerySet

from backoffice.comptes.models import User

from . import regles
from .models import Envoi, EtatEnvoi

TAILLE_PAGE = 50


class Page(NamedTuple):
    """``avant`` and ``apres`` are the keys of the older and newer neighbouring pages, None at the ends."""

    envois: list[Envoi]
    avant: int | None
    apres: int | None


def envois_en_echec() -> QuerySet[Envoi]:
    """The incidents of the mail: what will not leave unless somebody acts. Newest first."""
    return Envoi.objects.filter(etat=EtatEnvoi.ECHEC).select_related("destinataire").order_by("-pk")


def chercher(user: User, *, etat: str = "", type_code: str = "", q: str = "") -> QuerySet[Envoi]:
    """The mails that ``user`` may see, filtered; ``q`` looks at subject, address, identifier and name."""
    envois = regles.envois_de(user).select_related("destinataire").defer("corps_texte", "corps_html", "secret")
    if etat:
        envois = envois.filter(etat=etat)
    if type_code:
        envois = envois.filter(type_code=type_code)
    for mot in q.split():
        envois = envois.filter(
            Q(sujet__icontains=mot)
            | Q(adresse__icontains=mot)
            | Q(destinataire__username__icontains=mot)
            | Q(destinataire__last_name__icontains=mot)
            | Q(destinataire__first_name__icontains=mot)
        )
    return envois


def page(
    envois: QuerySet[Envoi], *, avant: int | None = None, apres: int | None = None, taille: int = TAILLE_PAGE
) -> Page:
    """One page by key, newest first: ``avant`` goes to older rows, ``apres`` comes back to newer ones. One query."""
    if apres is not None:
        lignes = list(envois.filter(pk__gt=apres).order_by("pk")[: taille + 1])
        autres = len(lignes) > taille
        lignes = lignes[:taille][::-1]
        return Page(lignes, lignes[-1].pk if lignes else None, lignes[0].pk if autres else None)
    borne = envois if avant is None else envois.filter(pk__lt=avant)
    lignes = list(borne.order_by("-pk")[: taille + 1])
    autres = len(lignes) > taille
    lignes = lignes[:taille]
    return Page(lignes, lignes[-1].pk if autres else None, lignes[0].pk if avant is not None and lignes else None)
