"""An unknown variable in one of our templates fails the test. Templates of libraries (the admin's) are left alone."""

import sys
from pathlib import Path
from types import FrameType

import pytest

RACINE = Path(__file__).resolve().parent.parent


class VariableInconnue(str):
    """What Django puts in the place of a variable that it can't resolve: it asks for "%s", then formats."""

    def __bool__(self) -> bool:  # an empty string that Django nevertheless takes into account
        return True

    def __contains__(self, motif: object) -> bool:
        return motif == "%s"

    def __mod__(self, variable: object) -> str:
        gabarit = _gabarit(sys._getframe(1))
        if gabarit is None:
            return ""
        pytest.fail(f"Unknown variable {{{{ {variable} }}}} in {gabarit}")


def _gabarit(cadre: FrameType | None) -> str | None:
    """Our template that is being rendered, None when it is a library's."""
    while cadre is not None:
        origine = getattr(cadre.f_locals.get("self"), "origin", None)
        nom = getattr(origine, "name", None)
        if nom and cadre.f_code.co_name in ("render", "render_annotated"):
            chemin = Path(nom)
            nous = chemin.is_relative_to(RACINE) and "site-packages" not in chemin.parts
            return str(chemin.relative_to(RACINE)) if nous else None
        cadre = cadre.f_back
    return None
