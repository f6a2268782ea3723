"""New identities: they exist from the start, their first version comes with their first modification."""

from collections.abc import Sequence

from django.db import connection

from ..enums import Niveau
from ..models import Fiche, prochains_identifiants


def creer_fiches(*, eg: Fiche, niveaux: Sequence[str]) -> list[Fiche]:
    """Identities for Pôles, Services, UF or UO of an establishment, in order; two statements for any number."""
    identifiants = prochains_identifiants(len(niveaux))
    return Fiche.objects.bulk_create(
        [Fiche(niveau=n, identifiant=i, eg=eg) for n, i in zip(niveaux, identifiants, strict=True)]
    )


def creer_etablissements(finess: Sequence[tuple[str, str]]) -> dict[str, Fiche]:
    """Identities for ``(level, FINESS)`` pairs of EJ and EG, by FINESS number; two statements for any number."""
    with connection.cursor() as curseur:
        curseur.execute(
            "SELECT nextval(pg_get_serial_sequence('structures_fiche', 'id')) FROM generate_series(1, %s)",
            [len(finess)],
        )
        cles = [cle for (cle,) in curseur.fetchall()]
    return {
        fiche.identifiant[1:]: fiche
        for fiche in Fiche.objects.bulk_create(
            [
                Fiche(pk=cle, niveau=niveau, identifiant=f"1{numero}", eg_id=cle if niveau == Niveau.EG else None)
                for cle, (niveau, numero) in zip(cles, finess, strict=True)
            ]
        )
    }
