"""Create a dossier collaboratif on an EG (acceptance 54–56)."""

from typing import Any

from django.db import transaction
from viewflow.workflow.fields import import_flow_by_ref

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Invalide
from structures.domaine import reserver
from structures.domaine.enregistrer import verrouiller
from structures.enums import Niveau
from structures.models import Fiche
from structures.requetes import version_au

from ..enums import EtatDossier
from ..models import Dossier
from ..regles import peut_creer
from .mouvement import mouvement

# By reference: the flow imports the domain, not the other way round.
FLUX = "workflows/flows.DossierFlow"
NOM_MAXIMAL = 150


@transaction.atomic
def creer(*, eg: Fiche, nom: str, acteur: User) -> Dossier:
    """Open a dossier and start its flow at ``redaction``.

    Refuses: not an open EG, no name (``Invalide``); not an editor of the EG (``Interdit``); a dossier already open
    there (``Conflit``, which names it).
    """
    if eg.niveau != Niveau.EG:
        raise Invalide("pas_un_eg", "Un dossier collaboratif se crée sur un établissement (entité géographique).")
    if not peut_creer(acteur, eg.pk):
        raise Interdit("sans_droit", "Seuls les Référents et Directions de l’établissement créent un dossier.")
    nom = " ".join(nom.split())
    if not nom or len(nom) > NOM_MAXIMAL:
        message = f"Donnez un nom au dossier, {NOM_MAXIMAL} caractères au plus."
        raise Invalide("nom", message, champs={"nom": [message]})
    verrouiller([eg.pk])
    if version_au(eg) is None:
        raise Conflit("eg_ferme", "Cet établissement est fermé au répertoire : aucun dossier ne peut y être ouvert.")
    reserver.exiger_libre(eg)
    dossier = Dossier(eg=eg, nom=nom, auteur=acteur)
    flux: Any = import_flow_by_ref(FLUX)
    with mouvement(dossier, acteur, ""):
        flux.creation.run(dossier=dossier)
    reserver.ouvrir(eg=eg, dossier=dossier.pk, nom=nom, etape=EtatDossier.REDACTION.label)
    return dossier
