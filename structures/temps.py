"""The register in time: days of change, what each modification found and left, two days compared. Reads never fold."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import NamedTuple

from django.db import connection
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from .affichage import SECRETS, empreintes, tres_restreints
from .champs import CONTENU
from .domaine.patches import Etat, appliquer
from .domaine.valider import TRES_RESTREINT
from .enums import Niveau
from .models import Fiche, Modification, VersionFiche
from .requetes import etat_de

# What is needed to say any other field: who may read a contact, the unit of an age.
_CONTEXTE = {"unite_sensible", "age_min", "age_min_unite", "age_max", "age_max_unite"}


def jours_voisins(fiche: Fiche, jour: date) -> tuple[date | None, date | None]:
    """The last day before ``jour`` and the first one after it on which something changes: on the fiche, or for an
    EG anywhere in the establishment. One statement."""
    colonne = "eg_id" if fiche.niveau == Niveau.EG else "fiche_id"
    with connection.cursor() as curseur:
        curseur.execute(
            f"""SELECT max(d) FILTER (WHERE d < %(jour)s), min(d) FILTER (WHERE d > %(jour)s)
                FROM structures_versionfiche v, LATERAL (VALUES (lower(v.validite)), (upper(v.validite))) AS bornes (d)
                WHERE v.{colonne} = %(fiche)s""",  # noqa: S608 (one of two column names of ours)
            {"jour": jour, "fiche": fiche.pk},
        )
        precedent, suivant = curseur.fetchone()
    return precedent, suivant


# -- the history of a fiche ---------------------------------------------------------------------------


class Etape(NamedTuple):
    """A modification with the state that it found and the state that it left, on the fields it changed."""

    modification: Modification
    avant: Etat
    apres: Etat


def modifications_de(fiche: Fiche) -> QuerySet[Modification]:
    """All modifications, cancelled ones included, the last entered first."""
    liees = ("auteur", "annulee_par", "remplace", "inverse__auteur")
    return fiche.modifications.select_related(*liees).order_by("-pk")


def prevues_de(fiche: Fiche) -> list[Modification]:
    """Live modifications that are not true yet, the nearest first."""
    prevues = fiche.modifications.vivantes().filter(date_effet__gt=timezone.localdate())
    return list(prevues.select_related("auteur").order_by("date_effet", "pk"))


def etapes_des(modifications: Sequence[Modification]) -> list[Etape]:
    """What some modifications of one fiche found and left, in three statements however long its history is. A
    cancelled one shows what it would have changed.

    The state found is that of the last version opened on an earlier day, then of the live modifications since its
    end (a closed fiche has no version) and of those of the same day entered before.
    """
    if not modifications:
        return []
    fiche = modifications[0].fiche_id
    ouvertes = VersionFiche.objects.filter(fiche=OuterRef("fiche"), validite__startswith__lt=OuterRef("date_effet"))
    bases = dict(
        Modification.objects.filter(pk__in=[m.pk for m in modifications])
        .order_by("pk")
        .values_list("pk", Subquery(ouvertes.order_by("-validite").values("pk")[:1]))
    )
    versions = VersionFiche.objects.in_bulk([cle for cle in bases.values() if cle])
    depuis: dict[int, date] = {}
    plages = Q()
    for m in modifications:
        version = versions.get(bases[m.pk])
        fin = version.validite.upper if version else date.min
        depuis[m.pk] = min(fin or m.date_effet, m.date_effet)
        plages |= Q(date_effet__range=(depuis[m.pk], m.date_effet))
    entre = list(
        Modification.objects.vivantes()
        .filter(plages, fiche=fiche)
        .order_by("date_effet", "pk")
        .values_list("date_effet", "pk", "patch")
    )
    etapes = []
    for m in modifications:
        version, noms = versions.get(bases[m.pk]), _CONTEXTE | m.patch.keys()
        avant = etat_de(version) if version else {}
        for jour, cle, patch in entre:
            if depuis[m.pk] <= jour and (jour, cle) < (m.date_effet, m.pk):
                avant = appliquer(avant, patch)
        avant = {nom: contenu for nom, contenu in avant.items() if nom in noms}
        etapes.append(Etape(m, avant, appliquer(avant, m.patch)))
    return etapes


def suites_des(modifications: Iterable[Modification]) -> dict[int, Modification]:
    """What became of some modifications: the live one that undoes each, or the one that replaces it. One statement."""
    cles = [m.pk for m in modifications]
    trouvees = Modification.objects.filter(Q(remplace__in=cles) | Q(inverse__in=cles, annulee_le__isnull=True))
    suites: dict[int, Modification] = {}
    for m in trouvees.select_related("auteur").order_by("pk"):
        suites |= {cle: m for cle in (m.remplace_id, m.inverse_id) if cle in cles}
    return suites


def contacts_caches(fiches: Collection[int]) -> Etat:
    """What is masked on every day of these fiches for people without the right: give it to ``Affichage`` with the
    states to show, so that what is secret now is not read in the past. Two statements.

    A contact that is très restreint on any day, or was to be, is masked whole, by its key. Its name and telecoms, and
    a telecom that is très restreint by itself, are masked by their value too, for a contact taken off and entered
    again has another key; but not a value that the fiche tells openly today in another contact. When the unit is
    sensitive now (or will be, or was when it closed) every contact that it ever held is très restreint.
    """
    aujourdhui = timezone.localdate()
    toutes = VersionFiche.objects.filter(fiche__in=fiches).order_by("validite")
    versions = list(toutes.values_list("fiche", "contacts", "unite_sensible", "validite"))
    derniers = {fiche: sensible for fiche, _, sensible, _ in versions}
    sensibles = {fiche for fiche, sensible in derniers.items() if sensible}
    sensibles |= {f for f, _, sensible, quand in versions if sensible and (quand.upper or date.max) > aujourdhui}
    poses = Modification.objects.filter(fiche__in=fiches, patch__contacts__has_key="pose").order_by("pk")
    tenus = [(f, contacts, sensible, aujourdhui in quand) for f, contacts, sensible, quand in versions]
    tenus += [(f, pose, False, False) for f, pose in poses.values_list("fiche", "patch__contacts__pose")]

    cles: set[str] = set()
    secrets: set[tuple[int, str, str]] = set()
    actuels: set[tuple[int, str, str]] = set()
    for fiche, contacts, sensible, actuel in tenus:
        sensible = sensible or fiche in sensibles
        cles |= tres_restreints({"contacts": contacts, "unite_sensible": sensible})
        for cle, lu, secret in empreintes(contacts, sensible):
            if secret:
                secrets.add((fiche, cle, lu))
            elif actuel:
                actuels.add((fiche, cle, lu))
    ouverts = {(fiche, lu) for fiche, cle, lu in actuels - secrets if cle not in cles}
    return {
        "contacts": {cle: {"confidentialite": TRES_RESTREINT} for cle in sorted(cles)},
        SECRETS: {lu for fiche, _, lu in secrets if (fiche, lu) not in ouverts},
    }


# -- two days compared --------------------------------------------------------------------------------


class Ecart(NamedTuple):
    """A fiche that is not the same on two days. Of each pair the first is on the earlier day, None when the fiche does
    not exist then; the last three say whether its place, its type and the rest of its content differ."""

    fiche_id: int
    identifiant: str
    niveau: str
    noms: tuple[str | None, str | None]
    parents: tuple[int | None, int | None]
    existe: tuple[bool, bool]
    deplacee: bool
    type_change: bool
    contenu_change: bool


_RESTE = [champ.nom for champ in CONTENU if champ.nom not in ("nom", "type_uo")]


def ecarts_entre(fiche: Fiche, du: date, au: date, sauf: Collection[str] = ()) -> list[Ecart]:
    """What differs between two days on a fiche, for an EG in the whole establishment, the fields of ``sauf`` left
    out; in one statement."""
    perimetre = "eg_id" if fiche.niveau == Niveau.EG else "fiche_id"
    reste = [nom for nom in _RESTE if nom not in sauf]
    avant, apres = (", ".join(f"{cote}.{nom}" for nom in reste) for cote in ("a", "b"))
    with connection.cursor() as curseur:
        curseur.execute(
            f"""
            WITH a AS (SELECT * FROM structures_versionfiche WHERE {perimetre} = %(fiche)s AND validite @> %(du)s),
                 b AS (SELECT * FROM structures_versionfiche WHERE {perimetre} = %(fiche)s AND validite @> %(au)s),
                 paires AS (
                    SELECT coalesce(a.fiche_id, b.fiche_id) AS fiche_id, a.nom AS nom_a, b.nom AS nom_b,
                           a.parent_id AS parent_a, b.parent_id AS parent_b,
                           a.id IS NOT NULL AS avant, b.id IS NOT NULL AS apres,
                           a.parent_id IS DISTINCT FROM b.parent_id AS place,
                           a.type_uo IS DISTINCT FROM b.type_uo AS type,
                           ({avant}) IS DISTINCT FROM ({apres}) AS reste
                    FROM a FULL JOIN b ON a.fiche_id = b.fiche_id
                    WHERE a.id IS DISTINCT FROM b.id  -- a version that holds on both days
                 )
            SELECT p.fiche_id, f.identifiant, f.niveau, nom_a, nom_b, parent_a, parent_b, avant, apres,
                   place, type, reste
            FROM paires p JOIN structures_fiche f ON f.id = p.fiche_id
            WHERE place OR type OR reste OR nom_a IS DISTINCT FROM nom_b
            """,  # noqa: S608 (column names of ours)
            {"fiche": fiche.pk, "du": du, "au": au},
        )
        return [
            Ecart(cle, identifiant, niveau, (nom_a, nom_b), (parent_a, parent_b), (avant_, apres_), *quoi)
            for cle, identifiant, niveau, nom_a, nom_b, parent_a, parent_b, avant_, apres_, *quoi in curseur.fetchall()
        ]


def causes_des(fiches: Collection[int], du: date, au: date) -> dict[int, list[Modification]]:
    """The live modifications that became true after ``du`` and until ``au``, by fiche, in the order in which they
    apply. One statement."""
    causes: dict[int, list[Modification]] = defaultdict(list)
    for m in (
        Modification.objects.vivantes()
        .filter(fiche__in=fiches, date_effet__gt=du, date_effet__lte=au)
        .select_related("auteur")
        .order_by("date_effet", "pk")
    ):
        causes[m.fiche_id].append(m)
    return causes
