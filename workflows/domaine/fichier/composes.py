"""Values made of several parts in one cell: equipment, capacities, typical weeks, contacts. One text an element.

« Scanner [12] : 2 » · « Lit [01] / Installé [01] : 12 » · « Horaire d’ouverture [01] à partir du 05/01/2026 : lun
08:00-12:00 14:00-18:00, mar 08:00-12:00 » · « Accueil [05] ; Accès restreint [2] ; Téléphone fixe [2] : 01 23 45 67
89 » or « Nom / Fonction [01] ; … »; a telecom of another confidentiality than its contact says it in brackets.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from hashlib import blake2s
from typing import Any

from structures.champs import Champ, Genre
from structures.domaine.horaires import JOURS, cle, lire_cle
from structures.domaine.texte import normaliser

from .lexique import Illisible, Lexique, elements

ELEMENT_MAXIMAL = 2_000  # characters
_SEMAINE = re.compile(r"(.+?) à partir du (\d{1,2}/\d{1,2}/\d{4})\s*:(.*)", re.DOTALL)
_PLAGE = re.compile(r"(\d{1,2})[:hH](\d{2})\s*[-–]\s*(\d{1,2})[:hH](\d{2})")
_TELECOM = re.compile(r"(.+?) : (.+?)(?: \(([^()]+)\))?", re.DOTALL)
_JOURS = {normaliser(mot): str(rang) for rang, jour in enumerate(JOURS, 1) for mot in (jour, jour[:3])}
MODELES = {
    Genre.EQUIPEMENTS: "Scanner : 2",
    Genre.CAPACITES: "Lit / Installé : 12",
    Genre.HORAIRES: "Horaire d’ouverture à partir du 05/01/2026 : lun 08:00-12:00 14:00-18:00, mar 08:00-12:00",
    Genre.CONTACTS: "Nature (ou Nom / Fonction) ; Accès restreint ; Téléphone fixe : 01 23 45 67 89",
}


def ecrire(champ: Champ, contenu: Mapping[str, Any], lexique: Lexique) -> list[str]:
    """The texts of the elements."""
    return [_GENRES[champ.genre][0](champ, cle_, element, lexique) for cle_, element in contenu.items()]


def lire(champ: Champ, texte: str, avant: Mapping[str, Any], lexique: Lexique) -> dict[str, Any]:
    """The elements that a cell says; one that says what the fiche holds is that very one, under its key."""
    connus = {_GENRES[champ.genre][0](champ, c, e, lexique): (c, e) for c, e in avant.items()}
    apres: dict[str, Any] = {}
    for element in elements(texte):
        if len(element) > ELEMENT_MAXIMAL and element not in connus:
            raise Illisible(f"« {element[:80]} »… compte {len(element)} caractères ; {ELEMENT_MAXIMAL} au plus.")
        cle_, contenu = connus.get(element) or _GENRES[champ.genre][1](champ, element, avant, lexique)
        if cle_ in apres:
            raise Illisible(f"« {element[:80]} » est là deux fois.")
        apres[cle_] = contenu
    return apres


def entier(texte: str) -> int:
    chiffres = re.sub(r"\s", "", texte)
    if not (chiffres.isascii() and chiffres.isdecimal() and len(chiffres) < 10):
        raise Illisible(f"« {texte[:40]} » n’est pas un nombre entier positif.")
    return int(chiffres)


def jour(texte: str) -> str:
    """ISO, from « 31/03/2027 » or « 2027-03-31 »."""
    iso = "-".join(p.zfill(2) for p in reversed(texte.split("/"))) if "/" in texte else texte
    try:
        return date.fromisoformat(iso).isoformat()
    except ValueError:
        raise Illisible(f"« {texte[:40]} » n’est pas une date : écrivez 31/03/2027.") from None


def _refus(champ: Champ, texte: str) -> Illisible:
    return Illisible(f"« {texte[:80]} » : écrivez « {MODELES[champ.genre]} ».")


def _nombre_de(champ: Champ, texte: str) -> tuple[str, int]:
    quoi, _, combien = texte.rpartition(":")
    if not quoi.strip() or not combien.strip():
        raise _refus(champ, texte)
    return quoi.strip(), entier(combien.strip())


# -- equipment, capacities ---------------------------------------------------------------------------


def _dire_equipement(champ: Champ, code: str, nombre: int, lexique: Lexique) -> str:
    return f"{lexique.mot(champ.nomenclature, code)} : {nombre}"


def _lire_equipement(champ: Champ, texte: str, avant: Mapping[str, Any], lexique: Lexique) -> tuple[str, int]:
    quoi, combien = _nombre_de(champ, texte)
    return lexique.code(champ.nomenclature, quoi), combien


def _dire_capacite(champ: Champ, cle_: str, capacite: Mapping[str, Any], lexique: Lexique) -> str:
    nature, statut = lexique.mot("R329", capacite["nature"]), lexique.mot("R330", capacite["statut"])
    return f"{nature} / {statut} : {capacite['nombre']}"


def _lire_capacite(champ: Champ, texte: str, avant: Mapping[str, Any], lexique: Lexique) -> tuple[str, dict[str, Any]]:
    quoi, combien = _nombre_de(champ, texte)
    nature, barre, statut = quoi.rpartition(" / ")
    if not barre:
        raise _refus(champ, texte)
    element = {"nature": lexique.code("R329", nature.strip()), "statut": lexique.code("R330", statut.strip())}
    cles = {(c["nature"], c["statut"]): connue for connue, c in avant.items()}
    cle_ = cles.get((element["nature"], element["statut"]), f"{element['nature']}-{element['statut']}")
    return cle_, {**avant.get(cle_, {}), **element, "nombre": combien}


# -- typical weeks -----------------------------------------------------------------------------------


def _dire_semaine(champ: Champ, cle_: str, semaine: Mapping[str, Any], lexique: Lexique) -> str:
    genre, lundi = lire_cle(cle_)
    jours = [
        f"{JOURS[int(j) - 1][:3]} {' '.join('-'.join(plage) for plage in semaine[j])}"
        for j in sorted(semaine)
        if semaine[j]
    ]
    return f"{lexique.mot(champ.nomenclature, genre)} à partir du {lundi.strftime('%d/%m/%Y')} : {', '.join(jours)}"


def _lire_semaine(champ: Champ, texte: str, avant: Mapping[str, Any], lexique: Lexique) -> tuple[str, dict[str, Any]]:
    trouve = _SEMAINE.fullmatch(texte)
    if trouve is None:
        raise _refus(champ, texte)
    semaine: dict[str, list[list[str]]] = {}
    for morceau in filter(None, map(str.strip, trouve[3].split(","))):
        mot, _, plages = morceau.partition(" ")
        trouvees = [_PLAGE.fullmatch(p) for p in plages.split()]
        if normaliser(mot) not in _JOURS or not trouvees or not all(trouvees):
            raise _refus(champ, texte)
        semaine[_JOURS[normaliser(mot)]] = [
            [f"{int(p[1]):02d}:{p[2]}", f"{int(p[3]):02d}:{p[4]}"] for p in trouvees if p
        ]
    genre = lexique.code(champ.nomenclature, trouve[1].strip())
    return cle(genre, date.fromisoformat(jour(trouve[2]))), semaine


# -- contacts ----------------------------------------------------------------------------------------


def _dire_contact(champ: Champ, cle_: str, contact: Mapping[str, Any], lexique: Lexique) -> str:
    niveau = contact.get("confidentialite", "")
    nom, fonction = contact.get("nom", ""), contact.get("fonction", "")
    qui = (
        f"{nom} / {lexique.mot('R251', fonction)}"
        if nom or fonction
        else lexique.mot("R287", contact.get("nature", ""))
    )
    telecoms = []
    for telecom in contact.get("telecoms", ()):
        propre = telecom.get("confidentialite") or niveau
        suite = f" ({lexique.mot('R283', propre)})" if propre != niveau else ""
        telecoms.append(f"{lexique.mot('R200', telecom.get('canal', ''))} : {telecom.get('valeur', '')}{suite}")
    return " ; ".join([qui, lexique.mot("R283", niveau), *telecoms])


def _lire_contact(champ: Champ, texte: str, avant: Mapping[str, Any], lexique: Lexique) -> tuple[str, dict[str, Any]]:
    qui, *reste = [morceau.strip() for morceau in texte.split(" ; ")]
    if not reste:
        raise _refus(champ, texte)
    nom, barre, fonction = qui.partition(" / ")
    niveau = lexique.code("R283", reste[0])
    contact = {
        "nature": "" if barre else lexique.code("R287", qui),
        "nom": nom.strip() if barre else "",
        "fonction": lexique.code("R251", fonction.strip()) if barre else "",
        "confidentialite": niveau,
        "telecoms": [_telecom(champ, morceau, niveau, lexique) for morceau in reste[1:]],
    }
    # The same when the file is read twice, as for a contact typed in the form.
    return blake2s(texte.encode(), digest_size=6).hexdigest(), contact


def _telecom(champ: Champ, texte: str, niveau: str, lexique: Lexique) -> dict[str, str]:
    trouve = _TELECOM.fullmatch(texte)
    if trouve is None:
        raise _refus(champ, texte)
    return {
        "canal": lexique.code("R200", trouve[1].strip()),
        "valeur": trouve[2].strip(),
        "confidentialite": lexique.code("R283", trouve[3]) if trouve[3] else niveau,
    }


_GENRES: dict[Genre, tuple[Callable[..., str], Callable[..., tuple[str, Any]]]] = {
    Genre.EQUIPEMENTS: (_dire_equipement, _lire_equipement),
    Genre.CAPACITES: (_dire_capacite, _lire_capacite),
    Genre.HORAIRES: (_dire_semaine, _lire_semaine),
    Genre.CONTACTS: (_dire_contact, _lire_contact),
}
