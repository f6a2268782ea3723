"""The verbs of the exports that are prepared in the background: ask, prepare, cancel, forget.

A worker writes the file on its disk, saying how far it is as it goes, then gives it whole in one transaction: a killed
worker leaves a demand that another begins again, never half a file nor two.
"""

import logging
from collections.abc import Iterable, Iterator
from datetime import timedelta
from tempfile import TemporaryFile
from time import monotonic
from typing import IO
from uuid import UUID, uuid4

from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from backoffice.comptes.domaine import verrouiller
from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, ErreurMetier, Introuvable
from notifications.domaine import notifier

from . import registre
from .fichiers import FORMATS, Ligne, ecrire
from .models import OUVERTS, EtatExport, ExportDemande, Morceau
from .notifications import ExportTermine

logger = logging.getLogger(__name__)

DUREE = timedelta(days=7)
MAXIMUM = 5  # demands of one person that wait or run
BAIL = timedelta(minutes=2)  # a worker that said nothing for so long has died
ESSAIS = 3
PAS = 1.0  # seconds between two words on how far it is
MORCEAU = 1 << 20


@transaction.atomic
def demander(*, acteur: User, nom: str, requete: str, forme: str) -> ExportDemande:
    """Ask for a list as a file. The one that is already being prepared is given back. Refusals: those of the list;
    ``Conflit`` when too many of hers wait."""
    if forme not in FORMATS:
        raise Introuvable("export_inconnu", "Cet export n’existe pas : CSV, XLSX ou ODS.")
    export = registre.trouver(nom)
    contenu = export.ouvrir(acteur, QueryDict(requete))
    verrouiller(acteur)
    siennes = ExportDemande.objects.filter(auteur=acteur, etat__in=OUVERTS)
    deja = siennes.filter(nom=nom, requete=requete, forme=forme).first()
    if deja is not None:
        return deja
    if siennes.count() >= MAXIMUM:
        raise Conflit(
            "trop_d_exports",
            f"{MAXIMUM} de vos exports sont déjà en préparation : attendez que l’un d’eux soit prêt, ou annulez-en un "
            "dans « Mes exports ».",
        )
    return ExportDemande.objects.create(
        auteur=acteur,
        nom=nom,
        titre=export.titre,
        requete=requete,
        forme=forme,
        fichier=f"{nom_du_fichier(export, contenu)}.{forme}",
    )


def siennes(acteur: User) -> QuerySet[ExportDemande]:
    """A person's demands; one whose time is over is gone, whether or not its file was deleted yet."""
    return ExportDemande.objects.filter(auteur=acteur).exclude(expire_le__lte=timezone.now())


def nom_du_fichier(export: registre.Export, contenu: registre.Contenu) -> str:
    """« ror-etablissements-2027-03-31-paris-75 »."""
    return f"ror-{export.nom}-{timezone.localdate().isoformat()}{f'-{contenu.nom}' if contenu.nom else ''}"


@transaction.atomic
def annuler(*, numero: int, acteur: User) -> ExportDemande:
    """Give up one's own demand; its worker stops at its next word. Refusals: ``Introuvable``, ``Conflit``."""
    demande = (
        ExportDemande.objects.select_for_update(of=("self",), no_key=True).filter(auteur=acteur, pk=numero).first()
    )
    if demande is None:
        raise Introuvable("export_inconnu", "Cet export n’existe pas, ou ce n’est pas le vôtre.")
    if demande.etat not in OUVERTS:
        raise Conflit("export_fini", f"Cet export n’est plus en préparation : {demande.get_etat_display().lower()}.")
    _finir(demande, EtatExport.ANNULE)
    return demande


def _finir(demande: ExportDemande, etat: EtatExport, raison: str = "") -> None:
    demande.etat, demande.raison = etat, raison
    demande.fini_le = timezone.now()
    demande.expire_le = demande.fini_le + DUREE
    demande.save(update_fields=["etat", "raison", "fini_le", "expire_le", "taille", "lignes"])


# -- the worker ----------------------------------------------------------------------------------------


class Interrompu(Exception):
    """The demand was cancelled, or another worker has taken it over."""


def preparer(numero: int) -> bool:
    """Prepare a demand that nobody prepares. False: it was not to be done, or no longer."""
    jeton, maintenant = uuid4(), timezone.now()
    a_faire = Q(etat=EtatExport.EN_ATTENTE) | Q(etat=EtatExport.EN_COURS, battement__lt=maintenant - BAIL)
    prise = ExportDemande.objects.filter(a_faire, pk=numero).update(
        etat=EtatExport.EN_COURS, jeton=jeton, battement=maintenant, lignes=0, essais=F("essais") + 1
    )
    if not prise:
        return False
    demande = ExportDemande.objects.select_related("auteur").get(pk=numero)
    try:
        if demande.essais > ESSAIS:
            raise Conflit("export_en_panne", f"La préparation s’est interrompue {ESSAIS} fois. Appelez le support.")
        with TemporaryFile() as fichier:
            lignes = _ecrire(demande, jeton, fichier)
            _livrer(numero, jeton, fichier, lignes)
    except Interrompu:
        return False
    except ErreurMetier as refus:
        return _echouer(numero, jeton, refus.message)
    except SoftTimeLimitExceeded:
        return _echouer(numero, jeton, "La liste est trop longue pour un seul fichier : filtrez-la.")
    except Exception:  # said to the person, and told apart in the logs
        logger.exception("export %s", numero)
        return _echouer(numero, jeton, "Une erreur inattendue s’est produite. Recommencez, ou appelez le support.")
    return True


def _ecrire(demande: ExportDemande, jeton: UUID, fichier: IO[bytes]) -> int:
    """Returns the number of rows written, with the author's rights of this moment."""
    if not demande.auteur.is_active:
        raise Conflit("compte_ferme", "Le compte de la personne qui a demandé cet export est désactivé.")
    contenu = registre.trouver(demande.nom).ouvrir(demande.auteur, QueryDict(demande.requete))
    total = contenu.total() if contenu.total else None
    _dire(demande.pk, jeton, 0, total)
    compte = -1  # the names of the columns are no row

    def comptees(lignes: Iterable[Ligne]) -> Iterator[Ligne]:
        nonlocal compte
        dit = monotonic()
        for ligne in lignes:
            yield ligne
            compte += 1
            if monotonic() - dit > PAS:
                _dire(demande.pk, jeton, compte, total)
                dit = monotonic()

    ecrire(demande.forme, comptees(contenu.lignes), fichier, demande.titre)
    return max(compte, 0)


def _dire(numero: int, jeton: UUID, lignes: int, total: int | None) -> None:
    tenu = ExportDemande.objects.filter(pk=numero, jeton=jeton, etat=EtatExport.EN_COURS)
    if not tenu.update(lignes=lignes, total=total, battement=timezone.now()):
        raise Interrompu


def _tenue(numero: int, jeton: UUID) -> ExportDemande:
    """The demand, locked, as long as this worker holds it."""
    demande = (
        ExportDemande.objects.select_for_update(of=("self",), no_key=True)
        .select_related("auteur")
        .filter(pk=numero, jeton=jeton, etat=EtatExport.EN_COURS)
        .first()
    )
    if demande is None:
        raise Interrompu
    return demande


@transaction.atomic
def _livrer(numero: int, jeton: UUID, fichier: IO[bytes], lignes: int) -> None:
    demande = _tenue(numero, jeton)
    taille = fichier.seek(0, 2)
    fichier.seek(0)
    for rang, contenu in enumerate(iter(lambda: fichier.read(MORCEAU), b"")):
        Morceau.objects.create(demande=demande, rang=rang, contenu=contenu)
    demande.taille, demande.lignes = taille, lignes
    _finir(demande, EtatExport.PRET)
    _annoncer(demande)


def _echouer(numero: int, jeton: UUID, raison: str) -> bool:
    try:
        with transaction.atomic():
            demande = _tenue(numero, jeton)
            _finir(demande, EtatExport.ECHEC, raison)
            _annoncer(demande)
    except Interrompu:
        return False
    return True


def _annoncer(demande: ExportDemande) -> None:
    notifier(
        ExportTermine,
        destinataires=[demande.auteur],
        cle=f"export:{demande.pk}",
        contexte={"demande": demande, "pret": demande.etat == EtatExport.PRET},
        lien=reverse("mes_exports"),
    )


def delaisses() -> list[int]:
    """Demands that a killed worker or an absent broker left behind."""
    avant = timezone.now() - BAIL
    attendent = Q(etat=EtatExport.EN_ATTENTE, demande_le__lt=avant + BAIL / 2)
    return list(
        ExportDemande.objects.filter(attendent | Q(etat=EtatExport.EN_COURS, battement__lt=avant))
        .order_by("pk")
        .values_list("pk", flat=True)[:100]
    )


def purger() -> int:
    """Forget the demands whose time is over, with their files; returns how many."""
    perimees = ExportDemande.objects.filter(expire_le__lt=timezone.now())
    return perimees.delete()[1].get(ExportDemande._meta.label, 0)
