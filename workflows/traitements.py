"""Gestures on many tasks, in words: what one would do before it is asked, and what became of it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from backoffice.comptes.models import User
from backoffice.socle.mots import date_longue
from structures.regles import est_gestionnaire

from . import boite
from .domaine.taches import DEJA_APPROUVE, JUGE_ET_PARTIE, SANS_DROIT
from .enums import ETAPES, ActionLot, Cercle, ResultatLigne
from .models import LigneLot, Lot, Tache
from .regles import acteurs_a, dossiers_visibles, perimetre, retenues_par_sa_signature, taches_de
from .revue.modele import ATTENTIONS

_DECISIONS = ("validation_direction", "approbation_sesan", "approbation_tutelle")
GROUPES = 20  # kinds of tasks whose people are offered: beyond, one assigns in several times


@dataclass(frozen=True, slots=True)
class LigneApercu:
    """One task of a gesture that is not yet asked for. ``raison``: why it can't be done, empty when it can.
    ``vu``: what is decided on (``LigneLot.vu``)."""

    tache: Any
    vu: str
    raison: str

    @property
    def etablissement(self) -> str:
        return str(self.tache.nom_eg or self.tache.eg.identifiant)

    @property
    def marques(self) -> list[str]:
        """What a reviewer should not miss in it."""
        return [libelle for code, libelle in ATTENTIONS.items() if code in self.tache.attentions]


def apercu(user: User, action: ActionLot, numeros: Collection[int], a: User | None = None) -> list[LigneApercu]:
    """What would be done on these tasks, those that she does not see left out. A constant number of statements."""
    trouvees = Tache.objects.filter(pk__in=numeros, dossier__in=dossiers_visibles(user))
    taches = list(boite.detaillees(trouvees).order_by("echeance", "pk"))
    cles = [t.pk for t in taches]
    droits = _Droits(user, action, cles, a)
    return [LigneApercu(t, _vu(t, action), droits.raison(t)) for t in taches]


def _vu(tache: Tache, action: ActionLot) -> str:
    if action == ActionLot.APPROUVER:
        return tache.dossier.empreinte
    return str(tache.tache.owner_id or "")


class _Droits:
    """What the verbs would refuse, asked for all the tasks at once. They ask again, each under its lock."""

    def __init__(self, user: User, action: ActionLot, cles: Sequence[int], a: User | None) -> None:
        self.user, self.action, self.a = user, action, a
        siennes = Tache.objects.filter(perimetre(user), pk__in=cles)
        self.perimetre = set(siennes.order_by().values_list("pk", flat=True))
        self.faisables = _cles(taches_de(user), cles)
        self.retenues = _cles(retenues_par_sa_signature(user), cles)
        self.d_elle = _cles(taches_de(a), cles) if a else set()
        self.attribue_tout = action == ActionLot.ATTRIBUER and est_gestionnaire(user)

    def raison(self, tache: Tache) -> str:
        if tache.close_le is not None:
            qui = f" par {tache.close_par}" if tache.close_par else ""
            return f"Déjà traitée{qui} le {date_longue(tache.close_le, 'heure')}."
        if self.action == ActionLot.APPROUVER and tache.noeud not in _DECISIONS:
            return f"Il n’y a rien à approuver à l’étape « {tache.etape.titre} »."
        if not tache.etape.reservable:
            return "Commune à l’équipe de l’établissement : elle ne se prend pas."
        return self._refus_de_droit(tache) or self._refus_de_mains(tache)

    def _refus_de_droit(self, tache: Tache) -> str:
        juge = tache.etape.neutre and tache.dossier.envoye_par_id == self.user.pk
        if tache.pk in self.faisables or (self.attribue_tout and not juge):
            return ""
        if juge and tache.pk in self.perimetre:
            return JUGE_ET_PARTIE
        return DEJA_APPROUVE if tache.pk in self.retenues else SANS_DROIT

    def _refus_de_mains(self, tache: Tache) -> str:
        tenue_par = tache.tache.owner
        if tenue_par is not None and tenue_par.pk != self.user.pk:
            if self.a and tenue_par.pk == self.a.pk:
                return f"Déjà au nom de {self.a}."
            return f"{tenue_par} a pris cette tâche : ouvrez-la pour la reprendre."
        if self.action == ActionLot.PRENDRE and tenue_par is not None:
            return "Déjà à votre nom."
        if self.a and tache.pk not in self.d_elle:
            return f"{self.a} ne peut pas faire cette tâche."
        return ""


def _cles(taches: QuerySet[Tache], parmi: Sequence[int]) -> set[int]:
    return set(taches.filter(pk__in=parmi).order_by().values_list("pk", flat=True))


def collegues(user: User, taches: Iterable[Tache]) -> list[User]:
    """Who could be given at least one of these tasks, she left out, by name."""
    genres = []
    for t in taches:
        etape = ETAPES[t.noeud]
        par_eg = etape.cercle in (Cercle.DIRECTION, Cercle.EDITEURS)
        genre = (t.noeud, t.eg_id if par_eg else 0, t.autorite_id)
        if etape.reservable and genre not in genres:
            genres.append(genre)
    trouves: dict[int, User] = {}
    for noeud, eg, autorite in genres[:GROUPES]:
        trouves |= {p.pk: p for p in acteurs_a(noeud, eg, autorite, None)}
    trouves.pop(user.pk, None)
    return sorted(trouves.values(), key=lambda p: (p.last_name, p.first_name, p.pk))


# -- what became of it -----------------------------------------------------------------------------------------


def lots_de(user: User) -> QuerySet[Any]:
    """Her lots, the last first, each with how many of its tasks there are (``total``) and what became of them."""

    def nombre(resultat: ResultatLigne) -> Count:
        return Count("lignes", filter=Q(lignes__resultat=resultat))

    return (
        Lot.objects.filter(auteur=user.pk)
        .select_related("destinataire")
        .annotate(
            total=Count("lignes"),
            faits=nombre(ResultatLigne.FAIT),
            refuses=nombre(ResultatLigne.REFUSE),
            erreurs=nombre(ResultatLigne.ERREUR),
        )
        .order_by("-pk")
    )


def lignes_de(lot: Lot) -> list[Any]:
    """Its tasks in order: dossier, and the name of the establishment (``nom_eg``). Two statements."""
    lignes = list(LigneLot.objects.filter(lot=lot).order_by("rang"))
    taches = {t.pk: t for t in boite.detaillees(Tache.objects.filter(pk__in=[ligne.tache_id for ligne in lignes]))}
    for ligne in lignes:
        ligne.tache = taches[ligne.tache_id]
    return lignes
