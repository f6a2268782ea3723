"""Read models of the register. Reads never fold: they query ``VersionFiche`` on a day (model.md)."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, When
from django.utils import timezone

from backoffice.comptes.models import User

from .champs import Forme, champs_de
from .completude import fiches_incompletes
from .domaine.patches import Etat
from .domaine.texte import normaliser
from .enums import ChampEG, Filiere, NatureConcept, Niveau, Role
from .models import (
    Association,
    Commune,
    Concept,
    Fiche,
    Habilitation,
    RegleCategorie,
    Reservation,
    VersionFiche,
)

LONGUEUR_NOM = 100  # of a commune
_DEPARTEMENT = "[0-9][0-9ab][0-9]?"
_FINIT_PAR_DEPARTEMENT = re.compile(rf" {_DEPARTEMENT}$")


@dataclass(slots=True)
class Noeud:
    """One fiche of a tree on a day, with its children in the order of their names."""

    fiche_id: int
    niveau: str
    identifiant: str
    nom: str
    parent_id: int | None
    type_uo: str = ""
    sensible: bool = False
    enfants: list["Noeud"] = field(default_factory=list)

    def parcours(self) -> Iterator["Noeud"]:
        """This node and all below, depth first."""
        yield self
        for enfant in self.enfants:
            yield from enfant.parcours()


def versions_au(jour: date | None = None) -> QuerySet[VersionFiche]:
    """What is true on that day (today)."""
    return VersionFiche.objects.filter(validite__contains=jour or timezone.localdate())


def version_au(fiche: Fiche, jour: date | None = None) -> VersionFiche | None:
    return versions_au(jour).filter(fiche=fiche).select_related("fiche", "modification").first()


def noeuds_au(eg: Fiche, jour: date | None = None) -> dict[int, Noeud]:
    """Every fiche of the EG on that day, by fiche id, in one statement; not yet assembled."""
    lignes = (
        versions_au(jour)
        .filter(eg=eg)
        .order_by("recherche", "fiche_id")
        .values_list("fiche_id", "niveau", "fiche__identifiant", "nom", "parent_id", "type_uo", "unite_sensible")
    )
    return {ligne[0]: Noeud(*ligne) for ligne in lignes}


def assembler(noeuds: dict[int, Noeud], racine: int) -> Noeud | None:
    """Hang each node under its parent; None when the root is not there."""
    for noeud in noeuds.values():
        if noeud.parent_id in noeuds and noeud.fiche_id != racine:
            noeuds[noeud.parent_id].enfants.append(noeud)
    return noeuds.get(racine)


def arbre(eg: Fiche, jour: date | None = None) -> Noeud | None:
    """The tree of this EG on day D: one statement."""
    return assembler(noeuds_au(eg, jour), eg.pk)


def etat_de(version: VersionFiche) -> Etat:
    """The content of a version as a state (structures/domaine/patches.py)."""
    etat: Etat = {"existe": True, "parent": version.parent_id}
    for champ in champs_de(version.niveau):
        contenu: Any = getattr(version, champ.nom)
        if champ.forme is Forme.ENSEMBLE:
            contenu = frozenset(contenu)
        elif isinstance(contenu, date):
            contenu = contenu.isoformat()
        etat[champ.nom] = contenu
    return etat


def etats_au(fiches: Iterable[int], jour: date | None = None) -> dict[int, Etat]:
    """Content of several fiches on a day, by fiche id, in one statement; absent when it does not exist then."""
    return {v.fiche_id: etat_de(v) for v in versions_au(jour).filter(fiche__in=list(fiches))}


def champ_et_filiere(categorie: str | QuerySet[Any, Any]) -> tuple[str, str]:
    """(champ, filière) of a FINESS category, or of the one that a query finds; an unknown one is médico-social and
    « autre »."""
    regle = RegleCategorie.objects.filter(pk=categorie).first()
    return (regle.champ, regle.filiere) if regle else (ChampEG.MEDICO_SOCIAL, Filiere.AUTRE)


def libelles(paires: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Labels of (nomenclature, code) pairs, in one statement."""
    cherchees = set(paires)
    return {
        (liste, code): libelle
        for liste, code, libelle in Concept.objects.filter(
            nomenclature__in={liste for liste, _ in cherchees}, code__in={code for _, code in cherchees}
        ).values_list("nomenclature_id", "code", "libelle")
        if (liste, code) in cherchees
    }


def reservation_de(eg_id: int | None) -> Reservation | None:
    """The open dossier announced on the EG: yellow banner."""
    return Reservation.objects.filter(eg_id=eg_id).first() if eg_id else None


# -- one fiche --------------------------------------------------------------------------------------


class Maillon(NamedTuple):
    """One link of the chain from the EJ down to a fiche."""

    fiche_id: int
    niveau: str
    identifiant: str
    nom: str


def fil_de(fiche_id: int, jour: date | None = None) -> list[Maillon]:
    """The chain EJ › EG › … › this fiche on that day, in one statement; empty when the fiche does not exist then."""
    with connection.cursor() as curseur:
        curseur.execute(
            """
            WITH RECURSIVE chaine AS (
                SELECT fiche_id, parent_id, niveau, nom, 0 AS rang FROM structures_versionfiche
                WHERE fiche_id = %(fiche)s AND validite @> %(jour)s::date
                UNION ALL
                SELECT v.fiche_id, v.parent_id, v.niveau, v.nom, c.rang + 1
                FROM structures_versionfiche v JOIN chaine c ON v.fiche_id = c.parent_id
                WHERE v.validite @> %(jour)s::date
            )
            SELECT c.fiche_id, c.niveau, f.identifiant, c.nom
            FROM chaine c JOIN structures_fiche f ON f.id = c.fiche_id ORDER BY c.rang DESC
            """,
            {"fiche": fiche_id, "jour": jour or timezone.localdate()},
        )
        return [Maillon(*ligne) for ligne in curseur.fetchall()]


def version_la_plus_proche(fiche: Fiche, jour: date | None = None) -> VersionFiche | None:
    """The version of that day; else the last one before it (closed fiche); else the first one after it. None when
    the fiche was never published."""
    jour = jour or timezone.localdate()
    versions = VersionFiche.objects.filter(fiche=fiche).select_related("fiche", "modification")
    passee = versions.filter(validite__startswith__lte=jour).order_by("-validite").first()
    return passee or versions.order_by("validite").first()


# -- lists ------------------------------------------------------------------------------------------


class Nombres(NamedTuple):
    """What hangs below an establishment, and how many of its fiches, itself included, lack a mandatory field."""

    fiches: int
    uo: int
    incompletes: int


def nombres_de_fiches(egs: Collection[int], jour: date | None = None) -> dict[int, Nombres]:
    """By EG, in two statements; nothing but zeros for one that does not exist on that day."""
    versions = versions_au(jour).filter(eg__in=egs)
    hors_medico_social = RegleCategorie.objects.exclude(champ=ChampEG.MEDICO_SOCIAL).order_by().values("pk")
    medico_sociaux = versions.filter(niveau=Niveau.EG).exclude(categorie__in=hors_medico_social)
    incompletes = fiches_incompletes(list(medico_sociaux.values_list("fiche_id", flat=True)))
    return dict.fromkeys(egs, Nombres(0, 0, 0)) | {
        eg: Nombres(*nombres)
        for eg, *nombres in versions.order_by("eg")
        .values("eg")
        .annotate(
            fiches=Count("pk", filter=~Q(niveau=Niveau.EG)),
            uo=Count("pk", filter=Q(niveau=Niveau.UO)),
            incompletes=Count("pk", filter=incompletes),
        )
        .values_list("eg", "fiches", "uo", "incompletes")
        if eg is not None
    }


def arbres_des(egs: Collection[int], jour: date | None = None) -> dict[int, Noeud]:
    """The trees of several establishments on a day, by EG, in one statement."""
    lignes = (
        versions_au(jour)
        .filter(eg__in=egs)
        .order_by("recherche", "fiche_id")
        .values_list("fiche_id", "niveau", "fiche__identifiant", "nom", "parent_id", "type_uo", "unite_sensible")
    )
    noeuds = {ligne[0]: Noeud(*ligne) for ligne in lignes}
    for noeud in noeuds.values():
        if noeud.niveau != Niveau.EG and noeud.parent_id in noeuds:
            noeuds[noeud.parent_id].enfants.append(noeud)
    return {eg: noeuds[eg] for eg in egs if eg in noeuds}


def egs_de_ej(ej: int, jour: date | None = None) -> QuerySet[VersionFiche]:
    """Establishments of an EJ on a day."""
    return (
        versions_au(jour).filter(parent=ej, niveau=Niveau.EG).select_related("fiche").order_by("recherche", "fiche_id")
    )


def noms_au(fiches: Collection[int], jour: date | None = None) -> dict[int, tuple[str, str]]:
    """(identifier, name) of fiches on a day, in one statement."""
    return {
        cle: (identifiant, nom)
        for cle, identifiant, nom in versions_au(jour)
        .filter(fiche__in=fiches)
        .order_by("fiche_id")
        .values_list("fiche_id", "fiche__identifiant", "nom")
    }


def reservations_des(egs: Collection[int]) -> dict[int, Reservation]:
    return {r.pk: r for r in Reservation.objects.filter(eg__in=egs).order_by("eg_id")}


# -- codes and communes -----------------------------------------------------------------------------


def codes_ouverts(listes: Collection[str], jour: date) -> list[tuple[str, str]]:
    """(nomenclature, code) of the codes that can be chosen on that day; no statement when there is no list."""
    if not listes:
        return []
    ouverts = Concept.objects.filter(Q(date_fin__isnull=True) | Q(date_fin__gt=jour), nomenclature__in=listes)
    return list(ouverts.order_by().values_list("nomenclature_id", "code"))


class Option(NamedTuple):
    """A code of a nomenclature, as a list of choices and a fiche need it."""

    nomenclature: str
    code: str
    libelle: str
    date_fin: date | None

    def ferme_au(self, jour: date) -> bool:
        return self.date_fin is not None and self.date_fin <= jour


def options(listes: Collection[str], champ_activite: str = "") -> list[Option]:
    """All codes of these nomenclatures, closed ones too, in one statement, by list and code.

    With a ``champ_activite`` (R227), Types d'UO (J238) are those of that champ (domain.md §2).
    """
    concepts = Concept.objects.filter(nomenclature__in=listes)
    if champ_activite:
        du_champ = Association.objects.filter(
            nature=NatureConcept.TYPE_CHAMP,
            source=OuterRef("pk"),
            cible__nomenclature="R227",
            cible__code=champ_activite,
        ).order_by()
        concepts = concepts.filter(~Q(nomenclature="J238") | Exists(du_champ))
    return [
        Option(*ligne)
        for ligne in concepts.order_by("nomenclature", "code").values_list(
            "nomenclature_id", "code", "libelle", "date_fin"
        )
    ]


def options_de(paires: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Option]:
    """The codes named by (nomenclature, code), in one statement, none when there is nothing to ask."""
    cherchees = set(paires)
    if not cherchees:
        return {}
    lignes = Concept.objects.filter(
        nomenclature__in={liste for liste, _ in cherchees}, code__in={code for _, code in cherchees}
    ).order_by("pk")
    trouvees = (Option(*x) for x in lignes.values_list("nomenclature_id", "code", "libelle", "date_fin"))
    return {(o.nomenclature, o.code): o for o in trouvees if (o.nomenclature, o.code) in cherchees}


def libelles_communes(codes: Iterable[str]) -> dict[str, str]:
    """« Vanves (92) » by COG code, for those that exist."""
    cherches = set(codes)
    if not cherches:
        return {}
    return {
        code: f"{nom} ({departement})"
        for code, nom, departement in Commune.objects.filter(pk__in=cherches).values_list("code", "nom", "departement")
    }


def rechercher_communes(texte: str, limite: int = 20) -> list[tuple[str, str]]:
    """(code, label) of communes by name, postcode or COG code: accents, hyphens and « St » ignored, best first.

    A name that is exactly the text comes first, then those that begin with it; the region's own before the others,
    the bigger before the smaller.
    """
    mots = normaliser(texte)
    if not mots:
        return []
    communes = Commune.objects.actuelles()
    for mot in mots.split():
        communes = communes.filter(recherche__contains=mot)
    trouvees = Commune.objects.actuelles().filter(Q(pk__in=communes.values("pk")) | Q(pk=texte.strip().upper()))
    rang = Case(
        When(pk=texte.strip().upper(), then=0),
        When(recherche__startswith=f"{mots} ", then=1),
        When(recherche__startswith=mots, then=2),
        default=3,
    )
    de_la_region = Case(When(region=settings.PREFIXE_REGION, then=0), default=1)
    lignes = trouvees.order_by(rang, de_la_region, F("population").desc(nulls_last=True), "code").values_list(
        "code", "nom", "departement"
    )
    return [(code, f"{nom} ({departement})") for code, nom, departement in lignes[:limite]]


def communes_nommees(texte: str) -> list[tuple[str, str]]:
    """(code, label) of the communes that are called exactly so, or have this COG code: what was typed by hand."""
    return communes_nommees_ainsi([texte])[texte]


def communes_nommees_ainsi(textes: Collection[str]) -> dict[str, list[tuple[str, str]]]:
    """``communes_nommees`` of several texts, by text: one statement, which reads no commune but those named."""
    mots = {texte: normaliser(texte[:LONGUEUR_NOM]) for texte in textes}
    codes = {texte.strip().upper() for texte in textes if mots[texte]}
    if not codes:
        return {texte: [] for texte in textes}
    # ``recherche`` is « name département postcodes »: a whole name, with its département or before it.
    noms = "|".join(
        sorted(m if _FINIT_PAR_DEPARTEMENT.search(m) else f"{m} {_DEPARTEMENT}" for m in mots.values() if m)
    )
    communes = list(Commune.objects.actuelles().filter(Q(recherche__regex=f"^({noms})( |$)") | Q(pk__in=codes)))
    return {
        texte: [
            (c.pk, c.libelle)
            for c in communes
            if m and (c.pk == texte.strip().upper() or m in (normaliser(c.nom), normaliser(f"{c.nom} {c.departement}")))
        ]
        for texte, m in mots.items()
    }


# -- the account -------------------------------------------------------------------------------------


def habilitation_principale(user: User) -> tuple[str, str]:
    """(role, where) in words for the account menu: « Référent », « Hôpital TEST »; empty without any habilitation.

    With several of them, the strongest role; « 3 établissements » when it is held in several places.
    """
    ordre = [Role.GESTIONNAIRE, Role.TUTELLE, Role.DIRECTION, Role.REFERENT]
    actives = Habilitation.objects.actives().filter(user=user).select_related("autorite").order_by("pk")
    tenues = sorted(actives, key=lambda h: ordre.index(Role(h.role)))
    if not tenues:
        return "", ""
    role = tenues[0].role
    memes = [h for h in tenues if h.role == role]
    if role == Role.GESTIONNAIRE:
        return Role(role).label, ""
    if len(memes) > 1:
        return Role(role).label, f"{len(memes)} autorités" if role == Role.TUTELLE else f"{len(memes)} structures"
    if memes[0].autorite:
        return Role(role).label, memes[0].autorite.nom
    nom = noms_au([memes[0].fiche_id]).get(memes[0].fiche_id, ("", ""))[1] if memes[0].fiche_id else ""
    return Role(role).label, nom
