"""The registry of what can be notified. An app declares its types in its ``notifications.py``, found at start-up.

    from notifications.registre import TypeNotification, enregistrer

    @enregistrer
    class TacheCreee(TypeNotification):
        code = "tache_creee"
        libelle = "Nouvelle tâche"
        description = "À ceux qui peuvent faire la tâche, quand elle est créée."
        bouton = "Ouvrir la tâche"

and adds ``templates/notifications/tache_creee/{sujet.txt,corps.txt,corps.html}``; the two bodies extend
``notifications/courriel.txt`` and ``notifications/courriel.html`` (blocks ``titre`` and ``contenu``).
"""

from typing import ClassVar, TypeVar


class TypeNotification:
    """One kind of mail. ``code`` is stored in the database: it never changes."""

    code: ClassVar[str]
    libelle: ClassVar[str]
    description: ClassVar[str] = ""
    bouton: ClassVar[str] = "Ouvrir"  # words of the button that leads to ``lien``

    @classmethod
    def gabarit(cls, partie: str) -> str:
        """Template of one part: ``sujet.txt``, ``corps.txt`` or ``corps.html``."""
        return f"notifications/{cls.code}/{partie}"


T = TypeVar("T", bound=type[TypeNotification])
PARTIES = ("sujet.txt", "corps.txt", "corps.html")
_types: dict[str, type[TypeNotification]] = {}


def enregistrer(classe: T) -> T:
    """Class decorator. Two types with one code is a programming error."""
    connu = _types.setdefault(classe.code, classe)
    if (connu.__module__, connu.__qualname__) != (classe.__module__, classe.__qualname__):
        raise ValueError(f"Two notification types share the code {classe.code!r}.")
    return classe


def types() -> list[type[TypeNotification]]:
    """Every registered type, by label."""
    return sorted(_types.values(), key=lambda t: t.libelle)


def libelle_de(code: str) -> str:
    """The label of a code; a code that no longer has a class shows itself."""
    connu = _types.get(code)
    return connu.libelle if connu else code
