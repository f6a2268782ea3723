"""The verbs of an account. They don't ask who may: the screen's own rule does, as habilitations live in ``structures``.

Hooks are called inside the verb's transaction, so that no caller forgets: ``notifications`` announces a provisional
password (``definir_annonceur``) and a new address to the one it replaces (``definir_au_changement_d_adresse``),
``workflows`` gives back what a person who leaves held (``definir_au_depart``).
"""

import secrets
from collections.abc import Callable

import pghistory
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from backoffice.socle.erreurs import Conflit, Interdit, Invalide

from .models import User

# No 0/O, 1/l/i, nor letters that are confused when dictated on the telephone.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_CHAMPS = {"username": "identifiant", "first_name": "prenom", "last_name": "nom", "email": "email"}

Annonceur = Callable[[User, str, bool], None]
_annonceur: Annonceur | None = None


def definir_annonceur(fonction: Annonceur | None) -> None:
    """``fonction(user, mot_de_passe, nouveau)`` is called inside the transaction that gives a provisional password."""
    global _annonceur
    _annonceur = fonction


ChangementAdresse = Callable[[User, str], None]
_au_changement_d_adresse: ChangementAdresse | None = None


def definir_au_changement_d_adresse(fonction: ChangementAdresse | None) -> None:
    """``fonction(user, ancienne)`` is called inside the transaction that gives an account another address."""
    global _au_changement_d_adresse
    _au_changement_d_adresse = fonction


Depart = Callable[[User, User | None], None]
_au_depart: Depart | None = None


def definir_au_depart(fonction: Depart | None) -> None:
    """``fonction(user, acteur)`` is called inside the transaction that closes an account."""
    global _au_depart
    _au_depart = fonction


def mot_de_passe_provisoire() -> str:
    """Four groups of four, readable aloud: 79 bits."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))


def verrouiller(user: User) -> User:
    """The account as it is now, which nobody else changes nor closes until the transaction ends."""
    return User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)


def _contexte(verbe: str, acteur: User | None) -> pghistory.context:
    return pghistory.context(verbe=verbe, acteur=acteur.pk if acteur else None)


def creer_compte(
    *, identifiant: str, email: str, prenom: str, nom: str, acteur: User | None, annoncer: bool = True
) -> tuple[User, str]:
    """Open an account and give the provisional password, mailed to the person in the same transaction.

    ``acteur`` is None only for commands. ``annoncer=False`` keeps the mail back (demo data).
    Refusal: Invalide with ``champs`` among identifiant, email, prenom, nom; a duplicate counts whatever its case.
    """
    user = User(
        username=identifiant.strip(),
        email=email.strip(),
        first_name=prenom.strip(),
        last_name=nom.strip(),
        doit_changer_mot_de_passe=True,
    )
    provisoire = mot_de_passe_provisoire()
    user.set_password(provisoire)
    champs: dict[str, list[str]] = {}
    for champ, valeur in (("prenom", user.first_name), ("nom", user.last_name)):
        if not valeur:
            champs[champ] = ["Ce champ est obligatoire."]
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as erreur:
        for champ, messages in erreur.message_dict.items():
            # The constraint on lower(username) reports on no field; it is about the identifier all the same.
            messages_du_champ = champs.setdefault(_CHAMPS.get(champ, "identifiant"), [])
            messages_du_champ += [m for m in messages if m not in messages_du_champ]
    if champs:
        raise Invalide("compte_invalide", "Le compte n’a pas pu être ouvert.", champs=champs)
    with _contexte("creer_compte", acteur), transaction.atomic():
        try:
            with transaction.atomic():
                user.save(force_insert=True)
        except IntegrityError as erreur:
            raise Invalide(
                "compte_invalide",
                "Le compte n’a pas pu être ouvert.",
                champs={"identifiant": ["Un compte porte déjà cet identifiant."]},
            ) from erreur
        if annoncer and _annonceur is not None:
            _annonceur(user, provisoire, True)
    return user, provisoire


def corriger_compte(
    *, user: User, nom: str | None = None, prenom: str | None = None, email: str | None = None, acteur: User | None
) -> User:
    """Correct who somebody is or where one writes to her; None leaves as it is. Refusals: ``Invalide`` with
    ``champs`` among email, prenom, nom; a deactivated account (``Conflit``); an account of the administration by
    anybody else (``Interdit``): whoever gets its mails gets its password. So the address that is replaced is told."""
    with _contexte("corriger_compte", acteur), transaction.atomic():
        verrouille = verrouiller(user)
        if not verrouille.is_active:
            raise Conflit("compte_desactive", "Ce compte est désactivé : réactivez-le d’abord.")
        if acteur is not None and (verrouille.is_staff or verrouille.is_superuser) and not acteur.is_superuser:
            raise Interdit("compte_protege", "Ce compte d’administration ne se corrige que dans l’administration.")
        ancienne = verrouille.email
        for champ, valeur in (("last_name", nom), ("first_name", prenom), ("email", email)):
            if valeur is not None:
                setattr(verrouille, champ, valeur.strip())
        try:
            verrouille.full_clean(exclude=["password"])
        except ValidationError as erreur:
            champs = {_CHAMPS.get(champ, "identifiant"): messages for champ, messages in erreur.message_dict.items()}
            raise Invalide("compte_invalide", "Le compte n’a pas pu être corrigé.", champs=champs) from erreur
        verrouille.save(update_fields=["last_name", "first_name", "email"])
        if verrouille.email.casefold() != ancienne.casefold() and _au_changement_d_adresse is not None:
            _au_changement_d_adresse(verrouille, ancienne)
    user.last_name, user.first_name, user.email = verrouille.last_name, verrouille.first_name, verrouille.email
    return user


def redonner_mot_de_passe(*, user: User, acteur: User | None, annoncer: bool = True) -> str:
    """Replace the password by a provisional one, mailed; the person's sessions end. Refusal: a deactivated account."""
    with _contexte("redonner_mot_de_passe", acteur), transaction.atomic():
        verrouille = verrouiller(user)
        if not verrouille.is_active:
            raise Conflit("compte_desactive", "Ce compte est désactivé : réactivez-le d’abord.")
        provisoire = mot_de_passe_provisoire()
        verrouille.set_password(provisoire)
        verrouille.doit_changer_mot_de_passe = True
        verrouille.save(update_fields=["password", "doit_changer_mot_de_passe"])
        if annoncer and _annonceur is not None:
            _annonceur(verrouille, provisoire, False)
    user.password, user.doit_changer_mot_de_passe = verrouille.password, True
    return provisoire


def changer_mot_de_passe(*, user: User, nouveau: str) -> User:
    """The person chooses her password; the mark « provisoire » goes. Her other sessions end (the hash changed).

    Refusal: Invalide with ``champs["nouveau"]`` when a validator objects or the present password is kept.
    """
    with _contexte("changer_mot_de_passe", user), transaction.atomic():
        verrouille = verrouiller(user)
        try:
            validate_password(nouveau, verrouille)
        except ValidationError as erreur:
            raise Invalide(
                "mot_de_passe_refuse", "Ce mot de passe ne convient pas.", champs={"nouveau": erreur.messages}
            ) from erreur
        if verrouille.check_password(nouveau):
            ancien = "provisoire" if verrouille.doit_changer_mot_de_passe else "actuel"
            raise Invalide(
                "mot_de_passe_garde",
                "Ce mot de passe ne convient pas.",
                champs={"nouveau": [f"Choisissez un mot de passe différent du mot de passe {ancien}."]},
            )
        verrouille.set_password(nouveau)
        verrouille.doit_changer_mot_de_passe = False
        verrouille.save(update_fields=["password", "doit_changer_mot_de_passe"])
    user.password, user.doit_changer_mot_de_passe = verrouille.password, False
    return user


def desactiver_compte(*, user: User, acteur: User | None) -> User:
    """Close the account: no login, running sessions end at their next request. Refusals: one's own; already closed."""
    if acteur is not None and acteur.pk == user.pk:
        raise Interdit("soi_meme", "Vous ne pouvez pas désactiver votre propre compte.")
    return _activer(user, acteur, actif=False)


def reactiver_compte(*, user: User, acteur: User | None) -> User:
    """Open a deactivated account again, with the password that it had. Refusal: already active."""
    return _activer(user, acteur, actif=True)


def _activer(user: User, acteur: User | None, *, actif: bool) -> User:
    with _contexte("reactiver_compte" if actif else "desactiver_compte", acteur), transaction.atomic():
        verrouille = verrouiller(user)
        if verrouille.is_active == actif:
            raise Conflit("sans_effet", f"Ce compte est déjà {'actif' if actif else 'désactivé'}.")
        verrouille.is_active = actif
        verrouille.save(update_fields=["is_active"])
        if not actif and _au_depart is not None:
            _au_depart(verrouille, acteur)
    user.is_active = actif
    return user
