"""How far an import is, told while its one transaction runs, and the wish to stop it, heard meanwhile."""

from collections.abc import Iterable, Iterator, Mapping
from time import monotonic
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections

from backoffice.comptes.models import User

PAUSE = 0.5  # seconds between two words on the progress

T = TypeVar("T")


class ImportArrete(Exception):
    """Somebody asked the import to stop: its transaction is undone."""


class Suivi:
    """Given to a genre for one run. ``options`` are those of the deposit, ``acteur`` who asked for the run.

    What it writes goes through a connection of its own in autocommit: everybody sees it at once, and it outlives the
    import's transaction when that is undone. The import itself doesn't touch this row before its end.
    """

    def __init__(
        self, numero: int | None = None, *, acteur: User | None = None, options: Mapping[str, Any] | None = None
    ) -> None:
        self.numero, self.acteur, self.options = numero, acteur, dict(options or {})
        self._connexion: Any = None
        self._dit_le = 0.0

    def etape(self, texte: str, total: int = 0) -> None:
        """A new step, in words; ``total`` when one knows how many things it has to do."""
        self._dire("etape = %s, fait = 0, total = %s", [texte[:100], total])

    def avancer(self, fait: int) -> None:
        """So many things done of the step. Cheap: call it for each of them. Raises ``ImportArrete``."""
        if monotonic() - self._dit_le >= PAUSE:
            self._dire("fait = %s", [fait])

    def parcourir(self, choses: Iterable[T], texte: str, total: int = 0) -> Iterator[T]:
        """The things, counted as they go by."""
        self.etape(texte, total)
        for rang, chose in enumerate(choses):
            self.avancer(rang)
            yield chose

    def fermer(self) -> None:
        if self._connexion is not None:
            self._connexion.close()
            self._connexion = None

    def _dire(self, quoi: str, valeurs: list[Any]) -> None:
        if self.numero is None:
            return
        if self._connexion is None:
            self._connexion = connections.create_connection(DEFAULT_DB_ALIAS)
        with self._connexion.cursor() as curseur:
            curseur.execute(
                f"UPDATE structures_importation SET {quoi} WHERE id = %s RETURNING annulation_le",  # noqa: S608
                [*valeurs, self.numero],
            )
            lue = curseur.fetchone()
        self._dit_le = monotonic()
        if lue and lue[0]:
            raise ImportArrete
