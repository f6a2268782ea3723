"""The counters of a consumer: its quota, its use, its refusals. One statement each, safe with any number of processes.

These are the only writes that a GET makes (docs/adr/0013): they count the request, and change nothing that it reads.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone
from oauth2_provider.models import AccessToken

from ..models import Consommateur, RefusConsommateur, UsageConsommateur

JETONS_GARDES = timedelta(days=1)  # an expired token is still recognised so long, to say that it has expired
REFUS_GARDES = timedelta(days=90)
USAGE_GARDE = timedelta(days=400)

# A counter does not wait for the disk: a machine that falls forgets the requests of its last half second, no more.
_SANS_ATTENDRE = "WITH reglage AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))"


def _ecrire(curseur: CursorWrapper, ordre: str, valeurs: Any) -> None:
    curseur.execute(f"{_SANS_ATTENDRE} {ordre}", valeurs)


# The clock is the database's, one for all processes. A request whose minute has ended while it waited for the row
# counts in the newer one (GREATEST), or it would open the old window again.
_PRENDRE = """
    INSERT INTO structures_compteurconsommateur AS c (consommateur_id, minute, dans_la_minute, jour, dans_la_journee)
    SELECT %(qui)s, date_trunc('minute', statement_timestamp()), 1,
           (statement_timestamp() AT TIME ZONE %(fuseau)s)::date, 1
    FROM reglage
    ON CONFLICT (consommateur_id) DO UPDATE SET
        minute = GREATEST(c.minute, EXCLUDED.minute),
        dans_la_minute = CASE WHEN EXCLUDED.minute > c.minute THEN 1 ELSE c.dans_la_minute + 1 END,
        jour = GREATEST(c.jour, EXCLUDED.jour),
        dans_la_journee = CASE WHEN EXCLUDED.jour > c.jour THEN 1 ELSE c.dans_la_journee + 1 END
    WHERE (EXCLUDED.minute > c.minute OR c.dans_la_minute < %(par_minute)s)
      AND (EXCLUDED.jour > c.jour OR c.dans_la_journee < %(par_jour)s)
    RETURNING 1
"""
_ATTENDRE = """
    SELECT jour = (statement_timestamp() AT TIME ZONE %(fuseau)s)::date AND dans_la_journee >= %(par_jour)s,
           ceil(extract(epoch FROM minute + interval '1 minute' - statement_timestamp())),
           ceil(extract(epoch FROM (jour + 1)::timestamp AT TIME ZONE %(fuseau)s - statement_timestamp()))
    FROM structures_compteurconsommateur WHERE consommateur_id = %(qui)s
"""


@dataclass(frozen=True)
class QuotaAtteint:
    """``attente``: whole seconds until a request is let in again, one at least."""

    de_la_journee: bool
    attente: int


def prendre(consommateur: Consommateur) -> QuotaAtteint | None:
    """Count one request, or say that the quota of the minute or of the day is reached; refused ones don't count.

    Windows are those of the clock: exactly ``quota_minute`` requests pass in each minute of the clock.
    """
    valeurs = {
        "qui": consommateur.pk,
        "fuseau": settings.TIME_ZONE,
        "par_minute": consommateur.quota_minute,
        "par_jour": consommateur.quota_jour,
    }
    with connection.cursor() as curseur:
        _ecrire(curseur, _PRENDRE, valeurs)
        if curseur.fetchone():
            return None
        curseur.execute(_ATTENDRE, valeurs)
        journee, fin_minute, fin_jour = curseur.fetchone()
    return QuotaAtteint(journee, max(1, int(fin_jour if journee else fin_minute)))


_COMPTER = """
    INSERT INTO structures_usageconsommateur AS u
        (consommateur_id, jour, interaction, requetes, ressources, octets, refus, quota, erreurs_client,
         erreurs_serveur, duree_ms)
    SELECT %s, (statement_timestamp() AT TIME ZONE %s)::date, %s, 1, %s, %s, %s, %s, %s, %s, %s
    FROM reglage
    ON CONFLICT (consommateur_id, jour, interaction) DO UPDATE SET
        requetes = u.requetes + 1, ressources = u.ressources + EXCLUDED.ressources,
        octets = u.octets + EXCLUDED.octets, refus = u.refus + EXCLUDED.refus, quota = u.quota + EXCLUDED.quota,
        erreurs_client = u.erreurs_client + EXCLUDED.erreurs_client,
        erreurs_serveur = u.erreurs_serveur + EXCLUDED.erreurs_serveur, duree_ms = u.duree_ms + EXCLUDED.duree_ms
"""
_REFUSER = """
    INSERT INTO structures_refusconsommateur AS r
        (consommateur_id, minute, statut, interaction, motif, chemin, nombre)
    SELECT %s, date_trunc('minute', statement_timestamp()), %s, %s, %s, %s, 1
    FROM reglage
    ON CONFLICT (consommateur_id, minute, statut, interaction) DO UPDATE SET
        nombre = r.nombre + 1, motif = EXCLUDED.motif, chemin = EXCLUDED.chemin
"""


def compter(
    consommateur_id: int,
    interaction: str,
    *,
    statut: int,
    duree_ms: int,
    ressources: int = 0,
    octets: int = 0,
    refus: bool = False,
) -> None:
    """Add one answered request to the use of today. ``refus``: the access rules answered, not the exposition."""
    valeurs = (
        consommateur_id,
        settings.TIME_ZONE,
        interaction,
        ressources,
        octets,
        int(refus),
        int(refus and statut == 429),
        int(not refus and 400 <= statut < 500),
        int(statut >= 500),
        duree_ms,
    )
    with connection.cursor() as curseur:
        _ecrire(curseur, _COMPTER, valeurs)


def noter_refus(consommateur_id: int, interaction: str, *, statut: int, motif: str, chemin: str) -> None:
    """Keep why a request was refused, for the page of the consumer."""
    with connection.cursor() as curseur:
        _ecrire(curseur, _REFUSER, (consommateur_id, statut, interaction, motif, chemin[:200]))


@transaction.atomic
def purger() -> int:
    """Forget ended tokens, old refusals and old use; returns how many rows went."""
    maintenant = timezone.now()
    jetons, _ = AccessToken.objects.filter(expires__lt=maintenant - JETONS_GARDES).delete()
    refus, _ = RefusConsommateur.objects.filter(minute__lt=maintenant - REFUS_GARDES).delete()
    usages, _ = UsageConsommateur.objects.filter(jour__lt=timezone.localdate() - USAGE_GARDE).delete()
    return jetons + refus + usages
