"""Who may see a mail, and act on it. ``structures`` tells who supervises (``definir_superviseur``, in its ready())."""

from collections.abc import Callable

from django.db.models import QuerySet

from backoffice.comptes.models import User

from .models import REEXPEDIABLES, Envoi, EtatEnvoi

_superviseur: Callable[[User], bool] | None = None


def definir_superviseur(fonction: Callable[[User], bool] | None) -> None:
    """``fonction(user)`` says who sees everybody's mails and may send again: the gestionnaires."""
    global _superviseur
    _superviseur = fonction


def peut_tout_voir(user: User) -> bool:
    if not user.is_active:
        return False
    return user.is_superuser or (_superviseur is not None and _superviseur(user))


def envois_de(user: User) -> QuerySet[Envoi]:
    """The mails that ``user`` may see: all for a supervisor, else those sent to him."""
    envois = Envoi.objects.all()
    return envois if peut_tout_voir(user) else envois.filter(destinataire=user)


def peut_reexpedier(user: User, envoi: Envoi) -> bool:
    return envoi.etat in REEXPEDIABLES and peut_tout_voir(user)


def peut_voir_secret(user: User, envoi: Envoi) -> bool:
    """A provisional password is shown in one case only: no mail server is configured, so that nobody will ever
    receive it, a supervisor looks, and the person has not chosen a password yet. Without this a demonstration (or a
    site whose mail is not set up) could open accounts that nobody can enter."""
    return (
        bool(envoi.secret)
        and envoi.etat == EtatEnvoi.NON_EXPEDIE
        and envoi.destinataire.doit_changer_mot_de_passe
        and peut_tout_voir(user)
    )
