"""The criteria of the list: read from an address, said in words, chosen in a panel."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, NamedTuple, cast
from urllib.parse import parse_qsl

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.mots import INSECABLE, JOURS, date_longue
from backoffice.socle.semaine import en_heure
from backoffice.socle.vues import VueProtegee, veut_fragment

from .. import liste, recherche, requetes
from ..domaine.texte import normaliser
from ..enums import ChampEG
from ..models import Departement
from ..recherche import Criteres
from ..recherche.criteres import LISTES, OUI_NON, VALEURS_MAX
from .communs import Jour, jour_de

HEURE_PROPOSEE = "09:00"
DISTANCES = (5, 10, 20, 30, 50)
MOIS = (3, 6, 12, 18, 24)
FREQUENTES = 10  # values of a facet shown at once

_LISTE = {genre.parametre: genre for genre in LISTES.values()}
_OUI = {
    "mss": "Médico-social et social compris",
    "sensible": "Unité sensible",
    "incomplet": "Fiches incomplètes",
    "dossier": "Dans un dossier collaboratif",
    "favoris": "Favoris",
    "signale": "Erreur signalée",
}


# -- from the address ------------------------------------------------------------------------------------


def lire(parametres: QueryDict, jour: date) -> tuple[Criteres, dict[str, str]]:
    """``recherche.lire`` for what a form sends: a commune may be typed by its name, an hour without a weekday or a
    distance without a commune is no criterion, and a weekday without an hour is asked at ``HEURE_PROPOSEE``."""
    envoyes, erreurs = parametres.copy(), {}
    # Once each, and one more than may be sent: ``recherche.lire`` says that they are too many.
    saisies = {
        "commune": list(dict.fromkeys(_propre(s) for s in envoyes.getlist("commune")))[: VALEURS_MAX + 1],
        "autour": [_propre(s) for s in envoyes.getlist("autour")[-1:]],
    }
    noms = {s for liste_ in saisies.values() for s in liste_ if not _est_un_code(s)}
    nommees = requetes.communes_nommees_ainsi(noms)
    for nom, siennes in saisies.items():
        lues, refus = _communes(siennes, nommees)
        envoyes.setlist(nom, lues)
        if refus:
            erreurs[nom] = refus
    if not envoyes.get("jour"):
        envoyes.pop("heure", None)
    elif not envoyes.get("heure"):
        envoyes["heure"] = HEURE_PROPOSEE
    criteres, autres = recherche.lire(envoyes, jour)
    return criteres, autres | erreurs


def _communes(saisies: list[str], nommees: dict[str, list[tuple[str, str]]]) -> tuple[list[str], str]:
    """(COG codes, what is wrong with the names); a name that is no commune's stays, for ``recherche.lire``."""
    codes, ambigues = [], []
    for saisie in saisies:
        siennes = nommees.get(saisie, [])
        if len(siennes) > 1:
            ambigues.append(
                f"Plusieurs communes s’appellent « {saisie} » : choisissez entre "
                f"{', '.join(f'« {libelle} »' for _, libelle in siennes[:6])}."
            )
        else:
            codes.append(siennes[0][0] if siennes else saisie)
    return codes, " ".join(ambigues)


def _propre(saisie: str) -> str:
    return saisie.replace("\0", "").strip()[:60]


def _est_un_code(saisie: str) -> bool:
    saisie = saisie.strip()
    return not saisie or (len(saisie) == 5 and saisie[0].isdecimal() and saisie[2:].isdecimal())


def demande(request: HttpRequest) -> tuple[Jour, Criteres, dict[str, str]]:
    """The day, the criteria and what is wrong with them, of the address of a page."""
    return demande_de(request.GET)


def demande_de(choix: QueryDict) -> tuple[Jour, Criteres, dict[str, str]]:
    jour = jour_de(choix)
    return jour, *lire(choix, jour.jour)


def canoniques(texte: str) -> str:
    """The criteria of a query string as a saved search keeps them: what is readable of it, whatever the day."""
    criteres, _ = lire(QueryDict(texte), timezone.localdate())
    return criteres.requete()


# -- in words --------------------------------------------------------------------------------------------


class Mots:
    """Criteria as people say them. Labels of all the (parameter, value) pairs are read at once: three statements."""

    def __init__(self, paires: Iterable[tuple[str, str]]) -> None:
        par_parametre: dict[str, set[str]] = {}
        for parametre, valeur in paires:
            par_parametre.setdefault(parametre, set()).add(valeur)
        cherches = [
            (genre.nomenclature, code)
            for nom, genre in _LISTE.items()
            if genre.nomenclature
            for code in par_parametre.get(nom, ())
        ]
        self._codes = requetes.options_de(cherches)
        self._communes = requetes.libelles_communes(
            par_parametre.get("commune", set()) | par_parametre.get("autour", set())
        )
        departements = par_parametre.get("departement", set())
        self._departements = (
            {d.pk: str(d) for d in Departement.objects.filter(pk__in=departements)} if departements else {}
        )

    def commune(self, code: str) -> str:
        return self._communes.get(code, code)

    def valeur(self, parametre: str, code: str) -> str:
        """One value of a list: « Paris (75) », « Cardiologie »."""
        if parametre == "departement":
            return self._departements.get(code, code)
        if parametre == "commune":
            return self.commune(code)
        if parametre == "champ":
            return ChampEG(code).label if code in ChampEG.values else code
        option = self._codes.get((_LISTE[parametre].nomenclature, code))
        return option.libelle if option else code

    def phrase(self, paires: Iterable[tuple[str, str]]) -> str:
        """« « cardiologie », Paris (75), à 10 km de Vanves (92) »."""
        toutes = list(paires)
        seules = dict(toutes)
        mots = [f"« {seules['q']} »"] if seules.get("q") else []
        mots += [self.valeur(nom, code) for nom, code in toutes if nom in _LISTE]
        if "autour" in seules:
            mots.append(_distance(self.commune(seules["autour"]), seules.get("km", "")))
        if "jour" in seules:
            mots.append(_ouverture(seules["jour"], seules.get("heure", "")))
        if "nouvelles" in seules:
            mots.append(_silence(seules["nouvelles"]))
        mots += [_OUI[nom] for nom in OUI_NON.values() if nom in seules]
        return ", ".join(mots)


def _distance(commune: str, km: str) -> str:
    return f"À {km}{INSECABLE}km de {commune}"


def _ouverture(jour: str, heure: str) -> str:
    mot = JOURS[int(jour) - 1] if jour in tuple("1234567") else jour
    return f"Ouvert le {mot} à {heure.replace(':', INSECABLE + 'h' + INSECABLE)}"


def _silence(mois: str) -> str:
    return f"Sans nouvelles depuis {mois}{INSECABLE}mois"


def en_mots(adresses: Iterable[str]) -> list[str]:
    """The criteria of query strings, in words; as many statements for one as for fifty."""
    lues = [parse_qsl(adresse) for adresse in adresses]
    mots = Mots(paire for paires in lues for paire in paires)
    return [mots.phrase(paires) for paires in lues]


class Puce(NamedTuple):
    """An active criterion: ``sans`` are the criteria without it."""

    critere: str
    libelle: str
    sans: Criteres

    @property
    def url(self) -> str:
        return f"?{self.sans.requete() or 'q='}"


def puces(criteres: Criteres) -> list[Puce]:
    """The active criteria one by one, in the order of the panel; the MSS box is beside the search and not there."""
    c = criteres
    mots = Mots(parse_qsl(c.requete()))
    trouvees = [Puce("", f"« {c.q} »", replace(c, q=""))] if c.q else []
    for nom, genre in LISTES.items():
        for code in (codes := getattr(c, nom)):
            sans = replace(c, **cast(dict[str, Any], {nom: tuple(x for x in codes if x != code)}))
            trouvees.append(Puce(genre.mot, mots.valeur(genre.parametre, code), sans))
    if c.autour:
        trouvees.append(Puce("", _distance(mots.commune(c.autour[0]), str(c.autour[1])), replace(c, autour=None)))
    if c.ouvert:
        libelle = _ouverture(str(c.ouvert[0]), en_heure(c.ouvert[1]))
        trouvees.append(Puce("", libelle, replace(c, ouvert=None)))
    if c.sans_nouvelles:
        trouvees.append(Puce("", _silence(str(c.sans_nouvelles)), replace(c, sans_nouvelles=None)))
    trouvees += [
        Puce("", _OUI[parametre], replace(c, **cast(dict[str, Any], {nom: False})))
        for nom, parametre in OUI_NON.items()
        if nom != "mss" and getattr(c, nom)
    ]
    return trouvees


# -- the panel -------------------------------------------------------------------------------------------


def panneau(request: HttpRequest, criteres: Criteres, erreurs: dict[str, str]) -> dict[str, Any]:
    """What ``structures/_criteres.html`` draws, but the facets: what was typed stays, right or wrong."""
    c, envoyes = criteres, request.GET
    saisie = {nom: envoyes.get(nom, "") for nom in ("autour", "heure")}
    if c.autour:
        saisie["autour"] = Mots([("autour", c.autour[0])]).commune(c.autour[0])
    return {
        "criteres": c,
        "erreurs": erreurs,
        "erreurs_listes": [erreurs[nom] for nom in _LISTE if nom in erreurs],
        "choisies": [(genre.parametre, code) for nom, genre in LISTES.items() for code in getattr(c, nom)],
        "commune_refusee": _premier_nom(envoyes.getlist("commune")) if "commune" in erreurs else "",
        "autour": saisie["autour"],
        "km": c.autour[1] if c.autour else 10,
        "distances": _avec(DISTANCES, c.autour[1] if c.autour else None),
        "jour_ouvert": c.ouvert[0] if c.ouvert else envoyes.get("jour", ""),
        "jours": list(enumerate(JOURS, 1)),
        "heure": en_heure(c.ouvert[1]) if c.ouvert else saisie["heure"],
        "mois": _avec(MOIS, c.sans_nouvelles),
    }


def _premier_nom(communes: list[str]) -> str:
    return next((c for c in communes if not _est_un_code(c)), "")


def _avec(valeurs: tuple[int, ...], choisie: int | None) -> list[int]:
    return sorted({*valeurs, choisie} - {None}) if choisie else list(valeurs)


class CriteresView(VueProtegee):
    """The panel with the values that each criterion can take and their counts: what the list asks for once it is
    shown, and a page of its own without JavaScript."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        jour, criteres, erreurs = demande(request)
        user = cast(User, request.user)
        trouvee = liste.chercher(criteres, user)
        lues = liste.facettes(trouvee.criteres, user)
        contexte = {
            **panneau(request, criteres, erreurs),
            "jour": jour,
            "facettes": [_facette(f) for f in lues if f.nom in LISTES],
            "nombres": {OUI_NON[f.nom]: _oui(f) for f in lues if f.nom in OUI_NON},
            "comptes_note": _note(lues),
        }
        if veut_fragment(request):
            contexte["total"] = None if trouvee.comptee else liste.compter(trouvee.criteres, user)
            return render(request, "structures/_criteres.html", contexte)
        contexte["fil"] = [("Répertoire", "/repertoire/?q="), ("Critères d’affichage", "")]
        return render(request, "structures/criteres.html", contexte)


def _oui(facette: recherche.Facette) -> int | None:
    """Establishments that meet a yes-or-no criterion."""
    return facette.valeurs[0].nombre if facette.valeurs else 0


def _note(facettes: list[recherche.Facette]) -> str:
    """Counts of large answers are kept some minutes, and those of very large ones are not made: says so."""
    if any(v.nombre is None for f in facettes for v in f.valeurs):
        return "Précisez la recherche pour voir le nombre d’établissements de chaque critère sur les unités."
    calcules_le = min(f.calculee_le for f in facettes)
    if timezone.now() - calcules_le < timedelta(minutes=1):
        return ""
    return f"Nombres d’établissements calculés {date_longue(calcules_le, 'heure')}."


def _facette(facette: recherche.Facette) -> dict[str, Any]:
    """The values chosen and the most frequent ones first; the others are unrolled, by their names."""
    choisies = [v for v in facette.valeurs if v.choisi]
    autres = [v for v in facette.valeurs if not v.choisi]
    place = max(FREQUENTES - len(choisies), 0)
    return {
        "nom": LISTES[facette.nom].parametre,
        "titre": facette.titre,
        "ouverte": bool(choisies),
        "premieres": choisies + autres[:place],
        "suivantes": sorted(autres[place:], key=lambda v: normaliser(v.libelle)),
    }
