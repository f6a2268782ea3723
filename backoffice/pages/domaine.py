"""What a gestionnaire does on an account: one transaction for the account, its rights, its tasks and its mail."""

from datetime import date

from django.db import transaction

from backoffice.comptes import domaine as comptes
from backoffice.comptes.models import User
from backoffice.socle.erreurs import Interdit, Invalide
from structures.domaine import habilitations
from structures.enums import ROLES_EDITEURS, Role
from structures.models import Autorite, Fiche, Habilitation
from structures.regles import est_gestionnaire
from workflows.domaine.taches import rendre_les_taches_de, taches_tenues


def exiger_gestionnaire(acteur: User) -> None:
    if not est_gestionnaire(acteur):
        raise Interdit("sans_droit", "Cette page est réservée aux gestionnaires SESAN.")


def portee(role: str, finess: str, autorite: str) -> tuple[Fiche | None, Autorite | None]:
    """On what a role is held, from what was typed. Refusals: ``Invalide`` on finess or autorite."""
    fiche = habilitations.structure_de(finess) if role in ROLES_EDITEURS or finess.strip() else None
    choisie = Autorite.objects.filter(pk=autorite).first() if autorite else None
    if autorite and choisie is None:
        message = "Choisissez une autorité de la liste."
        raise Invalide("habilitation", message, champs={"autorite": [message]})
    return fiche, choisie


@transaction.atomic
def ouvrir_compte(
    *,
    identifiant: str,
    email: str,
    prenom: str,
    nom: str,
    role: str,
    finess: str = "",
    autorite: str = "",
    acteur: User,
) -> User:
    """Open an account with its first right; identifier and provisional password leave by mail (acceptance 5–9).

    Refusals: ``Interdit``; ``Invalide`` with every field that is wrong, of the account and of the right together.
    """
    exiger_gestionnaire(acteur)
    champs: dict[str, list[str]] = {}
    user = None
    with transaction.atomic():
        try:
            user, _ = comptes.creer_compte(identifiant=identifiant, email=email, prenom=prenom, nom=nom, acteur=acteur)
        except Invalide as refus:
            champs |= refus.champs
        try:
            fiche, choisie = portee(role, finess, autorite)
            if user is not None:
                habilitations.accorder(user=user, role=role, fiche=fiche, autorite=choisie, acteur=acteur)
        except Invalide as refus:
            champs |= refus.champs
        if champs or user is None:
            raise Invalide("compte_invalide", "Le compte n’a pas pu être ouvert.", champs=champs)
    return user


@transaction.atomic
def donner_droit(
    *,
    user: User,
    role: str,
    finess: str = "",
    autorite: str = "",
    debut: date | None = None,
    fin: date | None = None,
    acteur: User,
) -> Habilitation:
    """One more right on an account. Refusals: those of ``habilitations.accorder``."""
    exiger_gestionnaire(acteur)
    fiche, choisie = portee(role, finess, autorite)
    return habilitations.accorder(
        user=user, role=role, fiche=fiche, autorite=choisie, debut=debut, fin=fin, acteur=acteur
    )


@transaction.atomic
def terminer_droit(*, habilitation: Habilitation, acteur: User | None, fin: date | None = None) -> list[int]:
    """End a right; returns the tasks of the person that went back to the queue (domain.md §6)."""
    habilitations.terminer(habilitation=habilitation, acteur=acteur, fin=fin)
    return rendre_les_taches_de([habilitation.user_id])


@transaction.atomic
def desactiver(*, user: User, acteur: User) -> list[int]:
    """Close an account; returns those of its tasks that went back to the queue."""
    exiger_gestionnaire(acteur)
    comptes.verrouiller(user)  # nobody gives it a task any more: those are all
    tenues = taches_tenues(user)
    comptes.desactiver_compte(user=user, acteur=acteur)  # gives them back, and ends the substitutions
    return tenues


@transaction.atomic
def reactiver(*, user: User, acteur: User) -> User:
    exiger_gestionnaire(acteur)
    return comptes.reactiver_compte(user=user, acteur=acteur)


@transaction.atomic
def redonner_mot_de_passe(*, user: User, acteur: User) -> None:
    """A new provisional password by mail; the person's sessions end. Refused for oneself: there is a page for that."""
    exiger_gestionnaire(acteur)
    if user.pk == acteur.pk:
        raise Interdit("soi_meme", "Pour vous-même, utilisez « Changer de mot de passe » dans le menu de votre compte.")
    comptes.redonner_mot_de_passe(user=user, acteur=acteur)


ROLES_DEMANDES = [
    (Role.REFERENT, "Référent : peut modifier"),
    (Role.DIRECTION, "Direction : peut modifier et valider"),
    (Role.TUTELLE, "Tutelle : approuve les dossiers de son autorité"),
    (Role.GESTIONNAIRE, "Gestionnaire SESAN : approuve, ouvre les comptes, supervise"),
]
