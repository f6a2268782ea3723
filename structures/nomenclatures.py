"""The nomenclatures as gestionnaires read them: the lists, their codes, and the fiches that hold them."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from django.db.models import Count, Q
from django.utils import timezone

from .champs import CHAMPS, Qui, libelle
from .domaine.texte import normaliser
from .domaine.usages import DEBUT, Usage, nombres, usages
from .models import Concept, Nomenclature, VersionFiche

PAGE = 100
ETATS = {"": "Tous", "ouverts": "En vigueur", "fermes": "Fermés"}


def listes() -> list[Nomenclature]:
    """Every list that has codes, with ``total`` and ``fermes``: its codes, and those that are closed today. One
    statement. Without any is the list of communes, which has its own table and its own import."""
    ferme = Q(concepts__date_fin__lte=timezone.localdate())
    return list(
        Nomenclature.objects.annotate(
            total=Count("concepts"), fermes=Count("concepts", filter=ferme)
        ).filter(total__gt=0).order_by("code")
    )  # fmt: skip


class Ligne(NamedTuple):
    """A code of a list. ``fiches``: how many hold it today or will."""

    concept: Concept
    ferme: bool
    fiches: int


def codes(liste: Nomenclature, *, q: str = "", etat: str = "", apres: str = "") -> tuple[list[Ligne], str]:
    """(a page of codes, the code that the next one follows or ""), in two statements."""
    concepts = Concept.objects.filter(nomenclature=liste, code__gt=apres)
    aujourdhui = timezone.localdate()
    if etat == "ouverts":
        concepts = concepts.ouverts(aujourdhui)
    elif etat == "fermes":
        concepts = concepts.filter(date_fin__lte=aujourdhui)
    lus = concepts.order_by("code")
    # The longest list has 1,400 codes, and their labels are not normalised in the database.
    page = [c for c in lus if _repond(c, normaliser(q))][: PAGE + 1] if q else list(lus[: PAGE + 1])
    suite, page = len(page) > PAGE, page[:PAGE]
    tenus = nombres(liste.pk, [c.code for c in page])
    lignes = [Ligne(c, c.date_fin is not None and c.date_fin <= aujourdhui, tenus.get(c.code, 0)) for c in page]
    return lignes, page[-1].code if suite else ""


def tous_les_codes(liste: Nomenclature, *, q: str, etat: str) -> Iterator[Ligne]:
    """Page after page, for a file."""
    suite: str | None = ""
    while suite is not None:
        page, dernier = codes(liste, q=q, etat=etat, apres=suite)
        yield from page
        suite = dernier or None


def _repond(concept: Concept, mots: str) -> bool:
    texte = normaliser(f"{concept.code} {concept.libelle}")
    return all(mot in texte for mot in mots.split())


class Tenant(NamedTuple):
    """A field of a fiche that holds a code. ``direct``: it can be corrected on the fiche itself; otherwise a dossier
    or an import does it. ``remplacant``: what the official file proposes instead, "" for most."""

    usage: Usage
    fiche: str
    nom: str
    etablissement: str
    champ: str
    direct: bool
    concept: Concept
    remplacant: str


def a_corriger(liste: Nomenclature, code: str = "") -> list[str]:
    """The code asked for, or every closed one."""
    return [code] if code else list(
        Concept.objects.filter(nomenclature=liste, date_fin__lte=timezone.localdate())
        .order_by("code")
        .values_list("code", flat=True)
    )  # fmt: skip


def tenants(liste: Nomenclature, demandes: list[str], apres: Usage) -> tuple[list[Tenant], Usage | None]:
    """(a page of fiches that hold these codes, what the next one follows), in five statements."""
    lus = usages(liste.pk, demandes, PAGE + 1, apres)
    suite, lus = len(lus) > PAGE, lus[:PAGE]
    return _tenants(liste, lus), lus[-1] if suite else None


def tous_les_tenants(liste: Nomenclature, demandes: list[str]) -> Iterator[Tenant]:
    """Page after page, for a file."""
    suite: Usage | None = DEBUT
    while suite is not None:
        page, suite = tenants(liste, demandes, suite)
        yield from page


def _tenants(liste: Nomenclature, lus: Iterable[Usage]) -> list[Tenant]:
    lus = list(lus)
    versions = VersionFiche.objects.filter(fiche__in={u.fiche for u in lus}).select_related("fiche")
    fiches = {v.fiche_id: v for v in versions.order_by("fiche_id", "validite").only("nom", "niveau", "eg", "fiche")}
    # The name of its establishment, as it is last known.
    egs = VersionFiche.objects.filter(fiche__in={v.eg_id for v in fiches.values() if v.eg_id})
    noms = dict(egs.order_by("fiche_id", "validite").values_list("fiche_id", "nom"))
    concepts = {c.code: c for c in Concept.objects.filter(nomenclature=liste, code__in=_cites(liste, lus))}
    return [
        Tenant(
            u,
            fiches[u.fiche].fiche.identifiant,
            fiches[u.fiche].nom,
            "" if fiches[u.fiche].eg_id == u.fiche else noms.get(fiches[u.fiche].eg_id or 0, ""),
            libelle(CHAMPS[u.champ], fiches[u.fiche].niveau),
            CHAMPS[u.champ].qui in (Qui.PARTOUT, Qui.GESTIONNAIRE),
            concepts[u.code],
            str(concepts.get(concepts[u.code].remplace_par, "")),
        )
        for u in lus
        if u.code in concepts
    ]


def _cites(liste: Nomenclature, lus: list[Usage]) -> set[str]:
    cites = {u.code for u in lus}
    remplacants = Concept.objects.filter(nomenclature=liste, code__in=cites).exclude(remplace_par="")
    return cites | set(remplacants.values_list("remplace_par", flat=True))
