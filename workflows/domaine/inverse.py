"""« Annuler cette publication »: a new dossier with the inverse of a published one, held against what came later."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from django.db import transaction
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Introuvable
from structures.champs import champs_de
from structures.domaine.enregistrer import lire_changements, verrouiller
from structures.domaine.fusion import Heurt, heurts, sans_heurts
from structures.domaine.patches import Etat, Patch, appliquer, difference, inverser, utile, valeur
from structures.domaine.plier import Changement
from structures.enums import Source
from structures.models import Fiche, Modification
from structures.requetes import noeuds_au

from ..enums import EtatDossier, EtatFiche, Nature, TypeEvenement
from ..models import Dossier, FicheTravail
from ..regles import dossiers_visibles, peut_editer
from .apercu import designer
from .contenu import finaliser
from .creer import creer
from .fusion import poser
from .publication import empiler
from .travaux import accomplir


@dataclass(slots=True)
class Retour:
    """What undoing a publication does to one fiche.

    ``etat``: the fiche as the register has it today, what it held when it was closed included. ``patch``: relative to
    it, empty when nothing is left to undo. ``heurts``: what was changed again since (« existe » for an added fiche):
    left as it is unless the person takes it (``prendre``), with ``derniers`` who changed it last. ``exclue``: why
    the fiche is left alone.
    """

    fiche: Fiche
    nature: str
    etat: Etat
    patch: Patch
    heurts: list[Heurt] = field(default_factory=list)
    derniers: dict[str, Modification] = field(default_factory=dict)
    exclue: str = ""

    @property
    def nom(self) -> str:
        return designer(valeur(self.etat, "nom"), self.fiche.identifiant)

    @property
    def agit(self) -> bool:
        return bool(self.patch) and not self.exclue

    def cle(self, champ: str) -> str:
        """How a form names a field to take although it was changed again."""
        return f"{self.fiche.pk}:{champ}"


@dataclass(frozen=True, slots=True)
class Inverse:
    retours: list[Retour]

    @property
    def agissants(self) -> list[Retour]:
        return [r for r in self.retours if r.agit]

    @property
    def jeton(self) -> str:
        """Names what the page showed: the same as long as undoing would do the same."""
        contenu = [[r.fiche.pk, r.patch, [h.nom for h in r.heurts], r.exclue] for r in self.retours]
        return hashlib.sha256(json.dumps(contenu, sort_keys=True).encode()).hexdigest()


def inverse_de(dossier: Dossier, prendre: Collection[str] = ()) -> Inverse:
    """What undoing this publication would do today. At most four statements."""
    touchees = dossier.fiches.values("fiche")
    modifications = list(
        Modification.objects.vivantes()
        .filter(fiche__in=touchees, source=Source.DOSSIER, origine=f"dossier {dossier.pk}")
        .select_related("fiche")
        .order_by("pk")
    )
    aujourdhui = timezone.localdate()
    changements = lire_changements(m.fiche_id for m in modifications)
    noeuds = noeuds_au(dossier.eg)
    retours = {m.fiche_id: _retour(m, changements[m.fiche_id], aujourdhui, prendre) for m in modifications}
    _garder_l_arbre_legal(retours, {cle: n.parent_id for cle, n in noeuds.items()}, dossier.eg_id)
    _dire_par_qui([r for r in retours.values() if r.heurts], dossier, aujourdhui)
    return Inverse(list(retours.values()))


@transaction.atomic
def annuler_publication(*, numero: int, acteur: User, nom: str, jeton: str, prendre: Collection[str] = ()) -> Dossier:
    """Open a dossier that undoes a published one; it then goes through the same flow as any other.

    ``jeton``: of the inverse that the person saw; ``prendre``: what was changed again since and that she takes back
    all the same (``Retour.cle``). Refuses: not hers (``Introuvable``), not an editor (``Interdit``); not published,
    nothing to undo, an inverse that is no longer the one shown, another open dossier (``Conflit``); no name
    (``Invalide``). Fiches that are complete are finalised.
    """
    origine = dossiers_visibles(acteur).select_related("eg").filter(pk=numero).first()
    if origine is None:
        raise Introuvable("dossier_inconnu", "Ce dossier n’existe pas, ou il n’est pas visible avec votre compte.")
    if not peut_editer(acteur, origine):
        raise Interdit("sans_droit", "Seuls les Référents et Directions de l’établissement annulent sa publication.")
    refuser_si_pas_publie(origine)
    dossier = creer(eg=origine.eg, nom=nom, acteur=acteur)
    verrouiller(list(origine.fiches.values_list("fiche_id", flat=True)))
    if inverse_de(origine).jeton != jeton:
        raise Conflit(
            "apercu_perime",
            "Le répertoire a changé depuis que cette page a été affichée : annuler cette publication ne ferait plus la "
            "même chose. Relisez l’aperçu, puis confirmez-le s’il vous convient.",
        )
    retours = inverse_de(origine, prendre).agissants
    if not retours:
        raise Conflit("rien_a_annuler", "Rien ne peut être annulé : tout a déjà été changé de nouveau depuis.")
    dossier.annule = origine
    dossier.save(update_fields=["annule"])
    travaux = [_travail(dossier, acteur, retour) for retour in retours]
    accomplir(dossier, acteur, TypeEvenement.CHANGEMENT_ANNULE, travaux, publication=origine.pk, nombre=len(travaux))
    finaliser(numero=dossier.pk, acteur=acteur, fiches=[t.fiche_id for t in travaux if t.etat == EtatFiche.EN_ATTENTE])
    dossier.refresh_from_db()
    return dossier


def refuser_si_pas_publie(dossier: Dossier) -> None:
    if dossier.etat != EtatDossier.PUBLIE:
        raise Conflit(
            "pas_publie",
            f"Ce dossier est « {dossier.get_etat_display().lower()} » : seule une publication s’annule.",
        )


# -- one fiche ---------------------------------------------------------------------------------------


def _retour(m: Modification, changements: Iterable[Changement], jour: date, prendre: Collection[str]) -> Retour:
    """The undoing of one modification, fiche by itself: fields go back to what it found, element by element."""
    passes = [c for c in changements if c.date_effet <= jour]
    avant = empiler(c for c in passes if (c.date_effet, c.ordre) < (m.date_effet, m.pk))
    pose, etat = appliquer(avant, m.patch), empiler(passes)
    existait, existe = bool(valeur(avant, "existe")), bool(valeur(etat, "existe"))
    if not existait:
        retour = Retour(m.fiche, Nature.SUPPRESSION, etat, {"existe": False})
        if not existe:
            retour.exclue = "Elle a déjà été fermée depuis."
        elif difference(pose, etat):
            retour.heurts = [Heurt("existe", True, True, False)]
            if retour.cle("existe") not in prendre:
                retour.exclue = "Elle a été modifiée depuis la publication."
        return retour
    inverse = inverser(avant, m.patch)
    trouves = heurts(pose, etat, inverse)
    cle = m.fiche_id
    laisses = {h.nom for h in trouves if f"{cle}:{h.nom}" not in prendre}
    patch = utile(etat, sans_heurts(pose, etat, inverse, laisses))
    if not valeur(pose, "existe"):
        exclue = "Elle a déjà été rouverte depuis." if existe else ""
        return Retour(m.fiche, Nature.AJOUT, etat, patch, trouves, exclue=exclue)
    nature = Nature.DEPLACEMENT if "parent" in patch else Nature.MODIFICATION
    exclue = "" if existe else "Elle a été fermée depuis."
    if existe and not patch:
        exclue = "Tout ce que la publication y avait changé l’a été de nouveau depuis."
    return Retour(m.fiche, nature, etat, patch, trouves, exclue=exclue)


def _travail(dossier: Dossier, acteur: User, retour: Retour) -> FicheTravail:
    """The working copy that does it. A reopened fiche has no content in the register of today: it brings all of its
    own, like a new one, and ``base`` says that it is not new."""
    travail = FicheTravail(dossier=dossier, fiche=retour.fiche, modifiee_par=acteur)
    if retour.nature == Nature.SUPPRESSION:
        travail.patch, travail.base = {"existe": False}, {"existe": True}
        travail.finaliser()
    elif retour.nature == Nature.AJOUT:
        voulu = appliquer(retour.etat, retour.patch)
        noms = ["parent", *(champ.nom for champ in champs_de(retour.fiche.niveau))]
        travail.patch = {"existe": True, **difference({}, {nom: valeur(voulu, nom) for nom in noms})}
        travail.base = {"existe": False}
    else:
        voulu = appliquer(retour.etat, retour.patch)
        poser(travail, retour.etat, {nom: voulu[nom] for nom in retour.patch})
    return travail


# -- together ----------------------------------------------------------------------------------------


def _garder_l_arbre_legal(retours: Mapping[int, Retour], registre: Mapping[int, int | None], racine: int) -> None:
    """Leave alone what would hang nowhere: a fiche that comes back where nothing is any more, and an added one under
    which others were put since. ``registre``: parent of each fiche of today."""
    while True:
        parents = dict(registre)
        for cle, retour in retours.items():
            if retour.agit and retour.nature == Nature.SUPPRESSION:
                parents.pop(cle, None)
            elif retour.agit and "parent" in _arrivee(retour):
                parents[cle] = _arrivee(retour)["parent"]
        perdues = [cle for cle, parent in parents.items() if cle != racine and parent not in parents]
        for cle in perdues:
            perdue = retours.get(cle)
            if perdue is not None and perdue.agit and "parent" in _arrivee(perdue):
                perdue.exclue = "La fiche à laquelle elle serait de nouveau rattachée n’existe plus."
            else:
                dessus = retours[parents[cle] or 0]
                dessus.exclue = dessus.exclue or "D’autres fiches y sont rattachées aujourd’hui : elles restent."
        if not perdues:
            return


def _arrivee(retour: Retour) -> Mapping[str, int | None]:
    """Where the fiche goes: a reopened one to its last place, unless the inverse moves it too."""
    if retour.nature == Nature.AJOUT:
        return {"parent": appliquer(retour.etat, retour.patch)["parent"]}
    return {"parent": retour.patch["parent"]} if "parent" in retour.patch else {}


def _dire_par_qui(retours: Collection[Retour], dossier: Dossier, jour: date) -> None:
    """For each field changed again since, the last modification that did; for an added fiche, the last one at all."""
    if not retours:
        return
    par_fiche = {r.fiche.pk: r for r in retours}
    depuis = Modification.objects.vivantes().filter(
        fiche__in=par_fiche, saisie_le__gte=dossier.publie_le, date_effet__lte=jour
    )
    for m in depuis.exclude(origine=f"dossier {dossier.pk}").select_related("auteur").order_by("date_effet", "pk"):
        retour = par_fiche[m.fiche_id]
        for heurt in retour.heurts:
            if heurt.nom in m.patch or retour.nature == Nature.SUPPRESSION:
                retour.derniers[heurt.nom] = m
