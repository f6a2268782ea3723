"""When an establishment last answered for a fiche, and rule RE1.2 on how many of its offers must be fresh.

``Fraicheur`` is derived: the last of the direct changes, dossier publications and confirmations of the fiche, by the
hour at which somebody entered them. A change that was cancelled since counts: somebody looked at the fiche that day.
"""

from calendar import monthrange
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from ..enums import Source
from ..models import Fiche, Modification

SOURCES = (Source.DIRECT, Source.DOSSIER)
MOIS = 12  # an offer is fresh that long
PETIT = 8  # below that many offers, one fresh offer is enough
PART = 4  # one offer in four
PREAVIS = 30  # days before the rule breaks: the reminder says so


class Reponse(NamedTuple):
    """Somebody answered for a fiche."""

    fiche: int
    eg: int | None
    quand: datetime
    auteur: int | None


def requises(offres: int) -> int:
    """How many offers must be fresh (RE1.2): none without offers, 1 below 8, else 25 % rounded up."""
    return -(-offres // PART) if offres >= PETIT else min(offres, 1)


@dataclass(frozen=True, slots=True)
class FraicheurEG:
    """Rule RE1.2 on an establishment: its offers, those that are fresh, those that still will be in 30 days."""

    offres: int
    a_jour: int
    bientot: int

    @property
    def requises(self) -> int:
        return requises(self.offres)

    @property
    def suffisante(self) -> bool:
        return self.a_jour >= self.requises

    @property
    def menacee(self) -> bool:
        """Good today, and no longer in 30 days unless somebody answers for an offer."""
        return self.suffisante and self.bientot < self.requises

    @property
    def phrase(self) -> str:
        """« 3 unités sur 14 à jour depuis moins de 12 mois : il en faut 4. »"""
        compte = f"{self.a_jour or 'Aucune'} unité{'s' if self.a_jour > 1 else ''} sur {self.offres}"
        return f"{compte} à jour depuis moins de 12 mois : il en faut {self.requises}."


def premier_jour(jour: date) -> date:
    """The first day whose answers still count on ``jour``: one of the same day twelve months before does.

    On 29 February, for want of that day a year before, 1 March: what was said on 28 February has had its year.
    """
    annee = jour.year - MOIS // 12
    if jour.day > monthrange(annee, jour.month)[1]:
        return date(annee, jour.month + 1, 1)
    return jour.replace(year=annee)


def premier_instant(jour: date) -> datetime:
    """``premier_jour`` at midnight, Paris time."""
    return timezone.make_aware(datetime.combine(premier_jour(jour), time.min))


def constater(modifications: Iterable[Modification], fiches: Mapping[int, Fiche]) -> None:
    """Bring the freshness of ``fiches`` up to date with modifications just inserted; imports say nothing. At most one
    statement."""
    noter(
        [
            Reponse(m.fiche_id, fiches[m.fiche_id].eg_id, m.saisie_le, m.auteur_id)
            for m in modifications
            if m.source in SOURCES
        ]
    )


def noter(reponses: Sequence[Reponse]) -> None:
    """Keep the last answer of each fiche, never an older one than what is there. One statement for any number."""
    dernieres = {r.fiche: r for r in sorted(reponses, key=lambda r: r.quand)}
    if not dernieres:
        return
    with connection.cursor() as curseur:
        curseur.execute(
            """
            INSERT INTO structures_fraicheur AS f (fiche_id, eg_id, a_jour_le, auteur_id)
            SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::bigint[])
            ON CONFLICT (fiche_id) DO UPDATE SET a_jour_le = excluded.a_jour_le, auteur_id = excluded.auteur_id
            WHERE f.a_jour_le <= excluded.a_jour_le
            """,
            [list(colonne) for colonne in zip(*dernieres.values(), strict=True)],
        )


# The last answer of each fiche, from what is never rewritten.
_ATTENDUE = """
    SELECT DISTINCT ON (fiche_id) fiche_id, quand, auteur_id FROM (
        SELECT fiche_id, saisie_le AS quand, auteur_id FROM structures_modification
        WHERE source IN ('direct', 'dossier') AND (%(fiches)s::bigint[] IS NULL OR fiche_id = ANY(%(fiches)s))
        UNION ALL
        SELECT fiche_id, faite_le, auteur_id FROM structures_confirmation
        WHERE %(fiches)s::bigint[] IS NULL OR fiche_id = ANY(%(fiches)s)
    ) reponses ORDER BY fiche_id, quand DESC
"""


@transaction.atomic
def reconstruire() -> None:
    """Write every row again: after a bulk load that went around ``enregistrer``. Whoever answers for a fiche
    meanwhile waits for the end."""
    with connection.cursor() as curseur:
        curseur.execute("LOCK TABLE structures_fraicheur IN SHARE ROW EXCLUSIVE MODE")
        curseur.execute("DELETE FROM structures_fraicheur")
        curseur.execute(
            "INSERT INTO structures_fraicheur (fiche_id, eg_id, a_jour_le, auteur_id) "  # noqa: S608 (our own text)
            f"SELECT a.fiche_id, f.eg_id, a.quand, a.auteur_id FROM ({_ATTENDUE}) a "
            "JOIN structures_fiche f ON f.id = a.fiche_id",
            {"fiches": None},
        )


def ecarts_de_fraicheur(fiches: Collection[int]) -> list[str]:
    """Rows that differ from the last answer of their fiche, as sentences. One statement, reads only."""
    with connection.cursor() as curseur:
        curseur.execute(
            f"""
            SELECT f.identifiant, d.a_jour_le, a.quand FROM structures_fiche f
            LEFT JOIN structures_fraicheur d ON d.fiche_id = f.id
            LEFT JOIN ({_ATTENDUE}) a ON a.fiche_id = f.id
            WHERE f.id = ANY(%(fiches)s) AND (
                d.a_jour_le IS DISTINCT FROM a.quand OR (d.fiche_id IS NOT NULL AND d.eg_id IS DISTINCT FROM f.eg_id)
            ) ORDER BY f.id
            """,  # noqa: S608 (our own text)
            {"fiches": list(fiches)},
        )
        return [
            f"fiche {identifiant} : à jour le {ecrit or 'jamais'} en base, {attendu or 'jamais'} attendu"
            for identifiant, ecrit, attendu in curseur.fetchall()
        ]
