"""Modification directe: change the content of one fiche, true from its date d'effet on (domain.md, first table)."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Count, Max, Q
from django.utils import timezone
from django.utils.formats import date_format

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Invalide

from ..champs import CHAMPS, Forme, Qui, est_vide, libelle, manquants
from ..enums import ChampEG, Source
from ..models import Fiche, FicheReservee, Modification, RegleCategorie, VersionFiche
from ..regles import est_gestionnaire, peut_annuler, peut_modifier
from .enregistrer import annuler, enregistrer, lire_changements, verrouiller
from .patches import Etat, Patch, appliquer, utile, valeur
from .plier import Changement, plier
from .valider import Erreurs, erreurs_coherence, erreurs_contenu


class Lecture(NamedTuple):
    """What a form was filled from: the state on ``jour`` and the ``jeton`` to send back with the save."""

    etat: Etat
    jeton: str
    jour: date


def lire(fiche: Fiche, jour: date | None = None) -> Lecture | None:
    """The content of a fiche on a day, with the token of its modifications; None when it does not exist then."""
    jour = jour or timezone.localdate()
    etat = _etat_au(fiche, jour)
    return None if etat is None else Lecture(etat, _jeton(fiche), jour)


@transaction.atomic
def modifier(
    *,
    fiche: Fiche,
    acteur: User,
    patch: Patch,
    date_effet: date,
    jeton: str,
    motif: str = "",
) -> Modification:
    """Change fields of one fiche from ``date_effet`` on (today = at once). Returns the modification.

    ``patch`` is relative to what the form showed (``jeton``). Changes that somebody saved meanwhile merge, element
    by element for lists; refuses (``Conflit``) when both changed the same thing. Refuses too: no right
    (``Interdit``); a field that belongs to the dossier, content that can't be stored, a date in the past unless by
    a gestionnaire with a reason, nothing to change (``Invalide``); a fiche closed on that day or locked by a
    dossier under validation (``Conflit``).
    """
    fiche = verrouiller([fiche.pk])[fiche.pk]
    if not peut_modifier(acteur, fiche):
        raise Interdit("sans_droit", "Vous n’avez pas le droit de modifier cette fiche.")
    gestionnaire = est_gestionnaire(acteur)
    _refuser_si_reservee(fiche)
    _refuser_date_passee(date_effet, gestionnaire, motif)
    autorises = {Qui.PARTOUT, Qui.GESTIONNAIRE} if gestionnaire else {Qui.PARTOUT}
    for nom in patch:
        if nom not in CHAMPS or CHAMPS[nom].qui not in autorises:
            intitule = CHAMPS[nom].libelle if nom in CHAMPS else nom
            raise Invalide("champ_fige", f"« {intitule} » ne se modifie pas depuis le répertoire.")
    etat = _etat_au(fiche, date_effet)
    if etat is None:
        raise Conflit(
            "fiche_fermee",
            f"Cette fiche n’existe pas au {date_format(date_effet)} : elle a été fermée ou n’est pas encore ouverte.",
        )
    if jeton != _jeton(fiche):
        _refuser_collision(fiche, patch, jeton)
    patch = utile(etat, patch)
    if not patch:
        raise Invalide("rien_a_modifier", "Rien n’a changé : la fiche contient déjà ces valeurs.")
    erreurs = erreurs_contenu(fiche.niveau, etat, patch, date_effet) or _erreurs_a_venir(fiche, patch, date_effet)
    if erreurs:
        raise Invalide("contenu", "Certaines informations sont à corriger.", champs=erreurs)
    modification = Modification(
        fiche=fiche, date_effet=date_effet, patch=patch, source=Source.DIRECT, auteur=acteur, motif=motif
    )
    enregistrer([modification])
    return modification


@transaction.atomic
def annuler_prevue(*, modification: Modification, acteur: User) -> None:
    """Cancel a planned direct change: by its author or a gestionnaire, until its day (domain.md §4)."""
    if not peut_annuler(acteur, modification):
        raise Interdit("sans_droit", "Seuls l’auteur du changement et les gestionnaires peuvent l’annuler.")
    if modification.source != Source.DIRECT or modification.date_effet <= timezone.localdate():
        raise Conflit("deja_en_vigueur", "Ce changement est déjà en vigueur : il ne peut plus être annulé.")
    _refuser_si_reservee(verrouiller([modification.fiche_id])[modification.fiche_id])
    annuler(modification, acteur)


def _etat_au(fiche: Fiche, jour: date) -> Etat | None:
    return _etat_parmi(lire_changements([fiche.pk]).get(fiche.pk, ()), jour)


def _etat_parmi(changements: Iterable[Changement], jour: date) -> Etat | None:
    for periode in plier(changements):
        if periode.du <= jour and (periode.au is None or jour < periode.au):
            return periode.etat
    return None


def _erreurs_a_venir(fiche: Fiche, patch: Patch, date_effet: date) -> Erreurs:
    """What would not go together, or be emptied though mandatory, from ``date_effet`` on: the change flows into the
    planned ones (domain.md §4). A fiche may lack something since its import, but nobody empties it."""
    categories = VersionFiche.objects.filter(fiche=fiche.eg_id, validite__contains=timezone.localdate())
    regle = RegleCategorie.objects.filter(pk__in=categories.values("categorie")).first()
    champ_eg = regle.champ if regle else ChampEG.MEDICO_SOCIAL
    changements = lire_changements([fiche.pk]).get(fiche.pk, [])
    dernier = max((c.ordre for c in changements), default=0) + 1
    erreurs: Erreurs = {}
    for periode in plier([*changements, Changement(date_effet, dernier, patch)]):
        if periode.au is not None and periode.au <= date_effet:
            continue
        erreurs |= erreurs_coherence(patch.keys(), periode.etat)
        avant = _etat_parmi(changements, periode.du) or {}
        erreurs |= {
            champ.nom: [f"« {libelle(champ, fiche.niveau)} » est obligatoire : la valeur ne peut pas être effacée."]
            for champ in manquants(fiche.niveau, champ_eg, periode.etat)
            if champ.nom in patch and not est_vide(champ, valeur(avant, champ.nom))
        }
    return erreurs


def _jeton(fiche: Fiche) -> str:
    etat = fiche.modifications.aggregate(derniere=Max("pk"), annulees=Count("pk", filter=Q(annulee_le__isnull=False)))
    return f"{etat['derniere']}.{etat['annulees']}"


def _refuser_si_reservee(fiche: Fiche) -> None:
    reservee = FicheReservee.objects.select_related("reservation").filter(fiche=fiche).first()
    if reservee:
        reservation = reservee.reservation
        raise Conflit(
            "fiche_reservee",
            f"Le dossier collaboratif « {reservation.nom} » change cette fiche et a été envoyé en validation le "
            f"{date_format(timezone.localtime(reservation.envoye_le), 'j F Y')}. La fiche pourra être modifiée quand "
            "il sera publié ou rendu à ses auteurs.",
        )


def _refuser_date_passee(date_effet: date, gestionnaire: bool, motif: str) -> None:
    if date_effet.year >= 2200:
        message = "Choisissez une date d’effet avant l’an 2200."
        raise Invalide("date_lointaine", message, champs={"date_effet": [message]})
    if date_effet >= timezone.localdate():
        return
    if not gestionnaire:
        message = "La date d’effet ne peut pas être passée : choisissez aujourd’hui ou une date à venir."
        raise Invalide("date_passee", message, champs={"date_effet": [message]})
    if not motif.strip():
        message = "Indiquez pourquoi le changement prend effet à une date passée."
        raise Invalide("motif_exige", message, champs={"motif": [message]})


def _refuser_collision(fiche: Fiche, patch: Mapping[str, Any], jeton: str) -> None:
    """Refuse when a modification entered since the form was read touches the same values (409)."""
    lu, _, annulees = jeton.partition(".")
    if not (lu.isdigit() and annulees.isdigit()):
        raise Invalide("jeton", "Le formulaire est illisible. Rouvrez la fiche et recommencez.")
    recentes = fiche.modifications.filter(Q(pk__gt=int(lu)) | Q(annulee_le__isnull=False)).select_related("auteur")
    annulations = sorted((m for m in recentes if m.annulee_le), key=lambda m: (m.annulee_le, m.pk))
    defaites = {m.pk for m in annulations[int(annulees) :]}  # cancelled since the form was read
    for m in recentes.order_by("-pk"):
        nouvelle = m.pk > int(lu) and m.annulee_le is None
        defaite = m.pk in defaites
        communs = [n for n in patch if n in m.patch and se_heurtent(n, patch[n], m.patch[n])]
        if (nouvelle or defaite) and communs:
            noms = ", ".join(f"« {CHAMPS[n].libelle} »" for n in communs)
            quand = timezone.localtime(m.annulee_le if defaite else m.saisie_le)
            auteur = m.annulee_par if defaite else m.auteur
            raise Conflit(
                "modifiee_entre_temps",
                f"{auteur or 'Un import'} a modifié {noms} le {date_format(quand, 'j F Y à H:i')}, pendant que vous "
                "remplissiez le formulaire. Comparez les valeurs et refaites votre changement s’il est encore utile.",
            )


def se_heurtent(nom: str, a: Any, b: Any) -> bool:
    """True when two changes of one field can't both hold: different values, or opposite on one element."""
    forme = CHAMPS[nom].forme
    if forme is Forme.VALEUR:
        return bool(a != b)
    if forme is Forme.ENSEMBLE:
        return bool(
            set(a.get("ajoute", ())) & set(b.get("retire", ())) or set(a.get("retire", ())) & set(b.get("ajoute", ()))
        )
    pose_a, pose_b = a.get("pose", {}), b.get("pose", {})
    return any(
        appliquer({nom: {}}, {nom: {"pose": pose_a}})[nom].get(cle) != pose_b.get(cle)
        for cle in (pose_a.keys() | set(a.get("retire", ()))) & (pose_b.keys() | set(b.get("retire", ())))
    )
