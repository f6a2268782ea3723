"""What an import did: counts, and a line for each thing refused or kept. Shown as text, written as JSON."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from ..champs import CHAMPS

LIGNES_MONTREES = 100


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
    fichier: str
    encodage: str = ""
    version: str = ""
    date: str = ""
    lignes: int = 0
    simulation: bool = False
    refus_fichier: str = ""
    ej_creees: int = 0
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
    secondes: float = 0.0

    @property
    def lignes_refusees(self) -> int:
        return len({r.ligne for r in self.refus if r.ligne_entiere})

    @property
    def modifications(self) -> int:
        return self.ej_creees + self.eg_crees + self.eg_modifies

    def en_json(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "changements": dict(self.changements),
            "refus": [r._asdict() for r in self.refus],
            "conserves": [c._asdict() for c in self.conserves],
            "lignes_refusees": self.lignes_refusees,
            "modifications": self.modifications,
        }

    def nombres(self) -> dict[str, int]:
        """What happens to how many, in words."""
        return {
            "entités juridiques créées": self.ej_creees,
            "établissements créés": self.eg_crees,
            "établissements modifiés": self.eg_modifies,
            "établissements inchangés": self.eg_inchanges,
            "lignes refusées": self.lignes_refusees,
            "lignes hors du périmètre": sum(self.ignores.values()),
        }

    def resume(self) -> Iterator[str]:
        """What the file is, and what is worth a remark in it."""
        yield f"FINESS du {self.date}, version {self.version}, {self.lignes} lignes, {self.encodage}."
        for raison, nombre in self.ignores.items():
            yield f"Lignes laissées de côté, {raison} : {nombre}."
        yield from self._constats()

    def phrases(self) -> Iterator[str]:
        """The report that the operator reads."""
        yield f"{self.fichier} : FINESS du {self.date}, version {self.version}, {self.lignes} lignes, {self.encodage}."
        yield f"Entités juridiques : {self.ej_creees} créées, {self.ej_inchangees} inchangées."
        yield (
            f"Établissements : {self.eg_crees} créés, {self.eg_modifies} modifiés, {self.eg_inchanges} inchangés, "
            f"{sum(self.ignores.values())} ignorés, {self.lignes_refusees} refusés."
        )
        for raison, nombre in self.ignores.items():
            yield f"  ignorés, {raison} : {nombre}"
        for nom, nombre in self.changements.most_common():
            yield f"  changé, {nom_du_champ(nom)} : {nombre}"
        yield from self._constats()
        yield from _liste("Refusé", [_phrase_refus(r) for r in sorted(self.refus)])
        yield from _liste("Conservé", [_phrase_conserve(c) for c in sorted(self.conserves)])
        fin = "Simulation : rien n’a été enregistré" if self.simulation else "Import terminé"
        yield f"{fin} ({self.secondes:.1f} s)."

    def _constats(self) -> Iterator[str]:
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


def _phrase_refus(r: Refus) -> str:
    portee = "ligne refusée" if r.ligne_entiere else "valeur refusée"
    return f"  ligne {r.ligne}, {r.finess[:20]}, {nom_du_champ(r.champ)} « {r.valeur[:60]} » : {r.raison} ({portee})"


def _phrase_conserve(c: Conserve) -> str:
    tete = f"  ligne {c.ligne}, {c.finess}, {nom_du_champ(c.champ)} « {c.repertoire[:60]} »"
    return f"{tete} : {c.raison} (fichier : « {c.fichier[:60]} »)"


def _liste(titre: str, phrases: list[str]) -> Iterator[str]:
    if phrases:
        yield f"{titre} :"
        yield from phrases[:LIGNES_MONTREES]
        if len(phrases) > LIGNES_MONTREES:
            yield f"  … et {len(phrases) - LIGNES_MONTREES} autres (liste complète avec --json)"
