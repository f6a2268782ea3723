"""Bulk exports: everything a consumer may read, as NDJSON files made by a worker (docs/fhir.md, « Export »).

The worker reads one snapshot of the exposition through a connection of its own, and writes each file, how far it is and
its lease by the usual one. Killed, its lease ends and the work is done again from the start; killed twice, the export
fails: a third worker would be too. A row that disappears meanwhile was cancelled.
"""

import json
import logging
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from ..enums import EtatExportFhir, ProfilAcces
from ..models import Consommateur, ExportFhir, FichierExport
from .confidentialite import filtrer

logger = logging.getLogger(__name__)

DUREE_DE_VIE = timedelta(hours=24)  # of the files, and of a request that nobody could do
SIMULTANES = 2  # exports that a consumer may have under way
TENTATIVES_MAX = 2
LIGNES_MAX = 10_000  # of a file
LECTURE = 2_000  # rows fetched at once
GZIP = 31  # zlib's word for the gzip header, as wbits


class TropDExports(Exception):
    """The consumer has as many exports under way as he may."""


class Perdu(Exception):
    """Cancelled, or taken by another worker."""


def bail() -> timedelta:
    """How long a claim holds; renewed at each file."""
    return timedelta(seconds=settings.EXPORT_BAIL_SECONDES)


@transaction.atomic
def demander(*, consommateur: Consommateur, requete: str, types: list[str], depuis: datetime | None) -> ExportFhir:
    """Keep what is asked, with the profile of this moment. Refuses (``TropDExports``) beyond SIMULTANES under way."""
    Consommateur.objects.select_for_update(no_key=True).get(pk=consommateur.pk)  # two requests at once count as two
    en_cours = ExportFhir.objects.filter(consommateur=consommateur, termine_le__isnull=True)
    if en_cours.count() >= SIMULTANES:
        raise TropDExports
    return ExportFhir.objects.create(
        consommateur=consommateur, requete=requete, types=types, depuis=depuis, profil=consommateur.profil
    )


def annuler(export: ExportFhir) -> None:
    """Forget it and its files; the worker that writes it stops at its next file."""
    ExportFhir.objects.filter(pk=export.pk).delete()


def purger() -> int:
    """Forget what has expired; returns how many exports."""
    perimes = ExportFhir.objects.filter(perime())
    return sum(nombre for modele, nombre in perimes.delete()[1].items() if modele.endswith(".ExportFhir"))


def perime() -> Q:
    limite = timezone.now() - DUREE_DE_VIE
    return Q(termine_le__lt=limite) | Q(termine_le__isnull=True, demande_le__lt=limite)


def en_souffrance() -> QuerySet[ExportFhir]:
    """Asked for, and held by no living worker."""
    libres = Q(etat=EtatExportFhir.DEMANDE) | Q(etat=EtatExportFhir.EN_COURS, bail__lt=timezone.now())
    return ExportFhir.objects.filter(libres).order_by("demande_le", "pk")


# -- the worker ----------------------------------------------------------------------------------------


def travailler(numero: uuid.UUID) -> bool:
    """Make the files of an export. False: somebody else has it, it is done, or it was cancelled."""
    export = _reclamer(numero)
    if export is None:
        return False
    try:
        with _instantane() as lecteur:
            _ecrire(export, lecteur)
    except Perdu:
        return False
    return True


def _reclamer(numero: uuid.UUID) -> ExportFhir | None:
    """Take it; what a former worker wrote is deleted. Too many tries make a failure of it."""
    with transaction.atomic():
        export = en_souffrance().select_for_update(of=("self",), skip_locked=True).filter(pk=numero).first()
        if export is None:
            return None
        export.fichiers.all().delete()
        if export.tentatives >= TENTATIVES_MAX:
            logger.error("export %s failed: %s workers died of it", export.pk, export.tentatives)
            export.etat, export.jeton, export.bail = EtatExportFhir.ECHEC, None, None
            export.termine_le = timezone.now()
        else:
            export.etat, export.jeton, export.bail = EtatExportFhir.EN_COURS, uuid.uuid4(), timezone.now() + bail()
            export.tentatives, export.ecrites = export.tentatives + 1, 0
        export.save()
    return export if export.jeton else None


class _instantane:  # noqa: N801  reads as a statement
    """A connection of its own on one read-only snapshot of the database."""

    def __enter__(self) -> "psycopg.Connection[Any]":
        self.wrapper = connection.copy()
        self.wrapper.ensure_connection()
        brute: psycopg.Connection[Any] = self.wrapper.connection
        brute.isolation_level, brute.read_only = psycopg.IsolationLevel.REPEATABLE_READ, True
        self.transaction = brute.transaction()
        self.transaction.__enter__()
        return brute

    def __exit__(self, *panne: Any) -> None:
        try:
            self.transaction.__exit__(*panne)
        finally:
            self.wrapper.close()


@dataclass
class _Fichier:
    """NDJSON on its way into gzip: what is held in memory is compressed."""

    type: str
    nombre: int = 0
    morceaux: list[bytes] = field(default_factory=list)
    compresseur: Any = field(default_factory=lambda: zlib.compressobj(4, zlib.DEFLATED, GZIP))

    def ajouter(self, ligne: str) -> None:
        self.nombre += 1
        self.morceaux.append(self.compresseur.compress(f"{ligne}\n".encode()))

    def octets(self) -> bytes:
        return b"".join([*self.morceaux, self.compresseur.flush()])


# Files are ordered by id within a type, so that two exports can be compared.
_VIVANTES = """SELECT contenu::text FROM structures_ressource
    WHERE type = %s AND contenu IS NOT NULL AND (%s::timestamptz IS NULL OR maj > %s) ORDER BY identifiant"""
_SUPPRIMEES = """SELECT type, identifiant FROM structures_ressource
    WHERE type = ANY(%s) AND contenu IS NULL AND maj > %s ORDER BY type, identifiant"""
_A_FAIRE = """SELECT (SELECT max(maj) FROM structures_ressourceversion),
    (SELECT count(*) FROM structures_ressource
     WHERE type = ANY(%s) AND contenu IS NOT NULL AND (%s::timestamptz IS NULL OR maj > %s))"""


def _ecrire(export: ExportFhir, lecteur: "psycopg.Connection[Any]") -> None:
    depuis = export.depuis
    # Exact, for the next « _since »: what is committed later has a later « maj », for there is one projector.
    [(arrete_le, total)] = lecteur.execute(_A_FAIRE, [export.types, depuis, depuis]).fetchall()
    _avancer(export, total=total)
    rang = 0
    for type_ in export.types:
        lignes = _lire(lecteur, _VIVANTES, [type_, depuis, depuis])
        rang = _en_fichiers(export, type_, (_filtree(ligne, export.profil) for (ligne,) in lignes), rang)
    if depuis is not None:
        lignes = _lire(lecteur, _SUPPRIMEES, [export.types, depuis])
        _en_fichiers(export, "", (_suppression(*ligne) for ligne in lignes), rang)
    fini = _a_nous(export).update(
        etat=EtatExportFhir.PRET,
        jeton=None,
        bail=None,
        termine_le=timezone.now(),
        arrete_le=arrete_le or export.demande_le,
    )
    if not fini:
        raise Perdu


def _lire(lecteur: "psycopg.Connection[Any]", requete: str, parametres: list[Any]) -> Iterator[tuple[Any, ...]]:
    with lecteur.cursor(name="export") as curseur:
        curseur.itersize = LECTURE
        curseur.execute(requete, parametres)
        yield from curseur


def _filtree(contenu: str, profil: int) -> str:
    if profil == ProfilAcces.TOUS:
        return contenu
    return json.dumps(filtrer(json.loads(contenu), profil), ensure_ascii=False, separators=(",", ":"))


def _suppression(type_: str, identifiant: str) -> str:
    """The line that says that a resource is no more: a transaction Bundle of one DELETE, as the guide wants it."""
    return (
        '{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"DELETE","url":"'
        f'{type_}/{identifiant}"' + "}}]}"
    )


def _en_fichiers(export: ExportFhir, type_: str, lignes: Iterator[str], rang: int) -> int:
    """Write the lines, so many a file; returns the rank of the next file. No line makes no file."""
    fichier = _Fichier(type_)
    for ligne in lignes:
        fichier.ajouter(ligne)
        if fichier.nombre == LIGNES_MAX:
            rang, fichier = _poser(export, fichier, rang), _Fichier(type_)
    return _poser(export, fichier, rang) if fichier.nombre else rang


def _poser(export: ExportFhir, fichier: _Fichier, rang: int) -> int:
    with transaction.atomic():
        _avancer(export, ecrites=export.ecrites + (fichier.nombre if fichier.type else 0))
        FichierExport.objects.create(
            export=export, rang=rang, type=fichier.type, nombre=fichier.nombre, contenu=fichier.octets()
        )
    return rang + 1


def _a_nous(export: ExportFhir) -> QuerySet[ExportFhir]:
    return ExportFhir.objects.filter(pk=export.pk, etat=EtatExportFhir.EN_COURS, jeton=export.jeton)


def _avancer(export: ExportFhir, **champs: int) -> None:
    """Say how far it is and renew the lease. Raises ``Perdu`` when it is no longer ours."""
    if not _a_nous(export).update(bail=timezone.now() + bail(), **champs):
        raise Perdu
    for champ, valeur in champs.items():
        setattr(export, champ, valeur)
