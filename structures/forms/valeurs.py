"""Between a state of a fiche and what its form fields hold (structures/domaine/patches.py has the shapes). Pure."""

import json
from collections.abc import Iterable, Mapping
from hashlib import blake2s
from typing import Any

from ..champs import Champ, Genre
from ..domaine.valider import RESTREINT, TRES_RESTREINT


def initiale(champ: Champ, contenu: Any) -> Any:
    """What the field shows at first for this value of the fiche."""
    match champ.genre:
        case Genre.BOOLEEN:
            return "oui" if contenu else "non"
        case Genre.CODES | Genre.COMMUNES | Genre.AUTORITES:
            return sorted(contenu)
        case Genre.TEXTES:
            return "\n".join(sorted(contenu))
        case Genre.COMMUNE:
            return [contenu] if contenu else []
        case Genre.CAPACITES:
            return [{**element, "id": cle} for cle, element in sorted(contenu.items())]
        case Genre.CONTACTS:
            return [{**_complet(contact), "id": cle} for cle, contact in sorted(contenu.items())]
    return contenu


def saisie(champ: Champ, brut: Any, avant: Any) -> Any:
    """The value typed, from a cleaned one; ``avant``, the very value that the fiche holds, when nothing changed."""
    match champ.genre:
        case Genre.TEXTE | Genre.TEXTE_LONG:
            return avant if _texte(brut) == _texte(avant) else _texte(brut)
        case Genre.BOOLEEN:
            return brut == "oui" if brut else avant
        case Genre.DATE:
            return brut.isoformat() if brut else None
        case Genre.COMMUNE:
            return brut[0] if brut else ""
        case Genre.CODES | Genre.COMMUNES | Genre.AUTORITES:
            return frozenset(brut)
        case Genre.TEXTES:
            return frozenset(ligne for x in brut.splitlines() if (ligne := x.strip()))
        case Genre.CAPACITES:
            return _capacites(brut, avant)
        case Genre.CONTACTS:
            return _contacts(brut, avant)
    return brut


def _texte(brut: Any) -> str:
    return str(brut or "").replace("\r\n", "\n").replace("\r", "\n").strip()


def _capacites(lignes: Iterable[Mapping[str, Any]], avant: Mapping[str, Any]) -> dict[str, Any]:
    """Capacities by their key: the one they had, else « nature-statut »."""
    apres: dict[str, Any] = {}
    for ligne in lignes:
        element = {nom: ligne[nom] for nom in ("nature", "statut", "nombre")}
        cle = ligne.get("id", "")
        if cle not in avant or cle in apres:
            cle = f"{element['nature']}-{element['statut']}"
        apres[cle] = {**avant.get(cle, {}), **element}
    return apres


def _contacts(lignes: Iterable[Mapping[str, Any]], avant: Mapping[str, Any]) -> dict[str, Any]:
    """Contacts by their key; a new one gets its own, the same when the form is sent twice. One that was not touched
    keeps its very content."""
    apres: dict[str, Any] = {}
    for ligne in lignes:
        element = {nom: contenu for nom, contenu in ligne.items() if nom != "id"}
        cle = ligne.get("id", "")
        if cle not in avant or cle in apres:
            cle = _nouvelle_cle(element)
            while cle in avant or cle in apres:
                cle = _nouvelle_cle(cle)
        ancien = avant.get(cle, {})
        apres[cle] = ancien if ancien and _complet(ancien) == element else {**ancien, **element}
    return apres


def _nouvelle_cle(contenu: Any) -> str:
    return blake2s(json.dumps(contenu, sort_keys=True).encode(), digest_size=6).hexdigest()


def _complet(contact: Mapping[str, Any]) -> dict[str, Any]:
    """A contact with every key of the form; a telecom that says nothing is as confidential as its contact."""
    niveau = contact.get("confidentialite") or RESTREINT
    return {
        **{nom: contact.get(nom, "") for nom in ("nature", "nom", "fonction")},
        "confidentialite": niveau,
        "telecoms": [
            {
                "canal": t.get("canal", ""),
                "valeur": t.get("valeur", ""),
                "confidentialite": t.get("confidentialite") or niveau,
            }
            for t in contact.get("telecoms", ())
        ],
    }


def tres_restreint(contact: Mapping[str, Any]) -> dict[str, Any]:
    """The contact of a sensitive unit, its telecoms with it (domain.md §3)."""
    telecoms = [{**t, "confidentialite": TRES_RESTREINT} for t in contact.get("telecoms", ())]
    durci = {**contact, "confidentialite": TRES_RESTREINT}
    return {**durci, "telecoms": telecoms} if "telecoms" in contact else durci
