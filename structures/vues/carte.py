"""The list of the répertoire on a map; the list itself is its text equivalent, one link away."""

from dataclasses import replace
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from backoffice.comptes.models import User
from backoffice.socle.vues import VueProtegee

from .. import recherche, requetes
from ..carte import Carte, Lieu, carte
from ..enums import ChampEG
from ..liste import chercher
from ..recherche import Criteres
from .communs import Jour, adresse_fiche
from .criteres import demande, puces
from .personnel import adresse_recherche

PREMIERS = 20  # results said in words under the map


class CarteView(VueProtegee):
    """Same address, criteria and rights as the list. Zooming on a département is choosing it."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        user = cast(User, request.user)
        jour, criteres, erreurs = demande(request)
        liste = chercher(criteres, user)
        criteres = liste.criteres
        dessin = carte(criteres, user, liste)
        premiers = [*liste.miennes, *recherche.page(criteres, user, sauf=liste.cles, taille=PREMIERS).lignes]
        return render(
            request,
            "structures/carte.html",
            {
                "jour": jour,
                "criteres": criteres,
                "erreurs": list(erreurs.values()),
                "liste": liste,
                "puces": puces(criteres),
                "carte": dessin,
                "traces": [(t, _adresse(t.criteres)) for t in dessin.traces],
                "lieux": [(lieu, dessin.en_mots(lieu), *_signe(lieu), _lien(lieu, jour)) for lieu in dessin.lieux],
                "legende": [(champ, champ.label, _FORMES[champ]) for champ in dessin.champs],
                "departements": _zooms(dessin, criteres),
                "url_liste": adresse_recherche(criteres.requete()),
                "url_entiere": _adresse(replace(criteres, departements=(), communes=(), autour=None)),
                "rapprochee": bool(criteres.departements or criteres.communes or criteres.autour),
                "premiers": _en_mots(premiers[:PREMIERS], jour),
            },
        )


# The sign of each champ: its shape says it without the colour.
_FORMES = {
    ChampEG.SANITAIRE: "M-3-8H3V-3H8V3H3V8H-3V3H-8V-3H-3Z",
    ChampEG.MEDICO_SOCIAL: "M-6-6H6V6H-6Z",
    ChampEG.SOCIAL: "M0-9L9 7H-9Z",
}


def _signe(lieu: Lieu) -> tuple[str, str]:
    """(class, path) of a place; no path for one that gathers several establishments."""
    return (lieu.champ, _FORMES[ChampEG(lieu.champ)]) if lieu.champ else ("plusieurs", "")


def _adresse(criteres: Criteres) -> str:
    return f"{reverse('carte')}?{criteres.requete() or 'q='}"


def _lien(lieu: Lieu, jour: Jour) -> str:
    """The fiche of the one establishment, else the list of the several."""
    if lieu.identifiant:
        return adresse_fiche(lieu.identifiant, jour)
    return adresse_recherche(lieu.criteres.requete())


def _zooms(dessin: Carte, criteres: Criteres) -> list[tuple[str, int, str, bool]]:
    """(département, number of results, address of its map, chosen)."""
    return [
        (
            dessin.libelles.get(code, code),
            n,
            _adresse(replace(criteres, departements=(code,), communes=(), autour=None)),
            criteres.departements == (code,),
        )
        for code, n in dessin.par_departement.items()
    ]


def _en_mots(versions: list[Any], jour: Jour) -> list[tuple[str, str, str]]:
    """(name, address, commune) of establishments, in one statement."""
    communes = requetes.libelles_communes(v.commune for v in versions if v.commune)
    return [
        (v.nom or "(sans nom)", adresse_fiche(v.fiche.identifiant, jour), communes.get(v.commune, "")) for v in versions
    ]
