"""From one search parameter, as it is asked for, to the condition on the columns of ``Ressource``.

The rules are those of R4 search: a comma is « or », « \\, » a comma; what is repeated is « and » (the caller's).
"""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.db.models import Avg, BooleanField, F, FloatField, Func, Q, QuerySet, Subquery, Value
from django.db.models.functions import ACos, Concat, Cos, Greatest, Least, Radians, Sin

from ..domaine.texte import normaliser
from ..enums import LIEU
from ..models import Ressource
from .grandeurs import Bornes, ages, instants, jours, nombres
from .index import jeton
from .issue import ErreurFhir
from .parametres import PARAMETRES, Genre, Parametre

RIEN = Q(pk__in=[])
CIBLES_MAX = 1000  # targets of a chain beyond which they are joined rather than listed
CHAINE_MAX = 4
ALTERNATIVES_MAX = 20  # of a text, a number, a date, a place: each is a condition of its own; codes are one together
LONGUEUR_TEXTE = 250
RAYON_TERRE_KM, KM_PAR_DEGRE = 6371.0, 111.0  # a degree is a little more: the rectangle holds the circle
DISTANCE_PAR_DEFAUT_KM = 10.0
_KM = {"": 1.0, "km": 1.0, "m": 0.001}

Lisible = Callable[[str], bool]


class Inconnu(Exception):
    """A parameter that is not of this type: ignored, or refused, as the client prefers."""


def vivantes(type_: str) -> QuerySet[Ressource]:
    return Ressource.objects.filter(type=type_, contenu__isnull=False).order_by()


def condition(type_: str, nom: str, valeur: str, lisible: Lisible, *, maillons: int = 0) -> Q:
    """What ``nom=valeur`` asks of a resource of this type; ``nom`` may carry a modifier or a chain.

    ``lisible`` says whether the consumer may read a type: a chain through one that it may not is refused. A chain
    costs one statement, whatever it finds.
    """
    tete, point, chaine = nom.partition(".")
    cle, _, modificateur = tete.partition(":")
    p = PARAMETRES[type_].get(cle)
    if p is None:
        raise Inconnu(nom)
    if point:
        return _enchainer(p, modificateur, chaine, valeur, lisible, maillons)
    if modificateur == "missing":
        return _manquer(p, valeur)
    valeurs = couper(valeur, ",")
    if len(valeurs) > ALTERNATIVES_MAX and p.genre not in (Genre.JETON, Genre.REFERENCE):
        raise ErreurFhir(400, "too-costly", f"Au plus {ALTERNATIVES_MAX} valeurs de {p.nom} à la fois.")
    return _PAR_GENRE[p.genre](p, modificateur, valeurs)


def couper(texte: str, separateur: str) -> list[str]:
    """Parts between separators that no backslash escapes; the escapes of the parts are kept."""
    parties, debut, i = [], 0, 0
    while i < len(texte):
        if texte[i] == "\\":
            i += 1
        elif texte[i] == separateur:
            parties.append(texte[debut:i])
            debut = i + 1
        i += 1
    return [*parties, texte[debut:]]


def _clair(texte: str) -> str:
    """« a\\,b\\|c » → « a,b|c »."""
    return re.sub(r"\\([,|$\\])", r"\1", texte)


def _refus_modificateur(p: Parametre, modificateur: str) -> ErreurFhir:
    return ErreurFhir(400, "not-supported", f"Le paramètre {p.nom} n’a pas de modificateur « :{modificateur[:40]} ».")


def _manquer(p: Parametre, valeur: str) -> Q:
    if valeur not in ("true", "false"):
        raise ErreurFhir(400, "invalid", f"{p.nom}:missing vaut true ou false.")
    if p.colonne in ("identifiant", "maj"):  # every resource has them
        manque = RIEN
    else:
        une = p.colonne and not p.plusieurs
        manque = Q((f"{p.colonne}__isnull", True)) if une else ~Q(jetons__contains=[p.nom])
    return manque if valeur == "true" else ~manque


# -- by kind -----------------------------------------------------------------------------------------------


def _jetons(p: Parametre, modificateur: str, valeurs: Sequence[str]) -> Q:
    if modificateur not in ("", "not", "of-type") or (modificateur == "of-type" and p.nom != "identifier"):
        raise _refus_modificateur(p, modificateur)
    if p.nom == "_id":
        trouve = Q(identifiant__in=[_clair(v) for v in valeurs])
    else:
        forme = _jeton_de_type if modificateur == "of-type" else _jeton
        trouve = Q(jetons__overlap=[jeton(forme(p, v)) for v in valeurs])
    return ~trouve if modificateur == "not" else trouve


def _jeton(p: Parametre, valeur: str) -> str:
    parties = [_clair(v) for v in couper(valeur, "|")]
    match parties:
        case [code] if code:
            return f"{p.nom}={code}"
        case [systeme, code] if systeme or code:
            return f"{p.nom}|{systeme}|{code}"
    raise ErreurFhir(400, "invalid", f"{p.nom} attend code, système|code, |code ou système| : « {valeur[:40]} ».")


def _jeton_de_type(p: Parametre, valeur: str) -> str:
    parties = [_clair(v) for v in couper(valeur, "|")]
    if len(parties) != 3 or not all(parties):
        raise ErreurFhir(400, "invalid", f"{p.nom}:of-type attend système|code|valeur : « {valeur[:40]} ».")
    return f"{p.nom}:of-type|" + "|".join(parties)


def _textes(p: Parametre, modificateur: str, valeurs: Sequence[str]) -> Q:
    if modificateur == "exact":
        return Q(jetons__overlap=[jeton(f"{p.nom}={_clair(v)}") for v in valeurs])
    if modificateur not in ("", "contains"):
        raise _refus_modificateur(p, modificateur)
    trouve = RIEN
    for mots in (normaliser(_clair(v)) for v in valeurs):  # only a-z, 0-9 and spaces: nothing to escape
        if not mots or len(mots) > LONGUEUR_TEXTE:
            continue
        if modificateur:
            trouve |= Q(textes__regex=rf"\n{p.nom}\|[^\n]*{mots}")
        else:
            trouve |= Q(textes__contains=f"\n{p.nom}|{mots}")
    return trouve


def _references(p: Parametre, modificateur: str, valeurs: Sequence[str]) -> Q:
    if modificateur and modificateur not in p.cibles:
        raise _refus_modificateur(p, modificateur)
    cibles = (modificateur,) if modificateur else p.cibles
    voulues = []
    for valeur in map(_clair, valeurs):
        valeur = valeur.removeprefix(f"{base()}/")
        voulues += [f"{p.nom}|{valeur}"] if "/" in valeur else [f"{p.nom}|{cible}/{valeur}" for cible in cibles]
    return Q(references__overlap=[jeton(v) for v in voulues])


def base() -> str:
    return f"{settings.SITE_URL}/fhir"


def _dates(p: Parametre, modificateur: str, valeurs: Sequence[str]) -> Q:
    return _comparees(p, modificateur, valeurs, jours if p.plusieurs else instants)


def _quantites(p: Parametre, modificateur: str, valeurs: Sequence[str]) -> Q:
    return _comparees(p, modificateur, valeurs, ages)


def _nombres(p: Parametre, modificateur: str, valeurs: Sequence[str]) -> Q:
    return _comparees(p, modificateur, valeurs, nombres)


def _comparees(p: Parametre, modificateur: str, valeurs: Sequence[str], lire: Callable[[str], list[Bornes]]) -> Q:
    if modificateur:
        raise _refus_modificateur(p, modificateur)
    trouve = RIEN
    for bas, haut in (bornes for valeur in valeurs for bornes in lire(valeur)):
        if p.plusieurs:
            # Few have any: the index of tokens holds those that do.
            trouve |= Q(jetons__contains=[p.nom]) & Q(_UneDe(p.colonne, bas, haut))
        else:
            dites = ((f"{p.colonne}__gte", bas), (f"{p.colonne}__lt", haut))
            trouve |= Q(*(dite for dite in dites if dite[1] is not None))
    return trouve


class _UneDe(Func):
    """One of the values of an array is at least ``bas`` and less than ``haut``; None: whatever it is."""

    output_field = BooleanField()

    def __init__(self, colonne: str, bas: Any, haut: Any) -> None:
        self.comparaisons = [operateur for operateur, borne in ((">=", bas), ("<", haut)) if borne is not None]
        super().__init__(F(colonne), *(Value(borne) for borne in (bas, haut) if borne is not None))

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        (colonne, parametres), *bornes = [compiler.compile(e) for e in self.get_source_expressions()]
        tests = [f"v.une {comparaison} {sql}" for comparaison, (sql, _) in zip(self.comparaisons, bornes, strict=True)]
        sql = f"EXISTS (SELECT FROM unnest({colonne}) AS v(une) WHERE {' AND '.join(tests) or 'true'})"
        return sql, [*parametres, *(p for _, ps in bornes for p in ps)]


# -- near --------------------------------------------------------------------------------------------------


class _AuPlus(Func):
    arg_joiner = " <= "
    template = "(%(expressions)s)"
    output_field = BooleanField()


def _pres(p: Parametre, modificateur: str, valeurs: Sequence[str]) -> Q:
    if modificateur:
        raise _refus_modificateur(p, modificateur)
    if p.nom == "near-insee-code":
        return _pres_d_une_commune(p, valeurs)
    trouve = RIEN
    for valeur in valeurs:
        trouve |= _autour(*_lire_pres(valeur))
    return trouve


def _pres_d_une_commune(p: Parametre, valeurs: Sequence[str]) -> Q:
    """Places of a commune, whatever their position, and those around the middle of them: our communes have no other.
    Without any to be around, refused rather than nothing found.

    One statement to find it. The guide: no several values.
    """
    code, *suite = valeurs[0].split("|")
    attendu = f"{p.nom} attend un code commune, puis une distance : code|distance|km ou m."
    if len(valeurs) > 1 or not code or len(suite) > 2:
        raise ErreurFhir(400, "invalid", attendu)
    km = _lire_distance(*suite, attendu=attendu)
    siennes = Q(jetons__contains=[jeton(f"commune-cog={_clair(code)}")])
    if not km:
        return siennes
    milieu = vivantes(LIEU).filter(siennes).aggregate(latitude=Avg("latitude"), longitude=Avg("longitude"))
    if milieu["latitude"] is None:
        texte = f"Aucun lieu exposé de la commune « {code[:10]} » n’a de position : cherchez avec near."
        raise ErreurFhir(400, "not-found", texte)
    return siennes | _autour(**milieu, km=km)


def _lire_pres(valeur: str) -> tuple[float, float, float]:
    attendu = f"near attend latitude|longitude|distance|km ou m : « {valeur[:60]} »."
    try:
        latitude, longitude, *suite = valeur.split("|")
        place = float(latitude), float(longitude)
        # NaN compares false.
        if not (abs(place[0]) <= 90 and abs(place[1]) <= 180 and len(suite) <= 2):
            raise ValueError
    except ValueError as erreur:
        raise ErreurFhir(400, "invalid", attendu) from erreur
    return *place, _lire_distance(*suite, attendu=attendu)


def _lire_distance(distance: str = "", unite: str = "", *, attendu: str) -> float:
    """In kilometres."""
    try:
        km = float(distance) * _KM[unite] if distance else DISTANCE_PAR_DEFAUT_KM
        if not 0 <= km < math.inf:
            raise ValueError
    except (ValueError, KeyError) as erreur:
        raise ErreurFhir(400, "invalid", attendu) from erreur
    return km


def _autour(latitude: float, longitude: float, km: float) -> Q:
    """On the sphere; a rectangle, which an index holds, goes before it."""
    marge = km / KM_PAR_DEGRE
    place = Q(latitude__range=(latitude - marge, latitude + marge))
    # Where the rectangle is widest; near a pole, or across the antimeridian, there is none.
    cercle = math.cos(math.radians(min(90.0, abs(latitude) + marge)))
    largeur = marge / cercle if cercle > 1e-6 else math.inf
    if abs(longitude) + largeur <= 180:
        place &= Q(longitude__range=(longitude - largeur, longitude + largeur))
    cosinus = (
        Sin(Radians(F("latitude"))) * Sin(Radians(Value(latitude)))
        + Cos(Radians(F("latitude"))) * Cos(Radians(Value(latitude)))
        * Cos(Radians(F("longitude") - Value(longitude)))
    )  # fmt: skip
    distance = ACos(Least(1.0, Greatest(-1.0, cosinus)), output_field=FloatField()) * RAYON_TERRE_KM
    # At a distance of 0, what is at the place itself: acos is good to less than a metre.
    return place & Q(_AuPlus(distance, Value(km + 1e-3)))


# -- chains ------------------------------------------------------------------------------------------------


class _Reference(Func):
    """One of the references is in a subquery, which PostgreSQL hashes once."""

    arg_joiner = ") AS lien(cible) WHERE lien.cible IN "
    template = "EXISTS (SELECT FROM unnest(%(expressions)s)"
    output_field = BooleanField()


def _enchainer(p: Parametre, type_: str, chaine: str, valeur: str, lisible: Lisible, maillons: int) -> Q:
    """« organization.name=x »: what refers to an organisation whose name is x."""
    if p.genre is not Genre.REFERENCE or (type_ and type_ not in p.cibles):
        raise ErreurFhir(400, "invalid", f"{p.nom} ne mène à aucune ressource « {type_ or chaine[:40]} ».")
    if maillons >= CHAINE_MAX:
        raise ErreurFhir(400, "too-costly", f"Pas plus de {CHAINE_MAX} maillons dans une chaîne.")
    trouve = RIEN
    for cible in (type_,) if type_ else p.cibles:
        if not lisible(cible):
            raise ErreurFhir(403, "forbidden", f"Votre accès ne lit pas {cible}.")
        sous = vivantes(cible).filter(condition(cible, chaine, valeur, lisible, maillons=maillons + 1))
        prefixe = f"{p.nom}|{cible}/"
        peu = list(sous.values_list("identifiant", flat=True)[: CIBLES_MAX + 1])
        if len(peu) <= CIBLES_MAX:
            trouve |= Q(references__overlap=[prefixe + i for i in peu]) if peu else RIEN
        else:
            lien = Concat(Value(prefixe), F("identifiant"))
            trouve |= Q(_Reference(F("references"), Subquery(sous.annotate(lien=lien).values("lien"))))
    return trouve


_PAR_GENRE: dict[Genre, Callable[[Parametre, str, Sequence[str]], Q]] = {
    Genre.JETON: _jetons,
    Genre.TEXTE: _textes,
    Genre.REFERENCE: _references,
    Genre.QUANTITE: _quantites,
    Genre.NOMBRE: _nombres,
    Genre.DATE: _dates,
    Genre.SPECIAL: _pres,
}
