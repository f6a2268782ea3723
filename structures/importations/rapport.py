"""What a FINESS file did: counts, and a line for each thing refused or kept."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from backoffice.socle.mots import date_longue

from ..champs import CHAMPS


class Refus(NamedTuple):
    """Something of the file that is not imported: one value, or the whole line."""

    ligne: int
    finess: str
    champ: str
    valeur: str
    raison: str
    ligne_entiere: bool = False


class Conserve(NamedTuple):
    """A value of the register that is more recent than the file, and stays."""

    ligne: int
    finess: str
    champ: str
    fichier: str
    repertoire: str
    raison: str


@dataclass
class Rapport:
    encodage: str = ""
    version: str = ""
    date: str = ""
    lignes: int = 0
    ej_creees: int = 0
    ej_sans_nom: int = 0
    ej_modifiees: int = 0
    ej_inchangees: int = 0
    eg_crees: int = 0
    eg_modifies: int = 0
    eg_inchanges: int = 0
    eg_fermes: int = 0
    ignores: dict[str, int] = field(default_factory=dict)
    absents: int = 0
    doublons: list[int] = field(default_factory=list)
    changements: Counter[str] = field(default_factory=Counter)
    refus: list[Refus] = field(default_factory=list)
    conserves: list[Conserve] = field(default_factory=list)
    remarques: list[str] = field(default_factory=list)

    @property
    def lignes_refusees(self) -> int:
        return len({r.ligne for r in self.refus if r.ligne_entiere})

    @property
    def modifications(self) -> int:
        return self.ej_creees + self.ej_modifiees + self.eg_crees + self.eg_modifies

    def nombres(self) -> dict[str, int]:
        """What happens to how many, in words."""
        return {
            "lignes lues": self.lignes,
            "entités juridiques créées": self.ej_creees,
            "entités juridiques modifiées": self.ej_modifiees,
            "établissements créés": self.eg_crees,
            "établissements modifiés": self.eg_modifies,
            "établissements inchangés": self.eg_inchanges,
            "lignes refusées": self.lignes_refusees,
            "valeurs refusées": sum(not r.ligne_entiere for r in self.refus),
            "lignes hors du périmètre": sum(self.ignores.values()),
        }

    def resume(self) -> Iterator[str]:
        """What the file is, and what is worth a remark in it."""
        yield f"FINESS du {date_longue(self.date)}, version {self.version}, {self.lignes} lignes, {self.encodage}."
        for raison, nombre in self.ignores.items():
            yield f"Lignes laissées de côté, {raison} : {nombre}."
        yield from self._constats()

    def _constats(self) -> Iterator[str]:
        if self.ej_sans_nom:
            yield (
                f"Entités juridiques que ce fichier ne nomme pas, créées sous un nom d’attente, qui sera publié : "
                f"{self.ej_sans_nom}. Importez ensuite le fichier des entités juridiques (cs1100501), qui les nomme."
            )
        if self.eg_fermes:
            yield f"Fermés dans le répertoire et laissés tels : {self.eg_fermes}."
        if self.absents:
            yield f"Absents du fichier et laissés tels dans le répertoire : {self.absents}."
        if self.doublons:
            nombre, premiere = len(self.doublons), self.doublons[0]
            yield f"Lignes répétées à l’identique, lues une fois : {nombre} (première : ligne {premiere})."
        yield from self.remarques


def nom_du_champ(nom: str) -> str:
    return CHAMPS[nom].libelle if nom in CHAMPS else nom
