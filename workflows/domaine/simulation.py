"""« Aperçu de la publication »: the real publication, in a transaction that is rolled back."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from django.db import transaction
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, ErreurMetier, Introuvable
from notifications.models import Envoi
from structures.competence import circuit_de
from structures.enums import ROLES_EDITEURS, Role
from structures.models import Habilitation
from structures.regles import personnes_avec_role_sur
from structures.requetes import Noeud, arbre, noeuds_au, version_au

from .. import notifications as types
from ..enums import ENVOYES, EtatDossier
from ..models import Dossier
from ..regles import dossiers_visibles, taches_de
from .empechements import empechements_de_publier
from .instantane import verifier
from .publication import publier
from .taches import saisir


@dataclass(frozen=True, slots=True)
class Simulation:
    """What publishing the dossier on ``jour`` would do.

    ``empechements``: French sentences on why it would be refused; the rest is then empty. ``racine``: the tree that
    the register would show. ``avant`` and ``apres``: fiches by level. ``avertis``: who would get a mail, in words.
    """

    jour: date
    empechements: list[str] = field(default_factory=list)
    racine: Noeud | None = None
    avant: Mapping[str, int] = field(default_factory=Counter)
    apres: Mapping[str, int] = field(default_factory=Counter)
    avertis: list[str] = field(default_factory=list)


def simuler(*, numero: int, acteur: User) -> Simulation:
    """Publish the dossier as it is, look, and undo: nothing is written, nobody is told, only sequences have moved.

    A draft counts as sent by ``acteur`` and approved today. Refuses a dossier that she does not see (``Introuvable``)
    or that ended (``Conflit``). Locks are those of the publication, until it is undone.
    """
    if not dossiers_visibles(acteur).filter(pk=numero).exists():
        raise Introuvable("dossier_inconnu", "Ce dossier n’existe pas, ou il n’est pas visible avec votre compte.")
    with transaction.atomic():
        try:
            return _publier_et_regarder(saisir(numero), acteur)
        finally:
            transaction.set_rollback(True)


def _publier_et_regarder(dossier: Dossier, acteur: User) -> Simulation:
    jour = timezone.localdate()
    if not dossier.est_ouvert:
        raise Conflit("dossier_termine", f"Ce dossier est « {dossier.get_etat_display().lower()} » : rien à simuler.")
    # She would be told of what somebody else publishes, not of what she approves herself.
    approbatrice = taches_de(acteur).filter(dossier=dossier, close_le=None, noeud__startswith="approbation").exists()
    avant = Counter(n.niveau for n in noeuds_au(dossier.eg).values())
    try:
        if dossier.etat in ENVOYES:
            verifier(dossier)
        _mener_a_l_approbation(dossier, acteur)
        with transaction.atomic():
            publier(dossier, acteur if approbatrice else None)
    except ErreurMetier as refus:
        trouves = empechements_de_publier(dossier, list(dossier.fiches.select_related("fiche")))
        return Simulation(jour, [e.phrase for e in trouves] or [refus.message])
    racine = arbre(dossier.eg)
    apres = Counter(n.niveau for n in racine.parcours()) if racine else Counter[str]()
    return Simulation(jour, [], racine, avant, apres, _avertis(dossier))


def _mener_a_l_approbation(dossier: Dossier, acteur: User) -> None:
    """The state that the last approval finds, by the same transitions; their tasks and mails are no part of it."""
    if dossier.etat == EtatDossier.REDACTION:
        dossier.finaliser()
    if dossier.etat == EtatDossier.FINALISE:
        eg = version_au(dossier.eg)
        if eg is None:
            raise Conflit("eg_ferme", "Cet établissement a été fermé au répertoire.")
        filiere, autorites, _ = circuit_de(eg)
        dossier.envoyer(par=acteur, filiere=filiere, autorites=autorites, empreinte="aperçu")
    if dossier.etat == EtatDossier.VALIDATION:
        dossier.valider()
    elif dossier.etat == EtatDossier.AFFECTATION:
        dossier.affecter([])
    dossier.save()


def _avertis(dossier: Dossier) -> list[str]:
    """Those for whom the publication wrote a mail: colleagues of the establishment by name, the others by role."""
    code = types.DossierPublie.code
    mails = Envoi.objects.filter(type_code=code, cle__startswith=f"{code}:dossier:{dossier.pk}:publie:")
    gens = {envoi.destinataire_id: envoi.destinataire for envoi in mails.select_related("destinataire")}
    de_la_maison = personnes_avec_role_sur([dossier.eg_id], ROLES_EDITEURS).filter(pk__in=gens)
    noms = [str(user) for user in de_la_maison]
    return sorted(noms) + _roles(gens.keys() - {user.pk for user in de_la_maison})


def _roles(users: Collection[int]) -> list[str]:
    """« Gestionnaire SESAN (2 personnes) »."""
    habilitations = Habilitation.objects.actives().filter(user__in=users).select_related("autorite")
    par_personne = {
        h.user_id: h.autorite.nom if h.autorite else Role(h.role).label for h in habilitations.order_by("user", "pk")
    }
    comptes = Counter(par_personne.values())
    return [mot if n == 1 else f"{mot} ({n} personnes)" for mot, n in sorted(comptes.items())]
