"""What may be stored in a fiche: types, lengths, codes, communes, ages, hours, contacts (domain.md §3).

Completeness is another question (``champs.manquants``): a fiche *en attente* may lack anything, but what it holds
must make sense.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone

from ..champs import CHAMPS, JOURS_PAR_UNITE, UNITES, UNITES_AGE, Champ, Forme, Genre
from ..models import Autorite, Commune, Concept
from .horaires import LUNDI_ILLISIBLE, erreurs_semaine, lire_cle, lundi_admis
from .patches import appliquer, difference, valeur

LONGUEUR_TEXTE = 20_000
_TELEPHONE = re.compile(r"\+?[0-9 .()-]{4,25}")
TELEPHONIQUES = {"1", "2", "6", "8"}  # channels (R200) reached by a number
LIBRE, RESTREINT, TRES_RESTREINT = "1", "2", "3"  # R283, from the least to the most confidential

Erreurs = dict[str, list[str]]


def erreurs_contenu(
    niveau: str, avant: Mapping[str, Any], patch: Mapping[str, Any], jour: date | None = None
) -> Erreurs:
    """French messages by field on what can't be stored; empty when all is well. At most four statements.

    Only what the patch brings is held against the nomenclatures: a code closed since stays where it is held.
    """
    jour = jour or timezone.localdate()
    apres = appliquer(avant, patch)
    apports = {nom: _apports(CHAMPS[nom], avant, apres) for nom in patch}
    erreurs: Erreurs = defaultdict(list, erreurs_de_forme(niveau, patch, apres))
    saines = {nom: a for nom, a in apports.items() if nom not in erreurs}
    _verifier_codes(saines, erreurs, jour)
    _verifier_communes(saines, erreurs)
    for nom, messages in erreurs_coherence([n for n in patch if n not in erreurs], apres).items():
        erreurs[nom] += messages
    return {nom: messages for nom, messages in erreurs.items() if messages}


def erreurs_de_forme(niveau: str, noms: Iterable[str], etat: Mapping[str, Any]) -> Erreurs:
    """French messages on values that no fiche of this level could hold, look-ups apart. Pure."""
    erreurs: Erreurs = {}
    for nom in noms:
        champ = CHAMPS[nom]
        if niveau not in champ.niveaux:
            erreurs[nom] = [f"Le champ « {champ.libelle} » n’existe pas sur une fiche de ce niveau."]
        elif messages := _FORMES[champ.genre](champ, valeur(etat, nom)):
            erreurs[nom] = messages
    return erreurs


def erreurs_coherence(noms: Collection[str], etat: Mapping[str, Any]) -> Erreurs:
    """French messages on fields that do not go together in a state, where one of ``noms`` has a part in it. Pure."""
    erreurs: Erreurs = defaultdict(list)
    for coherence in COHERENCES.values():
        if not coherence.lus.isdisjoint(noms):
            erreurs[coherence.champ] += coherence.dire(etat)
    return {nom: messages for nom, messages in erreurs.items() if messages}


def _apports(champ: Champ, avant: Mapping[str, Any], apres: Mapping[str, Any]) -> Any:
    """What is new in a field: the value, the added elements, the elements set."""
    changement = difference({champ.nom: valeur(avant, champ.nom)}, {champ.nom: valeur(apres, champ.nom)})
    if champ.nom not in changement:
        return "" if champ.forme is Forme.VALEUR else {}
    if champ.forme is Forme.VALEUR:
        return changement[champ.nom]
    return changement[champ.nom].get("ajoute" if champ.forme is Forme.ENSEMBLE else "pose", {})


def _texte(champ: Champ, contenu: Any) -> list[str]:
    limite = champ.longueur or LONGUEUR_TEXTE
    if not isinstance(contenu, str):
        return ["Saisissez un texte."]
    if "\x00" in contenu:
        return ["Ce texte contient un caractère qui ne peut pas être enregistré."]
    return [f"Ce texte compte {len(contenu)} caractères ; {limite} au plus."] if len(contenu) > limite else []


def _entier(contenu: Any, minimum: int, maximum: int) -> bool:
    return isinstance(contenu, int) and not isinstance(contenu, bool) and minimum <= contenu < maximum


def _exiger(condition: Callable[[Any], bool], message: str) -> Callable[[Champ, Any], list[str]]:
    return lambda champ, contenu: [] if condition(contenu) else [message]


def _est_date(contenu: Any) -> bool:
    try:
        return isinstance(contenu, str) and 1800 <= date.fromisoformat(contenu).year < 2200
    except ValueError:
        return False


def _erreurs_boites(boites: Iterable[str]) -> list[str]:
    erreurs = []
    for boite in sorted(boites):
        try:
            validate_email(boite)
        except ValidationError:
            erreurs.append(f"« {boite[:80]} » n’est pas une adresse de messagerie.")
    return erreurs


def _erreurs_capacites(capacites: Mapping[str, Any]) -> list[str]:
    for capacite in capacites.values():
        if not isinstance(capacite, dict) or not {"nature", "statut", "nombre"} <= capacite.keys():
            return ["Indiquez pour chaque capacité sa nature, son statut et son nombre."]
        if not _entier(capacite["nombre"], 0, 100_000):
            return ["Le nombre d’une capacité est un entier positif."]
    return []


def _erreurs_horaires(horaires: Mapping[str, Any]) -> list[str]:
    erreurs = []
    for cle, semaine in horaires.items():
        try:
            if not lundi_admis(lire_cle(cle)[1]):
                raise ValueError(cle)
        except ValueError:
            erreurs.append(LUNDI_ILLISIBLE)
            continue
        erreurs += erreurs_semaine(semaine)
    return erreurs


def _erreurs_forme_contacts(contacts: Mapping[str, Any]) -> list[str]:
    for contact in contacts.values():
        if not isinstance(contact, dict) or not isinstance(contact.get("telecoms", []), list):
            return ["Un contact est illisible."]
        textes = [contact.get(cle, "") for cle in ("nature", "nom", "fonction", "confidentialite")]
        for telecom in contact.get("telecoms", []):
            if not isinstance(telecom, dict):
                return ["Un contact est illisible."]
            textes += [telecom.get(cle, "") for cle in ("canal", "valeur", "confidentialite")]
        if not all(isinstance(t, str) and len(t) <= 255 for t in textes):
            return ["Un contact compte 255 caractères au plus par rubrique."]
    return []


_FORMES: dict[Genre, Callable[[Champ, Any], list[str]]] = {
    Genre.TEXTE: _texte,
    Genre.TEXTE_LONG: _texte,
    Genre.CODE: _exiger(lambda v: isinstance(v, str), "Choisissez une valeur de la liste."),
    Genre.COMMUNE: _exiger(lambda v: isinstance(v, str), "Choisissez une commune de la liste."),
    Genre.ENTIER: _exiger(lambda v: v is None or _entier(v, 0, 2**31), "Saisissez un nombre entier positif."),
    Genre.DECIMAL: _exiger(lambda v: v is None or isinstance(v, int | float), "Saisissez un nombre."),
    Genre.BOOLEEN: _exiger(lambda v: isinstance(v, bool), "Répondez par oui ou par non."),
    Genre.DATE: _exiger(lambda v: v is None or _est_date(v), "Saisissez une date, par exemple 03/03/2027."),
    Genre.UNITE_AGE: _exiger(
        lambda v: v in ("", *(code for code, _ in UNITES_AGE)), "Choisissez an, mois, semaine ou jour."
    ),
    Genre.FICHE: _exiger(lambda v: v is None or _entier(v, 1, 2**63), "Choisissez une fiche de la liste."),
    **dict.fromkeys(
        (Genre.CODES, Genre.COMMUNES, Genre.AUTORITES),
        _exiger(lambda v: all(isinstance(code, str) for code in v), "Choisissez des valeurs de la liste."),
    ),
    Genre.EQUIPEMENTS: _exiger(
        lambda v: all(_entier(n, 1, 100_000) for n in v.values()),
        "Indiquez le nombre de chaque équipement, 1 au moins.",
    ),
    Genre.TEXTES: lambda champ, contenu: _erreurs_boites(contenu),
    Genre.CAPACITES: lambda champ, contenu: _erreurs_capacites(contenu),
    Genre.HORAIRES: lambda champ, contenu: _erreurs_horaires(contenu),
    Genre.CONTACTS: lambda champ, contenu: _erreurs_forme_contacts(contenu),
}


def _contacts(etat: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """(how a message names it, contact) of each contact."""
    return ((contact.get("nom", "") or "Contact", contact) for contact in valeur(etat, "contacts").values())


def _niveau_connu(contact: Mapping[str, Any]) -> bool:
    return contact.get("confidentialite", "") in (LIBRE, RESTREINT, TRES_RESTREINT)


def _sans_identite(etat: Mapping[str, Any]) -> Iterable[str]:
    for qui, contact in _contacts(etat):
        nature, nom, fonction = contact.get("nature", ""), contact.get("nom", ""), contact.get("fonction", "")
        if bool(nature) == bool(nom or fonction):
            yield f"{qui} : choisissez une nature, ou bien indiquez un nom et sa fonction."
        elif not nature and not (nom and fonction):
            yield f"{qui} : indiquez le nom et la fonction."


def _sans_confidentialite(etat: Mapping[str, Any]) -> Iterable[str]:
    for qui, contact in _contacts(etat):
        if not _niveau_connu(contact):
            yield f"{qui} : choisissez un niveau de confidentialité."


def _exposes_malgre_l_unite(etat: Mapping[str, Any]) -> Iterable[str]:
    contacts = [contact for _, contact in _contacts(etat) if _niveau_connu(contact)]
    if valeur(etat, "unite_sensible") and any(c["confidentialite"] != TRES_RESTREINT for c in contacts):
        yield "Dans une unité sensible, tous les contacts sont « très restreint »."


def _telecoms_illisibles(etat: Mapping[str, Any]) -> Iterable[str]:
    for qui, contact in _contacts(etat):
        for telecom in contact.get("telecoms", []):
            if refus := erreur_telecom(telecom.get("canal", ""), telecom.get("valeur", "")):
                yield f"{qui} : {refus}"


def _telecoms_exposes(etat: Mapping[str, Any]) -> Iterable[str]:
    for qui, contact in _contacts(etat):
        niveau = contact.get("confidentialite", "")
        if _niveau_connu(contact) and any(
            t.get("confidentialite", niveau) < niveau for t in contact.get("telecoms", [])
        ):
            yield f"{qui} : un numéro ne peut pas être moins confidentiel que son contact."


def erreur_telecom(canal: str, contenu: str) -> str:
    """What is wrong with the number or address of a telecom, "" when nothing is."""
    if not contenu:
        return "indiquez le numéro ou l’adresse."
    if canal in TELEPHONIQUES and not _TELEPHONE.fullmatch(contenu):
        return f"« {contenu[:40]} » n’est pas un numéro de téléphone."
    return ""


def _ages_inverses(etat: Mapping[str, Any]) -> Iterable[str]:
    bornes = [
        valeur(etat, f"age_{b}") * JOURS_PAR_UNITE[valeur(etat, f"age_{b}_unite")]
        for b in ("min", "max")
        if valeur(etat, f"age_{b}") is not None and valeur(etat, f"age_{b}_unite") in JOURS_PAR_UNITE
    ]
    if len(bornes) == 2 and bornes[0] > bornes[1]:
        yield "L’âge maximum est inférieur à l’âge minimum."


def _fermee_avant_d_ouvrir(etat: Mapping[str, Any]) -> Iterable[str]:
    ouverture, fermeture = valeur(etat, "date_ouverture"), valeur(etat, "date_fermeture")
    if ouverture and fermeture and fermeture < ouverture:
        yield "La fermeture précède l’ouverture."


def _rouverte_sans_fermer(etat: Mapping[str, Any]) -> Iterable[str]:
    fermeture, reouverture = valeur(etat, "date_fermeture"), valeur(etat, "date_reouverture")
    if reouverture and (not fermeture or reouverture <= fermeture):
        yield "La réouverture vient après une date de fermeture."


@dataclass(frozen=True, slots=True)
class Coherence:
    """Fields that must go together: those that have a part in it, the one that shows the sentences of ``chercher``."""

    lus: frozenset[str]
    champ: str
    chercher: Callable[[Mapping[str, Any]], Iterable[str]]

    def dire(self, etat: Mapping[str, Any]) -> list[str]:
        """French sentences, each once."""
        return list(dict.fromkeys(self.chercher(etat)))


_CONTACTS, _DATES = (
    frozenset({"contacts", "unite_sensible"}),
    frozenset(f"date_{n}" for n in ("ouverture", "fermeture")),
)
COHERENCES: dict[str, Coherence] = {
    "contact_identifie": Coherence(_CONTACTS, "contacts", _sans_identite),
    "contact_confidentiel": Coherence(_CONTACTS, "contacts", _sans_confidentialite),
    "unite_sensible": Coherence(_CONTACTS, "contacts", _exposes_malgre_l_unite),
    "telecom_lisible": Coherence(_CONTACTS, "contacts", _telecoms_illisibles),
    "telecom_confidentiel": Coherence(_CONTACTS, "contacts", _telecoms_exposes),
    "ages": Coherence(frozenset({"age_min", "age_max", *UNITES}), "age_max", _ages_inverses),
    "fermeture": Coherence(_DATES, "date_fermeture", _fermee_avant_d_ouvrir),
    "reouverture": Coherence(_DATES | {"date_reouverture"}, "date_reouverture", _rouverte_sans_fermer),
}


def _codes_cites(apports: Mapping[str, Any]) -> Iterable[tuple[str, str, str]]:
    """(field, nomenclature, code) for each coded value that a patch brings."""
    for nom, apport in apports.items():
        champ = CHAMPS[nom]
        match champ.genre:
            case Genre.CODE if champ.nomenclature and apport:
                yield nom, champ.nomenclature, apport
            case Genre.CODES | Genre.EQUIPEMENTS:
                yield from ((nom, champ.nomenclature, code) for code in apport)
            case Genre.HORAIRES:
                yield from ((nom, champ.nomenclature, lire_cle(cle)[0]) for cle in apport)
            case Genre.CAPACITES:
                for capacite in apport.values():
                    yield nom, "R329", capacite["nature"]
                    yield nom, "R330", capacite["statut"]
            case Genre.CONTACTS:
                for contact in apport.values():
                    cites = [("R287", contact.get("nature")), ("R251", contact.get("fonction"))]
                    cites += [("R283", contact.get("confidentialite"))]
                    for telecom in contact.get("telecoms", []):
                        cites += [("R200", telecom.get("canal")), ("R283", telecom.get("confidentialite"))]
                    yield from ((nom, liste, code) for liste, code in cites if code)


# Families outside SERAFIN (R266) are accepted in the same field (domain.md §3).
LISTES_SOEURS = {"R265": ("R265", "R266")}


def _verifier_codes(apports: Mapping[str, Any], erreurs: Erreurs, jour: date) -> None:
    cites = list(_codes_cites(apports))
    if not cites:
        return
    listes = {soeur for _, liste, _ in cites for soeur in LISTES_SOEURS.get(liste, (liste,))}
    fermes = {
        (liste, code): fin is not None and fin <= jour
        for liste, code, fin in Concept.objects.filter(
            nomenclature__in=listes, code__in={code for *_, code in cites}
        ).values_list("nomenclature_id", "code", "date_fin")
    }
    for nom, liste, code in cites:
        trouves = [cle for cle in ((soeur, code) for soeur in LISTES_SOEURS.get(liste, (liste,))) if cle in fermes]
        if not trouves:
            erreurs[nom].append(f"Le code « {str(code)[:40]} » n’existe pas dans la nomenclature {liste}.")
        elif all(fermes[cle] for cle in trouves):
            erreurs[nom].append(f"Le code « {code} » est fermé : choisissez une valeur en vigueur.")


def _verifier_communes(apports: Mapping[str, Any], erreurs: Erreurs) -> None:
    cites = [(nom, code) for nom, a in apports.items() if CHAMPS[nom].genre is Genre.COMMUNES for code in a]
    cites += [(nom, a) for nom, a in apports.items() if CHAMPS[nom].genre is Genre.COMMUNE and a]
    if cites:
        citees = Commune.objects.filter(pk__in={code for _, code in cites})
        connues = {code: (fin, devenue) for code, fin, devenue in citees.values_list("pk", "date_fin", "devenue")}
        for nom, code in cites:
            fin, devenue = connues.get(code, (None, ""))
            if code not in connues:
                erreurs[nom].append(f"« {str(code)[:40]} » n’est pas une commune du code officiel géographique.")
            elif fin is not None:
                suite = f" : elle est devenue {devenue}" if devenue else ""
                erreurs[nom].append(f"La commune {code} n’existe plus depuis le {fin:%d/%m/%Y}{suite}.")
    autorites = {code for nom, a in apports.items() if CHAMPS[nom].genre is Genre.AUTORITES for code in a}
    inconnues = (
        autorites - set(Autorite.objects.filter(pk__in=autorites).values_list("pk", flat=True)) if autorites else set()
    )
    for code in sorted(inconnues):
        erreurs["autorites"].append(f"L’autorité « {code[:40]} » n’existe pas.")
