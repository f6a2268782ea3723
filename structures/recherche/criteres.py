"""What is asked of the register, as a value: read from an address, written back to one."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils import timezone

from backoffice.socle.semaine import en_heure

from ..domaine.texte import normaliser
from ..enums import ChampEG
from ..models import Commune, Concept, Departement, VersionFiche

LONGUEUR_Q = 200
VALEURS_MAX = 50  # values of one criterion
KM_PAR_DEFAUT, KM_MAX = 10, 200
MOIS_MAX = 120

# Words that nearly every name holds: they would find everything, at the price of reading everything.
_VIDES = frozenset("a au aux d de des du en et l la le les un une".split())
_CODE = re.compile(r"[0-9A-Za-z.\-]{1,40}")
_HEURE = re.compile(r"([01]?\d|2[0-3])(?:[:hH]([0-5]\d)?)?")
_CHIFFRES = re.compile(r"\d+|2[abAB]\d*")

# Communes with arrondissements: the establishments are in these, the name is of the whole.
ARRONDISSEMENTS = {"75056": "751", "69123": "6938", "13055": "132"}


class Liste(NamedTuple):
    """A criterion of several values: its name in the address, what the values are called, their nomenclature."""

    parametre: str
    mot: str
    nomenclature: str = ""


LISTES = {
    "departements": Liste("departement", "département"),
    "communes": Liste("commune", "commune"),
    "champs": Liste("champ", "champ d’activité"),
    "categories": Liste("categorie", "catégorie d’établissement", "R66"),
    "types": Liste("type", "Type d’UO", "J238"),
    "activites": Liste("activite", "activité opérationnelle", "R211"),
    "actes": Liste("acte", "acte spécifique", "R210"),
    "publics": Liste("public", "public pris en charge", "R239"),
    "modes": Liste("mode", "mode de prise en charge", "R213"),
    "temporalites": Liste("temporalite", "temporalité d’accueil", "R240"),
}
OUI_NON = {
    "mss": "mss",
    "sensible": "sensible",
    "incomplet": "incomplet",
    "en_dossier": "dossier",
    "favoris": "favoris",
    "signale": "signale",
}


@dataclass(frozen=True, slots=True)
class Criteres:
    """Values inside a list are alternatives; criteria add up. Those on the content of a fiche (types, activites,
    actes, publics, modes, temporalites, ouvert, sensible, incomplet) hold on one and the same fiche.

    ``mss``: médico-social and social establishments too; a choice of ``champs`` replaces the box.
    ``autour``: (commune, km). ``ouvert``: (weekday 1 to 7, minutes since midnight). ``sans_nouvelles``: months.
    """

    q: str = ""
    mss: bool = False
    jour: date = field(default_factory=timezone.localdate)
    departements: tuple[str, ...] = ()
    communes: tuple[str, ...] = ()
    autour: tuple[str, int] | None = None
    champs: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    activites: tuple[str, ...] = ()
    actes: tuple[str, ...] = ()
    publics: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    temporalites: tuple[str, ...] = ()
    ouvert: tuple[int, int] | None = None
    sensible: bool = False
    incomplet: bool = False
    sans_nouvelles: int | None = None
    en_dossier: bool = False
    favoris: bool = False
    signale: bool = False

    @property
    def mots(self) -> tuple[str, ...]:
        """The words to find. A FINESS or SIRET typed with spaces is one word; « de », « la »… only count alone."""
        mots = tuple(dict.fromkeys(normaliser(_rejoindre_les_numeros(self.q)).split()))
        return tuple(m for m in mots if m not in _VIDES) or mots

    def requete(self, **changements: Any) -> str:
        """The query string of these criteria with some changed, in its canonical form: sorted, nothing empty, the
        day only when it is not today."""
        c = replace(self, **changements)
        paires = [("q", c.q)]
        paires += [(liste.parametre, code) for nom, liste in LISTES.items() for code in getattr(c, nom)]
        paires += [(parametre, "1") for nom, parametre in OUI_NON.items() if getattr(c, nom)]
        if c.autour:
            paires += [("autour", c.autour[0]), ("km", str(c.autour[1]))]
        if c.ouvert:
            paires += [("jour", str(c.ouvert[0])), ("heure", en_heure(c.ouvert[1]))]
        if c.sans_nouvelles:
            paires.append(("nouvelles", str(c.sans_nouvelles)))
        if c.jour != timezone.localdate():
            paires.append(("au", c.jour.isoformat()))
        return urlencode(sorted((nom, valeur) for nom, valeur in paires if valeur))


def _rejoindre_les_numeros(texte: str) -> str:
    """« 75 000 0001 » → « 750000001 »: neighbouring groups of digits that make up 9 or 14 characters together."""
    sortie: list[str] = []
    groupe: list[str] = []
    for mot in [*texte.split(), ""]:
        if _CHIFFRES.fullmatch(mot):
            groupe.append(mot)
            continue
        numero = "".join(groupe)
        sortie += [numero] if len(numero) in (9, 14) else groupe
        groupe = []
        sortie.append(mot)
    return " ".join(sortie)


# -- from the address ------------------------------------------------------------------------------------


def lire(parametres: QueryDict, jour: date) -> tuple[Criteres, dict[str, str]]:
    """The criteria of an address, and a sentence by parameter that could not be taken; the rest is kept."""
    erreurs: dict[str, str] = {}
    q = " ".join(parametres.get("q", "").replace("\0", "").split())
    if len(q) > LONGUEUR_Q:
        q = q[:LONGUEUR_Q].rstrip()
        erreurs["q"] = f"La recherche s’arrête à {LONGUEUR_Q} caractères : la fin de votre texte n’a pas été lue."
    demandees = {nom: _codes(parametres, liste, erreurs) for nom, liste in LISTES.items()}
    centre = _propre(parametres.get("autour", ""))
    connues = _connues(demandees, centre)
    valeurs: dict[str, Any] = {nom: parametres.get(p) == "1" for nom, p in OUI_NON.items()}
    for nom, liste in LISTES.items():
        valeurs[nom] = tuple(code for code in demandees[nom] if code in connues[nom])
        inconnus = [code for code in demandees[nom] if code not in connues[nom]]
        if inconnus:
            erreurs[liste.parametre] = _phrase_inconnus(liste.mot, inconnus)
    valeurs["autour"] = _autour(parametres, centre, connues, erreurs, jour)
    valeurs["ouvert"] = _ouvert(parametres, erreurs)
    valeurs["sans_nouvelles"] = _nombre(parametres, "nouvelles", MOIS_MAX, "un nombre de mois", erreurs)
    return Criteres(q=q, jour=jour, **valeurs), erreurs


def _propre(texte: str) -> str:
    return texte.replace("\0", "").strip()


def _codes(parametres: QueryDict, liste: Liste, erreurs: dict[str, str]) -> list[str]:
    """What was asked, once each and sorted."""
    codes = sorted({_propre(code)[:60] for code in parametres.getlist(liste.parametre)} - {""})
    if len(codes) > VALEURS_MAX:
        erreurs[liste.parametre] = f"Choisissez au plus {VALEURS_MAX} valeurs à la fois : les suivantes sont ignorées."
    return codes[:VALEURS_MAX]


def _phrase_inconnus(mot: str, inconnus: Iterable[str]) -> str:
    noms = ", ".join(f"« {code} »" for code in inconnus)
    return f"{mot[0].upper()}{mot[1:]} : le répertoire ne connaît pas {noms}. Ce critère n’est pas appliqué."


def _connues(demandees: Mapping[str, list[str]], centre: str) -> dict[str, set[str]]:
    """By list, the values asked for that exist; one statement a kind of value that was asked for."""
    connues: dict[str, set[str]] = {nom: set() for nom in LISTES}
    connues["champs"] = set(demandees["champs"]) & set(ChampEG.values)
    if demandees["departements"]:
        connues["departements"] = set(
            Departement.objects.filter(pk__in=demandees["departements"]).values_list("pk", flat=True)
        )
    if demandees["communes"] or centre:
        connues["communes"] = set(
            Commune.objects.filter(pk__in=[*demandees["communes"], centre]).values_list("pk", flat=True)
        )
    codes = {nom: [c for c in demandees[nom] if _CODE.fullmatch(c)] for nom in LISTES if LISTES[nom].nomenclature}
    if any(codes.values()):
        trouves = set(
            Concept.objects.filter(
                nomenclature__in=[LISTES[nom].nomenclature for nom in codes],
                code__in={c for liste in codes.values() for c in liste},
            )
            .order_by()
            .values_list("nomenclature_id", "code")
        )
        for nom in codes:
            connues[nom] = {c for c in codes[nom] if (LISTES[nom].nomenclature, c) in trouves}
    return connues


def _autour(
    parametres: QueryDict, centre: str, connues: Mapping[str, set[str]], erreurs: dict[str, str], jour: date
) -> tuple[str, int] | None:
    if not centre:
        return None
    if centre not in connues["communes"]:
        erreurs["autour"] = _phrase_inconnus("commune", [centre[:60]])
        return None
    km = KM_PAR_DEFAUT
    if _propre(parametres.get("km", "")):
        lu = _nombre(parametres, "km", KM_MAX, "une distance en kilomètres", erreurs)
        if lu is None:
            return None
        km = lu
    if not en_commune(centre, jour).filter(latitude__isnull=False, longitude__isnull=False).exists():
        erreurs["autour"] = (
            "La distance se mesure depuis les établissements de cette commune, et aucun n’a de coordonnées au "
            "répertoire. Choisissez une commune voisine ou le département."
        )
        return None
    return centre, km


def en_commune(commune: str, jour: date) -> Any:
    """Establishments of a commune on a day, those of its arrondissements included."""
    return (
        VersionFiche.objects.filter(niveau="EG", validite__contains=jour)
        .filter(commune__startswith=ARRONDISSEMENTS.get(commune, commune))
        .order_by()
    )


def _ouvert(parametres: QueryDict, erreurs: dict[str, str]) -> tuple[int, int] | None:
    jour, heure = _propre(parametres.get("jour", "")), _propre(parametres.get("heure", ""))
    if not jour and not heure:
        return None
    if jour not in tuple("1234567"):
        erreurs["jour"] = "Choisissez le jour de la semaine où la structure doit être ouverte."
        return None
    lue = _HEURE.fullmatch(heure)
    if lue is None:
        erreurs["heure"] = "Indiquez l’heure sous la forme 14:30."
        return None
    return int(jour), int(lue[1]) * 60 + int(lue[2] or 0)


def _nombre(parametres: QueryDict, nom: str, maximum: int, quoi: str, erreurs: dict[str, str]) -> int | None:
    brut = _propre(parametres.get(nom, ""))
    if not brut:
        return None
    if not (brut.isascii() and brut.isdecimal() and len(brut) < 6 and 1 <= int(brut) <= maximum):
        erreurs[nom] = f"Indiquez {quoi} entre 1 et {maximum}."
        return None
    return int(brut)
