"""Who is given which role, on what, and until when. A habilitation is never deleted: it ends."""

from datetime import date

import pghistory
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from backoffice.comptes.domaine import verrouiller
from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Invalide
from backoffice.socle.mots import date_longue

from ..enums import ROLES_EDITEURS, Niveau, Role
from ..models import Autorite, Fiche, Habilitation, VersionFiche
from ..regles import est_gestionnaire

OU_TENIR = "Indiquez le numéro FINESS de l’établissement (EG) ou de l’entité juridique (EJ)."


def structure_de(finess: str) -> Fiche:
    """The EJ or EG with this FINESS number. Refusals (``Invalide`` on « finess »): unknown, or closed today."""
    numero = "".join(finess.split()).upper()
    if not numero:
        raise _invalide("finess", OU_TENIR)
    fiche = Fiche.objects.filter(identifiant=f"1{numero}", niveau__in=[Niveau.EJ, Niveau.EG]).first()
    if fiche is None:
        raise _invalide(
            "finess", f"Aucun établissement ni entité juridique du répertoire ne porte le numéro « {numero[:20]} »."
        )
    if not VersionFiche.objects.filter(fiche=fiche, validite__contains=timezone.localdate()).exists():
        raise _invalide("finess", f"La structure {numero} est fermée au répertoire.")
    return fiche


@transaction.atomic
def accorder(
    *,
    user: User,
    role: str,
    fiche: Fiche | None = None,
    autorite: Autorite | None = None,
    debut: date | None = None,
    fin: date | None = None,
    acteur: User | None,
) -> Habilitation:
    """Give a role over ``[debut, fin)``, from today unless said. ``acteur`` is None only for commands.

    Refusals: not a gestionnaire, or a right for oneself (``Interdit``); a closed account (``Conflit``); ``Invalide``
    with ``champs`` among role, finess, autorite, debut, fin: a scope that does not fit the role, dates, or a right
    already held then.
    """
    _exiger_gestionnaire(acteur)
    if acteur is not None and acteur.pk == user.pk:
        raise Interdit("pour_soi", "Personne ne se donne un droit : demandez-le à un autre gestionnaire.")
    _verifier_portee(role, fiche, autorite)
    debut = debut or timezone.localdate()
    for nom, jour in (("debut", debut), ("fin", fin)):
        if jour is not None and not 2000 <= jour.year < 2200:
            raise _invalide(nom, "Choisissez une date entre 2000 et 2199.")
    if fin is not None and fin <= debut:
        raise _invalide("fin", "La fin vient après le début.")
    verrouille = verrouiller(user)
    if not verrouille.is_active:
        raise Conflit("compte_desactive", "Ce compte est désactivé : réactivez-le avant de lui donner un droit.")
    _refuser_doublon(user, role, fiche, autorite, debut, fin)
    with pghistory.context(verbe="accorder", acteur=acteur.pk if acteur else None):
        try:
            with transaction.atomic():
                return Habilitation.objects.create(
                    user=user, role=role, fiche=fiche, autorite=autorite, debut=debut, fin=fin
                )
        except IntegrityError as erreur:
            raise _invalide("role", "Cette personne a déjà ce droit.") from erreur


@transaction.atomic
def terminer(*, habilitation: Habilitation, acteur: User | None, fin: date | None = None) -> Habilitation:
    """End a habilitation on ``fin`` (its first day without the right), today unless said.

    The tasks that the person holds are another app's business: whoever calls this gives them back.
    Refusals: not a gestionnaire, or one's own last gestionnaire role (``Interdit``); already ended, or the last
    gestionnaire of the region (``Conflit``); a day that has passed (``Invalide`` on « fin »).
    """
    _exiger_gestionnaire(acteur)
    aujourdhui = timezone.localdate()
    if fin is not None and fin < aujourdhui:
        raise _invalide("fin", "Choisissez aujourd’hui ou un jour à venir : ce qui a été permis reste écrit.")
    verrouiller(habilitation.user)  # a task that she takes at this moment is seen by whoever gives them back
    verrouillee = Habilitation.objects.select_for_update(of=("self",), no_key=True).select_related("user").get(
        pk=habilitation.pk
    )  # fmt: skip
    if verrouillee.fin is not None and verrouillee.fin <= aujourdhui:
        raise Conflit("deja_terminee", f"Cette habilitation a déjà pris fin le {date_longue(verrouillee.fin)}.")
    if verrouillee.role == Role.GESTIONNAIRE:
        _garder_un_gestionnaire(verrouillee, acteur)
    verrouillee.fin = max(fin or aujourdhui, verrouillee.debut)
    with pghistory.context(verbe="terminer", acteur=acteur.pk if acteur else None):
        verrouillee.save(update_fields=["fin"])
    habilitation.fin = verrouillee.fin
    return verrouillee


def _exiger_gestionnaire(acteur: User | None) -> None:
    if acteur is not None and not est_gestionnaire(acteur):
        raise Interdit("sans_droit", "Seuls les gestionnaires SESAN ouvrent des comptes et donnent des droits.")


def _garder_un_gestionnaire(habilitation: Habilitation, acteur: User | None) -> None:
    # Locked together and in order: two gestionnaires who dismiss each other at the same moment can't both succeed.
    restantes = [
        h
        for h in Habilitation.objects.actives()
        .filter(role=Role.GESTIONNAIRE)
        .select_for_update(of=("self",), no_key=True)
        .order_by("pk")
        if h.pk != habilitation.pk
    ]
    if acteur is not None and habilitation.user_id == acteur.pk and not any(h.user_id == acteur.pk for h in restantes):
        raise Interdit(
            "soi_meme",
            "Vous ne pouvez pas mettre fin à votre propre droit de gestionnaire : demandez-le à un collègue.",
        )
    if not restantes:
        raise Conflit(
            "dernier_gestionnaire", "C’est le dernier gestionnaire : donnez d’abord ce droit à quelqu’un d’autre."
        )


def _verifier_portee(role: str, fiche: Fiche | None, autorite: Autorite | None) -> None:
    if role not in Role.values:
        raise _invalide("role", "Choisissez un droit de la liste.")
    if role in ROLES_EDITEURS:
        if autorite is not None:
            raise _invalide("autorite", "Une autorité ne se choisit que pour une tutelle.")
        if fiche is None:
            raise _invalide("finess", OU_TENIR)
        if fiche.niveau not in (Niveau.EJ, Niveau.EG):
            raise _invalide("finess", "Ce droit se donne sur un établissement (EG) ou une entité juridique (EJ).")
        return
    if fiche is not None:
        raise _invalide("finess", "Un numéro FINESS ne s’indique que pour un Référent ou une Direction.")
    if role == Role.TUTELLE and autorite is None:
        raise _invalide("autorite", "Choisissez l’autorité.")
    if role == Role.GESTIONNAIRE and autorite is not None:
        raise _invalide("autorite", "Une autorité ne se choisit que pour une tutelle.")


def _refuser_doublon(
    user: User, role: str, fiche: Fiche | None, autorite: Autorite | None, debut: date, fin: date | None
) -> None:
    memes = Habilitation.objects.filter(user=user, role=role, fiche=fiche, autorite=autorite)
    recouvertes = memes.filter(Q(fin__isnull=True) | Q(fin__gt=debut))
    if fin is not None:
        recouvertes = recouvertes.filter(debut__lt=fin)
    deja = recouvertes.order_by("debut").first()
    if deja is not None:
        jusqu_au = f" jusqu’au {date_longue(deja.fin)}" if deja.fin else ""
        raise _invalide("role", f"Cette personne a déjà ce droit depuis le {date_longue(deja.debut)}{jusqu_au}.")


def _invalide(champ: str, message: str) -> Invalide:
    return Invalide("habilitation", message, champs={champ: [message]})
