"""When a dossier may be published, from what the steps that are left really take (``durees``)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil

from django.conf import settings
from django.utils import timezone

from backoffice.socle.mots import date_longue, nombre, pluriel

from .delais import ajouter_jours_ouvres, est_ouvre
from .durees import Duree, durees
from .models import Tache
from .parcours import de

_DE_QUI = {
    "validation_direction": "d’une Direction",
    "approbation_sesan": "de SESAN",
    "affectation_tutelle": "de SESAN sur le choix d’une tutelle",
    "approbation_tutelle": "d’une tutelle",
}


@dataclass(frozen=True, slots=True)
class EtapePrevue:
    """A step that is left: when it may end, when at the latest in nine cases out of ten, and what says so.

    ``le`` None: it already takes longer than it ever does, nothing can be said.
    """

    noeud: str
    le: date | None
    tard: date | None
    phrases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prevision:
    """``etapes`` in order. ``si_envoye``: the dossier is a draft, the dates are those of a sending today."""

    etapes: tuple[EtapePrevue, ...]
    si_envoye: bool

    @property
    def publication(self) -> date | None:
        return self.etapes[-1].le if self.etapes else None

    @property
    def phrase(self) -> str:
        """« Publication attendue vers le … »; empty when no step is left."""
        if not self.etapes:
            return ""
        if self.publication is None:
            return (
                "Cette étape dure déjà plus longtemps que d’habitude : la date de publication ne se prévoit plus. "
                "Le retard est suivi."
            )
        debut = "Envoyé aujourd’hui, il serait publié" if self.si_envoye else "Publication attendue"
        tard = self.etapes[-1].tard
        fin = f", le {date_longue(tard)} au plus tard dans 9 cas sur 10" if tard and tard > self.publication else ""
        return f"{debut} vers le {date_longue(self.publication, 'jour')}{fin}, si personne ne demande de correction."

    @property
    def phrases(self) -> list[str]:
        """What the dates rest on, each step and authority once."""
        return [phrase for etape in self.etapes for phrase in etape.phrases]

    @property
    def dates(self) -> dict[str, date]:
        """Expected end by node, « publie » too, where one can be told."""
        connues = {etape.noeud: etape.le for etape in self.etapes if etape.le}
        return connues | ({"publie": self.publication} if self.publication else {})


def cles_de(noeuds: Collection[str], codes: Sequence[str]) -> list[tuple[str, str]]:
    """The pairs of ``durees`` that these steps rest on."""
    return [
        (noeud, code)
        for noeud in noeuds
        for code in (codes if noeud == "approbation_tutelle" and codes else [""])
    ]  # fmt: skip


def restantes(noeuds: Sequence[str], ici: str) -> tuple[str, ...]:
    """The steps from this one on that somebody decides, in order; those of the authors are theirs to time."""
    if ici not in noeuds:
        return ()
    return tuple(n for n in noeuds[noeuds.index(ici) :] if n in _DE_QUI)


def prevoir(
    noeuds: Sequence[str],
    ici: str,
    codes: Sequence[str],
    noms: Sequence[str],
    taches: Sequence[Tache],
    connues: Mapping[tuple[str, str], Duree] | None = None,
) -> Prevision:
    """For a dossier at the node ``ici`` of its route, with its open tasks. ``codes`` and ``noms``: its authorities.

    One statement, none with ``connues`` (what ``durees`` says of ``cles_de``).
    """
    suite = restantes(noeuds, ici)
    if connues is None:
        connues = durees(cles_de(suite, codes))
    aujourdhui = timezone.localdate()
    le: date | None = aujourdhui
    tard: date | None = aujourdhui
    etapes = []
    for noeud in suite:
        fins = []
        for cle in cles_de([noeud], codes):
            duree = connues.get(cle)
            ouvertes = [t for t in taches if t.noeud == noeud and (t.autorite_id or "") == cle[1]]
            if noeud != ici:
                fins.append(_a_venir(noeud, duree, le, tard))
            elif ouvertes:
                fins.append(_en_cours(ouvertes[0], duree, aujourdhui))
        if fins:  # a joint approval ends with the last one
            le = None if any(f[0] is None for f in fins) else max(f[0] for f in fins if f[0])
            tard = None if any(f[1] is None for f in fins) else max(f[1] for f in fins if f[1])
        par_code = dict(zip(codes, noms, strict=True))
        phrases = tuple(
            _phrase(noeud, par_code.get(code, ""), connues.get((n, code))) for n, code in cles_de([noeud], codes)
        )
        etapes.append(EtapePrevue(noeud, le, tard, phrases))
    return Prevision(tuple(etapes), ici in ("redaction", "envoi"))


def _apres(depart: date, jours: float) -> date:
    """A working day, ``jours`` of them after ``depart``, a part of one counting whole."""
    return ajouter_jours_ouvres(depart, ceil(jours) if jours or est_ouvre(depart) else 1)


def _a_venir(noeud: str, duree: Duree | None, le: date | None, tard: date | None) -> tuple[date | None, date | None]:
    delai = settings.DELAIS_ETAPES[noeud]
    mediane, p90 = (duree.mediane, duree.p90) if duree and duree.parle else (delai, delai)
    return le and _apres(le, mediane), tard and _apres(tard, p90)


def _en_cours(tache: Tache, duree: Duree | None, aujourdhui: date) -> tuple[date | None, date | None]:
    """Its half of the cases, else its nine tenths, counted from its creation; its due date without a history."""
    debut, echeance = timezone.localdate(tache.creee_le), timezone.localdate(tache.echeance)
    fins = [_apres(debut, duree.mediane), _apres(debut, duree.p90)] if duree and duree.parle else [echeance]
    a_venir = [fin for fin in fins if fin >= aujourdhui]
    return (a_venir[0], a_venir[-1]) if a_venir else (None, None)


def _phrase(noeud: str, nom: str, duree: Duree | None) -> str:
    qui = de(nom) if noeud == "approbation_tutelle" and nom else _DE_QUI[noeud]
    if duree is None or not duree.parle:
        delai = settings.DELAIS_ETAPES[noeud]
        combien = _combien(duree.nombre) if duree else "aucune décision"
        return f"Il n’y a encore {combien} {qui} : la date tient compte du délai prévu, {_jours(delai)}."
    median = f"pris {_jours(duree.mediane)} (médiane)" if duree.mediane else "été prises le jour même (médiane)"
    return (
        f"Les {nombre(duree.nombre)} dernières décisions {qui} ont {median}, "
        f"{_jours(duree.p90)} au plus dans 9 cas sur 10."
    )


def _combien(decisions: int) -> str:
    return "qu’une décision" if decisions == 1 else f"que {nombre(decisions)} décisions"


def _jours(valeur: float) -> str:
    jours = ceil(valeur)
    return f"{nombre(jours)} jour{pluriel(jours)} ouvré{pluriel(jours)}"
