"""Who is expected to act on a dossier now, since when, what comes next: in sentences, so that nobody has to call."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from backoffice.comptes.models import User
from backoffice.socle.mots import date_longue

from . import parcours, prevision, regles
from .durees import durees
from .enums import ETAPES, Cercle
from .models import Dossier, Tache
from .parcours import Parcours

NOMMES = 3  # more people than that are called by their role


@dataclass
class Attente:
    """Where an open dossier is, for one person. ``taches``: its open ones, with owner and authority."""

    dossier: Dossier
    parcours: Parcours
    taches: Sequence[Tache]
    user: User

    @cached_property
    def prevision(self) -> prevision.Prevision:
        """One statement; nothing while nobody may do one of the tasks of a sent dossier."""
        if not self.dossier.est_brouillon and any(personne is None for personne, _ in self._acteurs):
            return prevision.Prevision((), si_envoye=False)
        ici, trajet = parcours.position_de(self.dossier), self.parcours
        return prevision.prevoir(trajet.noeuds, ici, trajet.codes, trajet.autorites, self.taches)

    @cached_property
    def maintenant(self) -> list[str]:
        """A sentence a task: whose it is, since when, until when. One statement a task."""
        return [_qui_a_la_main(tache, noms, self.user) for noms, tache in self._acteurs]

    @cached_property
    def _acteurs(self) -> list[tuple[str | None, Tache]]:
        """Each task with the names of who may do it, « » when one person has it, None when nobody may."""
        lus: list[tuple[str | None, Tache]] = []
        for tache in self.taches:
            tache.dossier = self.dossier
            lus.append(("" if tache.tache.owner else _noms(regles.acteurs_de(tache), self.user) or None, tache))
        return lus

    @property
    def ensuite(self) -> str:
        """« Ensuite, SESAN se prononce, puis le dossier paraît au répertoire. »"""
        noeuds = self.parcours.noeuds
        ici = parcours.position_de(self.dossier)
        suite = [self._en_mots(noeud) for noeud in noeuds[noeuds.index(ici) + 1 :]] if ici in noeuds else []
        return f"Ensuite, {', puis '.join(suite)}." if suite else ""

    def _en_mots(self, noeud: str) -> str:
        tutelles = " et ".join(parcours.le(nom) for nom in self.parcours.autorites) or "la tutelle"
        return {
            "envoi": "un Référent ou une Direction de l’établissement envoie le dossier en validation",
            "validation_direction": "la Direction de l’établissement se prononce",
            "affectation_tutelle": "SESAN désigne la tutelle",
            "approbation_tutelle": f"{tutelles} se prononce{'nt' if len(self.parcours.autorites) > 1 else ''}",
            "approbation_sesan": "SESAN se prononce",
            "publie": "le dossier paraît au répertoire, aussitôt et tout entier",
        }[noeud]

    @property
    def destinataires(self) -> list[tuple[str, str]]:
        """(whose step, names or « ») of the steps after the sending, as they are today. A statement a step."""
        trajet = self.parcours
        par_code = dict(zip(trajet.codes, trajet.autorites, strict=True))
        lignes = []
        for noeud, code in prevision.cles_de(prevision.restantes(trajet.noeuds, "envoi"), trajet.codes):
            noms = _noms(regles.acteurs_a(noeud, self.dossier.eg_id, code or None, self.user.pk), self.user)
            if code or noeud != "approbation_tutelle":
                lignes.append((par_code.get(code) or _DE_L_ETAPE[noeud], "" if noms == _BEAUCOUP else noms))
        return lignes


_DE_L_ETAPE = {
    "validation_direction": "Direction de l’établissement",
    "affectation_tutelle": "SESAN, pour désigner la tutelle",
    "approbation_sesan": "SESAN",
}


@dataclass(frozen=True, slots=True)
class Bref:
    """Where a sent dossier is, in a few words: who acts, since when, expected publication (None: not to be told)."""

    qui: str
    depuis: datetime
    publication: date | None


def en_bref(dossiers: Collection[int]) -> dict[int, Bref]:
    """Of these dossiers those that were sent and wait for a decision. Two statements."""
    if not dossiers:
        return {}
    a_decider = [etape.noeud for etape in ETAPES.values() if etape.reservable]
    ouvertes: dict[Dossier, list[Tache]] = {}
    for tache in (
        Tache.objects.filter(dossier__in=dossiers, noeud__in=a_decider, close_le__isnull=True)
        .select_related("dossier", "autorite", "tache__owner")
        .order_by("pk")
    ):
        ouvertes.setdefault(tache.dossier, []).append(tache)
    routes = {d: parcours.noeuds_de(d.filiere, d.autorites, d.etat) for d in ouvertes}
    cles = {cle for d, noeuds in routes.items() for cle in prevision.cles_de(noeuds[2:-1], d.autorites)}
    connues = durees(cles)
    return {
        d.pk: Bref(
            parcours.qui_agit(taches),
            min(t.creee_le for t in taches),
            prevision.prevoir(
                routes[d], parcours.position_de(d), d.autorites, d.autorites, taches, connues
            ).publication,
        )
        for d, taches in ouvertes.items()
    }


def _qui_a_la_main(tache: Tache, noms: str | None, user: User) -> str:
    depuis = f"depuis le {date_longue(tache.creee_le)}"
    proprietaire = tache.tache.owner
    if tache.en_retard:
        fin = f" L’échéance du {date_longue(tache.echeance)} est passée : le retard a été signalé."
    else:
        fin = f" Échéance : {date_longue(tache.echeance, 'jour')}."
    if proprietaire:
        prise = date_longue(tache.tache.assigned or tache.creee_le)
        if proprietaire.pk == user.pk:
            return f"C’est à vous d’agir : vous avez pris cette tâche le {prise}, ouverte {depuis}.{fin}"
        return f"{proprietaire} ({_cercle(tache)}) s’en charge depuis le {prise}.{fin}"
    if noms is None:
        return (
            f"C’est {_a_qui(tache)} d’agir, {depuis}, mais aucun compte ne le permet aujourd’hui : SESAN en est "
            f"averti, et la date de publication n’est plus connue.{fin}"
        )
    parmi = f" ({noms})" if noms != _BEAUCOUP else ""
    return f"C’est {_a_qui(tache)} d’agir{parmi}, {depuis}.{fin}"


_BEAUCOUP = "…"


def _noms(personnes: Any, user: User | None) -> str:
    """Their names when they are few, « … » when they are not, « » when there is nobody; the reader is « vous »."""
    trouvees = list(personnes[: NOMMES + 1])
    if len(trouvees) > NOMMES:
        return _BEAUCOUP
    noms = ["vous"] if any(p == user for p in trouvees) else []
    noms += [str(p) for p in trouvees if p != user]
    return noms[0] if len(noms) == 1 else f"{', '.join(noms[:-1])} et {noms[-1]}" if noms else ""


def _a_qui(tache: Tache) -> str:
    return {
        Cercle.EDITEURS: "aux Référents et Directions de l’établissement",
        Cercle.DIRECTION: "à la Direction de l’établissement",
        Cercle.GESTIONNAIRES: "à SESAN",
        Cercle.TUTELLE: parcours.a(tache.autorite.nom) if tache.autorite else "à la tutelle",
    }[tache.etape.cercle]


def _cercle(tache: Tache) -> str:
    return {
        Cercle.EDITEURS: "établissement",
        Cercle.DIRECTION: "Direction de l’établissement",
        Cercle.GESTIONNAIRES: "SESAN",
        Cercle.TUTELLE: tache.autorite.nom if tache.autorite else "tutelle",
    }[tache.etape.cercle]
