"""What a search asks for, read from its parameters once: criteria, order, page, what goes with it, how it is shown."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.db.models import Q

from .conditions import RIEN, Inconnu, Lisible, condition
from .contenu import RESUMES, Vue
from .issue import ErreurFhir
from .parametres import PARAMETRES, TYPES, Genre

PAGE_PAR_DEFAUT, PAGE_MAX = 50, 500
CRITERES_MAX, VALEURS_MAX, CHAINES_MAX = 50, 2000, 10
COMPARAISONS_MAX = 40  # values, in the whole search, of what is no code: each is a condition of its own
TOTAUX = ("none", "estimate", "accurate")
COLONNES_DE_TRI = {"_id": "identifiant", "_lastUpdated": "maj", "name": "tri"}
# Read by the negotiation, or the page's own: never criteria.
_NOMBRE = re.compile(r"[0-9]{1,9}")
_UNE_A_UNE = {p.nom for ps in PARAMETRES.values() for p in ps.values() if p.genre not in (Genre.JETON, Genre.REFERENCE)}
_AILLEURS = {"_format", "_pretty", "_cursor"}
_UNE_SEULE_FOIS = {"_count", "_sort", "_summary", "_elements", "_total"}


@dataclass(frozen=True)
class Lien:
    """``_include`` or ``_revinclude``: references ``parametre`` of ``source``, to ``cible`` only if it is given."""

    source: str
    parametre: str
    cible: str = ""
    iterer: bool = False


@dataclass
class Demande:
    """``ignores`` is what was not understood, in words; ``suivis`` the parameters that were, for the links of pages."""

    type: str
    condition: Q = field(default_factory=Q)
    tri: list[tuple[str, bool]] = field(default_factory=list)  # (column, descending), the identifier last
    nombre: int = PAGE_PAR_DEFAUT
    total: str = ""
    vue: Vue = field(default_factory=Vue)
    inclus: list[Lien] = field(default_factory=list)
    inverses: list[Lien] = field(default_factory=list)
    curseur: str = ""
    ignores: list[str] = field(default_factory=list)
    suivis: list[tuple[str, str]] = field(default_factory=list)

    @property
    def adresse(self) -> str:
        """The question as an address, without the place of the page: what a cursor is bound to."""
        return f"{self.type}?{urlencode(self.suivis)}" if self.suivis else self.type


def lire(type_: str, donnees: Iterable[tuple[str, str]], lisible: Lisible, *, strict: bool) -> Demande:
    """``donnees``: (name, value) in the order of the request. Raises ``ErreurFhir`` for what R4 wants refused, and for
    what is not understood when ``strict``."""
    demande = Demande(type_)
    uniques: dict[str, str] = {}
    criteres: list[tuple[str, str]] = []
    for nom, valeur in donnees:
        if nom == "_cursor":
            demande.curseur = valeur
        elif nom in _AILLEURS or not valeur:  # R4: a parameter without a value is as if absent
            pass
        elif nom in _UNE_SEULE_FOIS:
            uniques[nom] = valeur
        elif nom.partition(":")[0] in ("_include", "_revinclude"):
            _lire_lien(demande, nom, valeur, lisible)
        else:
            criteres.append((nom, valeur))
    _lire_criteres(demande, criteres, lisible)
    _lire_controles(demande, uniques)
    if strict and demande.ignores:
        raise ErreurFhir(400, "not-supported", " ".join(demande.ignores))
    return demande


def _lire_criteres(demande: Demande, criteres: Sequence[tuple[str, str]], lisible: Lisible) -> None:
    if len(criteres) > CRITERES_MAX or sum(v.count(",") + 1 for _, v in criteres) > VALEURS_MAX:
        raise ErreurFhir(400, "too-costly", f"Au plus {CRITERES_MAX} critères et {VALEURS_MAX} valeurs par recherche.")
    comparees = (v for nom, v in criteres if nom.rpartition(".")[2].partition(":")[0] in _UNE_A_UNE)
    if sum(v.count(",") + 1 for v in comparees) > COMPARAISONS_MAX:
        texte = f"Au plus {COMPARAISONS_MAX} noms, dates, âges ou lieux par recherche."
        raise ErreurFhir(400, "too-costly", texte)
    if sum("." in nom for nom, _ in criteres) > CHAINES_MAX:
        raise ErreurFhir(400, "too-costly", f"Au plus {CHAINES_MAX} chaînes par recherche.")
    for nom, valeur in criteres:
        try:
            trouve = condition(demande.type, nom, valeur, lisible)
        except Inconnu as inconnu:
            demande.ignores.append(f"Le paramètre « {str(inconnu)[:60]} » n’est pas connu : il a été ignoré.")
        else:
            demande.condition = RIEN if trouve == RIEN else demande.condition & trouve
            demande.suivis.append((nom, valeur))


def _lire_controles(demande: Demande, uniques: dict[str, str]) -> None:
    if "_count" in uniques:
        demande.nombre = lire_nombre(uniques["_count"])
        demande.suivis.append(("_count", str(demande.nombre)))
    if "_total" in uniques:
        if uniques["_total"] not in TOTAUX:
            raise ErreurFhir(400, "invalid", f"_total vaut {', '.join(TOTAUX)}.")
        demande.total = uniques["_total"]
        demande.suivis.append(("_total", demande.total))
    _lire_tri(demande, uniques.get("_sort", ""))
    demande.vue = lire_vue(uniques.get("_summary", ""), uniques.get("_elements", ""))
    demande.suivis += [(nom, uniques[nom]) for nom in ("_summary", "_elements") if nom in uniques]


def lire_nombre(texte: str) -> int:
    """``_count``, brought to what a page may hold."""
    if not _NOMBRE.fullmatch(texte):
        raise ErreurFhir(400, "invalid", f"_count est un nombre : « {texte[:40]} ».")
    return min(int(texte), PAGE_MAX)


def lire_vue(resume: str, elements: str) -> Vue:
    if resume and resume not in RESUMES:
        raise ErreurFhir(400, "invalid", f"_summary vaut {', '.join(RESUMES)}.")
    return Vue(resume if resume != "false" else "", frozenset(filter(None, (e.strip() for e in elements.split(",")))))


def _lire_tri(demande: Demande, demande_de_tri: str) -> None:
    suivi = []
    for cle in filter(None, (c.strip() for c in demande_de_tri.split(","))):
        colonne = COLONNES_DE_TRI.get(cle.removeprefix("-"))
        if colonne is None or (colonne == "tri" and "name" not in PARAMETRES[demande.type]):
            demande.ignores.append(f"Le tri « {cle[:40]} » n’est pas connu : il a été ignoré.")
        elif not {colonne, "identifiant"} & dict(demande.tri).keys():  # nothing is equal after the identifier
            demande.tri.append((colonne, cle.startswith("-")))
            suivi.append(cle)
    if "identifiant" not in dict(demande.tri):
        # In the direction of the last key: an index is read from either end.
        demande.tri.append(("identifiant", bool(demande.tri) and demande.tri[-1][1]))
    if suivi:
        demande.suivis.append(("_sort", ",".join(suivi)))


def _lire_lien(demande: Demande, nom: str, valeur: str, lisible: Lisible) -> None:
    genre, _, modificateur = nom.partition(":")
    if modificateur not in ("", "iterate", "recurse"):
        raise ErreurFhir(400, "not-supported", f"{genre} n’a pas de modificateur « :{modificateur[:40]} ».")
    liens = _liens(demande.type, genre, valeur, iterer=bool(modificateur))
    if not liens:
        demande.ignores.append(f"{genre} « {valeur[:60]} » ne mène à rien : il a été ignoré.")
        return
    for lien in liens:
        if genre == "_revinclude" and not lisible(lien.source):
            raise ErreurFhir(403, "forbidden", f"Votre accès ne lit pas {lien.source}.")
    (demande.inclus if genre == "_include" else demande.inverses).extend(liens)
    demande.suivis.append((nom, valeur))


def _liens(type_: str, genre: str, valeur: str, *, iterer: bool) -> list[Lien]:
    """« Organization:partof », « HealthcareService:location:Location », « * » (whatever R4 lets it mean here)."""
    if valeur == "*":
        return [
            Lien(source, p.nom, "" if genre == "_include" else type_, iterer)
            for source in ((type_,) if genre == "_include" and not iterer else TYPES)
            for p in PARAMETRES[source].values()
            if p.genre is Genre.REFERENCE and (genre == "_include" or type_ in p.cibles)
        ]
    source, _, reste = valeur.partition(":")
    parametre, _, cible = reste.partition(":")
    p = PARAMETRES.get(source, {}).get(parametre)
    if p is None or p.genre is not Genre.REFERENCE or (cible and cible not in p.cibles):
        return []
    return [Lien(source, parametre, cible, iterer)]
