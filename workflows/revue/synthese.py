"""Counts of a review and what is shown folded: the same change forty times is one line; no statement.

In a big review what is folded comes when it is asked for (``Bloc.differe``): the page stays light.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from backoffice.socle.mots import nombre
from structures.enums import Niveau

from ..enums import Nature
from .modele import ATTENTIONS, Changement

SEMBLABLES = 4  # from that many changes of one shape in a row on, they are one line
BEAUCOUP = 200  # above that many changes, what is folded is fetched when it is unfolded
TRANCHE = 25  # of a big review: changes shown together
CITEES = 8  # of what asks for attention: reasons of one kind, and fiches of one reason, that a screen names

_ORDRE = [Nature.AJOUT, Nature.DEPLACEMENT, Nature.MODIFICATION, Nature.SUPPRESSION]
_MOTS = {
    Nature.AJOUT: ("ajout", "ajouts"),
    Nature.MODIFICATION: ("modification", "modifications"),
    Nature.DEPLACEMENT: ("déplacement", "déplacements"),
    Nature.SUPPRESSION: ("suppression", "suppressions"),
    "renommage": ("nom changé", "noms changés"),
}
_TITRES = {
    Nature.AJOUT: "Ajouts",
    Nature.MODIFICATION: "Modifications",
    Nature.DEPLACEMENT: "Déplacements",
    Nature.SUPPRESSION: "Suppressions",
}
_NIVEAUX = {
    Niveau.EJ: "entités juridiques",
    Niveau.EG: "établissements",
    Niveau.POLE: "pôles",
    Niveau.SERVICE: "services",
    Niveau.UF: "unités fonctionnelles",
    Niveau.UO: "unités opérationnelles",
}


@dataclass(slots=True)
class Bloc:
    """Changes shown together. ``titre``: under what new fiches are created. ``sommaire``: the line of those that are
    folded, "" when they stand open; ``lignes``: before → after that all of them share. ``cle`` names it in addresses;
    ``differe``: fetched when it is unfolded; ``ouvert``: unfolded at first."""

    cle: str
    titre: str
    changements: list[Changement]
    sommaire: str = ""
    lignes: list[dict[str, Any]] = field(default_factory=list)
    differe: bool = False
    ouvert: bool = False


@dataclass(slots=True)
class Groupe:
    nature: str
    titre: str
    blocs: list[Bloc]


@dataclass(slots=True)
class Raison:
    """Why some changes ask for attention, and which: (name of the fiche, link). ``precision``: what ``texte`` says that
    the name of the mark does not."""

    texte: str
    precision: str
    fiches: list[tuple[str, str]]

    @property
    def citees(self) -> list[tuple[str, str]]:
        """Those that a screen names; ``autres``: how many more."""
        return self.fiches[:CITEES]

    @property
    def autres(self) -> int:
        return max(0, len(self.fiches) - CITEES)


@dataclass(slots=True)
class Marque:
    """All changes with one mark of attention, by reason."""

    code: str
    libelle: str
    raisons: list[Raison]

    @property
    def total(self) -> int:
        return sum(len(r.fiches) for r in self.raisons)

    @property
    def citees(self) -> list[Raison]:
        return self.raisons[:CITEES]

    @property
    def autres(self) -> int:
        return sum(len(r.fiches) for r in self.raisons[CITEES:])


@dataclass(slots=True)
class Resume:
    """Counts, marks and groups of a list of changes. ``comptes``: (sign, words) for those that occur. ``direct``:
    nothing there needed a dossier, only the content of fiches that exist changes. ``url``: the page of the whole
    review, "" when it is all here."""

    total: int
    finalisees: int
    comptes: list[tuple[str, str]]
    marques: list[Marque]
    groupes: list[Groupe]
    direct: bool
    commentaires: int
    differe: bool
    url: str = ""

    @property
    def en_attente(self) -> int:
        return self.total - self.finalisees

    @property
    def attentions(self) -> int:
        return sum(m.total for m in self.marques)


def compte_en_mots(signe: str, combien: int) -> str:
    """« 3 ajouts »."""
    return f"{nombre(combien)} {_MOTS[signe][combien > 1]}"


def resume(liste: Collection[Changement], *, url: str = "") -> Resume:
    """Counts, marks of attention and groups of ``changements``. ``url``: where the review answers for a part of itself
    (``?bloc=``, ``?fiche=``, ``?attention=``)."""
    comptes = Counter(signe for c in liste for signe in (c.nature, *(n for n in c.natures if n not in _ORDRE)))
    differe = bool(url) and len(liste) > BEAUCOUP
    ici = {c.fiche for c in liste}
    premiers = [c for c in liste if c.sous not in ici]
    return Resume(
        total=len(liste),
        finalisees=sum(c.finalisee for c in liste),
        comptes=[(signe, compte_en_mots(signe, comptes[signe])) for signe in (*_ORDRE, "renommage") if comptes[signe]],
        marques=_marques(liste, url if differe else ""),
        groupes=[_groupe(n, [c for c in premiers if c.nature == n], differe=differe) for n in _ORDRE if comptes[n]],
        direct=bool(liste) and all(c.direct for c in liste),
        commentaires=sum(len(c.commentaires) for c in liste),
        differe=differe,
        url=url,
    )


def bloc(synthese: Resume, liste: Iterable[Changement], cle: str) -> Bloc | None:
    """What ``?bloc=`` asks for: a folded bloc, or what the closing of a fiche takes along. None: there is no such one
    any more."""
    for groupe in synthese.groupes:
        for candidat in groupe.blocs:
            if candidat.cle == cle:
                return candidat
    return next((Bloc(cle, "", c.dessous) for c in liste if c.dessous and c.cle_dessous == cle), None)


def montrer_les_commentes(synthese: Resume, fiches: Collection[int]) -> None:
    """Unfold what holds a change on which somebody is writing: what was typed is never out of sight."""
    for groupe in synthese.groupes:
        for candidat in groupe.blocs:
            if any(c.fiche in fiches for c in candidat.changements):
                candidat.differe, candidat.ouvert = False, True


def _marques(liste: Collection[Changement], url: str) -> list[Marque]:
    raisons: dict[str, dict[str, list[tuple[str, str]]]] = {code: {} for code in ATTENTIONS}
    for c in liste:
        for attention in c.attentions:
            lien = f"{url}?fiche={c.fiche}" if url else f"#{c.ancre}"
            raisons[attention.code].setdefault(attention.texte, []).append((c.nom, lien))
    return [
        Marque(code, libelle, [Raison(texte, _precision(texte, libelle), fiches) for texte, fiches in trouvees.items()])
        for code, libelle in ATTENTIONS.items()
        if (trouvees := raisons[code])
    ]


def _precision(texte: str, libelle: str) -> str:
    """« dernière offre du département : Anesthésie » → « Anesthésie »."""
    reste = texte[len(libelle) :].removeprefix(" : ") if texte.lower().startswith(libelle.lower()) else texte
    return reste[:1].upper() + reste[1:]


def _groupe(nature: str, liste: list[Changement], *, differe: bool) -> Groupe:
    blocs: list[Bloc] = []
    lieux = groupby(liste, key=lambda c: c.chemin or c.parent if nature == Nature.AJOUT else "")
    for titre, ensemble in lieux:
        blocs += _blocs(titre, list(ensemble), differe=differe)
    return Groupe(nature, _TITRES[Nature(nature)], blocs)


def _blocs(titre: str, liste: list[Changement], *, differe: bool) -> list[Bloc]:
    """What stands open, in the order of the tree, then what is folded."""
    formes: dict[str, list[Changement]] = {}
    for c in liste:
        formes.setdefault(_forme(c), []).append(c)
    semblables = [memes for memes in formes.values() if len(memes) >= SEMBLABLES]
    replies = {c.fiche for memes in semblables for c in memes}
    seuls = [c for c in liste if c.fiche not in replies]
    blocs = []
    pas = TRANCHE if differe else max(1, len(seuls))
    for debut in range(0, len(seuls), pas):
        tranche = seuls[debut : debut + pas]
        suite = f"Les suivantes : {nombre(debut + 1)} à {nombre(debut + len(tranche))}" if debut else ""
        blocs.append(Bloc(_cle(tranche), titre, tranche, suite, differe=bool(suite)))
    return blocs + [Bloc(_cle(memes), titre, memes, _sommaire(memes), memes[0].lignes, differe) for memes in semblables]


def _cle(liste: list[Changement]) -> str:
    return f"{liste[0].nature}-{liste[0].fiche}"


def _forme(c: Changement) -> str:
    """What makes two changes alike for a reviewer; one that asks for attention is like no other."""
    if c.attentions or c.commentaires or c.dessous:
        return f"seul {c.fiche}"
    rempli = [libelle for libelle, _ in c.contenu]
    lieu = (c.de, c.vers) if c.nature == Nature.DEPLACEMENT else c.chemin if c.nature == Nature.SUPPRESSION else ""
    lignes = [(ligne["nom"], ligne["avant"], ligne["apres"]) for ligne in c.lignes]
    return json.dumps([c.niveau, c.finalisee, c.extrait, rempli, lieu, lignes])


def _sommaire(memes: list[Changement]) -> str:
    c = memes[0]
    combien = f"{nombre(len(memes))} {_NIVEAUX[Niveau(c.niveau)]}"
    match c.nature:
        case Nature.AJOUT:
            return f"{combien} : {c.extrait}" if c.extrait else combien
        case Nature.DEPLACEMENT:
            return f"{combien}, de {c.de} vers {c.vers}"
        case Nature.MODIFICATION:
            return f"{combien}, le même changement : {', '.join(ligne['champ'] for ligne in c.lignes)}"
    return f"{combien} : {c.chemin}" if c.chemin else combien
