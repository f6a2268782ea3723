"""The registry behind the header: apps declare their entries in ``AppConfig.ready()``.

    from backoffice.socle import menu
    menu.enregistrer(menu.EntreeMenu(30, "Dossiers collaboratifs", "dossiers", visible=regles.peut_voir))
    menu.enregistrer(menu.EntreeMenu(40, "Tâches", "taches", compteur=requetes.nombre_taches))

An entry whose address does not resolve is left out. Registering the same address name again replaces the entry.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse


def _toujours(user: Any) -> bool:
    return True


@dataclass(frozen=True)
class EntreeMenu:
    """``visible(user)`` decides who sees it; ``compteur(user)`` gives the number beside the word (None or 0: none).

    ``actif_aussi``: other path prefixes under which the entry is the current one.
    """

    ordre: int
    libelle: str
    nom_url: str
    visible: Callable[[Any], bool] = _toujours
    compteur: Callable[[Any], int | None] | None = None
    actif_aussi: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class DescriptionCompte:
    """What the account menu says under the identifier: « Référent · Hôpital TEST »."""

    role: str = ""
    etablissement: str = ""


@dataclass(frozen=True)
class LienCompte:
    ordre: int
    libelle: str
    nom_url: str
    visible: Callable[[Any], bool] = _toujours


_entrees: dict[str, EntreeMenu] = {}
_liens_compte: dict[str, LienCompte] = {
    "mot_de_passe": LienCompte(90, "Changer de mot de passe", "mot_de_passe"),
}
_description: Callable[[Any], DescriptionCompte] | None = None

# Named addresses that the shell uses when they exist.
NOM_URL_ACCUEIL = "accueil"
NOM_URL_RECHERCHE = "repertoire"
NOM_URL_CONNEXION = "connexion"
NOM_URL_DECONNEXION = "deconnexion"
NOM_URL_ACCESSIBILITE = "accessibilite"
NOM_URL_AIDE = "ou_modifier"


def enregistrer(entree: EntreeMenu) -> None:
    _entrees[entree.nom_url] = entree


def enregistrer_lien_compte(lien: LienCompte) -> None:
    """One more line in the account menu, above « Se déconnecter »."""
    _liens_compte[lien.nom_url] = lien


def enregistrer_description_compte(description: Callable[[Any], DescriptionCompte]) -> None:
    """The hook that tells the acting role and the establishment of a user."""
    global _description
    _description = description


def description_compte(user: Any) -> DescriptionCompte:
    return _description(user) if _description else DescriptionCompte()


def adresse(nom_url: str) -> str:
    """The address of a name, empty when no app declares it."""
    try:
        return reverse(nom_url)
    except NoReverseMatch:
        return ""


def _est_actif(chemin: str, url: str, prefixes: tuple[str, ...]) -> bool:
    if url == "/":
        return chemin == "/" or any(chemin.startswith(p) for p in prefixes)
    return any(chemin.startswith(p) for p in (url, *prefixes))


def _ligne(entree: EntreeMenu, user: Any, chemin: str) -> dict[str, Any] | None:
    url = adresse(entree.nom_url)
    if not url or not entree.visible(user):
        return None
    return {
        "libelle": entree.libelle,
        "url": url,
        "compteur": (entree.compteur(user) or 0) if entree.compteur else 0,
        "actif": _est_actif(chemin, url, entree.actif_aussi),
    }


def entrees_pour(request: HttpRequest) -> list[dict[str, Any]]:
    """Entries of this person in order: ``libelle, url, compteur, actif``."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    lignes = (_ligne(e, user, request.path) for e in sorted(_entrees.values(), key=lambda e: (e.ordre, e.libelle)))
    return [ligne for ligne in lignes if ligne]


def liens_compte_pour(request: HttpRequest) -> list[dict[str, str]]:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    liens = sorted(_liens_compte.values(), key=lambda lien: (lien.ordre, lien.libelle))
    return [
        {"libelle": lien.libelle, "url": url} for lien in liens if (url := adresse(lien.nom_url)) and lien.visible(user)
    ]
