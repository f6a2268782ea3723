"""The decisions that move a dossier: send, withdraw, abandon, validate, assign, approve, return, refuse.

Each one locks the process then the dossier, checks the task and the person, changes the state, writes decision,
journal and mails, and lets the flow go on: one transaction, one winner. The others get a ``Conflit`` that says who
did what.
"""

from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.urls import reverse

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Introuvable, Invalide
from notifications.domaine import notifier
from structures.competence import circuit_de
from structures.domaine import reserver
from structures.domaine.enregistrer import verrouiller
from structures.models import Autorite
from structures.requetes import version_au

from .. import notifications as types
from ..enums import ENVOYES, EtatDossier, Issue, Nature, TypeEvenement
from ..models import Decision, Dossier, FicheEcartee, FicheTravail, Tache
from ..regles import acteurs_de, participants, peut_editer
from . import approbation_partielle as partielle
from . import instantane
from .chaine import sceau_decision
from .classement import attentions_gardees
from .commentaires import commenter_le_renvoi
from .echecs import EN_PANNE, PublicationEchouee
from .empechements import empechements
from .journal import consigner, noms_des
from .suivi import prevenir_les_suiveurs
from .taches import absente_de, autoriser, conclure, contexte_mail, laisser_a_d_autres, saisir, tache_ouverte
from .travaux import renvoyer_en_attente, tache_du_noeud, terminer_redaction


@transaction.atomic
def envoyer(*, numero: int, acteur: User, vu: str) -> Dossier:
    """« Envoyer en validation »: decide the route for the EG as it is now, and lock the touched fiches.

    ``vu``: the digest (``instantane.empreinte_de``) of the content that the sender was shown, which she signs. Refuses
    (``Invalide``) what ``empechements`` says, all of it; ``Conflit`` when the dossier is no longer a draft, or holds
    something else than what she was shown (``contenu_change``).
    """
    dossier = saisir(numero)
    if not peut_editer(acteur, dossier):
        raise Interdit("sans_droit", "Seuls les Référents et Directions de l’établissement envoient ce dossier.")
    if not dossier.est_brouillon:
        raise _conflit_etat(dossier)
    travaux = list(dossier.fiches.select_related("fiche"))
    verrouiller({dossier.eg_id, *(t.fiche_id for t in travaux)})
    eg = version_au(dossier.eg)
    if eg is None:
        raise Conflit("eg_ferme", "Cet établissement a été fermé au répertoire : ce dossier ne peut plus être envoyé.")
    _refuser_si_empeche(dossier, travaux)
    decide = instantane.contenu_decide(travaux)
    if instantane.empreinte(decide) != vu:
        raise Conflit(
            "contenu_change",
            "Ce que le dossier change n’est plus ce que la page montrait quand vous l’avez ouverte. Rien n’a été "
            "envoyé : relisez les changements ci-dessous, puis envoyez le dossier.",
        )
    if dossier.etat == EtatDossier.REDACTION:  # returned or withdrawn with everything still finalised
        terminer_redaction(dossier, acteur)
    filiere, autorites, origine = circuit_de(eg)
    dossier.envoyer(par=acteur, filiere=filiere, autorites=autorites, empreinte=instantane.garder(dossier, decide))
    dossier.changements, dossier.attentions = len(travaux), attentions_gardees(dossier)
    dossier.save()
    consigner(
        dossier, TypeEvenement.ENVOYE, acteur, filiere=filiere, autorites=autorites, origine=origine,
        empreinte=dossier.empreinte, fiches=len(travaux),
    )  # fmt: skip
    conclure(tache_du_noeud(dossier, "envoi"), dossier, acteur, Issue.ENVOYE)
    reserver.annoncer(
        dossier=dossier.pk, etape=dossier.get_etat_display(), envoye=True, fiches=[t.fiche_id for t in travaux]
    )
    return dossier


_AVANT_TOUT = {
    "fiches_en_attente": "Toutes les fiches doivent être finalisées. ",
    "conflits": "Réglez d’abord les conflits avec le répertoire. ",
}


def _refuser_si_empeche(dossier: Dossier, travaux: list[FicheTravail]) -> None:
    trouves = empechements(dossier, travaux)
    if trouves:
        code = trouves[0].code
        raise Invalide(code, _AVANT_TOUT.get(code, "") + " ".join(e.phrase for e in trouves))


@instantane.decision_signee()
def valider(*, tache: int, acteur: User, vu: str | None = None) -> Dossier:
    """« Valider le dossier », by a Direction of the EG. ``vu``: as in ``approuver``."""
    dossier, ouverte = _decision(tache, acteur, "validation_direction")
    _exiger_vu(dossier, vu)
    instantane.verifier(dossier)
    dossier.valider()
    return _appliquer(dossier, ouverte, acteur, Issue.VALIDE, TypeEvenement.VALIDE)


@transaction.atomic
def affecter(*, tache: int, acteur: User, autorites: Collection[str]) -> Dossier:
    """Choose the authority or authorities of a handicap dossier; two or more approve jointly."""
    dossier, ouverte = _decision(tache, acteur, "affectation_tutelle")
    connues = sorted(Autorite.objects.filter(pk__in=list(autorites)).values_list("pk", flat=True))
    if not connues or len(connues) != len(set(autorites)):
        message = "Choisissez au moins une tutelle de la liste."
        raise Invalide("autorites", message, champs={"autorites": [message]})
    dossier.affecter(connues)
    return _appliquer(dossier, ouverte, acteur, Issue.AFFECTE, TypeEvenement.AFFECTE, autorites=connues)


@instantane.decision_signee()
def approuver(*, tache: int, acteur: User, vu: str | None = None) -> Dossier:
    """« Approuver », for SESAN or an authority. The last approval publishes, in this transaction.

    ``vu``: the digest of the content that the person decides on, when she decided before this moment (a lot).
    ``Conflit`` (``fiches_ecartees``) when another authority excepted fiches: one approves what one has seen."""
    dossier, ouverte = _decision(tache, acteur, "approbation_sesan", "approbation_tutelle")
    _exiger_vu(dossier, vu)
    instantane.verifier(dossier)
    if ecarts := partielle.ecarts_de(dossier):
        raise Conflit(
            "fiches_ecartees",
            f"{ecarts[0].qui} a approuvé ce dossier sauf certaines fiches. Rien n’a été décidé : rechargez la page de "
            "la tâche, et relisez ce qui serait publié avant d’approuver.",
        )
    return _appliquer(dossier, ouverte, acteur, Issue.APPROUVE, TypeEvenement.APPROUVE, autorite=ouverte.autorite_id)


@instantane.decision_signee()
def approuver_sauf(*, tache: int, acteur: User, ecartees: Mapping[int, str], jeton: str) -> Dossier:
    """« Approuver sauf certaines fiches », for SESAN or an authority: as ``approuver``, but the fiches ``ecartees``
    (fiche → reason), those that other authorities excepted and what goes along with them come back to their authors in
    a follow-up.

    ``jeton`` (``Partage.jeton``) names what the person was shown. Refuses: no reason, nothing excepted, nothing left, a
    rest that the register may not show (``Invalide``, by fiche); something else than what was shown (``Conflit``).
    """
    return _approuver_sauf(tache, acteur, ecartees, jeton)[0]


def essayer_sauf(*, tache: int, acteur: User, ecartees: Mapping[int, str]) -> partielle.Partage:
    """What ``approuver_sauf`` would do, done and undone: nothing is written, nobody is told. Same refusals; a reason
    may still be missing."""
    try:
        with transaction.atomic():
            try:
                motifs = {f: motif.strip() or "…" for f, motif in ecartees.items()}
                return _approuver_sauf(tache, acteur, motifs, None)[1]
            finally:
                transaction.set_rollback(True)
    except PublicationEchouee as refus:
        if refus.code != EN_PANNE:
            raise
        raise Conflit(  # the words of a decision say that somebody was told
            EN_PANNE,
            "La publication échouerait pour une raison technique. Rien n’est décidé, et personne n’en est encore "
            "informé : prévenez le support.",
        ) from refus


def _approuver_sauf(
    tache: int, acteur: User, ecartees: Mapping[int, str], jeton: str | None
) -> tuple[Dossier, partielle.Partage]:
    dossier, ouverte = _decision(tache, acteur, "approbation_sesan", "approbation_tutelle")
    instantane.verifier(dossier)
    motifs = partielle.exiger_motifs(ecartees)
    miens = [partielle.Ecart(fiche, motif, acteur, ouverte.autorite) for fiche, motif in motifs.items()]
    partage = partielle.partager(dossier, [*partielle.ecarts_de(dossier), *miens])
    if not partage.ecarts:
        raise Invalide("rien_d_ecarte", "Cochez au moins une fiche à écarter, ou approuvez le dossier entier.")
    if jeton is not None:
        partielle.refuser_si_depasse(partage, jeton)
    partielle.refuser_si_impossible(partage)
    _appliquer(
        dossier, ouverte, acteur, Issue.APPROUVE, TypeEvenement.APPROUVE, ecartees=motifs,
        autorite=ouverte.autorite_id,
    )  # fmt: skip
    return dossier, partage


@transaction.atomic
def renvoyer(*, tache: int, acteur: User, motif: str, commentaires: Mapping[int, str] | None = None) -> Dossier:
    """« Renvoyer pour correction »: a reason, and comments on fiches. Commented fiches go back to en attente, the
    others stay finalised; every lock on the register is lifted."""
    dossier, ouverte = _decision(tache, acteur, "validation_direction", "approbation_sesan", "approbation_tutelle")
    motif = _motif_exige(motif)
    commentes = {cle: texte.strip() for cle, texte in (commentaires or {}).items() if texte.strip()}
    a_reprendre = list(dossier.fiches.filter(fiche_id__in=commentes))
    if len(a_reprendre) != len(commentes):
        raise Invalide("commentaire", "Un commentaire vise une fiche qui n’est pas dans ce dossier.")
    cites = commenter_le_renvoi(dossier, acteur, commentes)
    a_reprendre = [t for t in a_reprendre if t.nature != Nature.SUPPRESSION]  # nothing to fill in a closing
    renvoyer_en_attente(a_reprendre)
    dossier.renvoyer(motif)
    _appliquer(
        dossier, ouverte, acteur, Issue.RENVOYE, TypeEvenement.RENVOYE, motif=motif,
        autorite=ouverte.autorite_id, fiches_commentees=sorted(commentes),
    )  # fmt: skip
    _prevenir(types.DossierRenvoye, dossier, acteur, cle=f"renvoi:{ouverte.pk}", motif=motif, aussi=cites)
    return dossier


@transaction.atomic
def refuser(*, tache: int, acteur: User, motif: str) -> Dossier:
    """« Refuser », with a reason: the dossier ends, nothing of it is published."""
    dossier, ouverte = _decision(tache, acteur, "approbation_sesan", "approbation_tutelle")
    motif = _motif_exige(motif)
    dossier.refuser(motif)
    _appliquer(dossier, ouverte, acteur, Issue.REFUSE, TypeEvenement.REFUSE, motif=motif, autorite=ouverte.autorite_id)
    _prevenir(types.DossierRefuse, dossier, acteur, cle=f"refus:{ouverte.pk}", motif=motif)
    return dossier


@transaction.atomic
def retirer(*, numero: int, acteur: User) -> Dossier:
    """The sender takes the dossier back to draft, until the first decision in favour (domain.md §6)."""
    dossier = saisir(numero)
    if not peut_editer(acteur, dossier):
        raise Interdit("sans_droit", "Seule la personne qui a envoyé le dossier peut le retirer.")
    if dossier.etat not in ENVOYES:
        raise _conflit_etat(dossier)
    if dossier.envoye_par_id != acteur.pk:
        raise Interdit("sans_droit", f"Seul {dossier.envoye_par}, qui a envoyé ce dossier, peut le retirer.")
    if not instantane.peut_retirer(acteur, dossier):
        prises = dossier.decisions.filter(le__gte=dossier.envoye_le).select_related("acteur", "pour")
        premiere = prises.order_by("pk").first()
        raise Conflit(
            "deja_approuve",
            f"{premiere.qui if premiere else 'Quelqu’un'} s’est déjà prononcé en faveur de ce dossier : il ne peut "
            "plus être retiré. Demandez un renvoi pour correction à la personne qui doit encore l’approuver.",
        )
    ouvertes = list(Tache.objects.select_related("tache__owner").filter(dossier=dossier, close_le__isnull=True))
    for tache in ouvertes:
        tache.dossier = dossier
    concernes = {p.pk: p for tache in ouvertes for p in acteurs_de(tache)}
    dossier.retirer()
    dossier.save()
    consigner(dossier, TypeEvenement.RETIRE, acteur)
    conclure(ouvertes[0], dossier, acteur, Issue.RETIRE)
    reserver.annoncer(dossier=dossier.pk, etape=dossier.get_etat_display(), envoye=False)
    _prevenir(types.DossierRetire, dossier, acteur, cle=f"retrait:{ouvertes[0].pk}", aussi=concernes)
    return dossier


@transaction.atomic
def abandonner(*, numero: int, acteur: User) -> Dossier:
    """End a draft without publishing it; its history stays."""
    dossier = saisir(numero)
    if not peut_editer(acteur, dossier):
        raise Interdit("sans_droit", "Seuls les Référents et Directions de l’établissement abandonnent ce dossier.")
    if not dossier.est_brouillon:
        raise _conflit_etat(dossier)
    noeud = "redaction" if dossier.etat == EtatDossier.REDACTION else "envoi"
    dossier.abandonner()
    dossier.save()
    consigner(dossier, TypeEvenement.ABANDONNE, acteur)
    conclure(tache_du_noeud(dossier, noeud), dossier, acteur, Issue.ABANDONNE)
    reserver.clore(dossier=dossier.pk)
    _prevenir(types.DossierAbandonne, dossier, acteur, cle="abandon")
    return dossier


# -- below: what the decisions share ------------------------------------------------------------------------


def _decision(numero: int, acteur: User, *noeuds: str) -> tuple[Dossier, Tache]:
    """Lock the dossier of a task and check that this person may take this decision on it now."""
    cle = Tache.objects.filter(pk=numero).values_list("dossier_id", flat=True).first()
    if cle is None:
        raise Introuvable("tache_inconnue", "Cette tâche n’existe pas.")
    dossier = saisir(cle)
    tache = tache_ouverte(numero, dossier)
    if tache.noeud not in noeuds:
        raise Interdit("autre_etape", f"Cette décision n’existe pas à l’étape « {tache.etape.titre} ».")
    autoriser(tache, acteur)
    return dossier, tache


def _exiger_vu(dossier: Dossier, vu: str | None) -> None:
    if vu is not None and vu != dossier.empreinte:
        raise Conflit(
            "contenu_change",
            "Le contenu de ce dossier n’est plus celui que vous avez vu. Rien n’a été décidé : relisez-le.",
        )


def _appliquer(
    dossier: Dossier, tache: Tache, acteur: User, issue: str, evenement: str, *, motif: str = "",
    ecartees: Mapping[int, str] | None = None, **details: Any,
) -> Dossier:  # fmt: skip
    """``ecartees``: of a partial approval, what this decision adds to what others excepted, maybe nothing."""
    dossier.save()
    pour = absente_de(acteur, tache)
    if pour:
        details["pour"] = str(pour)
    decision = Decision.objects.create(
        dossier=dossier, tache=tache.tache, noeud=tache.noeud, acteur=acteur, pour=pour, issue=issue, motif=motif,
        autorite_id=tache.autorite_id, empreinte=dossier.empreinte, partielle=ecartees is not None,
    )  # fmt: skip
    if ecartees is not None:
        FicheEcartee.objects.bulk_create(
            FicheEcartee(decision=decision, fiche_id=fiche, motif=texte) for fiche, texte in ecartees.items()
        )
        noms = noms_des(dossier, ecartees)
        details["ecartees"] = [{"fiche": f, "nom": noms.get(f, ""), "motif": m} for f, m in ecartees.items()]
    consigner(
        dossier, evenement, acteur, tache=tache.pk, motif=motif, empreinte=dossier.empreinte, decision=decision.pk,
        sceau=sceau_decision(decision, ecartees or {}), **details,
    )  # fmt: skip
    conclure(tache, dossier, acteur, issue)
    if dossier.etat == EtatDossier.REFUSE:
        reserver.clore(dossier=dossier.pk)
    elif dossier.est_ouvert:
        reserver.annoncer(dossier=dossier.pk, etape=dossier.get_etat_display(), envoye=dossier.etat in ENVOYES)
    if issue == Issue.APPROUVE and dossier.est_ouvert:  # another authority has not decided yet
        laisser_a_d_autres(dossier, acteur)
    prevenir_les_suiveurs(dossier, tache, acteur, issue)
    return dossier


def _prevenir(
    type_: type[types.TypeNotification], dossier: Dossier, acteur: User, *, cle: str,
    aussi: Mapping[int, User] | None = None, **contexte: Any,
) -> None:  # fmt: skip
    personnes = {p.pk: p for p in participants(dossier)} | dict(aussi or {})
    notifier(
        type_,
        destinataires=personnes.values(),
        cle=f"dossier:{dossier.pk}:{cle}",
        contexte=contexte_mail(dossier, acteur=acteur, **contexte),
        lien=reverse("dossier", args=[dossier.pk]),
        sauf=acteur,
    )


def _motif_exige(motif: str) -> str:
    motif = motif.strip()
    if not motif or len(motif) > 5000:
        message = "Indiquez le motif : il est transmis aux auteurs du dossier (5 000 caractères au plus)."
        raise Invalide("motif", message, champs={"motif": [message]})
    return motif


def _conflit_etat(dossier: Dossier) -> Conflit:
    dernier = dossier.evenements.filter(acteur__isnull=False).select_related("acteur").order_by("-pk").first()
    qui = f" {dernier.acteur} l’a fait avancer entre-temps." if dernier else ""
    return Conflit(
        "etat_change",
        f"Ce dossier est maintenant « {dossier.get_etat_display()} ».{qui} Rechargez la page pour voir ce qui peut "
        "encore être fait.",
    )
