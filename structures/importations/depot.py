"""What people ask of an import: deposit a file, confirm its report, stop it, try again. No file is read here."""

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Introuvable, Invalide
from backoffice.socle.mots import date_longue

from ..enums import EtatImportation
from ..models import DetailImportation, Importation, MorceauImporte
from ..models.importation import EN_ATTENTE, EN_COURS, FINIES
from ..regles import est_gestionnaire
from .genres import genre_de

MORCEAU = 1 << 20
TAILLE_MAX = 300 * 1024 * 1024
GARDE = timedelta(days=30)  # of the bytes of a file that nobody applied, and of the details of reports
DELAI = timedelta(seconds=20)  # between the claim of a run and its lock


def _exiger_gestionnaire(acteur: User | None) -> None:
    # None: the command line, whose operator owns the database.
    if acteur is not None and not est_gestionnaire(acteur):
        raise Interdit("sans_droit", "Seuls les gestionnaires SESAN importent des fichiers.")


@transaction.atomic
def deposer(
    *,
    genre: str,
    nom: str,
    morceaux: Iterable[bytes],
    acteur: User | None,
    options: Mapping[str, Any] | None = None,
    analyser: bool = True,
) -> Importation:
    """Keep a file and ask for its analysis, or for its application at once (the command line). Refuses
    (``Invalide``): an extension that the genre doesn't read, an empty file, one that is too large."""
    _exiger_gestionnaire(acteur)
    choisi = genre_de(genre)
    nom = nom.replace("\x00", "")[-200:]
    if not nom.lower().endswith(choisi.extensions):
        attendues = ", ".join(choisi.extensions)
        raise _refus_du_fichier(
            f"« {nom} » n’est pas un fichier {choisi.libelle} : l’extension attendue est {attendues}."
        )
    importation = Importation.objects.create(
        genre=genre,
        fichier=nom,
        taille=0,
        empreinte="",
        auteur=acteur,
        options=dict(options or {}),
        etat=EtatImportation.A_ANALYSER if analyser else EtatImportation.A_APPLIQUER,
    )
    somme, taille = sha256(), 0
    for rang, morceau in enumerate(_recoupes(morceaux)):
        somme.update(morceau)
        taille += len(morceau)
        if taille > TAILLE_MAX:
            raise _refus_du_fichier(f"Ce fichier dépasse {TAILLE_MAX >> 20} Mo.")
        MorceauImporte.objects.create(importation=importation, rang=rang, contenu=morceau)
    if not taille:
        raise _refus_du_fichier("Ce fichier est vide.")
    importation.taille, importation.empreinte = taille, somme.hexdigest()
    importation.save(update_fields=["taille", "empreinte"])
    return importation


def _refus_du_fichier(phrase: str) -> Invalide:
    return Invalide("fichier_refuse", phrase, champs={"fichier": [phrase]})


def _recoupes(morceaux: Iterable[bytes]) -> Iterable[bytes]:
    for morceau in morceaux:
        for debut in range(0, len(morceau), MORCEAU):
            yield morceau[debut : debut + MORCEAU]


@transaction.atomic
def confirmer(*, numero: int, acteur: User | None, empreinte: str) -> Importation:
    """Ask for the application of what the report shows. ``empreinte``: of the report that was read; another one since
    is refused (``Conflit``), as is an import that is no longer to be confirmed."""
    importation = _verrouiller(numero, acteur)
    if importation.etat != EtatImportation.A_CONFIRMER:
        raise _plus_possible(importation)
    if importation.empreinte_bilan != empreinte:
        raise Conflit("bilan_change", "Ce fichier a été analysé de nouveau depuis : relisez ce qu’il changerait.")
    importation.confirme_par, importation.confirme_le = acteur, timezone.now()
    return _demander(importation, EtatImportation.A_APPLIQUER)


@transaction.atomic
def relancer(*, numero: int, acteur: User | None) -> Importation:
    """Analyse again a file that waits for a confirmation, or whose run was interrupted."""
    importation = _verrouiller(numero, acteur)
    if importation.etat not in (EtatImportation.A_CONFIRMER, EtatImportation.INTERROMPUE) and not interrompue(
        importation
    ):
        raise _plus_possible(importation)
    return _demander(importation, EtatImportation.A_ANALYSER)


@transaction.atomic
def annuler(*, numero: int, acteur: User | None) -> Importation:
    """Give an import up; one that runs is asked to stop, and nothing of it is kept. Refuses one that is over."""
    importation = _verrouiller(numero, acteur)
    if importation.etat in FINIES:
        raise _plus_possible(importation)
    if importation.etat in EN_COURS and not interrompue(importation):
        importation.annulation_le = timezone.now()
        importation.save(update_fields=["annulation_le"])
        return importation
    return finir(importation, EtatImportation.ABANDONNEE, "Abandonné : rien n’a été changé.")


def finir(importation: Importation, etat: EtatImportation, message: str = "") -> Importation:
    """The end of it, by a caller that holds its row; its bytes are of no more use."""
    importation.etat, importation.message, importation.fini_le = etat, message, timezone.now()
    importation.annulation_le = None
    importation.save(update_fields=["etat", "message", "fini_le", "annulation_le"])
    MorceauImporte.objects.filter(importation=importation).delete()
    return importation


@transaction.atomic
def purger() -> int:
    """Give up what nobody confirmed for 30 days, and forget the details of old reports; their counts stay."""
    limite = timezone.now() - GARDE
    vieilles = Importation.objects.filter(demande_le__lt=limite).exclude(etat__in=FINIES)
    abandonnees = list(vieilles.select_for_update(of=("self",), no_key=True))
    for importation in abandonnees:
        finir(importation, EtatImportation.ABANDONNEE, "Personne ne l’a confirmé en 30 jours : le fichier est effacé.")
    DetailImportation.objects.filter(importation__fini_le__lt=limite).delete()
    return len(abandonnees)


# -- what runs ---------------------------------------------------------------------------------------------------------

# A run holds this lock in its transaction: a worker that is killed lets go of it, and the import shows as interrupted.
CLE_VERROU = "hashtext('structures.importation')"


def vivantes() -> set[int]:
    """Numbers of the imports that a worker is at, whatever their rows say."""
    with connection.cursor() as curseur:
        curseur.execute(
            f"""SELECT objid::bigint FROM pg_locks
                WHERE locktype = 'advisory' AND objsubid = 2 AND granted
                  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                  AND classid::bigint = ({CLE_VERROU}::bigint & 4294967295)"""  # noqa: S608
        )
        return {numero for (numero,) in curseur.fetchall()}


def interrompue(importation: Importation, vivants: Collection[int] | None = None) -> bool:
    """Its row says that it runs, and nobody is at it: its worker was killed. Nothing of it was kept."""
    return (
        importation.etat in EN_COURS
        and importation.commence_le is not None
        and importation.commence_le < timezone.now() - DELAI
        and importation.pk not in (vivantes() if vivants is None else vivants)
    )


def en_souffrance() -> list[int]:
    """Asked for a minute ago and not begun: their message was lost, or the worker is down."""
    limite = timezone.now() - timedelta(minutes=1)
    return list(
        Importation.objects.filter(etat__in=EN_ATTENTE, demande_le__lt=limite)
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def _verrouiller(numero: int, acteur: User | None) -> Importation:
    _exiger_gestionnaire(acteur)
    importation = Importation.objects.select_for_update(of=("self",), no_key=True).filter(pk=numero).first()
    if importation is None:
        raise Introuvable("importation_inconnue", "Cet import n’existe pas.")
    return importation


def _demander(importation: Importation, etat: EtatImportation) -> Importation:
    importation.etat, importation.demande_le, importation.message = etat, timezone.now(), ""
    importation.commence_le = importation.annulation_le = None
    importation.etape, importation.fait, importation.total = "", 0, 0
    importation.save()
    return importation


def _plus_possible(importation: Importation) -> Conflit:
    etat = EtatImportation(importation.etat).label
    if importation.etat == EtatImportation.APPLIQUEE and importation.fini_le:
        par = f" par {importation.confirme_par}" if importation.confirme_par else ""
        etat = f"déjà appliqué (confirmé{par}, fini le {date_longue(importation.fini_le, 'heure')})"
    return Conflit("etat_change", f"Cet import n’attend pas cette action : il est {etat}. Rechargez sa page.")
