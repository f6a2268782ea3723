"""Modification directe: change the content of one fiche, true from its date d'effet on (domain.md, first table)."""

from datetime import date

from django.db import transaction
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Invalide
from backoffice.socle.mots import date_longue

from ..champs import CHAMPS, Qui, est_vide, libelle, manquants
from ..enums import ChampEG, Source
from ..models import Fiche, FicheReservee, Modification, RegleCategorie, VersionFiche
from ..regles import est_gestionnaire, peut_modifier
from .enregistrer import annuler, enregistrer, verrouiller
from .fusion import heurts
from .lecture import Passage, changements_de, etat_parmi, jeton_de, passages_depuis, relire
from .patches import Etat, Patch, utile, valeur
from .plier import Changement, plier
from .valider import Erreurs, erreurs_coherence, erreurs_contenu


@transaction.atomic
def modifier(
    *,
    fiche: Fiche,
    acteur: User,
    patch: Patch,
    date_effet: date,
    jeton: str,
    motif: str = "",
    remplace: Modification | None = None,
    inverse: Modification | None = None,
) -> Modification:
    """Change fields of one fiche from ``date_effet`` on (today = at once). Returns the modification.

    ``patch`` is relative to what the form showed (``jeton``). Changes that somebody saved meanwhile merge, element
    by element for lists; refuses (``Conflit``) when both changed the same thing. Refuses too: no right
    (``Interdit``); a field that belongs to the dossier, content that can't be stored, a date in the past unless by
    a gestionnaire with a reason, nothing to change (``Invalide``); a fiche closed on that day or locked by a
    dossier under validation (``Conflit``).

    ``remplace`` is a planned change of the fiche that this one takes the place of: cancelled here, its values gone.
    ``inverse`` is the one that it undoes. Both come from structures/domaine/suites.py, which answers for them.
    """
    fiche = verrouiller([fiche.pk])[fiche.pk]
    if not peut_modifier(acteur, fiche):
        raise Interdit("sans_droit", "Vous n’avez pas le droit de modifier cette fiche.")
    gestionnaire = est_gestionnaire(acteur)
    refuser_si_reservee(fiche)
    _refuser_date_passee(date_effet, gestionnaire, motif)
    autorises = {Qui.PARTOUT, Qui.GESTIONNAIRE} if gestionnaire else {Qui.PARTOUT}
    for nom in patch:
        if nom not in CHAMPS or CHAMPS[nom].qui not in autorises:
            intitule = CHAMPS[nom].libelle if nom in CHAMPS else nom
            raise Invalide("champ_fige", f"« {intitule} » ne se modifie pas depuis le répertoire.")
    etat = etat_parmi(changements_de(fiche, remplace), date_effet)
    if etat is None:
        raise Conflit(
            "fiche_fermee",
            f"Cette fiche n’existe pas au {date_longue(date_effet)} : elle a été fermée ou n’est pas encore ouverte.",
        )
    if jeton != jeton_de(fiche):
        _refuser_collision(fiche, patch, jeton, date_effet, etat, remplace)
    patch = utile(etat, patch)
    if not patch:
        raise Invalide("rien_a_modifier", "Rien n’a changé : la fiche contient déjà ces valeurs.")
    erreurs = verifier(fiche=fiche, etat=etat, patch=patch, date_effet=date_effet, sans=remplace)
    if erreurs:
        raise Invalide("contenu", "Certaines informations sont à corriger.", champs=erreurs)
    if remplace is not None:
        annuler(remplace, acteur)
    modification = Modification(
        fiche=fiche,
        date_effet=date_effet,
        patch=patch,
        source=Source.DIRECT,
        auteur=acteur,
        motif=motif,
        remplace=remplace,
        inverse=inverse,
    )
    enregistrer([modification])
    return modification


def verifier(*, fiche: Fiche, etat: Etat, patch: Patch, date_effet: date, sans: Modification | None = None) -> Erreurs:
    """French messages by field on what ``patch`` would bring to this state from ``date_effet`` on: content that can't
    be stored, then what the change would break or empty later. ``modifier`` asks the same.

    ``sans``: the planned change that this one is to replace."""
    return erreurs_contenu(fiche.niveau, etat, patch, date_effet) or _erreurs_a_venir(
        fiche, patch, date_effet, changements_de(fiche, sans)
    )


def _erreurs_a_venir(fiche: Fiche, patch: Patch, date_effet: date, changements: list[Changement]) -> Erreurs:
    """What would not go together, or be emptied though mandatory, from ``date_effet`` on: the change flows into the
    planned ones (domain.md §4). A fiche may lack something since its import, but nobody empties it."""
    categories = VersionFiche.objects.filter(fiche=fiche.eg_id, validite__contains=timezone.localdate())
    regle = RegleCategorie.objects.filter(pk__in=categories.values("categorie")).first()
    champ_eg = regle.champ if regle else ChampEG.MEDICO_SOCIAL
    dernier = max((c.ordre for c in changements), default=0) + 1
    erreurs: Erreurs = {}
    for periode in plier([*changements, Changement(date_effet, dernier, patch)]):
        if periode.au is not None and periode.au <= date_effet:
            continue
        erreurs |= erreurs_coherence(patch.keys(), periode.etat)
        avant = etat_parmi(changements, periode.du) or {}
        erreurs |= {
            champ.nom: [f"« {libelle(champ, fiche.niveau)} » est obligatoire : la valeur ne peut pas être effacée."]
            for champ in manquants(fiche.niveau, champ_eg, periode.etat)
            if champ.nom in patch and not est_vide(champ, valeur(avant, champ.nom))
        }
    return erreurs


def refuser_si_reservee(fiche: Fiche) -> None:
    """``Conflit`` when a dossier under validation changes this fiche."""
    reservee = FicheReservee.objects.select_related("reservation").filter(fiche=fiche).first()
    if reservee:
        reservation = reservee.reservation
        raise Conflit(
            "fiche_reservee",
            f"Le dossier collaboratif « {reservation.nom} » change cette fiche et a été envoyé en validation le "
            f"{date_longue(reservation.envoye_le)}. La fiche pourra être modifiée quand "
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


def _refuser_collision(
    fiche: Fiche, patch: Patch, jeton: str, date_effet: date, etat: Etat, remplace: Modification | None
) -> None:
    """Refuse (409) when the fiche, on ``date_effet``, no longer holds what the form was filled from where it changes
    it. A change planned for later is no collision: both hold, each on its days."""
    base = relire(fiche, jeton, date_effet, sans=remplace)
    if base is None:
        raise Invalide("jeton", "Le formulaire est illisible. Rouvrez la fiche et recommencez.")
    trouves = heurts(base, etat, patch)
    if not trouves:
        return
    passages = passages_depuis(fiche, jeton)
    auteurs: dict[Passage, list[str]] = {}
    for heurt in trouves:
        auteurs.setdefault(passages[heurt.nom], []).append(f"« {libelle(CHAMPS[heurt.nom], fiche.niveau)} »")
    faits = " ; ".join(
        f"{passage.qui} a modifié {', '.join(noms)} le {date_longue(passage.quand, 'heure')}"
        for passage, noms in auteurs.items()
    )
    raise Conflit(
        "modifiee_entre_temps",
        f"{faits}, pendant que vous remplissiez le formulaire. Choisissez pour chaque champ la valeur à garder.",
        champs={heurt.nom: ["Choisissez la valeur à garder."] for heurt in trouves},
    )
