"""Forms of the register. ``FicheForm``: the content of a fiche; ``DateEffetForm``: from when its change is true."""

from .effet import DateEffetForm
from .fiche import FicheDirecteForm, FicheForm
from .groupes import Groupe, SectionForm

__all__ = ["DateEffetForm", "FicheDirecteForm", "FicheForm", "Groupe", "SectionForm"]
