"""CodeSystem and ValueSet of FHIR R4, as the ANS publishes them (JSON)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .edition import ConceptLu, Edition, Etat, Faute, lire_jour, nom_canonique, sans_urn, texte_propre

# Properties of a code that close it, whichever issue wrote them; the ANS uses the first.
_FINS = ("dateFin", "retirementDate", "deprecationDate")
_STATUTS_FERMES = {"retired", "deprecated", "inactive"}
_REMPLACANTS = ("remplacePar", "replacedBy", "replaced-by")


def lire(contenu: bytes, fichier: str) -> list[Edition]:
    """The editions in a JSON file; none for a resource that is no nomenclature. Refuses a broken file, with where."""
    faute = Faute(fichier)
    try:
        ressource = json.loads(contenu.decode("utf-8-sig"))
    except UnicodeDecodeError as erreur:
        raise faute(f"octet {erreur.start + 1}", "ce n’est pas de l’UTF-8") from erreur
    except json.JSONDecodeError as erreur:
        raise faute(f"ligne {erreur.lineno}, colonne {erreur.colno}", "le JSON est incomplet ou abîmé") from erreur
    except RecursionError as erreur:
        raise faute("", "le JSON est trop profond") from erreur
    if not isinstance(ressource, dict) or "resourceType" not in ressource:
        raise faute("", "une ressource FHIR (resourceType) est attendue")
    if ressource["resourceType"] == "CodeSystem":
        return [_terminologie(ressource, fichier, faute)]
    if ressource["resourceType"] == "ValueSet":
        return _jeu(ressource, fichier, faute)
    return []


def _terminologie(r: Mapping[str, Any], fichier: str, faute: Faute) -> Edition:
    edition = _edition(r, fichier, faute, jeu=False, systeme=_texte(r, "url", faute))
    for lieu, concept in _concepts(r.get("concept", []), "concept", faute):
        edition.ajouter(_concept(concept, lieu, faute), faute)
    if not edition.concepts:
        raise faute("concept", "aucun code")
    return edition


def _jeu(r: Mapping[str, Any], fichier: str, faute: Faute) -> list[Edition]:
    """One edition a system; a system taken whole, without its codes, says nothing of their labels."""
    editions: dict[str, Edition] = {}
    composition = r.get("compose")
    if not isinstance(composition, Mapping):
        raise faute("compose", "les codes du jeu de valeurs manquent")
    for rang, inclus in enumerate(_liste(composition.get("include", []), "compose.include", faute)):
        lieu = f"compose.include[{rang}]"
        if not isinstance(inclus, Mapping) or not isinstance(inclus.get("system"), str):
            raise faute(f"{lieu}.system", "l’adresse de la terminologie manque")
        systeme = inclus["system"]
        if systeme not in editions:
            editions[systeme] = _edition(r, fichier, faute, jeu=True, systeme=systeme)
        for i, concept in enumerate(_liste(inclus.get("concept", []), f"{lieu}.concept", faute)):
            ou = f"{lieu}.concept[{i}]"
            code, libelle = _code_et_libelle(concept, ou, faute)
            editions[systeme].ajouter(ConceptLu(code, libelle, ou), faute)
    return list(editions.values())


def _edition(r: Mapping[str, Any], fichier: str, faute: Faute, *, jeu: bool, systeme: str) -> Edition:
    oids = [
        sans_urn(i["value"])
        for i in _liste(r.get("identifier", []), "identifier", faute)
        if isinstance(i, Mapping) and isinstance(i.get("value"), str)
    ]
    url, nom = _texte(r, "url", faute), _texte(r, "name", faute)
    return Edition(
        fichier,
        nom_canonique(nom) or nom_canonique(url) or nom,
        jeu,
        systeme,
        url,
        oids[0] if oids else "",
        _texte(r, "version", faute),
    )


def _concepts(concepts: Any, lieu: str, faute: Faute) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Codes with those below them, wherever they are in the hierarchy."""
    for i, concept in enumerate(_liste(concepts, lieu, faute)):
        ou = f"{lieu}[{i}]"
        if not isinstance(concept, Mapping):
            raise faute(ou, "un code est attendu")
        yield ou, concept
        if "concept" in concept:
            yield from _concepts(concept["concept"], f"{ou}.concept", faute)


def _concept(concept: Mapping[str, Any], lieu: str, faute: Faute) -> ConceptLu:
    code, libelle = _code_et_libelle(concept, lieu, faute)
    proprietes = {}
    for i, p in enumerate(_liste(concept.get("property", []), f"{lieu}.property", faute)):
        if not isinstance(p, Mapping) or not isinstance(p.get("code"), str):
            raise faute(f"{lieu}.property[{i}]", "le nom de la propriété manque")
        valeurs = [v for nom, v in p.items() if nom.startswith("value")]
        proprietes[p["code"]] = (valeurs[0] if valeurs else None, f"{lieu}.property[{i}]")

    def jour(nom: str) -> Any:
        valeur, ou = proprietes.get(nom, (None, ""))
        try:
            return lire_jour(valeur)
        except ValueError as erreur:
            raise faute(ou, f"« {str(valeur)[:30]} » n’est pas une date") from erreur

    fins = [fin for fin in map(jour, _FINS) if fin]
    statut, inactif = proprietes.get("status", ("", ""))[0], proprietes.get("inactive", (False, ""))[0]
    ferme = bool(fins) or statut in _STATUTS_FERMES or inactif is True
    remplacants = [str(proprietes[nom][0]) for nom in _REMPLACANTS if proprietes.get(nom, (None, ""))[0]]
    return ConceptLu(
        code,
        libelle,
        lieu,
        Etat.FERME if ferme else Etat.OUVERT,
        jour("dateValid"),
        fins[0] if fins else None,
        remplacants[0] if ferme and remplacants else "",
    )


def _code_et_libelle(concept: Any, lieu: str, faute: Faute) -> tuple[str, str]:
    if not isinstance(concept, Mapping):
        raise faute(lieu, "un code est attendu")
    for nom in ("code", "display"):
        if not isinstance(concept.get(nom), str) or "\x00" in concept[nom]:
            raise faute(f"{lieu}.{nom}", "un texte est attendu")
    return concept["code"].strip(), texte_propre(concept["display"])


def _texte(r: Mapping[str, Any], nom: str, faute: Faute) -> str:
    valeur = r.get(nom, "")
    if not isinstance(valeur, str):
        raise faute(nom, "un texte est attendu")
    if nom == "version" and not valeur:
        raise faute(nom, "la version manque : rien ne dirait laquelle est tenue")
    return valeur.strip()


def _liste(valeur: Any, lieu: str, faute: Faute) -> Sequence[Any]:
    if not isinstance(valeur, list):
        raise faute(lieu, "une liste est attendue")
    return valeur
