"""Contacts and ways to reach them. What goes together is told by ``structures.domaine.valider``."""

from collections.abc import Callable, Iterator

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email

from structures.domaine.valider import TELEPHONIQUES, erreur_telecom
from structures.enums import Niveau

from .catalogue import BON_SENS, DOMAINE, EXIGENCES, TOUS, UO, Constat, Gravite, Sujet, regle
from .coherences import coherence
from .contexte import Contexte

MESSAGERIES, WEB = frozenset({"3", "9"}), "4"  # R200
COURTS = frozenset({2, 3, 4, 6})  # digits of 15, 112, 3939, 116117
_adresse_web = URLValidator(schemes=["http", "https"])

coherence("BO-CONTACT", "Un contact a une nature, ou un nom et une fonction", "contact_identifie", TOUS)
coherence("BO-CONTACT-NIVEAU", "Un contact a un niveau de confidentialité", "contact_confidentiel", TOUS)
coherence("BO-SENSIBLE", "Les contacts d’une unité sensible sont tous très restreints", "unite_sensible", UO)
coherence("BO-TELECOM", "Un numéro de téléphone s’écrit comme un numéro", "telecom_lisible", TOUS)
coherence(
    "BO-TELECOM-NIVEAU",
    "Un moyen de contact n’est pas moins confidentiel que son contact",
    "telecom_confidentiel",
    TOUS,
)


@regle(
    "BO-TELEPHONE-EG", "Le téléphone de l’établissement s’écrit comme un numéro",
    Gravite.BLOQUANT, [Niveau.EG], ["telephone"], DOMAINE,
)  # fmt: skip
def _telephone_illisible(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    if fiche["telephone"] and (refus := erreur_telecom("2", fiche["telephone"])):
        yield Constat("telephone", refus[0].upper() + refus[1:])


@regle("BO-ADRESSE", "Une adresse électronique ou web se laisse joindre", Gravite.BLOQUANT, TOUS, ["contacts"], DOMAINE)
def _adresses_illisibles(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    for canal, valeur in _telecoms(fiche):
        if canal in MESSAGERIES and valeur and not _accepte(validate_email, valeur):
            yield Constat("contacts", f"« {valeur[:60]} » n’est pas une adresse de messagerie.")
        elif canal == WEB and valeur and not _accepte(_adresse_web, valeur if "://" in valeur else f"https://{valeur}"):
            yield Constat("contacts", f"« {valeur[:60]} » n’est pas une adresse web.")


@regle(
    "BO-NUMERO", "Un numéro français a dix chiffres, ou est un numéro court",
    Gravite.AVERTISSEMENT, TOUS, ["contacts"], BON_SENS,
)  # fmt: skip
def _numeros_inhabituels(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    for canal, valeur in _telecoms(fiche):
        chiffres = sum(c.isdigit() for c in valeur)
        if canal not in TELEPHONIQUES or valeur.startswith(("+", "00")) or erreur_telecom(canal, valeur):
            continue
        if chiffres != 10 and chiffres not in COURTS:
            yield Constat("contacts", f"« {valeur[:40]} » n’a pas dix chiffres : vérifiez ce numéro.")


@regle(
    "CP4", "Une unité a un contact que l’on peut joindre",
    Gravite.AVERTISSEMENT, UO, ["contacts"], EXIGENCES,
)  # fmt: skip
def _injoignable(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    if not any(
        (contact.get("nature") or contact.get("fonction"))
        and any(t.get("canal") and t.get("valeur") for t in contact.get("telecoms", ()))
        for contact in fiche["contacts"].values()
    ):
        yield Constat(
            "contacts", "Ajoutez un contact avec un numéro ou une adresse : sans lui, l’unité est injoignable."
        )


@regle(
    "BO-MSSANTE", "Une boîte MSSanté est d’un domaine de l’espace de confiance",
    Gravite.AVERTISSEMENT, UO, ["boites_mssante"], BON_SENS,
)  # fmt: skip
def _boites_ordinaires(fiche: Sujet, contexte: Contexte) -> Iterator[Constat]:
    for boite in sorted(fiche["boites_mssante"]):
        if "mssante" not in boite.rpartition("@")[2].lower():
            yield Constat(
                "boites_mssante", f"« {boite[:60]} » ne semble pas être une boîte MSSanté : vérifiez son domaine."
            )


def _telecoms(fiche: Sujet) -> Iterator[tuple[str, str]]:
    """(channel, number or address) of every telecom."""
    for contact in fiche["contacts"].values():
        for telecom in contact.get("telecoms", ()):
            yield telecom.get("canal", ""), telecom.get("valeur", "")


def _accepte(verifier: Callable[[str], object], valeur: str) -> bool:
    try:
        verifier(valeur)
    except ValidationError:
        return False
    return True
