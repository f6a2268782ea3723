"""The verbs of the outbox: write mails with the event, send one again."""

import hashlib
import logging
from collections.abc import Iterable, Mapping
from copy import copy
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from django.urls import reverse
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit

from . import regles, reveil
from .models import MARQUE_SECRET, OUVERTS, REEXPEDIABLES, Envoi, EtatEnvoi
from .registre import TypeNotification
from .rendu import absolue, rendre
from .types import AdresseChangee, CompteOuvert, MotDePasseRedonne

logger = logging.getLogger(__name__)


def serveur_configure() -> bool:
    """Without EMAIL_HOST nothing leaves: the mails are kept, readable in « Envois »."""
    return bool(settings.EMAIL_HOST)


def _cle(type_: type[TypeNotification], cle: str, user: User) -> str:
    entiere = f"{type_.code}:{cle}:{user.pk}"
    if len(entiere) > 255:
        entiere = f"{type_.code}:{hashlib.sha256(cle.encode()).hexdigest()}:{user.pk}"
    return entiere


def notifier(
    type_: type[TypeNotification],
    *,
    destinataires: Iterable[User],
    cle: str,
    contexte: Mapping[str, Any] | None = None,
    lien: str | None = None,
    sauf: User | None = None,
    secret: str = "",
) -> int:
    """Write one mail a person, in the transaction of the event and in one INSERT; return how many people it is for.

    ``cle`` names the event ("dossier:12:envoi:3"): the same event announced twice to a person makes one mail.
    ``lien`` is a path of this site or an absolute address. ``sauf`` is the actor: nobody is mailed about their own
    action. Inactive people and people without an address are left out (logged). Templates get ``contexte`` plus
    destinataire, lien, bouton, produit, site, support, sujet.

    Refusal: TransactionManagementError outside a transaction, where a mail could leave for an event that never was.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("notifier() must run in the transaction of the event that it announces.")
    adresse_du_lien = absolue(lien)
    retenus: dict[int, User] = {}
    for user in destinataires:
        if sauf is not None and user.pk == sauf.pk:
            continue
        if not user.is_active or not user.email:
            logger.info("notification %s %s: nobody to write to at account %s", type_.code, cle, user.pk)
            continue
        retenus[user.pk] = user
    if secret and len(retenus) > 1:
        raise ValueError("A secret is for one person.")
    maintenant = timezone.now()
    configure = serveur_configure()
    lignes = []
    # In the order of the keys, so that two events for the same people can't wait for each other.
    for pk in sorted(retenus):
        user = retenus[pk]
        rendu = rendre(type_, {**(contexte or {}), "destinataire": user, "lien": adresse_du_lien})
        lignes.append(
            Envoi(
                type_code=type_.code,
                cle=_cle(type_, cle, user),
                destinataire=user,
                adresse=user.email,
                sujet=rendu.sujet,
                corps_texte=rendu.texte,
                corps_html=rendu.html,
                secret=secret,
                etat=EtatEnvoi.A_ENVOYER if configure else EtatEnvoi.NON_EXPEDIE,
                cree_le=maintenant,
                prochaine_tentative=maintenant if configure else None,
            )
        )
    if lignes:
        Envoi.objects.bulk_create(lignes, ignore_conflicts=True)
        if configure:
            transaction.on_commit(reveil.reveiller, robust=True)
    return len(lignes)


def annoncer_mot_de_passe(user: User, mot_de_passe: str, nouveau: bool) -> None:
    """The hook of ``comptes``: mail the provisional password; earlier ones not yet sent, now wrong, are cancelled."""
    Envoi.objects.filter(destinataire=user, etat__in=[*OUVERTS, *REEXPEDIABLES]).exclude(secret="").update(
        etat=EtatEnvoi.ANNULE,
        secret="",
        erreur="Remplacé par un mot de passe provisoire plus récent.",
        prochaine_tentative=None,
        reclame_le=None,
        jeton=None,
    )
    # The hash is new at each drawing and says nothing: it names the event.
    evenement = hashlib.sha256(user.password.encode()).hexdigest()[:32]
    notifier(
        CompteOuvert if nouveau else MotDePasseRedonne,
        destinataires=[user],
        cle=f"compte:{user.pk}:{evenement}",
        contexte={"identifiant": user.username, "secret": MARQUE_SECRET},
        lien=reverse("connexion"),
        secret=mot_de_passe,
    )


def annoncer_adresse(user: User, ancienne: str) -> None:
    """The hook of ``comptes``: tell the address that an account had that it has another one. The new one is not
    written there: the old mailbox may be somebody else's by now."""
    avant = copy(user)
    avant.email = ancienne
    notifier(
        AdresseChangee,
        destinataires=[avant],
        cle=f"adresse:{user.pk}:{uuid4()}",
        contexte={"identifiant": user.username},
    )


@transaction.atomic
def reexpedier(*, envoi: Envoi, acteur: User) -> Envoi:
    """Give a failed (or kept) mail a new set of tries, at the person's present address.

    Refusals: not a supervisor (Interdit); not failed or kept, no mail server, closed account, or a provisional
    password that is no longer good (Conflit).
    """
    if not regles.peut_tout_voir(acteur):
        raise Interdit("reexpedition_interdite", "Seul un gestionnaire peut réexpédier un courriel.")
    verrous = Envoi.objects.select_for_update(of=("self",), no_key=True).select_related("destinataire")
    verrouille = verrous.get(pk=envoi.pk)
    if verrouille.etat not in REEXPEDIABLES:
        raise Conflit(
            "envoi_non_reexpediable",
            f"Ce courriel est « {verrouille.get_etat_display()} » : il n’y a rien à réexpédier.",
        )
    if not serveur_configure():
        raise Conflit("aucun_serveur", "Aucun serveur de courriel n’est configuré : le courriel reste lisible ici.")
    destinataire = verrouille.destinataire
    if not destinataire.is_active:
        raise Conflit("compte_desactive", "Le compte du destinataire est désactivé.")
    if MARQUE_SECRET in verrouille.corps_texte and not (verrouille.secret and destinataire.doit_changer_mot_de_passe):
        raise Conflit(
            "mot_de_passe_perime",
            "Le mot de passe provisoire de ce courriel n’est plus valable : donnez-en un nouveau à la personne.",
        )
    verrouille.etat = EtatEnvoi.A_ENVOYER
    verrouille.adresse = destinataire.email
    verrouille.tentatives = 0
    verrouille.erreur = ""
    verrouille.prochaine_tentative = timezone.now()
    verrouille.reexpedie_par = acteur
    verrouille.save(update_fields=["etat", "adresse", "tentatives", "erreur", "prochaine_tentative", "reexpedie_par"])
    transaction.on_commit(reveil.reveiller, robust=True)
    return verrouille
