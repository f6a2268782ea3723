"""What a person had typed, to show it back when her form could not be handled."""

import re
from collections.abc import Mapping

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, RawPostDataException

_SECRET = re.compile(
    r"csrf|pass|mot.?de.?passe|mdp|secret|token|jeton|otp|totp|code.?(unique|recup|secours|acces)", re.I
)
_SECRET_EXACT = re.compile(r"^(ancien|nouveau|confirmation)\d?$", re.I)  # the fields of the password page
_TECHNIQUE = re.compile(
    r"-present$|^(ouvert|garder|regler)_"
    r"|^(next|suite|version|jeton_de_version|etape|action|jour|vu|type_vu|revision|a_regler|retirer)$"
)
_LONGUEUR = 200_000  # characters shown back of one field


def _libelle(nom: str, libelles: Mapping[str, str]) -> str:
    if nom in libelles:
        return libelles[nom]
    racine, _, reste = nom.partition("-")
    mots = " ".join(filter(None, [libelles.get(racine, racine), reste])).replace("_", " ").replace("-", " ")
    return mots[:1].upper() + mots[1:]


def lignes(request: HttpRequest) -> list[tuple[str, str]]:
    """(label, value) of each field posted, files and secrets left out; empty for a GET.

    ``request.libelles_saisie`` ({name: label}), set by the view, gives the labels.
    """
    if request.method != "POST":
        return []
    try:
        donnees = request.POST
    except (RawPostDataException, OSError, BadRequest, SuspiciousOperation, ValueError):
        return []  # it could not be read the first time either
    libelles: Mapping[str, str] = getattr(request, "libelles_saisie", {})
    sensibles = getattr(request, "sensitive_post_parameters", ())
    if sensibles == "__ALL__":
        return []
    resultat: list[tuple[str, str]] = []
    total = 0
    for nom in donnees:
        if nom in sensibles or _SECRET.search(nom) or _SECRET_EXACT.search(nom) or _TECHNIQUE.search(nom):
            continue
        valeur = "\n".join(v for v in donnees.getlist(nom) if v.strip())
        if not valeur:
            continue
        total += len(valeur)
        if total > _LONGUEUR * 5:
            break
        resultat.append((_libelle(nom, libelles), valeur[:_LONGUEUR]))
    return resultat
