"""The files of a year: the list of communes, the movements since 1943, or a zip of both.

A file is known by its columns. List: ``code, nom, departement…`` (the layout of structures/donnees and of the
etalab package) or ``TYPECOM, COM, LIBELLE…`` (``v_commune_AAAA.csv`` of the INSEE). Movements: ``MOD, DATE_EFF,
TYPECOM_AV, COM_AV, …, TYPECOM_AP, COM_AP, …`` (``v_mvt_commune_AAAA.csv``). Separated by « ; » or « , ».
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import NamedTuple

from ...domaine.cog import departement
from ..archive import Bornes, fichiers
from ..lecture import FichierRefuse, detecter_encodage
from ..suivi import Suivi

# The longest file of the INSEE has 5 million bytes; list and movements make 55,000 lines, the longest of 300 bytes.
BORNES = Bornes(extensions=(".csv",), fichiers=50, taille=8 << 20, total=32 << 20)
LIGNES_MAX = 120_000
LIGNE_MAX = 20_000  # bytes
COMMUNE, ARRONDISSEMENT = "commune-actuelle", "arrondissement-municipal"
_TYPES = {"COM": COMMUNE, "ARM": ARRONDISSEMENT, COMMUNE: COMMUNE, ARRONDISSEMENT: ARRONDISSEMENT}
_CODE = re.compile(r"[0-9][0-9AB][0-9]{3}")
_CODE_POSTAL = re.compile(r"[0-9]{5}")
# Column of ours: its names in the layouts.
_COLONNES = {
    "code": ("CODE", "COM"), "nom": ("NOM", "LIBELLE"), "type": ("TYPE", "TYPECOM"),
    "departement": ("DEPARTEMENT", "DEP"),
    "region": ("REGION", "REG"), "codes_postaux": ("CODES_POSTAUX",), "epci": ("EPCI",), "epci_nom": ("EPCI_NOM",),
    "population": ("POPULATION",),
}  # fmt: skip


class CommuneLue(NamedTuple):
    """A row of ``cog_commune``; None for what the file does not say."""

    ligne: int
    code: str
    nom: str
    type: str
    departement: str
    region: str | None
    codes_postaux: list[str] | None
    epci: str | None
    epci_nom: str | None
    population: int | None


class Mouvement(NamedTuple):
    """A commune before, a commune after, from a day on."""

    jour: date
    avant: str
    nom_avant: str
    apres: str
    nom_apres: str


@dataclass
class Annee:
    """What was deposited. ``complete``: there is a list, not only movements. ``autres``: members of the zip that are
    neither."""

    complete: bool = False
    communes: dict[str, CommuneLue] = field(default_factory=dict)
    mouvements: list[Mouvement] = field(default_factory=list)
    autres: list[str] = field(default_factory=list)
    repetes: list[str] = field(default_factory=list)
    lignes: int = 0  # of all its files
    encodages: dict[str, str] = field(default_factory=dict)  # of each file


def lire(chemin: Path, nom: str, suivi: Suivi) -> Annee:
    annee = Annee()
    for fichier, contenu in fichiers(chemin, nom, BORNES):
        suivi.etape(f"Lecture de {fichier}")
        _lire_fichier(annee, fichier, contenu, suivi)
    if not annee.communes and not annee.mouvements:
        raise FichierRefuse(
            "ni liste de communes (colonnes code, nom, departement, ou COM, LIBELLE, DEP), ni mouvements (MOD, "
            "DATE_EFF, COM_AV, COM_AP)."
        )
    return annee


def _lire_fichier(annee: Annee, fichier: str, contenu: bytes, suivi: Suivi) -> None:
    codec, encodage = detecter_encodage(io.BytesIO(contenu))
    rangees = _rangees(contenu, codec, fichier)
    colonnes = [c.upper() for c in next(rangees, (0, []))[1]]
    mouvements = {"MOD", "DATE_EFF", "TYPECOM_AV", "COM_AV", "TYPECOM_AP", "COM_AP"} <= set(colonnes)
    rangs = {nom: next((colonnes.index(c) for c in noms if c in colonnes), None) for nom, noms in _COLONNES.items()}
    liste = not mouvements and None not in (rangs["code"], rangs["nom"], rangs["departement"])
    if not mouvements and not liste:
        annee.autres.append(fichier)
        return
    annee.complete = annee.complete or liste
    annee.encodages[fichier] = encodage
    for ligne, champs in rangees:
        if not any(champs):
            continue
        suivi.avancer(ligne)
        annee.lignes += 1
        if annee.lignes > LIGNES_MAX:
            raise FichierRefuse(f"plus de {LIGNES_MAX} lignes à lire.", ligne=ligne)
        if len(champs) != len(colonnes):
            raise FichierRefuse(f"{len(champs)} champs au lieu de {len(colonnes)} ({fichier}).", ligne=ligne,
                                colonne=min(len(champs), len(colonnes)) + 1)  # fmt: skip
        if mouvements:
            _ajouter_mouvement(annee, ligne, dict(zip(colonnes, champs, strict=True)))
        else:
            _ajouter_commune(annee, ligne, {nom: None if rang is None else champs[rang] for nom, rang in rangs.items()})


def _rangees(contenu: bytes, codec: str, fichier: str) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) one after the other, the names of the columns first. A cell has no line end in these files: a line
    is read by itself, and a forged one costs what it weighs."""
    flux = io.BytesIO(contenu)
    separateur = ""
    for ligne, brut in enumerate(iter(lambda: flux.readline(LIGNE_MAX + 1), b""), 1):
        if len(brut) > LIGNE_MAX:
            raise FichierRefuse(f"une ligne de {fichier} dépasse {LIGNE_MAX} octets.", ligne=ligne)
        try:
            texte = brut.decode(codec).rstrip("\r\n")
        except UnicodeDecodeError as erreur:
            raise FichierRefuse(f"un caractère de {fichier} est illisible.", ligne=ligne) from erreur
        separateur = separateur or max(";,", key=texte.count)
        try:
            yield ligne, [c.strip() for c in next(csv.reader([texte], delimiter=separateur, strict=True), [])]
        except csv.Error as erreur:
            raison = f"un guillemet n’est pas à sa place, ou {fichier} est coupé."
            if ligne == 1:
                raison = f"les noms des colonnes de {fichier} ne se lisent pas."
            raise FichierRefuse(raison, ligne=ligne) from erreur


def _ajouter_commune(annee: Annee, ligne: int, lus: Mapping[str, str | None]) -> None:
    type_ = _TYPES.get(lus["type"] or COMMUNE)
    if type_ is None:  # communes déléguées ou associées: parts of a commune
        return
    code, nom = lus["code"] or "", lus["nom"] or ""
    _verifier_code(ligne, code)
    if not nom or len(nom) > 100:
        raise FichierRefuse("un nom de 100 caractères au plus est attendu.", ligne=ligne)
    codes_postaux = None if lus["codes_postaux"] is None else [c for c in re.split(r"[ ,]+", lus["codes_postaux"]) if c]
    if any(not _CODE_POSTAL.fullmatch(c) for c in codes_postaux or ()):
        raise FichierRefuse(f"« {str(lus['codes_postaux'])[:30]} » : des codes postaux sont attendus.", ligne=ligne)
    population = lus["population"]
    if population and not population.isdigit():
        raise FichierRefuse(f"« {population[:20]} » n’est pas une population.", ligne=ligne)
    lue = CommuneLue(
        ligne, code, nom, type_, lus["departement"] or departement(code), lus["region"], codes_postaux, lus["epci"],
        lus["epci_nom"], int(population) if population else None,
    )  # fmt: skip
    premiere = annee.communes.setdefault(code, lue)
    if premiere is not lue:
        if premiere._replace(ligne=ligne) != lue:
            raise FichierRefuse(f"la commune {code} est déjà, autrement, ligne {premiere.ligne}.", ligne=ligne)
        annee.repetes.append(code)


def _ajouter_mouvement(annee: Annee, ligne: int, m: Mapping[str, str]) -> None:
    if (m["TYPECOM_AV"], m["TYPECOM_AP"]) != ("COM", "COM"):  # parts of communes, and those that become one
        return
    _verifier_code(ligne, m["COM_AV"])
    _verifier_code(ligne, m["COM_AP"])
    try:
        jour = date.fromisoformat(m["DATE_EFF"])
    except ValueError as erreur:
        raise FichierRefuse(f"« {m['DATE_EFF'][:20]} » n’est pas une date AAAA-MM-JJ.", ligne=ligne) from erreur
    noms = (m.get("LIBELLE_AV", ""), m.get("LIBELLE_AP", ""))
    annee.mouvements.append(Mouvement(jour, m["COM_AV"], noms[0], m["COM_AP"], noms[1]))


def _verifier_code(ligne: int, code: str) -> None:
    if not _CODE.fullmatch(code):
        raise FichierRefuse(f"« {code[:20]} » n’est pas un code de commune.", ligne=ligne)
