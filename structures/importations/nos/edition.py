"""An issue of a nomenclature as a file gives it, and what is wrong with one."""

import re
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any, NamedTuple

from ...models import Concept
from ..lecture import FichierRefuse

LONGUEUR_CODE: int = Concept._meta.get_field("code").max_length  # type: ignore[assignment]
LONGUEUR_LIBELLE: int = Concept._meta.get_field("libelle").max_length  # type: ignore[assignment]

# « TRE_R211-ActiviteOperationnelle », « TRE-R211-… », « JDV_J55_CategorieEG_ROR »: the separators change.
_NOM = re.compile(r"(TRE|JDV|ASS)[_-]([A-Z][0-9]{2,3})[_-](\w[\w.-]*)", re.IGNORECASE)


class Etat(Enum):
    """What a file says of the life of a code; a value set, and some flat files, say nothing of it."""

    INCONNU = "inconnu"
    OUVERT = "ouvert"
    FERME = "ferme"


class ConceptLu(NamedTuple):
    """``fin`` is None for an open code, and for a closed one whose day the file does not give. ``lieu``: where."""

    code: str
    libelle: str
    lieu: str
    etat: Etat = Etat.INCONNU
    debut: date | None = None
    fin: date | None = None
    remplace_par: str = ""


@dataclass
class Edition:
    """A terminology, or what a value set (``jeu``) takes from one of them: ``systeme`` is the URL of its codes."""

    fichier: str
    nom: str
    jeu: bool
    systeme: str
    url: str
    oid: str
    version: str
    concepts: dict[str, ConceptLu] = field(default_factory=dict)
    repetes: list[str] = field(default_factory=list)
    trop_long: FichierRefuse | None = None  # a code that no column can hold; of no matter in a list that nobody uses

    @property
    def ror(self) -> bool:
        return self.nom.endswith("-ROR")

    def ajouter(self, concept: ConceptLu, faute: "Faute") -> None:
        """Refuses a code without a label, or that is there already otherwise; notes one that is too long."""
        if not concept.code or not concept.libelle:
            raise faute(concept.lieu, "un code et un libellé sont attendus")
        if len(concept.code) > LONGUEUR_CODE or len(concept.libelle) > LONGUEUR_LIBELLE:
            raison = f"{LONGUEUR_CODE} caractères au plus pour un code, {LONGUEUR_LIBELLE} pour un libellé"
            self.trop_long = self.trop_long or faute(concept.lieu, raison)
        premier = self.concepts.setdefault(concept.code, concept)
        if premier is concept:
            return
        if premier._replace(lieu="") != concept._replace(lieu=""):
            raise faute(concept.lieu, f"le code « {concept.code} » est déjà, avec un autre contenu, à {premier.lieu}")
        self.repetes.append(concept.code)


@dataclass(frozen=True, slots=True)
class Faute:
    """Makes the refusal of a file: ``faute("concept[3].code", "…")``."""

    fichier: str

    def __call__(self, lieu: str, raison: str) -> FichierRefuse:
        return FichierRefuse(f"{self.fichier}, {lieu} : {raison}." if lieu else f"{self.fichier} : {raison}.")


def nom_canonique(nom: str) -> str:
    """« JDV_J220_FonctionContact_ROR » → « JDV_J220-FonctionContact-ROR »: one name for all issues; "" for others."""
    forme = _NOM.search(nom)
    return f"{forme[1].upper()}_{forme[2].upper()}-{forme[3].replace('_', '-')}" if forme else ""


def numero_de(texte: str) -> str:
    """The national number (« R211 ») in a name or an address, "" when there is none."""
    forme = _NOM.search(texte)
    return forme[2].upper() if forme else ""


def sans_urn(oid: str) -> str:
    return oid.strip().removeprefix("urn:oid:")


def lire_jour(texte: Any) -> date | None:
    """The day of « 2019-07-05T12:00:00+01:00 », as it is written there. Raises ``ValueError``."""
    return date.fromisoformat(str(texte).strip()[:10]) if texte else None


def jour_de_version(version: str) -> date | None:
    """« 20230718120000 » → 2023-07-18; None when the version is not a date."""
    try:
        return date(int(version[:4]), int(version[4:6]), int(version[6:8]))
    except ValueError:
        return None


def texte_propre(valeur: Any) -> str:
    return " ".join(str(valeur).split()) if valeur is not None else ""
