"""Publication: every patch of the dossier becomes a modification of today, all at once (domain.md §5)."""

from collections.abc import Collection, Iterable
from typing import Any

from django.urls import reverse
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit
from notifications.domaine import notifier
from structures.champs import champs_de
from structures.domaine import reserver
from structures.domaine.enregistrer import enregistrer, lire_changements, verrouiller
from structures.domaine.patches import Etat, Patch, appliquer, difference, valeur
from structures.domaine.plier import Changement
from structures.enums import Source
from structures.models import Modification

from .. import notifications as types
from ..enums import TypeEvenement
from ..models import Dossier, FicheTravail
from ..regles import participants
from .empechements import empechements_de_publier
from .journal import consigner
from .suite import changements_en_mots, ouvrir_suite, separer
from .taches import contexte_mail


def publier(dossier: Dossier, acteur: User | None) -> None:
    """Write the dossier into the register, in the transaction of the last approval: all of it, or nothing.

    Fiches that approvers excepted are no part of it any more: they come back in a follow-up, opened here (``suite``).
    The dossier is locked; the EG is locked here, then the fiches. A constant number of statements for any size.
    Refuses (``Conflit``) when the register moved on in a way that somebody must settle.
    """
    verrouiller([dossier.eg_id])
    partage = separer(dossier)
    travaux = list(dossier.fiches.select_related("fiche"))
    trouves = empechements_de_publier(dossier, travaux)
    if trouves:
        phrases = " ".join(e.phrase for e in trouves)
        raise Conflit(
            "a_revoir", f"Le répertoire a changé depuis l’envoi. {phrases} Renvoyez ce dossier pour correction."
        )
    modifications = modifications_de(dossier, travaux)
    enregistrer(modifications)
    dossier.publier()
    dossier.save(update_fields=["etat", "publie_le", "termine_le", "ecartees", "empreinte_publiee"])
    reserver.clore(dossier=dossier.pk)
    suite = ouvrir_suite(partage, acteur) if partage else None
    revenues = changements_en_mots(partage) if partage else []
    en_partie: dict[str, Any] = (
        {"ecartees": revenues, "suite": suite.pk, "publiee": dossier.empreinte_publiee} if suite else {}
    )
    consigner(dossier, TypeEvenement.PUBLIE, acteur, fiches=len(modifications), **en_partie)
    publiees = [partage.nom(t.fiche_id) for t in partage.retenus] if partage else []
    notifier(
        types.DossierPublie,
        destinataires=participants(dossier),
        cle=f"dossier:{dossier.pk}:publie",
        contexte=contexte_mail(dossier, suite=suite, publiees=publiees, revenues=revenues),
        lien=reverse("dossier", args=[dossier.pk]) if suite else reverse("fiche", args=[dossier.eg.identifiant]),
        sauf=acteur,
    )


def modifications_de(dossier: Dossier, travaux: list[FicheTravail]) -> list[Modification]:
    """The unsaved modifications that the dossier stands for, dated today, in the order of their fiches."""
    jour = timezone.localdate()
    fermees = contenus_fermes([t.fiche_id for t in travaux if t.rouvre])
    return [
        Modification(
            fiche=travail.fiche,
            date_effet=jour,
            patch=_patch_publie(travail, jour.isoformat(), fermees.get(travail.fiche_id, {})),
            source=Source.DOSSIER,
            origine=f"dossier {dossier.pk}",
            auteur_id=dossier.envoye_par_id,
        )
        for travail in travaux
    ]


def _patch_publie(travail: FicheTravail, jour: str, fermee: Etat) -> Patch:
    """``fermee``: what a closed fiche holds under its closing. It comes back as the dossier has it, nothing more."""
    patch = travail.patch
    if patch.get("existe") is False:
        return {"existe": False, "type_fermeture": "DEF", "date_fermeture": jour}
    if not travail.rouvre:
        return patch
    voulu = appliquer({}, patch)
    noms = ["existe", "parent", *(champ.nom for champ in champs_de(travail.fiche.niveau))]
    return difference(fermee, {nom: valeur(voulu, nom) for nom in noms})


def contenus_fermes(fiches: Collection[int]) -> dict[int, Etat]:
    """What closed fiches hold today under their closing. One statement, none without any."""
    aujourdhui = timezone.localdate()
    changements = lire_changements(fiches) if fiches else {}
    return {cle: empiler(c for c in liste if c.date_effet <= aujourdhui) for cle, liste in changements.items()}


def empiler(changements: Iterable[Changement]) -> Etat:
    """The content after these changes, in their order, whether the fiche exists or not."""
    etat: Etat = {}
    for changement in sorted(changements):
        etat = appliquer(etat, changement.patch)
    return etat
