"""Read a historic FINESS open data file and refuse, as a whole, one that can't be trusted.

Layout: ``finess;etalab;<version>;<date>``, then ``structureet`` rows of 32 fields and ``geolocalisation`` rows of 6
(establishments, cs1100507), or ``structureej`` rows of 23 (legal entities, cs1100501), separated by « ; », quoted where
needed, one record a line, a line end after the last one.
"""

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import BinaryIO, NamedTuple

from django.utils import timezone

from backoffice.socle.erreurs import Invalide
from backoffice.socle.mots import date_longue

from .controles import forme_finess, lire_date

CHAMPS = {"structureet": 32, "geolocalisation": 6, "structureej": 23}
LIGNE_MAX = 20_000  # bytes; the longest real line has less than 700
BLOC = 1 << 20

_INTERDITS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NON_ASCII = re.compile(rb"[\x80-\xff]")
_UTF8_PLURIEL = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}")
_C1 = re.compile(rb"[\x80-\x9f]")


class FichierRefuse(Invalide):
    """Nothing of this file is imported: where and why."""

    def __init__(self, raison: str, *, ligne: int | None = None, colonne: int | None = None) -> None:
        lieu = f"ligne {ligne}" if ligne else ""
        lieu += f", colonne {colonne}" if ligne and colonne else ""
        super().__init__("fichier_refuse", f"Fichier refusé{f' ({lieu})' if lieu else ''} : {raison}")
        self.ligne, self.colonne, self.raison = ligne, colonne, raison


# Number of the column of a field of the fiche, by kind of row.
_COLONNES = {
    "structureet": {
        "finess": 2, "parent": 3, "nom": 4, "adresse_complement": 6, "adresse_voie": 10, "commune": 13,
        "code_postal": 16, "telephone": 17, "categorie": 19, "siret": 23, "mode_tarification": 25,
        "participation_sph": 27, "date_ouverture": 29, "latitude": 3,
    },
    "structureej": {
        "finess": 2, "nom": 3, "adresse_complement": 5, "adresse_voie": 8, "commune": 12, "code_postal": 13,
        "telephone": 16, "statut_juridique": 17, "siren": 21, "date_ouverture": 23,
    },
}  # fmt: skip


class Enregistrement(NamedTuple):
    """One row of the file, its fields stripped. ``champs[0]`` says which kind. ``ligne`` is unique; what a person finds
    in the file is ``Lecture.lieu(ligne, field)``. A row may end with the state of the entity and its closing day."""

    ligne: int
    champs: list[str]


@dataclass
class Lecture:
    """The rows of a file, read once from beginning to end; trust is only sure when ``enregistrements`` is exhausted."""

    flux: BinaryIO
    sans_geolocalisation: bool = False
    encodage: str = ""
    version: str = ""
    date: date = date.min
    structures: int = 0
    entites: int = 0
    positions: int = 0
    _malformees: list[tuple[int, int, str]] = field(default_factory=list)

    def enregistrements(self) -> Iterator[Enregistrement]:
        codec, self.encodage = detecter_encodage(self.flux)
        lignes = _lignes(self.flux, codec)
        self._lire_entete(next(lignes, None))
        derniere = 0
        for numero, texte in lignes:
            champs = _decouper(numero, texte)
            derniere = numero
            if champs[0] not in CHAMPS:
                raise FichierRefuse(
                    f"« {champs[0][:30]} » n’est pas un type de ligne connu ({', '.join(CHAMPS)}).",
                    ligne=numero, colonne=1,
                )  # fmt: skip
            _exiger_champs(numero, champs)
            self._compter(numero, champs)
            yield Enregistrement(numero, champs)
        self._conclure(derniere)

    def _lire_entete(self, premiere: tuple[int, str] | None) -> None:
        if premiere is None:
            raise FichierRefuse("le fichier est vide.")
        champs = [c.strip() for c in premiere[1].split(";")]
        if champs[:2] != ["finess", "etalab"]:
            raise FichierRefuse("la première ligne doit être « finess;etalab;version;date ».", ligne=1, colonne=1)
        if len(champs) != 4:
            raise FichierRefuse(f"la première ligne a {len(champs)} champs au lieu de 4.", ligne=1)
        jour = lire_date(champs[3])
        if jour is None:
            raise FichierRefuse(f"« {champs[3][:30]} » n’est pas une date AAAA-MM-JJ.", ligne=1, colonne=4)
        if jour > timezone.localdate():
            raise FichierRefuse(f"le fichier est daté du {date_longue(jour)}, dans l’avenir.", ligne=1, colonne=4)
        self.version, self.date = champs[2], jour

    @property
    def exige_positions(self) -> bool:
        return bool(self.structures) and not self.sans_geolocalisation

    def lieu(self, ligne: int, champ: str) -> tuple[int | None, str]:
        """(line, column) of a field."""
        colonne = _COLONNES["structureet" if self.structures else "structureej"].get(champ)
        return ligne, f"colonne {colonne}" if colonne else ""

    def _compter(self, ligne: int, champs: list[str]) -> None:
        if champs[0] == "geolocalisation":
            self.positions += 1
            return
        if self.positions:
            raison = f"une ligne « {champs[0]} » suit les lignes « geolocalisation »."
            raise FichierRefuse(raison, ligne=ligne, colonne=1)
        if champs[0] == "structureej":
            self.entites += 1
        else:
            self.structures += 1
        colonne = _colonne_deplacee(champs)
        if colonne:
            self._malformees.append((ligne, colonne, champs[colonne - 1]))

    def _conclure(self, derniere: int) -> None:
        lues = self.structures + self.entites
        if not lues:
            raise FichierRefuse("il ne contient aucun établissement (ligne « structureet »).", ligne=derniere or None)
        if len(self._malformees) * 2 > lues:
            ligne, colonne, contenu = self._malformees[0]
            raise FichierRefuse(
                f"les colonnes ne sont pas celles attendues : {len(self._malformees)} lignes sur {lues} "
                f"n’ont pas la forme voulue (ici « {contenu[:30]} »).",
                ligne=ligne, colonne=colonne,
            )  # fmt: skip
        if not self.positions and self.exige_positions:
            raise FichierRefuse(
                "il s’arrête avant les lignes « geolocalisation » : il est sans doute tronqué. Si ce fichier n’en "
                "comporte pas (cs1100502), dites-le au dépôt : « Ce fichier n’a pas de coordonnées ».",
                ligne=derniere,
            )


def detecter_encodage(flux: BinaryIO) -> tuple[str, str]:
    """(codec, name) of a file: UTF-8 if it decodes, else ISO-8859-1 or its superset Windows-1252. Rewinds.

    Refuses control characters (binary files, UTF-16) and files that mix encodings.
    """
    decodeur = codecs.getincrementaldecoder("utf-8")()
    utf8, lignes = True, 0
    flux.seek(0)
    debut = 0  # where the last line that has begun starts, in bytes of the file
    lu = 0
    while bloc := flux.read(BLOC):
        interdit = _INTERDITS.search(bloc)
        if interdit:
            place = interdit.start()
            retour = bloc.rfind(b"\n", 0, place)
            depart = lu + retour + 1 if retour >= 0 else debut
            raise FichierRefuse(
                f"caractère interdit (octet {bloc[place]:#04x}, {lu + place - depart + 1}e de la ligne) : "
                "ce n’est pas un fichier texte.",
                ligne=lignes + bloc.count(b"\n", 0, place) + 1,
            )
        if utf8:
            try:
                decodeur.decode(bloc)
            except UnicodeDecodeError:
                utf8 = False
        lignes += bloc.count(b"\n")
        retour = bloc.rfind(b"\n")
        debut = lu + retour + 1 if retour >= 0 else debut
        lu += len(bloc)
    if utf8:
        try:
            decodeur.decode(b"", final=True)
        except UnicodeDecodeError:
            utf8 = False
    flux.seek(0)
    return ("utf-8-sig", "UTF-8") if utf8 else _encodage_latin(flux)


def _encodage_latin(flux: BinaryIO) -> tuple[str, str]:
    c1, non_ascii, pluriels = False, 0, 0
    while bloc := flux.read(BLOC):
        non_ascii += len(_NON_ASCII.findall(bloc))
        pluriels += sum(map(len, _UTF8_PLURIEL.findall(bloc)))
        c1 = c1 or bool(_C1.search(bloc))
    flux.seek(0)
    if pluriels * 2 > non_ascii:
        raise FichierRefuse("il mélange de l’UTF-8 et un autre encodage : il a été abîmé.", ligne=_ligne_non_utf8(flux))
    return ("cp1252", "Windows-1252") if c1 else ("iso-8859-1", "ISO-8859-1")


def _ligne_non_utf8(flux: BinaryIO) -> int | None:
    for numero, brut in enumerate(flux, 1):
        try:
            brut.decode()
        except UnicodeDecodeError:
            return numero
    return None


def _lignes(flux: BinaryIO, codec: str) -> Iterator[tuple[int, str]]:
    numero = 0
    while brut := flux.readline(LIGNE_MAX + 1):
        numero += 1
        if len(brut) > LIGNE_MAX:
            raise FichierRefuse(f"la ligne dépasse {LIGNE_MAX} octets : ce n’est pas un fichier FINESS.", ligne=numero)
        if not brut.endswith(b"\n"):
            raise FichierRefuse("la dernière ligne n’est pas terminée : le fichier est tronqué.", ligne=numero)
        try:
            texte = brut.decode(codec if numero == 1 or codec != "utf-8-sig" else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as erreur:
            raise FichierRefuse("un caractère est illisible.", ligne=numero) from erreur
        if texte.strip():
            yield numero, texte


def _decouper(ligne: int, texte: str) -> list[str]:
    if '"' not in texte:
        return [champ.strip() for champ in texte.split(";")]
    try:
        return [champ.strip() for champ in next(csv.reader([texte], delimiter=";", strict=True))]
    except csv.Error as erreur:
        raise FichierRefuse("un guillemet n’est pas refermé sur la ligne.", ligne=ligne) from erreur


def _exiger_champs(ligne: int, champs: list[str]) -> None:
    attendus = CHAMPS[champs[0]]
    if len(champs) != attendus:
        raise FichierRefuse(
            f"{len(champs)} champs au lieu de {attendus} pour une ligne « {champs[0]} ».",
            ligne=ligne, colonne=min(len(champs), attendus + 1),
        )  # fmt: skip


def _colonne_deplacee(champs: list[str]) -> int:
    """Number of the first column whose content can't belong there; 0 when all can."""
    if not forme_finess(champs[1]):
        return 2
    if champs[0] == "structureej":
        return 23 if champs[22] and lire_date(champs[22]) is None else 0
    if not forme_finess(champs[2]):
        return 3
    if not (champs[18].isdigit() and len(champs[18]) <= 4):
        return 19
    return 29 if champs[28] and lire_date(champs[28]) is None else 0
