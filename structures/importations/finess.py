"""The import of a FINESS file from end to end: one transaction, all of it or nothing."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from django.conf import settings
from django.db import transaction

from backoffice.socle.erreurs import Invalide

from ..domaine.creer import creer_etablissements
from ..domaine.enregistrer import enregistrer, verrouiller
from ..enums import Niveau
from ..enums import Source as Origine
from ..models import Departement, Modification, RegleCategorie
from . import classement
from .lecture import FichierRefuse
from .rapport import Rapport
from .releve import Ligne, Position, Releve
from .sources import Source, ouvrir
from .suivi import Suivi

LOT = 5_000  # fiches written at once
LOT_ANALYSE = 500  # fiches written from which the planner must be told
COUVERTURE_MIN = 0.9  # share of establishments with a « geolocalisation » row below which rows are missing
TOUTES_REGIONS = "toutes"

Lieu = Callable[[int, str], tuple[int | None, str]]


def importer(
    chemin: Path,
    rapport: Rapport,
    *,
    region: str = "",
    sans_geolocalisation: bool = False,
    suivi: Suivi | None = None,
) -> Lieu:
    """Create and update the EJ and EG of a file in the register, and fill ``rapport``.

    ``region`` is an INSEE code (that of the register by default) or « toutes ». Raises ``FichierRefuse`` when the file
    can't be trusted, ``Invalide`` when the reference data are missing; nothing is written then. Returns what tells
    where a field of a line is in the file. Only one import runs at a time: ``deroulement`` sees to it.
    """
    try:
        with ouvrir(chemin, sans_geolocalisation) as lecture, transaction.atomic():
            _importer(lecture, rapport, region or settings.PREFIXE_REGION, suivi or Suivi())
    except OSError as erreur:
        raise FichierRefuse(f"il ne peut pas être lu ({erreur.strerror}).") from erreur
    return lecture.lieu


def _importer(lecture: Source, rapport: Rapport, region: str, suivi: Suivi) -> None:
    classement.preparer()
    releve = _copier(lecture, rapport, region, suivi)
    _verifier_coherence(lecture)
    rapport.encodage, rapport.version, rapport.date = lecture.encodage, lecture.version, lecture.date.isoformat()
    rapport.lignes = lecture.structures + lecture.entites + lecture.positions
    suivi.etape("Comparaison avec le répertoire")
    classement.ecarter(rapport)
    classement.comparer()
    verrouiller(classement.fiches_touchees())
    classement.conserver(rapport, lecture.date)
    classement.dater(lecture.date)
    classement.compter(rapport)
    _remarquer(rapport, releve, region)
    _ecrire(lecture.date, rapport.modifications, suivi)


def _copier(lecture: Source, rapport: Rapport, region: str, suivi: Suivi) -> Releve:
    categories = set(RegleCategorie.objects.values_list("pk", flat=True))
    departements = None
    if region != TOUTES_REGIONS:
        departements = set(Departement.objects.filter(region=region).values_list("pk", flat=True))
    if not categories or departements == set():
        raise Invalide(
            "referentiels_absents",
            f"Aucune catégorie ou aucun département connu pour la région « {region} ». Chargez d’abord les "
            "référentiels : manage.py charger_referentiels.",
        )
    releve = Releve(lecture, categories, departements, rapport.refus.append)

    def lignes() -> Iterator[Ligne | Position]:
        for enregistrement in suivi.parcourir(lecture.enregistrements(), "Lecture du fichier"):
            position = enregistrement.champs[0] == "geolocalisation"
            yield releve.position(enregistrement) if position else releve.ligne(enregistrement)

    classement.copier(lignes())
    return releve


def _verifier_coherence(lecture: Source) -> None:
    orpheline = classement.positions_incoherentes()
    if orpheline:
        ligne, finess = orpheline
        raise FichierRefuse(
            f"« geolocalisation » de {finess[:20]}, qui n’a pas de ligne « structureet ».", ligne=ligne, colonne=2
        )
    part = classement.couverture() if lecture.exige_positions else 1.0
    if part < COUVERTURE_MIN:
        raise FichierRefuse(
            f"{part:.0%} des établissements ont une ligne « geolocalisation », {COUVERTURE_MIN:.0%} au moins sont "
            "attendus : il est sans doute tronqué."
        )


def _remarquer(rapport: Rapport, releve: Releve, region: str) -> None:
    noms = {
        "categorie": "catégorie hors du répertoire",
        "region": f"hors de la région {region}",
        "ej": "entités juridiques sans établissement suivi",
        "clos": "fermés au FINESS, absents du répertoire ou déjà fermés",
    }
    sorts = classement.sorts()
    rapport.ignores = {nom: sorts[cle] for cle, nom in noms.items() if cle in sorts}
    if releve.ouvertures_fictives:
        rapport.remarques.append(
            "Dates d’ouverture conventionnelles (1900, 1901, 04/04/1904), laissées vides : "
            f"{releve.ouvertures_fictives}."
        )
    if releve.sans_commune:
        rapport.remarques.append(f"Établissements sans code commune dans le fichier : {releve.sans_commune}.")
    rapport.remarques += [
        f"Coordonnées non reprises, projection {projection} non convertie : {nombre}."
        for projection, nombre in sorted(releve.projections_ignorees.items())
    ]


def _ecrire(jour_fichier: date, total: int, suivi: Suivi) -> None:
    if not total:
        return
    origine = f"FINESS {jour_fichier.isoformat()}"
    ej = classement.ej_a_creer()
    suivi.etape("Écriture des fiches", total)
    for debut in range(0, len(ej), LOT):
        suivi.avancer(debut)
        creees = creer_etablissements([(Niveau.EJ, finess) for finess, _, _ in ej[debut : debut + LOT]])
        enregistrer(
            [
                Modification(
                    fiche=creees[finess],
                    date_effet=effet,
                    patch={"existe": True, "finess": finess, "nom": f"Entité juridique {finess}"} | json.loads(contenu),
                    source=Origine.IMPORT,
                    origine=origine,
                )
                for finess, effet, contenu in ej[debut : debut + LOT]
            ]
        )
    if len(ej) > LOT_ANALYSE:
        classement.analyser()
    eg = classement.eg_a_creer()
    for debut in range(0, len(eg), LOT):
        creer_etablissements([(Niveau.EG, finess) for finess in eg[debut : debut + LOT]])
    classement.rattacher()
    ecrites = 0
    for lot in classement.patches(LOT):
        enregistrer(
            [
                Modification(
                    fiche_id=fiche, date_effet=effet, patch=json.loads(patch), source=Origine.IMPORT, origine=origine
                )
                for fiche, effet, patch in lot
            ]
        )
        ecrites += len(lot)
        suivi.avancer(len(ej) + ecrites)
    if ecrites > LOT_ANALYSE:
        classement.analyser()
