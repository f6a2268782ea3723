"""How the fields of a fiche stand together on the screen."""

from dataclasses import dataclass, field
from typing import NamedTuple

from django.forms.boundfield import BoundField


class Groupe(NamedTuple):
    """Fields shown together, with the title of their fieldset ("" for a single field). ``replie``: folded at first."""

    titre: str
    champs: list[BoundField]
    cote_a_cote: bool = False
    replie: bool = False


@dataclass(slots=True)
class SectionForm:
    code: str
    titre: str
    groupes: list[Groupe] = field(default_factory=list)

    @property
    def en_erreur(self) -> bool:
        return any(c.errors for g in self.groupes for c in g.champs)
