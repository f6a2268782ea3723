"""The flat CSV of the nomenclatures: one file a list, « ; », columns by name, in several layouts.

``code``, ``libelle``, ``systeme`` and ``version`` are in all of them. ``date_fin`` closes a code, or ``statut`` without
a date; without either the file says nothing of the life of its codes. A value set has a column ``oid_jdv``, or the name
of its file says JDV.
"""

import csv
import io
from collections.abc import Mapping

from .edition import ConceptLu, Edition, Etat, Faute, lire_jour, nom_canonique, numero_de, sans_urn, texte_propre

EXIGEES = ("code", "libelle", "systeme", "version")
_OUVERTS = {"actif", "active", "ouvert"}
LIGNE_MAX = 20_000


def lire(contenu: bytes, fichier: str) -> list[Edition]:
    """The editions in a CSV file, one a terminology; none for a file of another layout (index, associations)."""
    faute = Faute(fichier)
    texte = _texte(contenu, faute)
    lecteur = csv.reader(io.StringIO(texte, newline=""), delimiter=";", strict=True)
    try:
        colonnes = [c.strip() for c in next(lecteur, [])]
        if not {"code", "libelle"} <= set(colonnes):
            return []
        manquantes = [c for c in EXIGEES if c not in colonnes]
        if manquantes:
            raise faute("ligne 1", f"il manque la colonne {', '.join(manquantes)}")
        editions: dict[str, Edition] = {}
        for champs in lecteur:
            if not any(champs):
                continue
            ou = f"ligne {lecteur.line_num}"
            if len(champs) != len(colonnes):
                raise faute(f"{ou}, colonne {min(len(champs), len(colonnes)) + 1}",
                            f"{len(champs)} champs au lieu de {len(colonnes)}")  # fmt: skip
            ligne = dict(zip(colonnes, (c.strip() for c in champs), strict=True))
            _ranger(ligne, ou, editions, fichier, faute)
    except csv.Error as erreur:
        raise faute(
            f"ligne {lecteur.line_num}", "un guillemet n’est pas à sa place, ou le fichier est coupé"
        ) from erreur
    if not editions:
        raise faute("", "aucun code")
    return list(editions.values())


def _ranger(ligne: Mapping[str, str], ou: str, editions: dict[str, Edition], fichier: str, faute: Faute) -> None:
    """Into the edition of its terminology: a value set may take its codes from several (JDV_J55)."""
    if not ligne["version"] or not ligne["systeme"]:
        raise faute(ou, "la version ou l’adresse de la terminologie (systeme) manque")
    edition = editions.get(ligne["systeme"]) or _edition(ligne, fichier)
    premiere = next(iter(editions.values()), edition)
    if ligne["version"] != edition.version or (premiere is not edition and not edition.jeu):
        raise faute(ou, "une autre terminologie ou une autre version que celle de la première ligne")
    editions[ligne["systeme"]] = edition
    edition.ajouter(_concept(ligne, ou, faute), faute)


def _texte(contenu: bytes, faute: Faute) -> str:
    try:
        texte = contenu.decode("utf-8-sig")
    except UnicodeDecodeError as erreur:
        ligne = contenu.count(b"\n", 0, erreur.start) + 1
        raise faute(f"ligne {ligne}", "ce n’est pas de l’UTF-8") from erreur
    if "\x00" in texte:
        raise faute(f"ligne {texte.count(chr(10), 0, texte.index(chr(0))) + 1}", "ce n’est pas un fichier texte")
    return texte


def _edition(ligne: Mapping[str, str], fichier: str) -> Edition:
    nom = nom_canonique(fichier.rsplit("/", 1)[-1].removesuffix(".csv"))
    jeu = "oid_jdv" in ligne or nom.startswith("JDV_")
    if jeu:
        url = ""
        nom = _sans_date(nom)
    else:
        url, nom = ligne["systeme"], nom_canonique(ligne["systeme"])
    oid = ligne.get("oid_jdv") or ligne.get("oid", "")
    return Edition(fichier, nom, jeu, ligne["systeme"], url, sans_urn(oid), ligne["version"])


def _sans_date(nom: str) -> str:
    """« JDV_J19-ModePriseEnCharge-ROR-20260330 » without its date."""
    tete, _, queue = nom.rpartition("-")
    return tete if queue.isdigit() and len(queue) == 8 and numero_de(tete) else nom


def _concept(ligne: Mapping[str, str], ou: str, faute: Faute) -> ConceptLu:
    def jour(nom: str):  # type: ignore[no-untyped-def]
        try:
            return lire_jour(ligne.get(nom))
        except ValueError as erreur:
            raise faute(f"{ou}, {nom}", f"« {ligne[nom][:30]} » n’est pas une date") from erreur

    fin = jour("date_fin")
    etat = Etat.INCONNU
    if fin or (ligne.get("statut") and ligne["statut"].lower() not in _OUVERTS):
        etat = Etat.FERME
    elif "date_fin" in ligne or "statut" in ligne:
        etat = Etat.OUVERT
    return ConceptLu(
        ligne["code"], texte_propre(ligne["libelle"]), ou, etat, jour("date_valid"), fin,
        ligne.get("remplace_par", "") if etat is Etat.FERME else "",
    )  # fmt: skip
