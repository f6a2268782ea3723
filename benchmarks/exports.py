"""An export of 100,000 rows, prepared as a worker does, format by format: rows a second, and memory beside 1,000 rows.

Memory is the peak of Python's own allocations (tracemalloc), measured in another run than the time, which it slows.
"""

import tracemalloc
from time import perf_counter

from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.exports import domaine
from backoffice.exports.fichiers import lots
from backoffice.exports.models import ExportDemande
from notifications.models import Envoi
from structures.domaine.habilitations import accorder
from structures.enums import Role

from .mesure import tableau

PEU, BEAUCOUP = 1_000, 100_000


def mesurer_exports() -> None:
    acteur = User.objects.create(username="exports", email="exports@essai.example", last_name="Durand")
    accorder(user=acteur, role=Role.GESTIONNAIRE, acteur=None)
    lignes = []
    _ecrire(acteur, PEU)
    peu = {forme: _memoire(acteur, forme) for forme in ("csv", "xlsx", "ods")}
    _ecrire(acteur, BEAUCOUP)
    for forme in peu:
        debut = perf_counter()
        demande = _preparer(acteur, forme)
        secondes = perf_counter() - debut
        assert (demande.etat, demande.lignes) == ("pret", BEAUCOUP), demande.raison
        lignes.append([
            forme, f"{secondes:.1f}", f"{BEAUCOUP / secondes:,.0f}", f"{(demande.taille or 0) / 1e6:.1f}",
            f"{peu[forme]:.1f}", f"{_memoire(acteur, forme):.1f}",
        ])  # fmt: skip
    tableau(
        f"An export of {BEAUCOUP:,} rows of 8 columns (mails)",
        ["format", "seconds", "rows a second", "file MB", f"peak MB, {PEU:,} rows", f"peak MB, {BEAUCOUP:,} rows"],
        lignes,
    )


def _ecrire(acteur: User, combien: int) -> None:
    """So many mails in all."""
    deja, maintenant = Envoi.objects.count(), timezone.now()
    for lot in lots(range(deja, combien), 5_000):
        Envoi.objects.bulk_create(
            Envoi(
                type_code="tache_creee", cle=f"bench:{i}", destinataire=acteur, adresse=acteur.email,
                sujet=f"Une tâche vous attend : dossier {i} de l’établissement", corps_texte="…", corps_html="…",
                etat="envoye", envoye_le=maintenant, prochaine_tentative=None, cree_le=maintenant,
            )
            for i in lot
        )  # fmt: skip


def _preparer(acteur: User, forme: str) -> ExportDemande:
    ExportDemande.objects.all().delete()
    demande = domaine.demander(acteur=acteur, nom="envois", requete="", forme=forme)
    domaine.preparer(demande.pk)
    demande.refresh_from_db()
    return demande


def _memoire(acteur: User, forme: str) -> float:
    """Peak MB."""
    tracemalloc.start()
    _preparer(acteur, forme)
    pointe = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return pointe / 1e6
