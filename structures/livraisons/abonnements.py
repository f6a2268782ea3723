"""The verbs of webhooks: gestionnaires subscribe a consumer, change, suspend, try, replay; his journal has each act."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Introuvable, Invalide
from backoffice.socle.mots import date_longue, nombre
from notifications.domaine import notifier

from .. import notifications as types_de_courriels
from ..enums import TYPES_EXPOSES, ActeConsommateur
from ..models import Abonnement, Consommateur, Departement, JournalConsommateur, Livraison, RessourceVersion
from ..regles import est_gestionnaire, gestionnaires
from . import adresses, changements, signature

MAXIMUM = 10  # subscriptions of a consumer
GRACE = timedelta(hours=24)  # how long a former secret still signs
REJEUX_MAXIMUM = 100  # deliveries that wait to be sent again


@transaction.atomic
def abonner(
    *, consommateur: int, acteur: User, adresse: str, types: Collection[str], departements: Collection[str]
) -> Abonnement:
    """Tell a consumer at ``adresse`` of what changes from now on. ``departements``: none for the whole region.

    Refuses: not a gestionnaire (``Interdit``); an address that no webhook can have, no type or an unknown one
    (``Invalide``); too many subscriptions (``Conflit``).
    """
    _exiger_gestionnaire(acteur)
    verrouille = Consommateur.objects.select_for_update(no_key=True).filter(pk=consommateur).first()
    if verrouille is None:
        raise Introuvable("consommateur_inconnu", "Ce consommateur n’existe pas.")
    if verrouille.abonnements.count() >= MAXIMUM:
        raise Conflit("trop_d_abonnements", f"Ce consommateur a déjà {MAXIMUM} abonnements : modifiez l’un d’eux.")
    adresse, retenus, lieux = _controler(adresse, types, departements)
    abonnement = Abonnement.objects.create(
        consommateur=verrouille, adresse=adresse, types=retenus, departements=lieux, sel=signature.nouveau_sel(),
        curseur=changements.dernier_rang(), cree_par=acteur,
    )  # fmt: skip
    _journal(abonnement, acteur, [["Nouvel abonnement", "", _en_mots(abonnement)]])
    return abonnement


@transaction.atomic
def modifier(
    *, numero: int, acteur: User, adresse: str, types: Collection[str], departements: Collection[str]
) -> Abonnement:
    """Change where and of what it is told, from the next delivery on; one that waits keeps its content. Refusals: as
    ``abonner``."""
    abonnement = _verrouiller(numero, acteur)
    avant = _en_mots(abonnement)
    abonnement.adresse, abonnement.types, abonnement.departements = _controler(adresse, types, departements)
    apres = _en_mots(abonnement)
    if apres != avant:
        abonnement.save(update_fields=["adresse", "types", "departements"])
        _journal(abonnement, acteur, [["Abonnement", avant, apres]])
    return abonnement


@transaction.atomic
def reveler(*, numero: int, acteur: User) -> str:
    """The secret, to hand over; who read it is in the journal."""
    abonnement = _verrouiller(numero, acteur)
    _journal(abonnement, acteur, [["Secret de signature", "", f"montré ({abonnement.adresse})"]])
    return signature.secret_de(abonnement.sel)


@transaction.atomic
def renouveler_secret(*, numero: int, acteur: User, garder_ancien: bool) -> Abonnement:
    """A new secret; the former one still signs too for a day when asked, so that the receiver changes without a cut."""
    abonnement = _verrouiller(numero, acteur)
    jusqu_a = timezone.now() + GRACE if garder_ancien else None
    abonnement.ancien_sel, abonnement.ancien_jusqu_a = (abonnement.sel if jusqu_a else ""), jusqu_a
    abonnement.sel = signature.nouveau_sel()
    abonnement.save(update_fields=["sel", "ancien_sel", "ancien_jusqu_a"])
    ancien = f"l’ancien signe aussi jusqu’au {date_longue(jusqu_a, 'heure')}" if jusqu_a else "l’ancien ne signe plus"
    _journal(abonnement, acteur, [["Secret de signature", "", f"renouvelé ({abonnement.adresse}) : {ancien}"]])
    return abonnement


@transaction.atomic
def suspendre(*, numero: int, acteur: User, motif: str) -> Abonnement:
    """Send nothing more until it is taken up again; what changes meanwhile is kept. Refuses: no reason (``Invalide``),
    already suspended (``Conflit``)."""
    abonnement = _verrouiller(numero, acteur)
    if abonnement.suspendu_le is not None:
        raise Conflit("deja_suspendu", f"Cet abonnement est déjà suspendu : {_par_qui(abonnement)}.")
    if not motif.strip():
        phrase = "Dites pourquoi : le motif reste au journal du consommateur."
        raise Invalide("motif_exige", phrase, champs={"motif": [phrase]})
    _suspendre(abonnement, motif.strip(), acteur)
    return abonnement


@transaction.atomic
def suspendre_d_office(*, abonnement: Abonnement, raison: str) -> bool:
    """By the worker that holds it, after a day of failures; the gestionnaires are told. False: it is no longer his."""
    verrous = Abonnement.objects.select_for_update(of=("self",), no_key=True).select_related("consommateur")
    verrouille = verrous.filter(pk=abonnement.pk, jeton=abonnement.jeton, suspendu_le__isnull=True).first()
    if verrouille is None:
        return False
    _suspendre(verrouille, f"{nombre(abonnement.echecs + 1)} échecs de suite. Le dernier : {raison}", None)
    notifier(
        types_de_courriels.AbonnementSuspendu,
        destinataires=gestionnaires(),
        cle=f"abonnement:{verrouille.pk}:{verrouille.suspendu_le:%Y%m%d%H%M%S}",
        contexte={"consommateur": str(verrouille.consommateur), "adresse": verrouille.adresse, "raison": raison},
        lien=reverse("abonnement", args=[verrouille.consommateur_id, verrouille.pk]),
    )
    return True


def retirer_les_interdits(abonnement: Abonnement, livraison: Livraison) -> Livraison | None:
    """An open delivery without what its consumer lost the right to read since it was made: itself when nothing is to
    be taken out, else another one in its place, or None. To call on a locked subscription; the journal has it."""
    permis = changements.permis_de(livraison, abonnement.consommateur)
    if len(permis) == livraison.nombre:
        return livraison
    place, retires = livraison.pk, f"{nombre(livraison.nombre - len(permis))} sur {nombre(livraison.nombre)}"
    ligne = ["Livraison en attente", str(livraison.identifiant), f"annonces retirées faute de droit : {retires}"]
    _journal(abonnement, None, [ligne])
    origine = livraison.rejoue
    livraison.delete()
    if not permis:
        return None
    reste = changements.livraison_de(abonnement, permis, timezone.now(), origine)
    reste.pk = place
    reste.save(force_insert=True)
    return reste


@transaction.atomic
def reprendre(*, numero: int, acteur: User) -> Abonnement:
    """Take up again where it stopped, at once. Refuses (``Conflit``): not suspended."""
    abonnement = _verrouiller(numero, acteur)
    if abonnement.suspendu_le is None:
        raise Conflit("deja_actif", "Cet abonnement est déjà actif : quelqu’un l’a repris avant vous.")
    abonnement.suspendu_le = abonnement.suspendu_par = abonnement.jeton = None
    abonnement.motif, abonnement.echecs, abonnement.prochaine_tentative = "", 0, timezone.now()
    abonnement.save(update_fields=["suspendu_le", "suspendu_par", "motif", "echecs", "prochaine_tentative", "jeton"])
    _journal(abonnement, acteur, [["Abonnement", "suspendu", f"repris ({abonnement.adresse})"]])
    return abonnement


@transaction.atomic
def essayer(*, numero: int, acteur: User) -> Livraison:
    """A delivery of no change, to see that the receiver answers; and whatever waits leaves with it, before its time.
    Refuses (``Conflit``): suspended."""
    abonnement = _actif(numero, acteur)
    livraison = changements.livraison_de(abonnement, [], timezone.now())
    livraison.save()
    _presser(abonnement)
    return livraison


@transaction.atomic
def rejouer(*, livraison: int, acteur: User) -> Livraison:
    """Send the changes of a delivery again, behind what waits, with an identifier of its own, without those that the
    consumer may no longer read. Refuses (``Conflit``): not delivered yet, of no change or of none left, suspended."""
    origine = Livraison.objects.filter(pk=livraison).first()
    if origine is None:
        raise Introuvable("livraison_inconnue", "Cette livraison n’existe pas, ou son journal a été purgé.")
    abonnement = _actif(origine.abonnement_id, acteur)
    if origine.livree_le is None:
        raise Conflit("pas_livree", "Cette livraison n’est pas encore acceptée : elle repart d’elle-même.")
    if not origine.nombre:
        raise Conflit("essai", "Cette livraison est un essai : faites-en un autre.")
    if abonnement.livraisons.filter(livree_le__isnull=True).count() >= REJEUX_MAXIMUM:
        raise Conflit("trop_de_rejeux", f"{REJEUX_MAXIMUM} livraisons attendent déjà : rejouez plutôt depuis un rang.")
    permis = changements.permis_de(origine, abonnement.consommateur)
    if not permis:
        raise Conflit("droit_retire", "Ce consommateur n’a plus le droit de lire ce que cette livraison annonçait.")
    copie = changements.livraison_de(abonnement, permis, timezone.now(), origine)
    copie.save()
    _journal(abonnement, acteur, [["Livraison rejouée", str(origine.identifiant), str(copie.identifiant)]])
    return copie


@transaction.atomic
def rejouer_depuis(*, numero: int, acteur: User, rang: int) -> Abonnement:
    """Say again every change from ``rang`` on, that one included. Refuses: suspended (``Conflit``), a rank that the
    feed has not reached, or negative (``Invalide``)."""
    abonnement = _actif(numero, acteur)
    dernier = changements.dernier_rang()
    if not 1 <= rang <= dernier:
        phrase = f"Le flux va de 1 à {nombre(dernier)}." if dernier else "Le flux est encore vide."
        raise Invalide("rang", phrase, champs={"rang": [phrase]})
    avant, abonnement.curseur = abonnement.curseur, rang - 1
    abonnement.save(update_fields=["curseur"])
    _presser(abonnement)
    _journal(abonnement, acteur, [["Rejeu du flux", f"rang {nombre(avant)}", f"depuis le rang {nombre(rang)}"]])
    return abonnement


def rang_du(jour: datetime) -> int:
    """The first rank at or after a moment; the one after the last when nothing has changed since."""
    suivants = RessourceVersion.objects.filter(maj__gte=jour).order_by("maj", "rang")
    return suivants.values_list("rang", flat=True).first() or changements.dernier_rang() + 1


# -- what the verbs share ------------------------------------------------------------------------------


def _exiger_gestionnaire(acteur: User) -> None:
    if not est_gestionnaire(acteur):
        raise Interdit("sans_droit", "Seuls les gestionnaires SESAN abonnent les consommateurs.")


def _verrouiller(numero: int, acteur: User) -> Abonnement:
    _exiger_gestionnaire(acteur)
    abonnement = Abonnement.objects.select_for_update(of=("self",), no_key=True).filter(pk=numero).first()
    if abonnement is None:
        raise Introuvable("abonnement_inconnu", "Cet abonnement n’existe pas.")
    return abonnement


def _actif(numero: int, acteur: User) -> Abonnement:
    abonnement = _verrouiller(numero, acteur)
    if abonnement.suspendu_le is not None:
        raise Conflit("abonnement_suspendu", "Cet abonnement est suspendu : reprenez-le d’abord.")
    return abonnement


def _presser(abonnement: Abonnement) -> None:
    """Due at once, unless a worker holds it and will see for himself."""
    if abonnement.jeton is None:
        abonnement.prochaine_tentative = timezone.now()
        abonnement.save(update_fields=["prochaine_tentative"])


def _suspendre(abonnement: Abonnement, motif: str, acteur: User | None) -> None:
    abonnement.suspendu_le, abonnement.suspendu_par = timezone.now(), acteur
    abonnement.motif, abonnement.jeton = motif, None
    abonnement.save(update_fields=["suspendu_le", "suspendu_par", "motif", "jeton"])
    _journal(abonnement, acteur, [["Abonnement", "actif", f"suspendu ({abonnement.adresse}) : {motif}"]])


def _par_qui(abonnement: Abonnement) -> str:
    qui = abonnement.suspendu_par or "d’office, après trop d’échecs"
    return f"{qui}, le {date_longue(abonnement.suspendu_le, 'heure')}"


def _controler(adresse: str, types: Collection[str], departements: Collection[str]) -> tuple[str, list[str], list[str]]:
    champs: dict[str, list[str]] = {}
    adresse = adresse.strip()
    try:
        adresses.controler(adresse)
    except adresses.AdresseRefusee as refus:
        champs["adresse"] = [str(refus)]
    if len(adresse) > 500:
        champs["adresse"] = ["500 caractères au plus."]
    retenus = [type_ for type_ in TYPES_EXPOSES if type_ in types]
    if not retenus or len(retenus) != len(set(types)):
        champs["types"] = ["Choisissez au moins un type de ressource."]
    lieux = sorted(set(departements))
    if Departement.objects.filter(pk__in=lieux).count() != len(lieux):
        champs["departements"] = ["Choisissez des départements de la liste."]
    if champs:
        raise Invalide("abonnement_invalide", "L’abonnement n’a pas pu être enregistré.", champs=champs)
    return adresse, retenus, lieux


def _en_mots(abonnement: Abonnement) -> str:
    ou = f"départements {', '.join(abonnement.departements)}" if abonnement.departements else "tous les départements"
    return f"{abonnement.adresse}, {', '.join(abonnement.types)}, {ou}"


def _journal(abonnement: Abonnement, acteur: User | None, lignes: Sequence[Sequence[str]]) -> None:
    JournalConsommateur.objects.create(
        consommateur_id=abonnement.consommateur_id, acte=ActeConsommateur.ABONNEMENT, acteur=acteur,
        changements=[list(ligne) for ligne in lignes],
    )  # fmt: skip
