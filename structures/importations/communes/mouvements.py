"""From the movements since 1943 to what became of the communes that are held today. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date

from .lecture import Mouvement


@dataclass
class Devenir:
    """``successeurs``: code → (day, the code that took over all of it). ``partages``: code → (day, the codes among
    which its land went, itself perhaps). ``noms``: the name of each commune that a movement made, the last one.
    ``renommees``: (code, former name, new name) of those that kept their code, in order."""

    successeurs: dict[str, tuple[date, str]] = field(default_factory=dict)
    partages: dict[str, tuple[date, list[str]]] = field(default_factory=dict)
    noms: dict[str, str] = field(default_factory=dict)
    renommees: list[tuple[str, str, str]] = field(default_factory=list)
    a_venir: int = 0


def devenir(
    mouvements: Iterable[Mouvement], tenues: Collection[str], liste: Collection[str] | None, aujourdhui: date
) -> Devenir:
    """``tenues``: codes of the communes that the register holds as existing; ``liste``: those of the year, if given.

    A commune that vanished once and came back is not one that vanished; codes are given again.
    """
    resultat = Devenir()
    par_jour: dict[tuple[date, str], list[Mouvement]] = defaultdict(list)
    dernier_apres: dict[str, date] = {}
    for m in sorted(mouvements):
        if m.jour > aujourdhui:
            resultat.a_venir += 1
            continue
        par_jour[m.jour, m.avant].append(m)
        dernier_apres[m.apres] = m.jour
        if m.apres != m.avant:
            resultat.noms[m.apres] = m.nom_apres
        elif m.nom_avant != m.nom_apres:
            resultat.renommees.append((m.apres, m.nom_avant, m.nom_apres))
    fins: dict[str, tuple[date, list[str]]] = {}
    for (jour, avant), groupe in par_jour.items():
        apres = sorted({m.apres for m in groupe})
        if avant not in apres:
            fins[avant] = (jour, apres)
        # Carved out of a commune that goes on: news only when the register does not know it yet.
        elif avant in tenues and any(a not in tenues and (liste is None or a in liste) for a in apres):
            resultat.partages[avant] = (jour, apres)
    for avant, (jour, apres) in fins.items():
        revenue = dernier_apres.get(avant, date.min) > jour
        if avant not in tenues or revenue or (liste is not None and avant in liste):
            continue
        if len(apres) == 1:
            resultat.successeurs[avant] = (jour, _au_bout(apres[0], jour, fins, tenues))
        else:
            resultat.partages[avant] = (jour, apres)
    return resultat


def _au_bout(code: str, jour: date, fins: dict[str, tuple[date, list[str]]], tenues: Collection[str]) -> str:
    """Past the communes that came and went between two imports: the register never knew them."""
    vues = {code}
    while code not in tenues and code in fins and fins[code][0] >= jour and len(fins[code][1]) == 1:
        suivant = fins[code][1][0]
        if suivant in vues:
            break
        jour, code = fins[code][0], suivant
        vues.add(code)
    return code
