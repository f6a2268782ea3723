"""The list that a person came from (tab, filters, sort): carried by the address, then by the forms of a task."""

from typing import NamedTuple
from urllib.parse import parse_qs

from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import reverse

from backoffice.comptes.models import User

from .. import boite, regles
from ..forms_taches import FiltreTaches
from ..models import Tache

_PARAMETRES = tuple(FiltreTaches.base_fields)


def suite_de(request: HttpRequest) -> str:
    """Its query string, empty when she came from elsewhere."""
    if request.method == "POST":
        return _sure(request.POST.get("suite") or request.GET.urlencode())
    return _sure(request.GET.urlencode())


def _sure(requete: str) -> str:
    """Only the parameters of the inbox, so that nothing foreign travels in our links."""
    try:
        lus = parse_qs(requete[:1000], max_num_fields=20)
    except ValueError:  # not an address that one of our pages made
        lus = {}
    propre = QueryDict(mutable=True)
    for nom in _PARAMETRES:
        if nom in lus:
            propre[nom] = lus[nom][0]
    return propre.urlencode()


def adresse_de_la_liste(suite: str) -> str:
    return f"{reverse('taches')}?{suite}" if suite else reverse("taches")


def adresse_de_la_tache(numero: int, suite: str) -> str:
    adresse = reverse("tache", args=[numero])
    return f"{adresse}?{suite}" if suite else adresse


class Liste(NamedTuple):
    taches: QuerySet[Tache]
    tri: str


def liste_de(user: User, suite: str) -> Liste:
    """The tasks of this list and their order; what waits for her when she came from elsewhere, a mail for one."""
    if not suite:
        return Liste(boite.a_faire(user), "echeance")
    filtre = FiltreTaches(QueryDict(suite), roles=regles.portees(user))
    return Liste(boite.filtrer(boite.onglets(user)[filtre.liste], **filtre.criteres), filtre.ordre)
