"""Read the FINESS open data of 2026 (structures, JSON v1) as rows of the historic file, plus the state of each entity.

Published as ``finess-structures-mensuel-AAAAMM.json.gz``: {schemaVersion, generatedAt, gco, gcc, pmej: [{ege: []}]}.
Codes are written bare, or as { code, system } as in the published schema; the case of some names differs between both.
"""

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, BinaryIO

from django.utils import timezone

from backoffice.socle.mots import date_longue

from .controles import lire_date
from .flux_json import Element, Flux
from .lecture import Enregistrement, FichierRefuse, detecter_encodage

# Where the value of a field of the fiche is, below the entity.
_CHEMINS = {
    "finess": "numFinessEge", "parent": "pmej.numFinessPm", "nom": "nomEgeLong", "siret": "siret",
    "categorie": "categorieEntiteGeographiqueExercice", "mode_tarification": "modeFixationTarifaire",
    "participation_sph": "espic", "adresse_voie": "adresse.libelleVoie", "adresse_complement": "adresse.lieuDit",
    "code_postal": "adresse.codePostal", "commune": "adresse.cogCommune", "telephone": "contact.telecom.telephone",
    "date_ouverture": "dateOuverture", "latitude": "adresse.coordonneesGeographique", "siren": "siren",
    "statut_juridique": "statutJuridique",
}  # fmt: skip


def _bas(objet: Any) -> Mapping[str, Any]:
    """An object by names in lower case; what is none is empty."""
    return {nom.lower(): valeur for nom, valeur in objet.items()} if isinstance(objet, dict) else {}


def _texte(objet: Mapping[str, Any], nom: str) -> str:
    """The text or the code of this name, blanks folded; "" for anything else."""
    valeur = objet.get(nom)
    if isinstance(valeur, list):
        valeur = valeur[0] if valeur else ""
    if isinstance(valeur, dict):
        valeur = _bas(valeur).get("code", "")
    return " ".join(str(valeur).split()) if isinstance(valeur, str | int) else ""


def _liste(objet: Mapping[str, Any], nom: str) -> list[Any]:
    valeur = objet.get(nom)
    return valeur if isinstance(valeur, list) else []


def _jour(objet: Mapping[str, Any], nom: str) -> str:
    return _texte(objet, nom)[:10]


@dataclass
class LectureJson:
    """As ``lecture.Lecture``: the rows of a file, read once. ``ligne`` is here the rank of the entity."""

    flux: BinaryIO
    encodage: str = ""
    version: str = ""
    date: date = date.min
    structures: int = 0
    entites: int = 0
    positions: int = 0
    exige_positions: bool = False
    _lieux: "array[int]" = field(default_factory=lambda: array("l"))  # line, rank of the pmej, rank of the ege

    def enregistrements(self) -> Iterator[Enregistrement]:
        codec, self.encodage = detecter_encodage(self.flux)
        trouve = False
        for element in Flux(self.flux, codec).elements():
            nom = element.cle.lower()
            if nom == "generatedat":
                self._dater(str(element.valeur), element.ligne)
            elif nom == "schemaversion":
                self.version = str(element.valeur)[:20]
            elif nom == "pmej" and element.rang is not None:
                trouve = True
                yield from self._entite(element)
        if self.date == date.min:
            raise FichierRefuse("il ne dit pas de quand il est (generatedAt).")
        if not trouve:
            raise FichierRefuse("il ne contient aucune entité juridique (pmej).")
        if not self.structures:
            raise FichierRefuse("il ne contient aucun établissement (ege).")

    def lieu(self, ligne: int, champ: str) -> tuple[int | None, str]:
        """(line, path) of a field of the entity of this rank."""
        reelle, pmej, ege = self._lieux[3 * (ligne - 1) : 3 * ligne]
        chemin = f"pmej[{pmej}]" + (f".ege[{ege}]" if ege >= 0 else "")
        return reelle, f"{chemin}.{_CHEMINS.get(champ, champ)}"

    def _dater(self, brut: str, ligne: int) -> None:
        jour = lire_date(brut[:10])
        if jour is None:
            raise FichierRefuse(f"« {brut[:30]} » n’est pas une date (generatedAt).", ligne=ligne)
        if jour > timezone.localdate():
            raise FichierRefuse(f"le fichier est daté du {date_longue(jour)}, dans l’avenir.", ligne=ligne)
        self.date = jour

    def _entite(self, element: Element) -> Iterator[Enregistrement]:
        pmej = _bas(element.valeur)
        if not pmej:
            raise FichierRefuse(f"pmej[{element.rang}] n’est pas une entité juridique.", ligne=element.ligne)
        self.entites += 1
        infos = _bas(pmej.get("informationsgeneralespmej"))
        ej = _texte(infos, "numfinesspm")
        etat = _etat(pmej, infos)
        yield Enregistrement(self._rang(element, -1), [*self._structureej(ej, infos, pmej), *etat])
        for place, brut in enumerate(_liste(pmej, "ege")):
            ege = _bas(brut)
            infos = _bas(ege.get("informationsgeneralesege"))
            rang = self._rang(element, place)
            self.structures += 1
            finess = _texte(infos, "numfinessege")
            yield Enregistrement(rang, [*self._structureet(finess, ej, infos, ege), *_etat(ege, infos)])
            if position := _position(_adresse(ege)):
                self.positions += 1
                yield Enregistrement(rang, ["geolocalisation", finess, *position])

    def _rang(self, element: Element, ege: int) -> int:
        self._lieux.extend((element.ligne, element.rang or 0, ege))
        return len(self._lieux) // 3

    def _structureet(self, finess: str, ej: str, infos: Mapping[str, Any], ege: Mapping[str, Any]) -> list[str]:
        adresse = _adresse(ege)
        champs = [""] * 32
        champs[0:6] = [
            "structureet", finess, ej, _texte(infos, "nomegecourt"), _texte(infos, "nomegelong"),
            _texte(infos, "complementdenominationeg"),
        ]  # fmt: skip
        champs[6:12] = _voie(adresse)
        champs[13], champs[12] = _commune(adresse)
        champs[15] = _acheminement(adresse)
        champs[16] = _telephone(ege)
        champs[18] = _texte(ege, "categorieentitegeographiqueexercice")
        champs[22] = _texte(infos, "siret") or _texte(ege, "siret")
        champs[24] = _texte(ege, "modefixationtarifaire")
        champs[26] = _texte(infos, "espic")
        champs[28] = _jour(infos, "dateouverture")
        return champs

    def _structureej(self, ej: str, infos: Mapping[str, Any], pmej: Mapping[str, Any]) -> list[str]:
        adresse = _adresse(pmej)
        champs = [""] * 23
        champs[0:5] = [
            "structureej", ej, _texte(infos, "denominationpm"), _texte(infos, "denominationlonguepmsmsse"),
            _texte(infos, "complementadressepmsmsse"),
        ]  # fmt: skip
        distribution, *voie, lieu_dit = _voie(adresse)
        champs[5:11] = [*voie, distribution, lieu_dit]
        champs[13], champs[11] = _commune(adresse)
        champs[12] = _acheminement(adresse)
        champs[15] = _telephone(pmej)
        champs[16], champs[20] = _texte(infos, "statutjuridique"), _texte(infos, "siren")
        champs[22] = _jour(infos, "datecreation")
        return champs


def _etat(objet: Mapping[str, Any], infos: Mapping[str, Any]) -> list[str]:
    """(state: « I » inactive, day of the closing): TRE_R386."""
    return [_texte(objet, "etatobjet") or _texte(infos, "etatobjet"), _jour(infos, "datefermeture")]


def _adresse(objet: Mapping[str, Any]) -> Mapping[str, Any]:
    adresses = [_bas(a) for a in _liste(objet, "adresse")]
    return next((a for a in adresses if _texte(a, "cogcommune")), adresses[0] if adresses else {})


def _voie(adresse: Mapping[str, Any]) -> list[str]:
    """Complement, number, kind and name of the street, index, lieu-dit: as the columns of the historic file."""
    return [
        _texte(adresse, nom)
        for nom in ("complementpointgeographique", "numerovoie", "typevoie", "libellevoie", "complementvoie", "lieudit")
    ]


def _commune(adresse: Mapping[str, Any]) -> tuple[str, str]:
    """(département, three last characters) of an INSEE code."""
    code = _texte(adresse, "cogcommune")
    return (code[:3] if code.startswith(("97", "98")) else code[:2]), code[2:]


def _acheminement(adresse: Mapping[str, Any]) -> str:
    postal, ligne = _texte(adresse, "codepostal"), _texte(adresse, "ligneacheminement")
    return ligne if ligne.startswith(postal) else f"{postal} {ligne}".strip()


def _telephone(objet: Mapping[str, Any]) -> str:
    for contact in _liste(objet, "contact"):
        numero = _texte(_bas(_bas(contact).get("telecom")), "telephone")
        if numero:
            return numero.replace(" ", "").replace(".", "")
    return ""


def _position(adresse: Mapping[str, Any]) -> list[str]:
    """x, y, source and day as in a « geolocalisation » row. Degrees are in « direction… », sometimes in
    « coordonnee… », which else holds Lambert 93 metres, the northing being the one in millions."""
    lieu = _bas(adresse.get("coordonneesgeographique"))
    for x, y in (("directionlongitude", "directionlatitude"), ("coordonneex", "coordonneey")):
        lon, lat = _nombre(_texte(lieu, x)), _nombre(_texte(lieu, y))
        if lon is None or lat is None:
            continue
        if abs(lon) <= 180 and abs(lat) <= 90:
            return [str(lon), str(lat), "WGS84", ""]
        est, nord = sorted((lon, lat))
        if 0 < est < 1_300_000 and 6_000_000 < nord < 7_200_000:
            return [str(est), str(nord), "LAMBERT_93", ""]
    return []


def _nombre(texte: str) -> float | None:
    try:
        return float(texte) if len(texte) < 30 else None
    except ValueError:
        return None
