"""From a row of the file to the row of the staging table, with what is refused on the way."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date
from hashlib import md5
from typing import Any, NamedTuple

from ..champs import CHAMPS
from ..enums import Niveau
from .controles import depuis_lambert93, finess_valide, lire_date, siren_valide, siret_valide
from .lecture import Enregistrement
from .rapport import Refus
from .sources import Source

# Columns of a « structureet » row, and the words of the report for those that can be refused.
_ET, _EJ, _RS, _RS_LONGUE, _COMPL_RS, _COMPL_DISTRIB, _NUM, _TYPE, _VOIE, _COMPL_NUM, _LIEU_DIT = range(1, 12)
_COMMUNE, _DEPARTEMENT, _ACHEMINEMENT, _TELEPHONE, _CATEGORIE, _SIRET, _MFT, _SPH, _OUVERTURE = (
    12, 13, 15, 16, 18, 22, 24, 26, 28,
)  # fmt: skip

# Where the columns of a « structureej » row go in a « structureet » one; the other ones have their own fields.
_DEPUIS_EJ = {
    1: _ET, 2: _RS, 3: _RS_LONGUE, 4: _COMPL_RS, 5: _NUM, 6: _TYPE, 7: _VOIE, 8: _COMPL_NUM, 9: _COMPL_DISTRIB,
    10: _LIEU_DIT, 11: _COMMUNE, 12: _ACHEMINEMENT, 13: _DEPARTEMENT, 15: _TELEPHONE, 22: _OUVERTURE,
}  # fmt: skip
_STATUT_EJ, _SIREN_EJ, _ETAT_EJ, _ETAT = 16, 20, 23, 32
_INACTIF = "I"  # TRE_R386

# FINESS writes the overseas départements 9A to 9F; the commune's three digits already hold the third one.
_OUTRE_MER = {"9A": "971", "9B": "972", "9C": "973", "9D": "974", "9E": "975", "9F": "976"}

# Dates that FINESS puts where the opening is not known.
_OUVERTURES_FICTIVES = frozenset({date(1900, 1, 1), date(1901, 1, 1), date(1904, 4, 4)})
_PREMIERE_OUVERTURE = date(1600, 1, 1)

_ACHEMINEMENT_FORME = re.compile(r"([0-9]{5}) +\S.*")
_TELEPHONE_FORME = re.compile(r"\+?[0-9][0-9 .()-]{3,18}")
_INDICES = {"B": "BIS", "T": "TER", "Q": "QUATER"}
_VOIES = {  # TRE_R35
    "ALL": "ALLÉE", "AV": "AVENUE", "BD": "BOULEVARD", "CAR": "CARREFOUR", "CHE": "CHEMIN", "CHS": "CHAUSSÉE",
    "CITE": "CITÉ", "COR": "CORNICHE", "CRS": "COURS", "DOM": "DOMAINE", "ESP": "ESPLANADE", "FG": "FAUBOURG",
    "GR": "GRANDE RUE", "HAM": "HAMEAU", "HLE": "HALLE", "IMP": "IMPASSE", "LD": "LIEU-DIT", "LOT": "LOTISSEMENT",
    "MAR": "MARCHÉ", "MTE": "MONTÉE", "PAS": "PASSAGE", "PL": "PLACE", "PROM": "PROMENADE", "PRV": "PARVIS",
    "QU": "QUAI", "QUA": "QUARTIER", "R": "RUE", "RES": "RÉSIDENCE", "RLE": "RUELLE", "ROC": "ROCADE",
    "RPT": "ROND-POINT", "RTE": "ROUTE", "SEN": "SENTIER", "SQ": "SQUARE", "TRA": "TRAVERSE", "VLA": "VILLA",
    "VLGE": "VILLAGE",
}  # fmt: skip

_LONGUEURS = {nom: CHAMPS[nom].longueur for nom in ("nom", "adresse_voie", "adresse_complement")}


class Ligne(NamedTuple):
    """A row of ``finess_ligne``; None stands for what the file leaves empty or what was refused."""

    ligne: int
    empreinte: str
    niveau: str
    finess: str
    ej: str
    categorie: str
    sort: str | None  # why it goes no further: « categorie », « region », « refuse », « clos »
    jour: date | None  # from when it exists, when its opening date is plausible
    nom: str | None
    siret: str | None = None
    participation_sph: str | None = None
    mode_tarification: str | None = None
    adresse_voie: str | None = None
    adresse_complement: str | None = None
    code_postal: str | None = None
    commune: str | None = None
    telephone: str | None = None
    date_ouverture: str | None = None
    siren: str | None = None
    statut_juridique: str | None = None
    clos_le: date | None = None


class Position(NamedTuple):
    """A row of ``finess_position``."""

    ligne: int
    finess: str
    longitude: float | None
    latitude: float | None


@dataclass
class Releve:
    """Turns rows into staging rows. ``categories`` and ``departements`` bound what is followed (None: all)."""

    lecture: Source
    categories: Collection[str]
    departements: Collection[str] | None
    refuser: Callable[[Refus], None]
    ouvertures_fictives: int = 0
    sans_commune: int = 0
    projections_ignorees: dict[str, int] = field(default_factory=dict)

    def ligne(self, enregistrement: Enregistrement) -> Ligne:
        """An establishment, or a legal entity."""
        numero, c = enregistrement
        empreinte = md5("\x1f".join(c).encode(), usedforsecurity=False).hexdigest()
        if c[0] == "structureej":
            return self._entite(numero, c, empreinte)
        base: dict[str, Any] = {
            "ligne": numero, "empreinte": empreinte, "niveau": Niveau.EG.value, "finess": c[_ET], "ej": c[_EJ],
            "categorie": c[_CATEGORIE],
        }  # fmt: skip
        sort = self._hors_perimetre(c)
        if not sort and c[_ETAT : _ETAT + 1] == [_INACTIF]:
            return Ligne(**base, sort="clos", jour=None, nom=c[_RS_LONGUE] or c[_RS], clos_le=lire_date(c[_ETAT + 1]))
        sort = sort or self._refus_de_ligne(numero, c)
        if sort:
            return Ligne(**base, sort=sort, jour=None, nom=None)
        return Ligne(
            **base,
            **self._communs(numero, c),
            sort=None,
            siret=self._controle(
                numero, c, _SIRET, "siret", siret_valide, "clé de contrôle fausse ou longueur anormale"
            ),
            participation_sph=c[_SPH] or None,
            mode_tarification=c[_MFT] or None,
        )

    def _entite(self, numero: int, brut: list[str], empreinte: str) -> Ligne:
        c = [""] * _ETAT
        for depuis, vers in _DEPUIS_EJ.items():
            c[vers] = brut[depuis]
        base: dict[str, Any] = {
            "ligne": numero, "empreinte": empreinte, "niveau": Niveau.EJ.value, "finess": c[_ET], "ej": "",
            "categorie": "",
        }  # fmt: skip
        if brut[_ETAT_EJ : _ETAT_EJ + 1] == [_INACTIF]:
            clos_le = lire_date(brut[_ETAT_EJ + 1])
            return Ligne(**base, sort="clos", jour=None, nom=c[_RS_LONGUE] or c[_RS], clos_le=clos_le)
        sort = self._refus_de_ligne(numero, c, ej=True)
        if sort:
            return Ligne(**base, sort=sort, jour=None, nom=None)
        siren = brut[_SIREN_EJ]
        if siren and not siren_valide(siren):
            self.refuser(Refus(numero, c[_ET], "siren", siren, "clé de contrôle fausse ou longueur anormale"))
            siren = ""
        return Ligne(
            **base, **self._communs(numero, c), sort=None, siren=siren or None,
            statut_juridique=brut[_STATUT_EJ] or None,
        )  # fmt: skip

    def _communs(self, numero: int, c: list[str]) -> dict[str, Any]:
        ouverture = self._ouverture(numero, c)
        return {
            "jour": ouverture if ouverture and ouverture <= self.lecture.date else None,
            "nom": c[_RS_LONGUE] or c[_RS],
            "adresse_voie": self._borne(numero, c, "adresse_voie", _voie(c)),
            "adresse_complement": self._borne(numero, c, "adresse_complement", _complement(c)),
            "code_postal": self._code_postal(numero, c),
            "commune": self._commune(c),
            "telephone": self._controle(
                numero, c, _TELEPHONE, "telephone", lambda t: bool(_TELEPHONE_FORME.fullmatch(t)), "numéro illisible"
            ),
            "date_ouverture": ouverture.isoformat() if ouverture else None,
        }

    def _hors_perimetre(self, c: list[str]) -> str | None:
        if c[_CATEGORIE] not in self.categories:
            return "categorie"
        if self.departements is not None and departement(c[_DEPARTEMENT]) not in self.departements:
            return "region"
        return None

    def _refus_de_ligne(self, numero: int, c: list[str], *, ej: bool = False) -> str | None:
        cause = None
        if not finess_valide(c[_ET]):
            cause = ("finess", c[_ET], "numéro FINESS invalide (forme ou clé de contrôle)")
        elif not ej and not finess_valide(c[_EJ]):
            cause = ("parent", c[_EJ], "numéro FINESS de l’entité juridique invalide (forme ou clé de contrôle)")
        elif c[_ET] == c[_EJ]:
            cause = ("parent", c[_EJ], "l’établissement et son entité juridique portent le même numéro")
        elif not (c[_RS_LONGUE] or c[_RS]):
            cause = ("nom", "", "elle n’a pas de nom" if ej else "l’établissement n’a pas de nom")
        elif len(c[_RS_LONGUE] or c[_RS]) > _LONGUEURS["nom"]:
            cause = ("nom", c[_RS], f"le nom dépasse {_LONGUEURS['nom']} caractères")
        if cause is None:
            return None
        self.refuser(Refus(numero, c[_ET], *cause, ligne_entiere=True))
        return "refuse"

    def _controle(
        self, numero: int, c: list[str], rang: int, champ: str, valide: Callable[[str], bool], raison: str
    ) -> str | None:
        if not c[rang] or valide(c[rang]):
            return c[rang] or None
        self.refuser(Refus(numero, c[_ET], champ, c[rang], raison))
        return None

    def _borne(self, numero: int, c: list[str], champ: str, texte: str) -> str | None:
        if len(texte) <= _LONGUEURS[champ]:
            return texte or None
        self.refuser(Refus(numero, c[_ET], champ, texte, f"plus de {_LONGUEURS[champ]} caractères"))
        return None

    def _code_postal(self, numero: int, c: list[str]) -> str | None:
        forme = _ACHEMINEMENT_FORME.fullmatch(c[_ACHEMINEMENT])
        if c[_ACHEMINEMENT] and not forme:
            raison = "un code postal de cinq chiffres suivi du nom de la commune est attendu"
            self.refuser(Refus(numero, c[_ET], "code_postal", c[_ACHEMINEMENT], raison))
        return forme[1] if forme else None

    def _commune(self, c: list[str]) -> str | None:
        if not c[_COMMUNE]:
            self.sans_commune += 1
            return None
        return departement(c[_DEPARTEMENT])[:2] + c[_COMMUNE].zfill(3)

    def _ouverture(self, numero: int, c: list[str]) -> date | None:
        if not c[_OUVERTURE]:
            return None
        jour = lire_date(c[_OUVERTURE])
        if jour is None or jour < _PREMIERE_OUVERTURE:
            raison = "date d’ouverture invraisemblable" if jour else "ce n’est pas une date AAAA-MM-JJ"
            self.refuser(Refus(numero, c[_ET], "date_ouverture", c[_OUVERTURE], raison))
            return None
        if jour in _OUVERTURES_FICTIVES:
            self.ouvertures_fictives += 1
            return None
        return jour

    def position(self, enregistrement: Enregistrement) -> Position:
        """The projection is the last word of the declared source: WGS84, LAMBERT_93, UTM_N20…"""
        numero, c = enregistrement
        projection = c[4].rsplit(",", 1)[-1].strip().upper() or "non déclarée"
        if projection not in ("WGS84", "LAMBERT_93"):
            self.projections_ignorees[projection] = self.projections_ignorees.get(projection, 0) + 1
            return Position(numero, c[1], None, None)
        try:
            x, y = float(c[2]), float(c[3])
            lon, lat = depuis_lambert93(x, y) if projection == "LAMBERT_93" else (x, y)
            if not (-180 <= lon <= 180 and -90 <= lat <= 90):
                raise ValueError
        except (ValueError, OverflowError):
            self.refuser(Refus(numero, c[1], "latitude", f"{c[2]};{c[3]}", "coordonnées illisibles"))
            return Position(numero, c[1], None, None)
        return Position(numero, c[1], round(lon, 7), round(lat, 7))  # a centimetre


def departement(code: str) -> str:
    return _OUTRE_MER.get(code, code)


def _voie(c: list[str]) -> str:
    numero = " ".join(mot for mot in (c[_NUM], _INDICES.get(c[_COMPL_NUM], c[_COMPL_NUM])) if mot)
    return " ".join(mot for mot in (numero, _VOIES.get(c[_TYPE], c[_TYPE]), c[_VOIE]) if mot)


def _complement(c: list[str]) -> str:
    return ", ".join(dict.fromkeys(mot for mot in (c[_COMPL_RS], c[_COMPL_DISTRIB], c[_LIEU_DIT]) if mot))
