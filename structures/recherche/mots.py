"""The words of the box: what « found » means, in Python for one text and in SQL for the register.

A search starts from the index of the establishments (structures/domaine/indexer.py), which knows no time, and asks the
versions of the day about what it finds there. The two conditions stand in one statement.
"""

import re
from collections import defaultdict
from collections.abc import Collection
from datetime import date
from typing import Any, NamedTuple

from django.core.cache import cache
from django.db.models import Exists, OuterRef, Q, QuerySet

from ..domaine.indexer import ACTIVITE, DEPARTEMENT, TYPE_UO
from ..domaine.texte import normaliser
from ..enums import Niveau
from ..models import Concept, Departement, VersionFiche
from ..requetes import versions_au

# From six digits on a word is a number: FINESS, SIREN, SIRET, identifier of a fiche (seven digits). A shorter one
# begins a word (« 15 » of « Paris 15e », a postcode), but no identifier.
CHIFFRES_NUMERO, CHIFFRES_IDENTIFIANT = 6, 7
GARDE_SECONDES = 300
_CLE_LIBELLES = "recherche:libelles"


class Libelles(NamedTuple):
    """What the register stores by code and people type in words: (code, normalised label) pairs."""

    activites: list[tuple[str, str]]
    types: list[tuple[str, str]]
    departements: list[tuple[str, str]]


class Codes(NamedTuple):
    """The codes whose label holds a word."""

    activites: list[str]
    types: list[str]
    departements: list[str]


def libelles_cherches(*, relire: bool = False) -> Libelles:
    """Two statements, then none for some minutes. ``relire``: an import has just changed labels."""
    gardes: Libelles | None = None if relire else cache.get(_CLE_LIBELLES)
    if gardes is None:
        gardes = _lire_libelles()
        cache.set(_CLE_LIBELLES, gardes, GARDE_SECONDES)
    return gardes


def _lire_libelles() -> Libelles:
    par_liste: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for liste, code, libelle in (
        Concept.objects.filter(nomenclature__in=[ACTIVITE, TYPE_UO])
        .order_by()
        .values_list("nomenclature_id", "code", "libelle")
    ):
        par_liste[liste].append((code, normaliser(libelle)))
    departements = [(code, normaliser(nom)) for code, nom in Departement.objects.order_by().values_list("code", "nom")]
    return Libelles(par_liste[ACTIVITE], par_liste[TYPE_UO], departements)


def codes_du_mot(libelles: Libelles, mot: str) -> Codes:
    return Codes(*([code for code, libelle in paires if contient(libelle, mot)] for paires in libelles))


# -- one text ----------------------------------------------------------------------------------------------


def _est_numero(mot: str) -> bool:
    return mot.isdigit() and len(mot) >= CHIFFRES_NUMERO


def _suite(mot: str) -> str:
    """What may not follow a short number, as a regular expression: the other digits of an identifier."""
    return rf"(?!\d{{{CHIFFRES_IDENTIFIANT - len(mot)}}}"


def contient(texte: str, mot: str) -> bool:
    """A word is found anywhere in a normalised text; a number, or one or two letters, at the start of a word."""
    if mot.isdigit() and not _est_numero(mot):
        return re.search(rf"\b{mot}{_suite(mot)}\b)", texte) is not None
    if mot.isdigit() or len(mot) < 3:
        return texte.startswith(mot) or f" {mot}" in texte
    return mot in texte


# -- the register ------------------------------------------------------------------------------------------


def trouve(mot: str) -> Q:
    """``contient`` on the text of versions."""
    if mot.isdigit() and not _est_numero(mot):
        return Q(recherche__regex=rf"\m{mot}{_suite(mot)}\M)")
    if mot.isdigit() or len(mot) < 3:
        return Q(recherche__startswith=mot) | Q(recherche__contains=f" {mot}")
    return Q(recherche__contains=mot)


def dans_l_unite(mot: str, codes: Codes) -> Q:
    """Versions that hold the word themselves or by the label of an activity or of their Type d'UO."""
    return trouve(mot) | Q(activites__overlap=codes.activites) | Q(type_uo__in=codes.types)


def avec_les_mots(egs: QuerySet[VersionFiche], mots: Collection[str], jour: date) -> tuple[QuerySet[VersionFiche], Q]:
    """The establishments where each word is found: in their own text, their EJ's, one of their fiches', the name of
    their département, the labels of the activities and Types d'UO of their units. Two statements for the labels.

    In two parts: those that the index proposes, and what the versions of the day must say of them (the dearer part).
    """
    verification = Q()
    libelles = libelles_cherches() if mots else None
    for mot in mots:
        assert libelles is not None
        if _est_numero(mot):
            egs = egs.filter(fiche__in=_egs_du_numero(mot, jour))
            continue
        codes = codes_du_mot(libelles, mot)
        egs = egs.filter(_dans_l_index(mot, codes))
        verification &= _au_jour(mot, codes, jour)
    return egs, verification


def _egs_du_numero(mot: str, jour: date) -> QuerySet[Any]:
    au_jour = versions_au(jour).order_by()
    trouvees = au_jour.filter(trouve(mot))
    des_ej = au_jour.filter(niveau=Niveau.EG, parent__in=trouvees.filter(niveau=Niveau.EJ).values("fiche"))
    return trouvees.filter(eg__isnull=False).values("eg").union(des_ej.values("fiche"))


def _dans_l_index(mot: str, codes: Codes) -> Q:
    debut = " " if mot.isdigit() or len(mot) < 3 else ""
    connus = [f"{ACTIVITE}/{code}" for code in codes.activites] + [f"{TYPE_UO}/{code}" for code in codes.types]
    connus += [f"{DEPARTEMENT}/{code}" for code in codes.departements]
    condition = Q(fiche__index__texte__contains=f"{debut}{mot}")
    return condition | Q(fiche__index__codes__overlap=connus) if connus else condition


class ExisteUnParUn(Exists):
    """EXISTS asked about one row after the other: « OFFSET 0 » forbids PostgreSQL to answer for the whole register at
    once, which it believes to be cheaper as soon as it expects many rows."""

    template = "EXISTS(%(subquery)s OFFSET 0)"


def _au_jour(mot: str, codes: Codes, jour: date) -> Q:
    au_jour = versions_au(jour).order_by()
    # By the index's column, not by the version's: PostgreSQL then asks the versions after the index, not before.
    des_fiches = au_jour.filter(dans_l_unite(mot, codes), eg=OuterRef("fiche__index__eg"))
    de_l_ej = au_jour.filter(trouve(mot), fiche=OuterRef("parent"))
    condition = trouve(mot) | Q(ExisteUnParUn(des_fiches)) | Q(ExisteUnParUn(de_l_ej))
    return condition | dans_les_departements(codes.departements) if codes.departements else condition


def dans_les_departements(departements: Collection[str]) -> Q:
    return Q(*[Q(commune__startswith=code) for code in departements], _connector=Q.OR)
