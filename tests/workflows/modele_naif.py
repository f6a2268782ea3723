"""A dossier as a few dictionaries: what test_machine_a_etats.py holds the real one against. Knows no code of ours.

``registre``: what is published, by fiche. ``voulu``: what the dossier wants of each fiche that it touches. Content is
three things: ``parent``, one text, one set of codes.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

DESSUS = {"P": "EG", "S": "P", "UF": "S", "UO": "UF"}
DESSOUS = {haut: bas for bas, haut in DESSUS.items()}
CHAMPS = ("parent", "texte")


@dataclass
class Voulu:
    """``valeurs`` and ``codes`` (True: added): the change. ``base``: what the register said when it was decided.
    ``jeton``: which gesture made it so; gestures and changes of the register are counted together."""

    valeurs: dict[str, Any] = field(default_factory=dict)
    base: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, bool] = field(default_factory=dict)
    existe: bool | None = None
    nom: str = ""
    complet: bool = True
    finalise: bool = False
    jeton: int = 0

    @property
    def vide(self) -> bool:
        return not self.valeurs and not self.codes and self.existe is None


class Modele:
    def __init__(self, racine: int, niveaux: dict[int, str], registre: dict[int, dict[str, Any]]) -> None:
        self.racine, self.niveaux = racine, dict(niveaux)
        self.registre = deepcopy(registre)
        self.voulu: dict[int, Voulu] = {}
        self.heure = 0
        self.changee_au: dict[int, int] = {}  # by fiche, when the register last changed it
        self.gestes: dict[int, tuple[str, dict[int, Voulu | None], dict[int, int | None]]] = {}

    # -- reading -------------------------------------------------------------------------------------

    def presentes(self) -> list[int]:
        """Fiches of the tree, those that the dossier closes included."""
        return sorted({*self.registre, *(f for f, v in self.voulu.items() if v.existe)})

    def neuve(self, fiche: int) -> bool:
        return fiche not in self.registre

    def supprimee(self, fiche: int) -> bool:
        return fiche in self.voulu and self.voulu[fiche].existe is False

    def valeur(self, fiche: int, champ: str, voulu: Voulu | None = None) -> Any:
        voulu = voulu or self.voulu.get(fiche) or Voulu()
        return voulu.valeurs.get(champ, self.registre.get(fiche, {}).get(champ))

    def codes(self, fiche: int, voulu: Voulu | None = None) -> set[str]:
        voulu = voulu or self.voulu.get(fiche) or Voulu()
        codes = set(self.registre.get(fiche, {}).get("codes", ()))
        return (codes | {c for c, mis in voulu.codes.items() if mis}) - {c for c, mis in voulu.codes.items() if not mis}

    def parent(self, fiche: int) -> int:
        return self.valeur(fiche, "parent")

    def place(self, fiche: int) -> int:
        """Where it is shown: its published place, else the root, when its parent is gone."""
        ici = self.presentes()
        for parent in (self.parent(fiche), self.registre.get(fiche, {}).get("parent")):
            if parent in ici:
                return parent
        return self.racine

    def branche(self, fiche: int) -> list[int]:
        trouvees, ici = [fiche], self.presentes()
        for haut in trouvees:
            trouvees += [f for f in ici if f != self.racine and f not in trouvees and self.place(f) == haut]
        return trouvees

    def sans_place(self) -> set[int]:
        ici = self.presentes()
        return {
            f
            for f in ici
            if f != self.racine
            and not self.supprimee(f)
            and (
                self.parent(f) not in ici
                or self.supprimee(self.parent(f))
                or self.niveaux[self.parent(f)] != DESSUS[self.niveaux[f]]
            )
        }

    def conflits(self) -> set[tuple[int, str]]:
        return {
            (f, champ)
            for f, v in self.voulu.items()
            if v.existe is None and f in self.registre
            for champ, base in v.base.items()
            if self.registre[f][champ] not in (base, v.valeurs[champ])
        }

    def collisions(self) -> set[tuple[int, str]]:
        ici = self.presentes()
        fermees = {(f, "fiche_fermee") for f in self.voulu if f not in ici}
        places = {(f, "parent_supprime" if self.parent(f) in ici else "parent_ferme") for f in self.sans_place()}
        depuis = {
            (f, "changee_depuis_la_suppression")
            for f in ici
            if self.supprimee(f) and self.changee_au.get(f, 0) > self.voulu[f].jeton
        }
        return fermees | places | depuis

    def publie(self) -> dict[int, dict[str, Any]]:
        """What the register will say once the dossier is published."""
        return {
            f: {"parent": self.parent(f), "texte": self.valeur(f, "texte") or "", "codes": self.codes(f)}
            for f in self.presentes()
            if not self.supprimee(f)
        }

    # -- changing ------------------------------------------------------------------------------------

    def au_registre(self, fiche: int, **valeurs: Any) -> None:
        self.heure += 1
        self.changee_au[fiche] = self.heure
        if valeurs.get("existe") is False:
            del self.registre[fiche]
        else:
            self.registre.setdefault(fiche, {}).update(valeurs)

    def geste(self, qui: str, apres: dict[int, Voulu | None], *, force: bool = False) -> int | None:
        """Write what a gesture wants of these fiches; returns its number, None when it changed nothing."""
        changees = {}
        for fiche, nouveau in apres.items():
            ancien, nouveau = self.voulu.get(fiche), None if nouveau is None or nouveau.vide else nouveau
            if force or ancien != nouveau:
                changees[fiche] = nouveau
        if not changees:
            return None
        self.heure += 1
        avant = {fiche: self.voulu.get(fiche) for fiche in changees}
        for fiche, nouveau in changees.items():
            self.voulu.pop(fiche, None)
            if nouveau is not None:
                nouveau.jeton = self.heure
                self.voulu[fiche] = nouveau
        self.gestes[self.heure] = (qui, avant, {f: v.jeton if v else None for f, v in changees.items()})
        return self.heure

    def copie(self, fiche: int) -> Voulu:
        return deepcopy(self.voulu.get(fiche)) or Voulu()

    def poser(self, voulu: Voulu, fiche: int, champ: str, valeur: Any) -> None:
        """Want a value: nothing to want when the register has it."""
        voulu.valeurs[champ] = valeur
        if not self.neuve(fiche):
            voulu.base[champ] = self.registre[fiche][champ]
            if voulu.base[champ] == valeur:
                del voulu.valeurs[champ], voulu.base[champ]

    def poser_codes(self, voulu: Voulu, fiche: int, codes: set[str]) -> None:
        publies = set(self.registre.get(fiche, {}).get("codes", ()))
        voulu.codes = dict.fromkeys(codes - publies, True) | dict.fromkeys(publies - codes, False)

    def peut_defaire(self, numero: int) -> bool:
        _, _avant, apres = self.gestes[numero]
        if any((self.voulu[f].jeton if f in self.voulu else None) != jeton for f, jeton in apres.items()):
            return False
        egarees, essai = self.sans_place(), deepcopy(self)
        essai.defaire(numero)
        return not essai.sans_place() - egarees

    def defaire(self, numero: int) -> None:
        _, avant, _ = self.gestes.pop(numero)
        for fiche, ancien in avant.items():
            self.voulu.pop(fiche, None)
            if ancien is not None:
                self.voulu[fiche] = ancien
