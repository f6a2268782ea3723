"""Reported errors: a reader says what is wrong with a fiche, those who may change it answer her."""

from collections.abc import Sequence
from datetime import date

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Invalide
from backoffice.socle.mots import date_longue, nombre
from notifications.domaine import notifier

from .. import notifications as types
from ..champs import CHAMPS, libelle
from ..enums import IssueSignalement, ThemeSignalement
from ..models import Fiche, Signalement, VersionFiche
from ..regles import peut_modifier, traitants_de

LIMITE = 20  # open reports of one person
LONGUEUR_TOTALE = 12_000  # characters of a report, what completes it included


def champ_en_mots(signalement: Signalement) -> str:
    """« Activités opérationnelles », « La fiche entière »."""
    champ = CHAMPS.get(signalement.champ)
    return libelle(champ, signalement.fiche.niveau) if champ else "La fiche entière"


@transaction.atomic
def signaler(
    *, fiche: Fiche, acteur: User, theme: str, message: str, champ: str = "", valeur_proposee: str = ""
) -> Signalement:
    """Report an error and mail those who may correct it. ``champ`` is a name of the catalogue, "" the whole fiche.

    Refuses (``Conflit``): a fiche that is not open today; a field that she has already reported there, code
    « deja_signale » (``completer`` adds to it); too many open reports of hers.
    """
    # Her own row orders her reports: two clicks make one, and the bound holds.
    User.objects.select_for_update(no_key=True).get(pk=acteur.pk)
    version = VersionFiche.objects.filter(fiche=fiche, validite__contains=timezone.localdate()).first()
    if version is None:
        raise Conflit("fiche_fermee", "Cette fiche n’est pas ouverte aujourd’hui : il n’y a rien à y corriger.")
    ouverts = Signalement.objects.filter(auteur=acteur, clos_le__isnull=True)
    if ouverts.filter(fiche=fiche, champ=champ).exists():
        raise Conflit(
            "deja_signale",
            "Vous avez déjà signalé une erreur ici, et elle n’est pas encore traitée. Complétez votre signalement.",
        )
    if ouverts.count() >= LIMITE:
        raise Conflit(
            "trop_de_signalements",
            f"Vous avez {LIMITE} signalements en attente : c’est le maximum. Attendez une réponse, ou retirez ceux qui "
            "n’ont plus lieu d’être.",
        )
    signalement = Signalement.objects.create(
        fiche=fiche, champ=champ, theme=theme, message=message, valeur_proposee=valeur_proposee, auteur=acteur
    )
    _prevenir(signalement, "recu", version.nom)
    return signalement


@transaction.atomic
def signaler_fermetures(*, fermes: Sequence[tuple[int, date | None]], acteur: User, source: str) -> list[Signalement]:
    """Report that an official file says closed what the register holds open: (fiche, closing day) pairs. Nothing is
    closed. A closing is reported once, whoever imports; the bound on one person's reports doesn't hold here."""
    User.objects.select_for_update(no_key=True).get(pk=acteur.pk)
    dits = set(
        Signalement.objects.filter(fiche__in=[fiche for fiche, _ in fermes], theme=ThemeSignalement.FERME)
        .order_by()
        .values_list("fiche", "valeur_proposee")
    )
    siens = set(
        Signalement.objects.filter(auteur=acteur, champ="", clos_le__isnull=True)
        .order_by()
        .values_list("fiche", flat=True)
    )
    faits = []
    for fiche, jour in fermes:
        constat = f"Fermé le {date_longue(jour)}" if jour else "Fermé"
        if (fiche, constat) in dits or fiche in siens:
            continue
        signalement = Signalement.objects.create(
            fiche_id=fiche,
            theme=ThemeSignalement.FERME,
            message=f"{source} : cet établissement y est fermé, et il est ouvert dans le répertoire. Rien n’a été "
            "fermé : vérifiez, puis fermez-le s’il y a lieu.",
            valeur_proposee=constat,
            auteur=acteur,
        )
        _prevenir(signalement, "recu", _nom_de(signalement.fiche))
        faits.append(signalement)
    return faits


@transaction.atomic
def completer(*, numero: int, acteur: User, message: str, valeur_proposee: str = "") -> Signalement:
    """Add to one's own open report and mail those who may correct the fiche; a new proposed value replaces the first.
    Refuses: not hers (``Interdit``), closed meanwhile (``Conflit``), too long with what it says already
    (``Invalide``)."""
    signalement = _verrouiller(numero)
    if signalement.auteur_id != acteur.pk:
        raise Interdit("pas_le_sien", "Seule la personne qui a signalé l’erreur peut compléter son signalement.")
    _refuser_si_clos(signalement)
    complement = f"\n\nComplément du {date_longue(timezone.localdate())} : {message}"
    if len(signalement.message) + len(complement) > LONGUEUR_TOTALE:
        phrase = (
            f"Avec ce complément, votre signalement dépasserait {nombre(LONGUEUR_TOTALE)} caractères : écrivez-le plus "
            "court, ou attendez la réponse pour en faire un autre."
        )
        raise Invalide("trop_long", phrase, champs={"message": [phrase]})
    signalement.message += complement
    signalement.valeur_proposee = valeur_proposee or signalement.valeur_proposee
    signalement.save(update_fields=["message", "valeur_proposee"])
    # What a report says only grows: its length names the completion.
    _prevenir(signalement, f"complete:{len(signalement.message)}", _nom_de(signalement.fiche), complement=True)
    return signalement


@transaction.atomic
def clore(*, numero: int, acteur: User, issue: str, reponse: str = "") -> Signalement:
    """« Corrigé » or « Sans suite »; the reporter gets the answer by mail. Refuses: may not change the fiche
    (``Interdit``), « sans suite » without an answer (``Invalide``), closed by somebody else first (``Conflit``)."""
    signalement = _verrouiller(numero)
    if not peut_modifier(acteur, signalement.fiche):
        raise Interdit("sans_droit", "Seuls ceux qui peuvent modifier la fiche peuvent clore ce signalement.")
    _refuser_si_clos(signalement)
    if issue == IssueSignalement.SANS_SUITE and not reponse:
        message = "Dites à la personne pourquoi son signalement reste sans suite."
        raise Invalide("reponse_exigee", message, champs={"reponse": [message]})
    _clore(signalement, acteur, issue, reponse)
    notifier(
        types.SignalementClos,
        destinataires=[signalement.auteur],
        cle=f"signalement:{signalement.pk}:clos",
        contexte=_contexte(signalement, _nom_de(signalement.fiche)),
        lien=reverse("signalement", args=[signalement.pk]),
        sauf=acteur,
    )
    return signalement


@transaction.atomic
def retirer(*, numero: int, acteur: User) -> Signalement:
    """The reporter takes hers back. Refuses: not hers (``Interdit``), closed meanwhile (``Conflit``)."""
    signalement = _verrouiller(numero)
    if signalement.auteur_id != acteur.pk:
        raise Interdit("pas_le_sien", "Seule la personne qui a signalé l’erreur peut retirer son signalement.")
    _refuser_si_clos(signalement)
    _clore(signalement, acteur, IssueSignalement.RETIRE, "")
    return signalement


def _verrouiller(numero: int) -> Signalement:
    # Not clos_par: whoever waited for the lock would read the join as it was before.
    lignes = Signalement.objects.select_for_update(of=("self",), no_key=True)
    return lignes.select_related("fiche", "auteur").get(pk=numero)


def _refuser_si_clos(signalement: Signalement) -> None:
    if signalement.clos_le is None:
        return
    suite = IssueSignalement(signalement.issue).label.lower()
    raise Conflit(
        "deja_clos",
        f"{signalement.clos_par} a clos ce signalement le {date_longue(signalement.clos_le, 'heure')} ({suite}) : il "
        "n’y a plus rien à y faire.",
    )


def _clore(signalement: Signalement, acteur: User, issue: str, reponse: str) -> None:
    signalement.issue, signalement.reponse = issue, reponse
    signalement.clos_le, signalement.clos_par = timezone.now(), acteur
    signalement.save(update_fields=["issue", "reponse", "clos_le", "clos_par"])


def _prevenir(signalement: Signalement, quoi: str, nom: str, *, complement: bool = False) -> None:
    """Mail those who may correct the fiche, once for each ``quoi``."""
    notifier(
        types.SignalementRecu,
        destinataires=traitants_de(signalement.fiche),
        cle=f"signalement:{signalement.pk}:{quoi}",
        contexte=_contexte(signalement, nom) | {"complement": complement},
        lien=reverse("signalement", args=[signalement.pk]),
        sauf=signalement.auteur,
    )


def _nom_de(fiche: Fiche) -> str:
    """Its last name, of a closed one too."""
    version = VersionFiche.objects.filter(fiche=fiche).order_by("-validite").first()
    return version.nom if version else ""


def _contexte(signalement: Signalement, nom: str) -> dict[str, object]:
    return {
        "signalement": signalement,
        "fiche": nom or signalement.fiche.identifiant,
        "champ": champ_en_mots(signalement),
    }
