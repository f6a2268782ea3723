"""The consumers of the exposition: opened, changed, suspended by gestionnaires, each act with its line of journal.

A secret is 256 random bits, shown once to whoever asked for it, kept as its SHA-256 (models/consommateurs.py).
"""

import hashlib
import ipaddress
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.debug import sensitive_variables
from oauth2_provider.models import AccessToken

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Invalide
from backoffice.socle.mots import date_longue, nombre

from ..enums import ActeConsommateur, Portee, ProfilAcces
from ..models import Consommateur, JournalConsommateur
from ..regles import est_gestionnaire

SURSIS = timedelta(hours=24)  # how long the former secret may go on after a renewal
QUOTA_MAXIMUM = 10_000_000
_NOM_PRIS = "Un consommateur porte déjà ce nom."


def condense(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


@sensitive_variables()
def _poser_secret(consommateur: Consommateur) -> str:
    secret = secrets.token_urlsafe(32)
    consommateur.client_secret = condense(secret)
    consommateur.secret_le = timezone.now()
    return secret


@sensitive_variables()
def reconnaitre(identifiant: str, secret: str) -> Consommateur | None:
    """The consumer whose present secret this is, or whose former one while it still works; None for all the rest.

    An unknown identifier costs what a wrong secret does.
    """
    consommateur = None
    if "\x00" not in identifiant:  # PostgreSQL would refuse it
        consommateur = Consommateur.objects.filter(client_id=identifiant).first()
    present = consommateur.client_secret if consommateur else ""
    ancien = consommateur.ancien_secret if consommateur else ""
    donne = condense(secret)
    est_le_present = constant_time_compare(donne, present)
    est_l_ancien = constant_time_compare(donne, ancien)
    if consommateur and (est_le_present or (est_l_ancien and consommateur.sursis)):
        return consommateur
    return None


@dataclass(frozen=True)
class Reglages:
    """What a gestionnaire decides of a consumer. ``reseaux``: networks in CIDR notation, none for anywhere."""

    nom: str
    courriel: str
    organisme: str
    profil: int
    portees: Sequence[str]
    quota_minute: int
    quota_jour: int
    reseaux: Sequence[str] = ()


def creer(*, acteur: User | None, reglages: Reglages) -> tuple[Consommateur, str]:
    """Open a consumer; returns it with its secret, which nobody can read again. ``acteur`` is None for commands only.

    Refusals: not a gestionnaire (``Interdit``); ``Invalide`` with ``champs`` among the fields of ``Reglages``.
    """
    _exiger_gestionnaire(acteur)
    consommateur = Consommateur(
        client_type=Consommateur.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Consommateur.GRANT_CLIENT_CREDENTIALS,
        hash_client_secret=False,
    )
    with transaction.atomic():
        _regler(consommateur, reglages)
        secret = _poser_secret(consommateur)
        _enregistrer(consommateur)
        dits = [[cle, "", apres] for cle, apres in _en_mots(consommateur) if apres]
        _journal(consommateur, ActeConsommateur.CREATION, acteur, dits)
    return consommateur, secret


@transaction.atomic
def modifier(*, pk: int, acteur: User, reglages: Reglages) -> Consommateur:
    """Change what it is and may: true at its next request, tokens already given included. Nothing is written when
    nothing changes. Refusals: as ``creer``."""
    _exiger_gestionnaire(acteur)
    consommateur = _verrouiller(pk)
    avant = dict(_en_mots(consommateur))
    _regler(consommateur, reglages)
    changements = [[cle, avant[cle], apres] for cle, apres in _en_mots(consommateur) if apres != avant[cle]]
    if changements:
        _enregistrer(consommateur)
        _journal(consommateur, ActeConsommateur.MODIFICATION, acteur, changements)
    return consommateur


@transaction.atomic
def renouveler(*, pk: int, acteur: User, garder_ancien: bool) -> tuple[Consommateur, str]:
    """Give a new secret, returned this once. The former one ends at once, with the tokens that it obtained, or goes on
    for a day so that the tool changes without a cut. Refusal: not a gestionnaire (``Interdit``)."""
    _exiger_gestionnaire(acteur)
    consommateur = _verrouiller(pk)
    if garder_ancien:
        consommateur.ancien_secret = consommateur.client_secret
        consommateur.ancien_secret_fin = timezone.now() + SURSIS
        jusqu_a = f"jusqu’au {date_longue(consommateur.ancien_secret_fin, 'heure')}"
    else:
        consommateur.ancien_secret, consommateur.ancien_secret_fin = "", None
        _finir_les_jetons(consommateur)
        jusqu_a = "refusé aussitôt, ses jetons aussi"
    secret = _poser_secret(consommateur)
    consommateur.save()
    _journal(consommateur, ActeConsommateur.RENOUVELLEMENT, acteur, [["Secret précédent", "", jusqu_a]])
    return consommateur, secret


@transaction.atomic
def suspendre(*, pk: int, acteur: User, motif: str) -> Consommateur:
    """End its access at once, tokens included, until it is given back. Refusals: not a gestionnaire (``Interdit``), no
    reason (``Invalide``), already suspended (``Conflit``)."""
    _exiger_gestionnaire(acteur)
    consommateur = _verrouiller(pk)
    if consommateur.suspendu:
        raise Conflit("deja_suspendu", f"Ce consommateur est déjà suspendu{_par_qui(consommateur)}.")
    if not motif.strip():
        phrase = "Dites pourquoi : le motif reste au journal du consommateur."
        raise Invalide("motif_exige", phrase, champs={"motif": [phrase]})
    consommateur.suspendu_le = timezone.now()
    consommateur.motif_suspension = motif.strip()
    consommateur.save()
    _finir_les_jetons(consommateur)
    _journal(consommateur, ActeConsommateur.SUSPENSION, acteur, [], motif.strip())
    return consommateur


@transaction.atomic
def reactiver(*, pk: int, acteur: User) -> Consommateur:
    """Give the access back, with the same secret. Refusals: not a gestionnaire (``Interdit``), not suspended
    (``Conflit``)."""
    _exiger_gestionnaire(acteur)
    consommateur = _verrouiller(pk)
    if not consommateur.suspendu:
        raise Conflit("deja_actif", f"Ce consommateur est déjà actif{_par_qui(consommateur)}.")
    consommateur.suspendu_le, consommateur.motif_suspension = None, ""
    consommateur.save()
    _journal(consommateur, ActeConsommateur.REACTIVATION, acteur, [])
    return consommateur


def _exiger_gestionnaire(acteur: User | None) -> None:
    if acteur is not None and not est_gestionnaire(acteur):
        raise Interdit("sans_droit", "Seuls les gestionnaires SESAN ouvrent et règlent les accès des consommateurs.")


def _verrouiller(pk: int) -> Consommateur:
    return Consommateur.objects.select_for_update(no_key=True).get(pk=pk)


def _finir_les_jetons(consommateur: Consommateur) -> None:
    AccessToken.objects.filter(application=consommateur).delete()


def _journal(
    consommateur: Consommateur, acte: str, acteur: User | None, changements: list[list[str]], motif: str = ""
) -> None:
    JournalConsommateur.objects.create(
        consommateur=consommateur, acte=acte, acteur=acteur, changements=changements, motif=motif
    )


def _par_qui(consommateur: Consommateur) -> str:
    actes = [ActeConsommateur.SUSPENSION, ActeConsommateur.REACTIVATION]
    dernier = consommateur.journal.filter(acte__in=actes).select_related("acteur").first()
    if dernier is None or dernier.acteur is None:
        return ""
    return f" : {dernier.acteur}, le {date_longue(dernier.le, 'heure')}"


def _regler(consommateur: Consommateur, reglages: Reglages) -> None:
    """Write the settings on the row, or refuse them all."""
    reseaux, illisibles = _reseaux(reglages.reseaux)
    portees = [portee for portee in Portee.values if portee in reglages.portees]
    champs = _fautes_de_texte(reglages) | _fautes_de_nombre(reglages)
    if Consommateur.objects.filter(name__iexact=reglages.nom.strip()).exclude(pk=consommateur.pk).exists():
        champs["nom"] = [_NOM_PRIS]
    if not portees or len(portees) != len(set(reglages.portees)):
        champs["portees"] = ["Choisissez au moins une portée."]
    elif portees == [Portee.EXPORT]:
        champs["portees"] = ["L’export donne ce que les autres portées donnent à lire : choisissez-en une aussi."]
    if illisibles:
        champs["reseaux"] = [f"« {texte[:50]} » n’est pas un réseau (exemple : 192.0.2.0/24)." for texte in illisibles]
    if champs:
        raise Invalide("consommateur_invalide", "Le consommateur n’a pas pu être enregistré.", champs=champs)
    consommateur.name = reglages.nom.strip()
    consommateur.courriel = reglages.courriel.strip()
    consommateur.organisme = reglages.organisme.strip()
    consommateur.profil, consommateur.portees, consommateur.reseaux = reglages.profil, list(portees), reseaux
    consommateur.quota_minute, consommateur.quota_jour = reglages.quota_minute, reglages.quota_jour


def _enregistrer(consommateur: Consommateur) -> None:
    """A name that somebody took meanwhile is said like one that was taken before."""
    try:
        with transaction.atomic():
            consommateur.save()
    except IntegrityError as erreur:
        raise Invalide("nom_pris", _NOM_PRIS, champs={"nom": [_NOM_PRIS]}) from erreur


def _fautes_de_texte(reglages: Reglages) -> dict[str, list[str]]:
    fautes: dict[str, list[str]] = {}
    textes = {"nom": (reglages.nom, 200), "courriel": (reglages.courriel, 254), "organisme": (reglages.organisme, 200)}
    for champ, (valeur, longueur) in textes.items():
        if not valeur.strip():
            fautes[champ] = ["Ce champ est obligatoire."]
        elif len(valeur.strip()) > longueur:
            fautes[champ] = [f"{longueur} caractères au plus."]
    if "courriel" not in fautes and not _est_courriel(reglages.courriel.strip()):
        fautes["courriel"] = ["Cette adresse électronique n’est pas complète."]
    return fautes


def _fautes_de_nombre(reglages: Reglages) -> dict[str, list[str]]:
    fautes: dict[str, list[str]] = {}
    if reglages.profil not in ProfilAcces.values:
        fautes["profil"] = ["Choisissez un profil d’accès."]
    for champ, quota in (("quota_minute", reglages.quota_minute), ("quota_jour", reglages.quota_jour)):
        if not 1 <= quota <= QUOTA_MAXIMUM:
            fautes[champ] = [f"Un nombre entre 1 et {nombre(QUOTA_MAXIMUM)}."]
    return fautes


def _est_courriel(valeur: str) -> bool:
    try:
        validate_email(valeur)
    except ValidationError:
        return False
    return True


def _reseaux(textes: Sequence[str]) -> tuple[list[str], list[str]]:
    lus, illisibles = [], []
    for texte in dict.fromkeys(t.strip() for t in textes if t.strip()):
        try:
            lus.append(str(ipaddress.ip_network(texte, strict=False)))
        except ValueError:
            illisibles.append(texte)
    return lus, illisibles


def _en_mots(consommateur: Consommateur) -> list[tuple[str, str]]:
    """What is said of it in the journal."""
    return [
        ("Nom", consommateur.name),
        ("Organisme responsable", consommateur.organisme),
        ("Courriel de contact", consommateur.courriel),
        ("Profil d’accès", ProfilAcces(consommateur.profil).label if consommateur.profil is not None else ""),
        ("Portées", ", ".join(consommateur.portees or [])),
        ("Requêtes par minute", nombre(consommateur.quota_minute)),
        ("Requêtes par jour", nombre(consommateur.quota_jour)),
        ("Réseaux d’origine", ", ".join(consommateur.reseaux)),
    ]
