"""The follow-up of a dossier that is published in part: the excepted changes go back to their authors in a dossier of
their own, in the transaction of the publication."""

import re
from collections import defaultdict
from typing import Any

from viewflow.workflow.fields import import_flow_by_ref

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit
from structures.domaine import reserver

from ..enums import EtatDossier, Nature
from ..models import Dossier, FicheTravail
from . import instantane
from .approbation_partielle import Partage, ecarts_de, partager
from .commentaires import commenter_le_renvoi
from .creer import FLUX, NOM_MAXIMAL
from .mouvement import mouvement
from .travaux import ecrire


def separer(dossier: Dossier) -> Partage | None:
    """Take the excepted changes out of a dossier that is being published; None when nobody excepted any.

    Keeps the review of what is left and its digest, beside what was approved. The working copies are gone from the
    dossier: ``ouvrir_suite`` writes them again in the follow-up. Refuses (``Conflit``) when nothing is left.
    """
    ecarts = ecarts_de(dossier)
    if not ecarts:
        return None
    partage = partager(dossier, ecarts)
    if not partage.retenus:
        raise Conflit(
            "rien_a_publier",
            "Les fiches écartées par les approbateurs sont toutes celles du dossier : renvoyez-le pour correction.",
        )
    FicheTravail.objects.filter(pk__in=[t.pk for t in partage.ecartes]).delete()
    dossier.ecartees = len(partage.ecartes)
    dossier.empreinte_publiee = instantane.garder(dossier, instantane.contenu_decide(partage.retenus))
    return partage


def ouvrir_suite(partage: Partage, acteur: User | None) -> Dossier:
    """Open the follow-up of a dossier that has just ended: same author, same EG, its own process at ``redaction``.

    Each change comes en attente, as it was and signed by who saved it, with the reasons as open comments.
    """
    origine = partage.dossier
    # Without anybody (a preview), whoever excepted last speaks for what goes along.
    porteur = acteur or partage.ecarts[-1].par
    suite = Dossier(eg=origine.eg, nom=nom_de_la_suite(origine.nom), auteur=origine.auteur, suite_de=origine)
    flux: Any = import_flow_by_ref(FLUX)
    with mouvement(suite, porteur, ""):
        flux.creation.run(dossier=suite)
    reserver.ouvrir(eg=suite.eg, dossier=suite.pk, nom=suite.nom, etape=EtatDossier.REDACTION.label)
    ecrire([_copie(travail, suite) for travail in partage.ecartes])
    _dire_pourquoi(partage, suite, porteur)
    return suite


def _copie(travail: FicheTravail, suite: Dossier) -> FicheTravail:
    """Under the number of its last save: what was closed by one gesture stays one."""
    return FicheTravail(
        dossier=suite, fiche=travail.fiche, patch=travail.patch, base=travail.base, revision=travail.revision,
        modifiee_par=travail.modifiee_par, modifiee_le=travail.modifiee_le,
    )  # fmt: skip


def _dire_pourquoi(partage: Partage, suite: Dossier, porteur: User) -> None:
    """One thread for each reason, opened by who gave it: one authority by a person (ADR 9)."""
    par_personne: dict[User, dict[int, str]] = defaultdict(dict)
    for ecart in partage.ecarts:
        motif = f"{ecart.autorite.nom} : {ecart.motif}" if ecart.autorite else ecart.motif
        par_personne[ecart.par][ecart.fiche] = motif
    for cle, entrainee in partage.entrainees.items():
        par_personne[porteur][cle] = f"Écartée avec une autre fiche. {partage.raison(entrainee)}"
    for personne, textes in par_personne.items():
        commenter_le_renvoi(suite, personne, textes)


def nom_de_la_suite(nom: str) -> str:
    """« Extension (suite) », then « Extension (suite 2) »."""
    deja = re.fullmatch(r"(.*) \(suite(?: (\d+))?\)", nom, re.DOTALL)
    racine, rang = (deja[1], int(deja[2] or 1) + 1) if deja else (nom, 1)
    fin = f" (suite {rang})" if rang > 1 else " (suite)"
    return racine[: NOM_MAXIMAL - len(fin)] + fin


def changements_en_mots(partage: Partage) -> list[dict[str, Any]]:
    """What came back, for the journal and the mails: fiche, name, reason, whether somebody chose it."""
    return [
        {
            "fiche": t.fiche_id,
            "nom": partage.nom(t.fiche_id),
            "nature": Nature(t.nature).label,
            "choisie": bool(motifs := partage.motifs(t.fiche_id)),
            "motif": "\n".join(e.motif for e in motifs) or partage.raison(partage.entrainees[t.fiche_id]),
        }
        for t in partage.ecartes
    ]
