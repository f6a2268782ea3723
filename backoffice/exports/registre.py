"""The registry of what can be exported: every list of the product, by the app that shows it.

    from backoffice.exports import registre
    registre.enregistrer("signalements", "Signalements", "structures.vues.signalements.exporter")

in ``AppConfig.ready()``, and ``<c-exporter nom="signalements" />`` beside the list. The function is imported when it is
first needed. It gets the reader and the parameters of the list's address; it refuses whoever may not see the list,
reads the same filters, and gives the rows of all its pages.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from django.http import QueryDict
from django.utils.module_loading import import_string

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Introuvable

from .fichiers import Ligne


class Contenu(NamedTuple):
    """``lignes``: read once, as they are written; the first names the columns. ``total()``: how many follow it, None
    when only reading them all would say. ``nom``: what the name of the file adds."""

    lignes: Iterable[Ligne]
    total: Callable[[], int] | None = None
    nom: str = ""


Ouvrir = Callable[[User, QueryDict], Contenu]


class Export(NamedTuple):
    """``nom`` is the word of its address, kept in the database with what was asked for."""

    nom: str
    titre: str
    chemin: str

    def ouvrir(self, user: User, choix: QueryDict) -> Contenu:
        """Refusals: those of the list, before the first row is read."""
        fonction: Ouvrir = import_string(self.chemin)
        return fonction(user, choix)


_exports: dict[str, Export] = {}


def enregistrer(nom: str, titre: str, chemin: str) -> None:
    _exports[nom] = Export(nom, titre, chemin)


def tous() -> list[Export]:
    """By name."""
    return sorted(_exports.values())


def trouver(nom: str) -> Export:
    if nom not in _exports:
        raise Introuvable("export_inconnu", "Cet export n’existe pas.")
    return _exports[nom]
