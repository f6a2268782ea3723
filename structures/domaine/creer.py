"""New identities: they exist from the start, their first version comes with their first modification."""

from collections.abc import Sequence

from ..enums import Niveau
from ..models import Fiche, prochains_identifiants
from .copie import copier, nouvelles_cles


def creer_fiches(*, eg: Fiche, niveaux: Sequence[str]) -> list[Fiche]:
    """Identities for Pôles, Services, UF or UO of an establishment, in order; two statements for any number."""
    identifiants = prochains_identifiants(len(niveaux))
    return Fiche.objects.bulk_create(
        [Fiche(niveau=n, identifiant=i, eg=eg) for n, i in zip(niveaux, identifiants, strict=True)]
    )


def creer_etablissements(finess: Sequence[tuple[str, str]]) -> dict[str, Fiche]:
    """Identities for ``(level, FINESS)`` pairs of EJ and EG, by FINESS number; two statements for any number."""
    fiches = [
        Fiche(pk=cle, niveau=niveau, identifiant=f"1{numero}", eg_id=cle if niveau == Niveau.EG else None)
        for cle, (niveau, numero) in zip(nouvelles_cles(Fiche, len(finess)), finess, strict=True)
    ]
    copier(fiches)
    return {fiche.identifiant[1:]: fiche for fiche in fiches}
